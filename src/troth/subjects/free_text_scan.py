"""The deep scan: what people wrote into free text, where no link of the declaration leads.

A request finds rows by keys and identifiers. A note such as "call ann@example.org back" names Ann in a row that is not
hers, and only reading every note can tell. That takes as long as the tables are large, so it is a job of its own; it
returns places and counts, never text. E-mail addresses and phone numbers are looked for, names are not: too many people
share one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.declaration import IdentityKind
from troth.stores import Store
from troth.subjects.datamap import DataMap, Node
from troth.subjects.identity import Identity, IdentityRefused, variants

BATCH_ROWS = 2_000
"""Rows in memory at a time."""

_WORD = r"[^\s@<>()\[\]{},;:\"'|/=]"
_EMAIL = re.compile(rf"(?<!{_WORD}){_WORD}{{1,64}}@{_WORD}{{1,255}}")  # from the start of a word only: linear
_PHONE = re.compile(r"(?<!\d)(?:\+|00)?\d[\d\s().\-/]{5,30}\d(?!\d)")
_DIGITS_MIN = 7


@dataclass(frozen=True, slots=True)
class DeepFinding:
    """How many rows of a free-text column mention somebody who was looked for."""

    place: str
    column: str
    rows: int


def deep_scan(
    map_: DataMap,
    stores: Mapping[str, Store],
    identities: Sequence[Identity],
    *,
    progress: Callable[[str, int], None] | None = None,
    region: str = "GB",
) -> list[DeepFinding]:
    """Read every declared free-text column, and count the rows that mention one of the *identities*.

    *progress* is told each place and how many of its rows have been read so far. *region* is where national phone
    numbers are read. Raises `IdentityRefused` for somebody who has neither an address nor a number that can be looked
    for, and the stores' errors; nothing is changed and nothing is kept.
    """
    mentions = _Mentions.of(identities, region)
    return [finding for node in map_ for finding in _scan(node, stores, mentions, progress)]


def _scan(
    node: Node, stores: Mapping[str, Store], mentions: _Mentions, progress: Callable[[str, int], None] | None
) -> Iterator[DeepFinding]:
    columns = node.free_text
    if not columns:
        return
    read, rows = 0, dict.fromkeys(columns, 0)
    for batch in stores[node.system].scan(node.table, columns, batch=BATCH_ROWS):
        for row in batch:
            for column, text in zip(columns, row, strict=True):
                rows[column] += isinstance(text, str) and mentions.are_in(text)
        read += len(batch)
        if progress is not None:
            progress(node.place, read)
    yield from (DeepFinding(node.place, column, count) for column, count in rows.items() if count)


@dataclass(frozen=True, slots=True)
class _Mentions:
    """What is looked for: addresses with their case folded, numbers as digits. Personal; no repr."""

    emails: frozenset[str]
    phones: frozenset[str]

    @classmethod
    def of(cls, identities: Iterable[Identity], region: str) -> _Mentions:
        forms = [frozenset(_forms(identity, region)) for identity in identities]
        if not all(forms):
            few = f"a phone number of at least {_DIGITS_MIN} digits"
            raise IdentityRefused(f"text holds no keys of rows: give everybody an e-mail address, or {few}")
        wanted = frozenset[tuple[IdentityKind, str]]().union(*forms)
        return cls(
            frozenset(form for kind, form in wanted if kind is IdentityKind.EMAIL),
            frozenset(form for kind, form in wanted if kind is IdentityKind.PHONE and len(form) >= _DIGITS_MIN),
        )

    def are_in(self, text: str) -> bool:
        """Whether the text holds one of them as a whole: not ``ann@example.org`` in ``joann@example.org``."""
        if self.emails and "@" in text:
            folded = text.casefold()
            if any(found.rstrip(".!?") in self.emails for found in _EMAIL.findall(folded)):
                return True
        return bool(self.phones) and any(_digits(found) in self.phones for found in _PHONE.findall(text))

    def __repr__(self) -> str:
        return f"_Mentions({len(self.emails)} addresses, {len(self.phones)} numbers)"


def _forms(identity: Identity, region: str) -> Iterator[tuple[IdentityKind, str]]:
    """What of one person is looked for. A short number would be found in prices and dates."""
    for kind, value in identity.identifiers:
        if kind is IdentityKind.EMAIL:
            yield kind, value.strip().casefold()
        elif kind is IdentityKind.PHONE and len(_digits(value)) >= _DIGITS_MIN:
            yield from ((kind, _digits(spelling)) for spelling in variants(kind, value, region=region))


def _digits(number: str) -> str:
    """``+44 (0)7700 900001``, ``0044 7700 900001`` and ``447700900001`` alike: digits, without a prefix for abroad."""
    return re.sub(r"\D", "", number.replace("(0)", "")).removeprefix("00")
