"""Values of an entry besides numbers, dates and declared words: short texts with a version.

None of them reveals anything about a person without the keys, and none accepts free text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import ClassVar, Self

from troth.ledger.errors import EntryRefused


@dataclass(frozen=True, slots=True, order=True)
class _Token:
    """A text of one fixed shape; anything else is refused without being quoted."""

    text: str
    _shape: ClassVar[re.Pattern[str]]
    _says: ClassVar[str]

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or self._shape.fullmatch(self.text) is None:
            raise EntryRefused(f"{type(self).__name__} is {self._says}; something else was given")

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class Pseudonym(_Token):
    """The person or thing that an entry is about, keyed and linkable: ``ps1:`` and 32 hexadecimal digits.

    The number identifies the derivation, key version included; `troth.protect` makes pseudonyms.
    """

    _shape = re.compile(r"ps[1-9][0-9]{0,2}:[0-9a-f]{32}")
    _says = "'ps1:' and 32 hexadecimal digits, as Keyring.pseudonym makes it"

    @classmethod
    def keyed(cls, keyed: bytes) -> Self:
        """``ps1:`` and the first half of a 32-byte keyed hash. The shape is correct by construction and not checked
        again: batches spend half their time here."""
        assert len(keyed) == 32, "a keyed hash has 32 bytes"
        made = object.__new__(cls)
        object.__setattr__(made, "text", "ps1:" + keyed.hex()[:32])
        return made


@dataclass(frozen=True, slots=True, order=True)
class Hash(_Token):
    """A hash of something outside of the ledger: ``sha256:`` for public things (the declaration, a published page),
    ``dg1:`` for a keyed digest of things that are not public (a plan, a query)."""

    _shape = re.compile(r"(sha256|dg[1-9][0-9]{0,2}):[0-9a-f]{64}")
    _says = "'sha256:' or 'dg1:' and 64 hexadecimal digits, as Hash.of or Keyring.digest makes it"

    @classmethod
    def of(cls, public: bytes) -> Self:
        """The plain SHA-256 of something public."""
        return cls("sha256:" + hashlib.sha256(public).hexdigest())

    @property
    def hex(self) -> str:
        """The digits only."""
        return self.text.partition(":")[2]


@dataclass(frozen=True, slots=True, order=True)
class Commitment(_Token):
    """A salted commitment to a text outside of the ledger: ``cm1:`` and 64 hexadecimal digits; `Opening` reveals it.
    ``cm2:`` covers many at once; a `BatchMember` proves that one is among them."""

    _shape = re.compile(r"cm[1-9][0-9]{0,2}:[0-9a-f]{64}")
    _says = "'cm1:' and 64 hexadecimal digits, as protect.commit makes it"


@dataclass(frozen=True, slots=True, order=True)
class KeyId(_Token):
    """The id of a root key: ``k1:`` and 16 hexadecimal digits. It reveals nothing about the key."""

    _shape = re.compile(r"k[1-9][0-9]{0,2}:[0-9a-f]{16}")
    _says = "'k1:' and 16 hexadecimal digits, as Keyring.id gives it"


@dataclass(frozen=True, slots=True, order=True)
class DeclaredName(_Token):
    """A name from the declaration or the catalogue: a system, ``system.table``, a purpose, a control, a promise.

    It has the form of an identifier, so that no address, number or sentence fits. `DeclaredName.of` takes any declared
    name and writes an unusual one (``Order Details``) as ``~`` and part of its hash.
    """

    _shape = re.compile(r"(?!.*[0-9]{6})[A-Za-z_][A-Za-z0-9_]*([.-][A-Za-z0-9_]+){0,7}|~[0-9a-f]{24}")
    _says = "a declared name such as 'shop' or 'shop.customer'; use Name.of for unusual names"
    _longest: ClassVar[int] = 160

    def __post_init__(self) -> None:
        _Token.__post_init__(self)
        if len(self.text) > self._longest:
            raise EntryRefused(f"Name has at most {self._longest} characters; use Name.of for longer names")

    @classmethod
    def of(cls, declared: str) -> Self:
        """A declared name with any characters."""
        if len(declared) <= cls._longest and cls._shape.fullmatch(declared):
            return cls(declared)
        return cls("~" + hashlib.sha256(declared.encode("utf-8", "surrogatepass")).hexdigest()[:24])
