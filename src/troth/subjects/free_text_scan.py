"""The deep scan: finds people mentioned in free text, where no declared link leads.

Requests find rows by keys and identifiers. A note such as "call ann@example.org back" names Ann in a row that is not
hers, and only reading every note can find it. That takes time proportional to the size of the tables, so it is a
separate job. It returns places and counts, never text. It searches e-mail addresses and phone numbers, but not names,
because too many people share one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.declaration import IdentityKind
from troth.rows.datamap import DataMap, Node
from troth.rows.identifiers import variants
from troth.stores import Store
from troth.subjects.identity import Identity, IdentityRefused

BATCH_ROWS = 2_000
"""Rows in memory at a time."""

_WORD = r"[^\s@<>()\[\]{},;:\"'|/=]"
_EMAIL = re.compile(rf"(?<!{_WORD}){_WORD}{{1,64}}@{_WORD}{{1,255}}")  # at word starts only: linear time
_PHONE = re.compile(r"(?<!\d)(?:\+|00)?\d[\d\s().\-/]{5,30}\d(?!\d)")
_DIGITS_MIN = 7


@dataclass(frozen=True, slots=True)
class DeepFinding:
    """Number of rows of a free-text column that mention one of the people searched for."""

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
    """Read all declared free-text columns, and count the rows that mention one of the *identities*.

    *progress* is called with each place and its number of rows read so far. *region* is used to parse national phone
    numbers. Raises `IdentityRefused` for an identity without an e-mail address or a phone number to search for, and the
    stores' errors. Changes and stores nothing.
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
    """Search terms: case-folded e-mail addresses, and phone numbers as digits. Personal; `repr` shows counts."""

    emails: frozenset[str]
    phones: frozenset[str]

    @classmethod
    def of(cls, identities: Iterable[Identity], region: str) -> _Mentions:
        forms = [frozenset(_forms(identity, region)) for identity in identities]
        if not all(forms):
            few = f"a phone number of at least {_DIGITS_MIN} digits"
            raise IdentityRefused(f"keys of rows cannot be found in text: give each person an e-mail address, or {few}")
        wanted = frozenset[tuple[IdentityKind, str]]().union(*forms)
        return cls(
            frozenset(form for kind, form in wanted if kind is IdentityKind.EMAIL),
            frozenset(form for kind, form in wanted if kind is IdentityKind.PHONE and len(form) >= _DIGITS_MIN),
        )

    def are_in(self, text: str) -> bool:
        """True if the text contains one of them as a whole: not ``ann@example.org`` in ``joann@example.org``."""
        if self.emails and "@" in text:
            folded = text.casefold()
            if any(found.rstrip(".!?") in self.emails for found in _EMAIL.findall(folded)):
                return True
        return bool(self.phones) and any(_digits(found) in self.phones for found in _PHONE.findall(text))

    def __repr__(self) -> str:
        return f"_Mentions({len(self.emails)} addresses, {len(self.phones)} numbers)"


def _forms(identity: Identity, region: str) -> Iterator[tuple[IdentityKind, str]]:
    """Search terms for one person. Short numbers are skipped, because they would match prices and dates."""
    for kind, value in identity.identifiers:
        if kind is IdentityKind.EMAIL:
            yield kind, value.strip().casefold()
        elif kind is IdentityKind.PHONE and len(_digits(value)) >= _DIGITS_MIN:
            yield from ((kind, _digits(spelling)) for spelling in variants(kind, value, region=region))


def _digits(number: str) -> str:
    """Normalise ``+44 (0)7700 900001``, ``0044 7700 900001`` and ``447700900001`` to the same digits."""
    return re.sub(r"\D", "", number.replace("(0)", "")).removeprefix("00")
