"""Who is owed a notice of a change, and what may go to whom: pure decisions."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from troth.declaration import Declaration, Recipient, covers
from troth.service.configuration import ServiceError
from troth.service.disclosures.models import DisclosureKind

ANSWERING = "subject_request"
"""The purpose of what goes out because a person asked: it needs no other basis than the law's."""

TELLING = frozenset({"amend", "erase", "restrict"})
"""The rights whose exercise recipients are told of (GDPR Art. 19)."""


class DisclosureRefused(ServiceError):
    """The declaration does not let this data go there: nothing was recorded, and nothing may be sent."""


@dataclass(frozen=True, slots=True)
class PlannedDisclosure:
    """Data of some people that goes to one recipient. *subjects* are their keyed references, for each person all the
    names that they may be asked for by (`run.names_of`). Its `repr` shows how many, never who."""

    to: str
    subjects: Sequence[Collection[str]]
    categories: Sequence[str]
    purpose: str
    kind: DisclosureKind
    case: str = ""

    def __repr__(self) -> str:
        return f"Release({self.kind} to {self.to}, {len(self.subjects)} subjects)"


def refuse_undeclared(release: PlannedDisclosure, declaration: Declaration) -> None:
    """Return where the declaration lets *release* go, else `DisclosureRefused` (clause C15: no recipient, no data).

    What goes out because the person asked is not held to what the recipient usually receives: a notice names whom it
    is about, and an export is what the person wants to go there.
    """
    recipient = declaration.recipients.get(release.to)
    if recipient is None:
        raise DisclosureRefused(f"{release.to!r} is no declared recipient; declare it under recipients first")
    if not release.subjects or not all(release.subjects):
        raise DisclosureRefused("a disclosure is about somebody: give the subjects' references")
    if not release.categories:
        raise DisclosureRefused(f"nothing says what goes to {release.to}: name the data categories")
    if release.purpose not in declaration.purposes and release.purpose != ANSWERING:
        raise DisclosureRefused(f"{release.purpose!r} is no declared purpose; declare it, or name the one that it is")
    if release.kind in (DisclosureKind.NOTICE, DisclosureKind.EXPORT, DisclosureKind.LEGAL_DEMAND):
        return
    beyond = [one for one in release.categories if not any(covers(broad, one) for broad in recipient.receives)]
    if beyond:
        raise DisclosureRefused(
            f"{release.to} is not declared to receive {', '.join(sorted(beyond))}; "
            f"add that to recipients.{release.to}.receives, or leave it out"
        )


class EvidenceBasis(enum.StrEnum):
    """What shows that the person's data went to a recipient."""

    REGISTER = "register"
    FEED = "feed"
    UNSHOWN = "unshown"
    """Nothing does, and it may have: somebody has to find out, and no message goes (see decision 0020)."""


@dataclass(frozen=True, slots=True)
class Went:
    """What went to one recipient by its feed: all categories that did, those that are changed now, and those that a law
    or a legal hold keeps."""

    sent: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DisclosureEvidence:
    """What is known of one person when a case was carried out."""

    fed: Mapping[str, Went] = field(default_factory=dict)
    """By recipient, what the rows of its declared feed show."""
    received: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By recipient, the categories that the register of disclosures has of this person."""
    registered: Collection[str] = ()
    """The recipients whose disclosures the register holds at all."""
    held: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Where data of this person was held (``system.table``, or a system that is asked): the categories that a law or a
    legal hold keeps there."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A recipient, *why* we think of it, and of which categories it has to be told; *sent* are all that went there.
    None to tell of where a law keeps everything that did."""

    recipient: str
    categories: tuple[str, ...]
    why: EvidenceBasis
    sent: tuple[str, ...] = ()


def owed(declaration: Declaration, evidence: DisclosureEvidence, changed: Collection[str] | None) -> list[Owed]:
    """Each declared recipient to whom the person's data went, or may have gone (GDPR Art. 19), in the declaration's
    order. *changed* are the categories of an amendment, None where everything changed.

    A recipient whose disclosures the register holds had nothing of a person whom it does not name, and neither had one
    for whose purposes nothing of the person is held. Rows of a feed show their own columns: whether something else went
    there that was changed, somebody has to find out. A recipient is not told to delete what the case itself keeps; of
    what was corrected it is told, wherever else a law keeps it as it was.
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
    """What of *categories* the recipient is declared to receive."""
    return set(_touched(categories, recipient.receives))


def _kept_for(name: str, declaration: Declaration, evidence: DisclosureEvidence) -> Iterator[str]:
    """What a law keeps where that recipient's data comes from: in its feed where it has one, else wherever its purposes
    are served."""
    recipient = declaration.recipients[name]
    for place, kept in evidence.held.items():
        if recipient.feed is None and _serves(place, recipient, declaration):
            yield from kept


def _may_have(
    name: str, declaration: Declaration, evidence: DisclosureEvidence, changed: Collection[str] | None
) -> bool:
    """Whether something of the person is held, for a purpose of that recipient, that it is declared to receive. What an
    amendment left as it was is no reason to ask."""
    recipient = declaration.recipients[name]
    return any(
        changed is None or not any(covers(one, it) for it in left)
        for place, left in evidence.held.items()
        if _serves(place, recipient, declaration)
        for one in _touched(_within(_holds(place, declaration), recipient), changed)
    )


def _serves(place: str, recipient: Recipient, declaration: Declaration) -> bool:
    """Whether *place* may hold data for a purpose of the recipient: it may where either of them names no purpose."""
    system = declaration.systems.get(place.partition(".")[0])
    wanted, served = set(recipient.purposes), set(system.purposes) if system is not None else set()
    return not wanted or not served or not wanted.isdisjoint(served)


def _holds(place: str, declaration: Declaration) -> set[str]:
    """The categories of a table, or of a system that is asked; one that does not say may hold anything."""
    name, _, table = place.partition(".")
    system = declaration.systems.get(name)
    if system is not None and table in system.tables:
        return {use.category for use in system.tables[table].fields.values()}
    return set(system.asked.holds.values()) if system is not None and system.asked and system.asked.holds else {"user"}


def _touched(has: Collection[str], changed: Collection[str] | None) -> Iterator[str]:
    """What of *has* was changed: the narrower key of each two, so that nobody is told of more than happened."""
    if changed is None:
        yield from has
        return
    for category, one in itertools.product(has, changed):
        if covers(category, one):
            yield one
        elif covers(one, category):
            yield category
