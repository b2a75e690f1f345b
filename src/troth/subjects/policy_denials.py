"""Compares what an older version of the policy denied with today's declaration. Pure.

Rows from the time of that version are not affected if they have a mark that the application respects: ``restricted``,
or one for each purpose concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from troth.declaration import Basis, Declaration, Recipient, Sharing, Table, covers
from troth.law.places import FREE_FLOW

_RESTRICTED = frozenset({"restricted"})


@dataclass(frozen=True, slots=True)
class Breach:
    """A declared use that an older version denied. Rows with all marks of one item of *unless* are not affected. Unless
    *is_certain*, the denial may not cover it: for example, a processor is not a third party (GDPR Art. 4(10))."""

    says: str
    unless: tuple[frozenset[str], ...]
    is_certain: bool = True


def breaches(declaration: Declaration, denied: Collection[str], table: Table) -> Iterator[Breach]:
    """Today's declared uses of the data in *table* that contradict *denied*, the kinds that `denied_by` returns."""
    categories = sorted({use.category for use in table.fields.values()})
    for kind in sorted(denied):
        yield from _AGAINST[kind](declaration, categories)


# --- recipients -------------------------------------------------------------------------------------------------------


def _recipients(
    declaration: Declaration, categories: Collection[str]
) -> Iterator[tuple[Recipient, str, tuple[frozenset[str], ...]]]:
    """Recipients of some of the categories, with a description and the marks that exclude rows."""
    for key, recipient in declaration.recipients.items():
        if got := [one for one in categories if _has(recipient.receives, one)]:
            marks = (_RESTRICTED, *((frozenset(recipient.purposes),) if recipient.purposes else ()))
            yield recipient, f"the recipient '{key}' receives {', '.join(got)}", marks


def _shared(declaration: Declaration, categories: Collection[str]) -> Iterator[Breach]:
    for recipient, says, marks in _recipients(declaration, categories):
        yield Breach(says, marks, recipient.role is not Sharing.PROCESSOR)


def _sold(declaration: Declaration, categories: Collection[str]) -> Iterator[Breach]:
    for recipient, says, marks in _recipients(declaration, categories):
        if recipient.role in {Sharing.SALE, Sharing.SHARE}:
            yield Breach(says, marks, recipient.role is Sharing.SALE)


def _sent_abroad(declaration: Declaration, categories: Collection[str]) -> Iterator[Breach]:
    home = declaration.organisation.country
    for recipient, says, marks in _recipients(declaration, categories):
        if recipient.country != home:  # whether nearby countries were meant needs a human reader
            yield Breach(f"{says} in {recipient.country}", marks, recipient.country not in FREE_FLOW)


# --- purposes ---------------------------------------------------------------------------------------------------------


def _used(*uses: str) -> Callable[[Declaration, Collection[str]], Iterator[Breach]]:
    def found(declaration: Declaration, categories: Collection[str]) -> Iterator[Breach]:
        for key, purpose in declaration.purposes.items():
            got = [one for one in categories if _has(purpose.data, one)]
            if got and any(covers(use, purpose.use) for use in uses):
                says = f"the purpose '{key}' uses {', '.join(got)}"
                # People may have consented since; the declaration does not say whether these people have.
                yield Breach(says, (_RESTRICTED, frozenset({key})), purpose.basis is not Basis.CONSENT)

    return found


def _has(broad: Collection[str], category: str) -> bool:
    return any(covers(one, category) or covers(category, one) for one in broad)


_AGAINST: Mapping[str, Callable[[Declaration, Collection[str]], Iterator[Breach]]] = MappingProxyType(
    {
        "shares": _shared,
        "sells": _sold,
        "abroad": _sent_abroad,
        "markets": _used("marketing"),
        "trains": _used("train_ai_system"),
    }
)
