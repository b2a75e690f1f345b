"""The blind index: finding a sealed value without opening every row.

Beside the sealed column is another column, a whole number: the *bucket* of the value, a few bits of an HMAC over its
normal form. Equal values always share a bucket, and several different values share each bucket, so a bucket says little
about a value; `plan_index` states what it does say. A lookup reads all rows of the bucket, opens them, and drops those
with another value, which are expected.

The HMAC has a key of its own for each tenant, table, set of columns, normal form, number of bits and version. The key
is derived from the root key and does not change when field keys rotate.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from troth.protect.fields.errors import PopulationTooSmall, SearchRefused
from troth.protect.keyring import Keyring
from troth.protect.pack import Part, packed

POPULATION_MIN: Final = 1_000
"""With fewer distinct values, an observer can guess each from its frequency."""
BITS_MAX: Final = 40


# --- normal forms -----------------------------------------------------------------------------------------------------

NormalForm = Literal["email", "exact", "phone", "text"]


def exact(value: Part) -> Part:
    """The value itself."""
    return value


def text(value: Part) -> str:
    """Ignores letter case, width, ligatures, invisible characters and runs of spaces (NFKC_Casefold)."""
    if not isinstance(value, str):
        raise SearchRefused(f"a {type(value).__name__} is not text; index it in its exact form")
    if value.isascii():
        return " ".join(value.lower().split())
    folded = unicodedata.normalize("NFD", "".join(each for each in value if unicodedata.category(each) != "Cf"))
    for _ in range(2):
        folded = unicodedata.normalize("NFKC", folded.casefold())
    return " ".join(folded.split())


def email(value: Part) -> str:
    """As `text`, without any spaces."""
    return unicodedata.normalize("NFKC", text(value).replace(" ", ""))


def phone(value: Part) -> str:
    """The digits only, in any script; ``+44 (0)20`` and ``0044 20`` equal ``+44 20``. A number without its country code
    stays different."""
    folded = text(value)
    if folded.startswith(("+", "00")):
        folded = folded.replace("(0)", "")
    return "".join(str(unicodedata.digit(each)) for each in folded if each.isdecimal()).removeprefix("00")


NORMAL_FORMS: Final[Mapping[NormalForm, Callable[[Part], Part]]] = {
    "email": email,
    "exact": exact,
    "phone": phone,
    "text": text,
}
"""Normal forms by name: values with the same form count as equal."""


# --- the index --------------------------------------------------------------------------------------------------------

_HEAD_BITS: Final = 63 - BITS_MAX  # of a signed 64-bit integer, which every database has


@dataclass(frozen=True, slots=True)
class BlindIndex:
    """The sealed *columns* of *table*, each in a normal form, by which rows are found; several columns only together.

    A bucket is a positive 63-bit integer: 23 bits identify the definition that made it, so that a row not yet reindexed
    after a change of the definition is recognised, and the last *bits* are the bucket itself.
    """

    table: str
    columns: tuple[tuple[str, NormalForm], ...]
    bits: int
    version: int = 1
    domain: str = "fields"
    first: int = field(init=False, compare=False, repr=False)
    """The lowest bucket of this definition. Every other is below ``first + 2 ** BITS_MAX``."""
    _definition: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        unknown = [form for _, form in self.columns if form not in NORMAL_FORMS]
        if unknown or not self.columns or len(dict(self.columns)) < len(self.columns):
            raise SearchRefused(f"an index names each column once, with one of {', '.join(NORMAL_FORMS)}")
        if not 1 <= self.bits <= BITS_MAX:
            raise SearchRefused(f"an index has 1 to {BITS_MAX} bits; let plan_index choose them")
        definition = json.dumps([1, self.domain, self.table, self.columns, self.bits, self.version])
        head = int.from_bytes(hashlib.sha256(definition.encode()).digest()[:8], "big") >> (64 - _HEAD_BITS)
        object.__setattr__(self, "_definition", definition)
        object.__setattr__(self, "first", head << BITS_MAX)

    def normal(self, *values: Part) -> tuple[Part, ...] | None:
        """The normal forms of a row's values; None if one is missing or empty: such rows are not indexed and cannot be
        found. Raises `SearchRefused` for a value without such a form."""
        forms = [None if v is None else NORMAL_FORMS[f](v) for v, (_, f) in zip(values, self.columns, strict=True)]
        return None if any(form is None or form == "" for form in forms) else tuple(forms)

    def bucket(self, keyring: Keyring, *values: Part) -> int | None:
        """The bucket of a row with these values. None as for `normal`."""
        normal = self.normal(*values)
        if normal is None:
            return None
        try:
            message = packed(normal)
        except TypeError:
            raise SearchRefused(f"{self.table}: only single values can be indexed, not lists or objects") from None
        number = int.from_bytes(keyring._mac("blind", self._definition)(message)[:8], "big")
        return self.first + (number >> (64 - self.bits))


# --- how many bits, and what they leak --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """An index over *population* distinct values, in ``2 ** bits`` buckets."""

    population: int
    bits: int

    @property
    def buckets(self) -> int:
        return 1 << self.bits

    @property
    def values_per_bucket(self) -> float:
        """How many distinct values share a bucket, on average."""
        return self.population / self.buckets

    @property
    def chance_shared(self) -> float:
        """The chance that two rows with different values share a bucket. Two with the same value always do."""
        return 1 / self.buckets

    @property
    def chance_alone(self) -> float:
        """The chance that a value is alone in its bucket. Then its rows look equal, and are."""
        return float((1 - 1 / self.buckets) ** (self.population - 1))

    def leaks(self) -> str:
        """What an observer of the table learns, in a few sentences for the person who decides."""
        return (
            f"{self.population:,} distinct values in {self.buckets:,} buckets of about {self.values_per_bucket:.1f}. "
            "Anyone who sees the table learns which rows share a bucket: those with equal values always, others with a "
            f"chance of 1 in {self.buckets:,}; {self.chance_alone:.0%} of the values are alone in theirs, where equal "
            "is certain. It also shows how often a frequent value occurs, by which one that is known to be frequent is "
            "guessed; and anyone who can have a value stored learns its bucket, and so which rows may hold that value"
        )


def plan_index(population: int, *, columns: int = 1, values_per_bucket: int = 2) -> IndexPlan:
    """The most bits with at least *values_per_bucket* of *population* distinct values in each bucket, on average.

    *population* is the number of distinct values in normal form, or of combinations if an index has several *columns*.
    It must be the column's real number: with fewer values, more of them are alone in their bucket. Raises
    `PopulationTooSmall` under 1,000, and `SearchRefused` for buckets of a single value or too few buckets.
    """
    if population < POPULATION_MIN:
        raise PopulationTooSmall(population, POPULATION_MIN, is_compound=columns > 1)
    if values_per_bucket < 2:
        raise SearchRefused("a bucket of one value tells equal values outright; use 2 or more values in each")
    bits = (population // values_per_bucket).bit_length() - 1
    if bits < 1:
        raise SearchRefused(f"{values_per_bucket:,} values in each bucket leave no buckets; use fewer")
    return IndexPlan(population, min(bits, BITS_MAX))
