"""Who is owed a notice of a change, and what may go to whom: pure decisions."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.declaration import Declaration, covers
from troth.service.configuration import ServiceError
from troth.service.disclosure.models import Kind

__all__ = ["ANSWERING", "TELLING", "DisclosureRefused", "Owed", "Release", "owed", "refuse_undeclared"]

ANSWERING = "subject_request"
"""The purpose of what goes out because a person asked: it needs no other basis than the law's."""

TELLING = frozenset({"amend", "erase", "restrict"})
"""The rights whose exercise recipients are told of (GDPR Art. 19)."""


class DisclosureRefused(ServiceError):
    """The declaration does not let this data go there: nothing was recorded, and nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Release:
    """Data of some people that goes to one recipient. *subjects* are their keyed references, for each person all the
    names that they may be asked for by (`run.names_of`). Its `repr` shows how many, never who."""

    to: str
    subjects: Sequence[Collection[str]]
    categories: Sequence[str]
    purpose: str
    kind: Kind
    case: str = ""

    def __repr__(self) -> str:
        return f"Release({self.kind} to {self.to}, {len(self.subjects)} subjects)"


def refuse_undeclared(release: Release, declaration: Declaration) -> None:
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
    if release.kind in (Kind.NOTICE, Kind.EXPORT, Kind.LEGAL_DEMAND):
        return
    beyond = [one for one in release.categories if not any(covers(broad, one) for broad in recipient.receives)]
    if beyond:
        raise DisclosureRefused(
            f"{release.to} is not declared to receive {', '.join(sorted(beyond))}; "
            f"add that to recipients.{release.to}.receives, or leave it out"
        )


@dataclass(frozen=True, slots=True)
class Owed:
    """A recipient who has to be told, of which categories, and how we know: by the ``register`` of disclosures, or as
    ``declared``."""

    recipient: str
    categories: tuple[str, ...]
    why: str


def owed(
    declaration: Declaration,
    received: Mapping[str, Collection[str]],
    registered: Collection[str],
    changed: Collection[str] | None,
) -> list[Owed]:
    """Each declared recipient to whom the person's data went (GDPR Art. 19), in the declaration's order.

    *received* is what went to whom of this person; *registered* are the recipients whose disclosures the register
    holds at all. What it does not say of such a recipient did not go there: to tell them would itself disclose
    something. Of all others only the declaration says what they receive. *changed* are the categories of an amendment,
    None where everything changed.
    """
    found = []
    for name, recipient in declaration.recipients.items():
        by_register = name in registered
        has = received.get(name, ()) if by_register else recipient.receives
        what = tuple(sorted(set(_touched(has, changed))))
        if what:
            found.append(Owed(name, what, "register" if by_register else "declared"))
    return found


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
