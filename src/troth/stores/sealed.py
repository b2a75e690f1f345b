"""Declared sealed fields: their places, the keys of their values, and whether the values open there."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from troth.controls import ControlFinding
from troth.declaration import Declaration
from troth.ledger import KeyId
from troth.protect import Keyring, OpenError, SealingContext, is_deterministic, sealed_under
from troth.stores.contract import Scalar, Store
from troth.text import counted

_BATCH = 2_000


def sealed_fields(declaration: Declaration) -> dict[tuple[str, str], dict[str, Literal[True, "deterministic"]]]:
    """The columns declared sealed, and how, by system and table."""
    return {
        (system, name): {column: use.sealed for column, use in table.fields.items() if use.sealed}
        for system, it in declaration.systems.items()
        for name, table in it.tables.items()
    }


def keys_in_use(
    declaration: Declaration, stores: Mapping[str, Store], *, progress: Callable[[str, int], None] = lambda *_: None
) -> dict[str, Counter[tuple[KeyId, int]]]:
    """For every declared sealed field (``shop.customer.card``), the number of values under each root key and field key
    number. Reads every row of these tables; *progress* is called with the table and the number of rows. Raises
    `StoreError`."""
    found: dict[str, Counter[tuple[KeyId, int]]] = {}
    for (system, table), columns in sealed_fields(declaration).items():
        if not columns or system not in stores:
            continue
        counters = [found.setdefault(f"{system}.{table}.{column}", Counter()) for column in columns]
        read = 0
        for rows in stores[system].scan(table, list(columns), batch=_BATCH):
            for row in rows:
                for counter, value in zip(counters, row, strict=True):
                    if (under := sealed_under(unwrapped(value) or b"")) is not None:
                        counter[under] += 1
            read += len(rows)
            progress(f"{system}.{table}", read)
    return found


def unwrapped(value: Scalar) -> bytes | None:
    """The bytes of *value*, decoded if it is base64 text; None for anything else."""
    if isinstance(value, str):
        try:
            return base64.b64decode(value, altchars=b"-_" if "-" in value or "_" in value else None, validate=True)
        except (ValueError, binascii.Error):
            return None
    return value if isinstance(value, bytes) else None


@dataclass(frozen=True, slots=True)
class SealedSample:
    """What the sampled values of one field are: *clear* without the form of a sealed value, *alike* sealed
    deterministically although that is not declared, *opened* as values of this field. Of the others, *elsewhere* are
    under keys that are not ours, *closed* under one of ours that may open nothing now, and *strange* under one of ours
    without opening here. *is_opened*: there was a keyring to open them with."""

    values: int
    clear: int = 0
    alike: int = 0
    opened: int = 0
    elsewhere: int = 0
    closed: int = 0
    strange: int = 0
    is_opened: bool = True

    @classmethod
    def of(
        cls, values: Sequence[Scalar], table: str, column: str, keyring: Keyring | None, *, is_alike_allowed: bool
    ) -> SealedSample:
        """Judge *values* of the declared field. They are opened in memory; what they hold is not looked at."""
        kinds = Counter[str]()
        # An application names the table as its mapping does: with the schema, or without.
        contexts = [
            SealingContext(domain="fields", table=name, field=column)
            for name in dict.fromkeys((table, table.rpartition(".")[2]))
        ]
        for value in map(unwrapped, values):
            under = sealed_under(value or b"")
            if value is None or under is None:
                kinds["clear"] += 1
                continue
            kinds["alike"] += is_deterministic(value) and not is_alike_allowed
            if keyring is not None:
                kinds[_how_it_opens(value, under, contexts, keyring)] += 1
        return cls(len(values), **kinds, is_opened=keyring is not None)

    def faults(self, place: str) -> Iterator[ControlFinding]:
        """Findings about the field at *place*."""
        sampled = counted(self.values, "sampled value")
        if self.clear:
            message = f"{self.clear} of {sampled} not sealed"
            yield ControlFinding(place, message, "seal them, and fix the code that wrote them")
        if self.alike:
            message = f"{self.alike} of {sampled} sealed deterministically"
            yield ControlFinding(place, message, "seal them with a random nonce, or declare 'sealed: deterministic'")
        if self.strange and self.opened:
            message = (
                f"{self.strange} of {sampled} with the form of sealed ones that do not open as values of this field"
            )
            yield ControlFinding(
                place, message, "find what wrote them: they were moved there, or are not sealed at all"
            )

    def doubts(self) -> Iterator[str]:
        """Why the sample does not show that the field is sealed, although it has no fault."""
        if not self.is_opened and self.values:
            yield "only the form of its values was checked, without the keys"
        if self.elsewhere:
            yield f"{counted(self.elsewhere, 'value')} under keys that are not in this keyring"
        if self.closed:
            yield f"{counted(self.closed, 'value')} under a key that opens nothing at the moment"
        if self.strange and not self.opened:
            yield "no value opens for this table and column, so its application seals for another place, or not at all"


def _how_it_opens(
    value: bytes, under: tuple[KeyId, int], contexts: Sequence[SealingContext], keyring: Keyring
) -> Literal["opened", "elsewhere", "closed", "strange"]:
    root, number = under
    if root != keyring.id:
        return "elsewhere"
    for context in contexts:
        try:
            keyring.unseal(value, context)
        except OpenError:
            continue
        return "opened"
    state = keyring.chain.state("field", number) if keyring.chain is not None and number else None
    return "closed" if state is not None and not state.opens else "strange"
