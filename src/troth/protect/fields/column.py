"""One sealed column, independent of the mapping library: values go in plain and are stored sealed.

Values come out plain too, not as `troth.protect.Sealed`: forms, templates, comparisons and every other library expect a
``str``, so a wrapper would be unwrapped at the first line, all over the application. What an application prints is its
own responsibility; what reaches the database and its driver from here is sealed.
"""

from __future__ import annotations

import dataclasses
import decimal
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from troth.protect.errors import OpenError
from troth.protect.fields.errors import FieldRefused
from troth.protect.fields.kinds import ColumnKind
from troth.protect.keyring import Keyring
from troth.protect.seal import (
    NUMBER_AT,
    ROOT_AT,
    FieldKey,
    SealingContext,
    Suite,
    is_begun,
    is_sealed,
    key_of,
    open_sealed,
    seal,
)

T = TypeVar("T")

_KEY_AT = slice(ROOT_AT.start, NUMBER_AT.stop)
_MISFITS = TypeError, ValueError, RecursionError, decimal.InvalidOperation

KeyringSource = Callable[[], Keyring]
"""Called for the keyring each time a column is used: columns are declared before a keyring exists."""


def home_keyring() -> Keyring:
    """The keyring of TROTH_HOME, opened on first use. Raises as `Keyring.open` does."""
    return _opened(os.environ.get("TROTH_HOME") or "~/.troth")


@lru_cache(8)
def _opened(home: str) -> Keyring:
    return Keyring.open(Path(home).expanduser())


class Keys:
    """The keys of one place, each looked up once: for a page of values, as a million look-ups take longer than the
    sealing."""

    __slots__ = ("_context", "_keyring", "_opening", "_sealing", "mark")

    def __init__(self, keyring: Keyring, context: SealingContext) -> None:
        self._keyring, self._context = keyring, context
        self._sealing = keyring._active_key(context, Suite.RANDOM)
        self._opening: dict[tuple[int, Suite], FieldKey] = {}
        self.mark = self._sealing.root_id + self._sealing.number.to_bytes(4, "big")

    def seal(self, plaintext: bytes) -> bytes:
        return seal(plaintext, self._context, self._sealing)

    def unseal(self, sealed: bytes) -> bytes:
        """Raises `OpenError`."""
        wanted = key_of(sealed)
        key = self._opening.get(wanted)
        if key is None:
            key = self._opening[wanted] = self._keyring._key_of(self._context, *wanted)
        return open_sealed(sealed, self._context, key)


@dataclass(frozen=True, slots=True)
class SealedColumn(Generic[T]):
    """Values of *kind* in the column *field* of *table*, sealed for exactly that place: a value copied into another
    column or table does not open there. The row is unknown here, so values are not bound to it.

    *accept_plain* is for the time in which a column is being sealed: a stored value that does not begin as a sealed one
    is read as it is, no matter who wrote it.
    """

    kind: ColumnKind[T]
    table: str
    field: str
    domain: str = "fields"
    keyring: KeyringSource = home_keyring
    accept_plain: bool = False
    context: SealingContext = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "context", SealingContext(domain=self.domain, table=self.table, field=self.field))

    @property
    def place(self) -> str:
        return f"{self.table}.{self.field}"

    def keys(self) -> Keys:
        """The current keys, for many values."""
        return Keys(self.keyring(), self.context)

    def seal(self, value: T | None, keys: Keys | None = None) -> bytes | None:
        """The stored form of *value*; NULL stays NULL. Raises `FieldRefused` for another kind of value, and as the
        keyring does."""
        if value is None:
            return None
        try:
            plain = self.kind.dump(value)
        except _MISFITS:
            plain = None
        if plain is None:  # raised outside of the handler: the text of the caught error can quote the value
            raise FieldRefused(f"{self.place} takes {self.kind.name}, not a value of type {type(value).__name__}")
        return self.keyring().seal(plain, self.context) if keys is None else keys.seal(plain)

    def open(self, stored: Any, keys: Keys | None = None) -> T | None:
        """The value of a *stored* one. Raises `OpenError` if it does not open, also if it is plain and that is not
        accepted, and `FieldRefused` if it holds another kind of value."""
        if stored is None:
            return None
        data = _bytes(stored)
        if self.accept_plain and not is_begun(data):
            return self._loaded(data)
        try:
            opened = self.keyring().unseal(data, self.context) if keys is None else keys.unseal(data)
        except OpenError as error:
            error.add_note(f"in {self.place}")
            raise
        return self._loaded(opened)

    def _loaded(self, data: bytes) -> T:
        try:
            return self.kind.load(data)
        except _MISFITS:
            pass
        raise FieldRefused(
            f"{self.place} contains a value that is not {self.kind.name}: does the column have that type?"
        )

    def is_under(self, keys: Keys, stored: Any) -> bool:
        """Whether *stored* is NULL or under the key in use. A key of another root key may have the same number."""
        if stored is None:
            return True
        data = stored if type(stored) is bytes else _bytes(stored)
        return data[_KEY_AT] == keys.mark and is_sealed(data)


def _bytes(stored: Any) -> bytes:
    """The bytes that a driver returned. SQLite keeps earlier values as the text or number that they were."""
    return bytes(stored) if isinstance(stored, bytes | bytearray | memoryview) else str(stored).encode()
