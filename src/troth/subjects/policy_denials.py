"""What an older version of the policy denied, held against what is declared today. Pure.

A row of before is not concerned where it bears a mark that the application heeds: ``restricted``, or one for each
purpose that it would serve.
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
    """Something declared that an older version denied. Rows with all marks of one of *unless* are not concerned. What
    is not *certain* may or may not be what was meant: a processor is no third party (GDPR Art. 4(10))."""

    says: str
    unless: tuple[frozenset[str], ...]
    is_certain: bool = True


def breaches(declaration: Declaration, denied: Collection[str], table: Table) -> Iterator[Breach]:
    """What is declared today of the data in *table* against what `denied_by` names."""
    categories = sorted({use.category for use in table.fields.values()})
    for kind in sorted(denied):
        yield from _AGAINST[kind](declaration, categories)


# --- recipients -------------------------------------------------------------------------------------------------------


def _recipients(
    declaration: Declaration, categories: Collection[str]
) -> Iterator[tuple[Recipient, str, tuple[frozenset[str], ...]]]:
    """Those who get some of it: with words, and with the marks that keep rows from them."""
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
        if recipient.country != home:  # which of the near countries were meant is for a person to read
            yield Breach(f"{says} in {recipient.country}", marks, recipient.country not in FREE_FLOW)


# --- purposes ---------------------------------------------------------------------------------------------------------


def _used(*uses: str) -> Callable[[Declaration, Collection[str]], Iterator[Breach]]:
    def found(declaration: Declaration, categories: Collection[str]) -> Iterator[Breach]:
        for key, purpose in declaration.purposes.items():
            got = [one for one in categories if _has(purpose.data, one)]
            if got and any(covers(use, purpose.use) for use in uses):
                says = f"the purpose '{key}' uses {', '.join(got)}"
                # Who consented to it since has been asked; whether these people have is not in the declaration.
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
