"""Numbers and keys in free text that do harm where nobody expects them: cards, accounts, identity documents, secrets.

People write all kinds of numbers into tickets and notes, and one in ten passes the check of a card by chance. So only
what a check or an unmistakable form confirms is reported, and a number of which no word nearby says that it is a card
only where fewer numbers of that length fail the check than pass it: otherwise these are parcels and orders.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from troth.detect.entities import entities
from troth.detect.finding import Finding
from troth.detect.schema.values import findings_by_value, texts
from troth.stores import Scalar

GRAVE: Final = frozenset({"pci", "gov_id", "secret"})
"""Groups of entity types that are harmful if stored without anyone knowing."""
_OF_ORGANISATIONS: Final = frozenset({"user.government_id", "user.financial"})
"""Categories of numbers of firms and professions, and of addresses that machines write: ordinary in business mail."""
_SCORE_MIN: Final = 0.95
_REPEATED_MIN: Final = 3
"""An account number in as many rows is the company's own, under which its customers pay."""
_LONG_AS_A_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")


@dataclass(frozen=True, slots=True)
class GraveFinding:
    """In how many of the sampled values an entity type is, and its data category."""

    entity: str
    category: str
    values: int


def grave_in_text(values: Sequence[Scalar]) -> Iterator[GraveFinding]:
    """The grave kinds in a free text, by type. Bytes count if they are text. Raises `Unscanned`."""
    written = texts([value for value in values if not isinstance(value, bytes) or _is_text(value)])
    named, bare = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    accounts = defaultdict[str, set[int]](set)
    for at, finding in findings_by_value(written):
        if not _is_sure(finding):
            continue
        if finding.type == "IBAN_CODE":
            accounts["".join(written[at][finding.start : finding.end].split())].add(at)
        else:
            (named if finding.told else bare)[finding.type].add(at)
    named["IBAN_CODE"] = {at for rows in accounts.values() if len(rows) < _REPEATED_MIN for at in rows}
    cards = bare["CREDIT_CARD"]
    if len(cards) <= sum(
        at not in cards and _LONG_AS_A_CARD.search(text) is not None for at, text in enumerate(written)
    ):
        del bare["CREDIT_CARD"]
    for kind in sorted({*named, *bare}):
        if rows := named[kind] | bare[kind]:
            yield GraveFinding(kind, entities()[kind].category, len(rows))


def _is_sure(finding: Finding) -> bool:
    kind = entities().get(finding.type)
    if kind is None or kind.group not in GRAVE or kind.category in _OF_ORGANISATIONS or finding.score < _SCORE_MIN:
        return False
    return finding.checked is True or (finding.checked is None and finding.type == "SECRET")


def _is_text(value: bytes) -> bool:
    try:
        return "\x00" not in value.decode()
    except UnicodeDecodeError:
        return False
