"""Pure decisions: who is owed a notice of a change, and what may go to whom."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from troth.declaration import Declaration, Recipient, covers
from troth.service.configuration import ServiceError
from troth.service.disclosures.models import DisclosureKind

ANSWERING = "subject_request"
"""Purpose of disclosures that a person requested: the law is their only basis."""

TELLING = frozenset({"amend", "erase", "restrict"})
"""Rights whose exercise is notified to recipients (GDPR Art. 19)."""


class DisclosureRefused(ServiceError):
    """The declaration does not allow this disclosure: nothing was recorded, and nothing may be sent."""


@dataclass(frozen=True, slots=True)
class PlannedDisclosure:
    """Data of some people for one recipient. *subjects* are each person's keyed references (`actions.names_of`). Its
    `repr` shows only their number."""

    to: str
    subjects: Sequence[Collection[str]]
    categories: Sequence[str]
    purpose: str
    kind: DisclosureKind
    case: str = ""

    def __repr__(self) -> str:
        return f"PlannedDisclosure({self.kind} to {self.to}, {len(self.subjects)} subjects)"


def refuse_undeclared(release: PlannedDisclosure, declaration: Declaration) -> None:
    """Raise `DisclosureRefused` unless the declaration allows *release* (clause C15: no recipient, no data).

    What goes out at the person's request may exceed what the recipient usually receives: a notice names the person, and
    an export is what the person wants to send.
    """
    recipient = declaration.recipients.get(release.to)
    if recipient is None:
        raise DisclosureRefused(f"{release.to!r} is not a declared recipient; declare it under recipients first")
    if not release.subjects or not all(release.subjects):
        raise DisclosureRefused("a disclosure names the people it is about: give the subjects' references")
    if not release.categories:
        raise DisclosureRefused(f"name the data categories that go to {release.to}")
    if release.purpose not in declaration.purposes and release.purpose != ANSWERING:
        raise DisclosureRefused(f"{release.purpose!r} is not a declared purpose; declare it, or name a declared one")
    if release.kind in (DisclosureKind.NOTICE, DisclosureKind.EXPORT, DisclosureKind.LEGAL_DEMAND):
        return
    beyond = [one for one in release.categories if not any(covers(broad, one) for broad in recipient.receives)]
    if beyond:
        raise DisclosureRefused(
            f"{release.to} is not declared to receive {', '.join(sorted(beyond))}; add them to "
            f"recipients.{release.to}.receives, or leave them out"
        )


class EvidenceBasis(enum.StrEnum):
    """Evidence that the person's data went to a recipient."""

    REGISTER = "register"
    FEED = "feed"
    UNSHOWN = "unshown"
    """None, but it may have: somebody must find out, and no e-mail goes (see decision 0020)."""


@dataclass(frozen=True, slots=True)
class Went:
    """Data that went to one recipient by its feed: all categories, those now changed, and those that a law or legal
    hold keeps."""

    sent: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DisclosureEvidence:
    """Evidence about one person when a case was carried out."""

    fed: Mapping[str, Went] = field(default_factory=dict)
    """By recipient, the content of its declared feed."""
    received: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By recipient, the categories in the disclosure register for this person."""
    registered: Collection[str] = ()
    """Recipients whose disclosures the register tracks at all."""
    held: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Places that held data of this person (``system.table``, or an external system): categories that a law or legal
    hold keeps there."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A recipient, the evidence (*why*), and the *categories* to notify; *sent* is all that went there. No categories
    if a law keeps all of them."""

    recipient: str
    categories: tuple[str, ...]
    why: EvidenceBasis
    sent: tuple[str, ...] = ()


def owed(declaration: Declaration, evidence: DisclosureEvidence, changed: Collection[str] | None) -> list[Owed]:
    """Declared recipients to whom the person's data went or may have gone (GDPR Art. 19), in the declaration's order.
    *changed* are the categories of an amendment, None if everything changed.

    If the register tracks a recipient but not this person, the recipient had none of their data; neither had one whose
    purposes involve no data of the person. Feed rows prove only their own columns: whether other changed data went
    there, somebody must find out. A recipient is not asked to delete what the case itself keeps; corrections are
    reported even if a law keeps the old value elsewhere.
    """
    found = []
    for name, recipient in declaration.recipients.items():
        fed, registered = evidence.fed.get(name), evidence.received.get(name, ())
        if fed is None and not registered:
            if name not in evidence.registered and _may_have(name, declaration, evidence, changed):
                found.append(Owed(name, (), EvidenceBasis.UNSHOWN))
            continue
        fed = fed or Went()
        concerned = {*_touched(registered, changed), *_touched(_within(fed.changed, recipient), changed)}
        is_deleted = registered and changed is None
        kept = {*_within(fed.kept, recipient), *(_kept_for(name, declaration, evidence) if is_deleted else ())}
        left = {one for one in concerned if not any(covers(one, it) or covers(it, one) for it in kept)}
        if concerned or _within(fed.kept, recipient):
            sent = {*registered, *_within(fed.sent, recipient)}
            why = EvidenceBasis.REGISTER if registered else EvidenceBasis.FEED
            found.append(Owed(name, tuple(sorted(left)), why, tuple(sorted(sent))))
        elif name not in evidence.registered and _may_have(name, declaration, evidence, changed):
            found.append(Owed(name, (), EvidenceBasis.UNSHOWN))
    return found


def _within(categories: Collection[str], recipient: Recipient) -> set[str]:
    """Those of *categories* that the recipient is declared to receive."""
    return set(_touched(categories, recipient.receives))


def _kept_for(name: str, declaration: Declaration, evidence: DisclosureEvidence) -> Iterator[str]:
    """Categories kept by law where that recipient's data comes from: its feed if it has one, else every place that
    serves its purposes."""
    recipient = declaration.recipients[name]
    for place, kept in evidence.held.items():
        if recipient.feed is None and _serves(place, recipient, declaration):
            yield from kept


def _may_have(
    name: str, declaration: Declaration, evidence: DisclosureEvidence, changed: Collection[str] | None
) -> bool:
    """True if data of the person that the recipient is declared to receive is held for its purposes. What an amendment
    left unchanged does not count."""
    recipient = declaration.recipients[name]
    return any(
        changed is None or not any(covers(one, it) for it in left)
        for place, left in evidence.held.items()
        if _serves(place, recipient, declaration)
        for one in _touched(_within(_holds(place, declaration), recipient), changed)
    )


def _serves(place: str, recipient: Recipient, declaration: Declaration) -> bool:
    """True if *place* may hold data for a purpose of the recipient, also if either names no purpose."""
    system = declaration.systems.get(place.partition(".")[0])
    wanted, served = set(recipient.purposes), set(system.purposes) if system is not None else set()
    return not wanted or not served or not wanted.isdisjoint(served)


def _holds(place: str, declaration: Declaration) -> set[str]:
    """Categories of a table or an external system; without a declaration, any."""
    name, _, table = place.partition(".")
    system = declaration.systems.get(name)
    if system is not None and table in system.tables:
        return {use.category for use in system.tables[table].fields.values()}
    return set(system.asked.holds.values()) if system is not None and system.asked and system.asked.holds else {"user"}


def _touched(has: Collection[str], changed: Collection[str] | None) -> Iterator[str]:
    """Those of *has* that changed: the narrower key of each pair, so that nobody is told more than happened."""
    if changed is None:
        yield from has
        return
    for category, one in itertools.product(has, changed):
        if covers(category, one):
            yield one
        elif covers(one, category):
            yield category
