"""Who may see a promise's status, and in what detail.

A status is shown to an audience only if the policy's publishing, the promise and *every* control behind it allow that
audience: a status that left out a control would still reveal its result. Hidden promises are counted, so that a page
always says how many it leaves out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from troth.controls.model import CheckOutcome, Control, ControlFinding, Evidence, Figure, Status
from troth.controls.status import PromiseStatus
from troth.declaration import Audience, Granularity, Promise, Publish
from troth.text import same_person

INSIDE = frozenset({Audience.STAFF, Audience.AUDITOR})
"""Audiences that see exact figures, findings and names."""
_WIDTH = tuple(Audience)  # the enumeration goes from the narrowest to the widest


@dataclass(frozen=True, slots=True)
class RehearsalRecord:
    """What the last rehearsal showed of a promise: how many of the breaches planted against it were noticed, and how
    many were not planted because a control of it is known not to see them."""

    planted: int
    noticed: int
    at: dt.datetime
    not_planted: int = 0


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """One check as an audience may see it. *summary* is empty unless figures are exact; *evidence*, *findings* and
    *remedy* are for staff and auditors only. *looks_at* is the population, *tested* and *population* how many of how
    many were looked at, *is_all* whether that is all, and *collector* the program that did."""

    question: str
    outcome: CheckOutcome
    at: dt.datetime
    summary: str
    figures: Mapping[str, Figure]
    cannot_see: str
    looks_at: str = ""
    tested: Figure = 0
    population: Figure = 0
    is_all: bool = False
    collector: str = ""
    evidence: Evidence | None = None
    findings: tuple[ControlFinding, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class PublishedStatus:
    """A promise's status as an audience may see it; *status* is None if it is private. *reasons* name people and
    places, so they and *owner* are for staff and auditors; *says* is the text of an attestation, without the name,
    *said_on* its date, and *by_owner* whether the owner of the promise gave it; *until* is the end of a waiver, without
    its reason; *since* and *leaf* are as in `PromiseStatus`; *as_of* is the time of the status if the audience sees it
    with a delay; *rehearsed* is what the last rehearsal showed."""

    name: str
    id: str
    quote: str
    status: Status | None = None
    checks: tuple[ShownCheck, ...] = ()
    reasons: tuple[str, ...] = ()
    owner: str = ""
    says: str = ""
    said_on: dt.date | None = None
    by_owner: bool = False
    until: dt.date | None = None
    since: dt.datetime | None = None
    leaf: int | None = None
    as_of: dt.datetime | None = None
    rehearsed: RehearsalRecord | None = None

    @property
    def page(self) -> str:
        """Last part of the URL of its own page."""
        return self.id.removeprefix("p-")

    @property
    def word(self) -> str:
        return self.status.value if self.status else "private"

    @property
    def latest(self) -> dt.datetime | None:
        """Time of the last check that determines the status."""
        if self.status not in {Status.KEPT, Status.BROKEN, Status.WAIVED}:
            return None
        return max((check.at for check in self.checks), default=None)


def shown_late(promise: Promise, audience: Audience, now: dt.datetime) -> dt.datetime | None:
    """The time of the status that *audience* sees with a delay; None if it sees the current one."""
    if promise.delay is None or audience in INSIDE:
        return None
    day = promise.delay.before(now.astimezone(dt.UTC).date())
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def visible(
    judged: PromiseStatus,
    audience: Audience,
    publish: Publish,
    *,
    controls: Mapping[str, Control],
    rehearsed: RehearsalRecord | None = None,
) -> PublishedStatus:
    """What *audience* may see of the promise's status.

    Staff and auditors see exact figures and findings, others as much as the promise's granularity allows, and never
    findings. Of a delayed promise, others see an earlier status (`PromiseStatus.as_of`) and no check, and nothing of
    the current one.
    """
    promise, inside = judged.promise, audience in INSIDE
    private = PublishedStatus(judged.name, judged.id, promise.quote)
    is_late = promise.delay is not None and not inside
    if _WIDTH.index(audience) > _widest(promise, publish, controls) or (is_late and judged.as_of is None):
        return private
    shown = replace(private, status=judged.status, since=judged.since, leaf=judged.leaf)
    if is_late:
        return replace(shown, as_of=judged.as_of)
    grain = Granularity.EXACT if inside else promise.granularity
    word = promise.attest if judged.status is Status.STATED else None
    return replace(
        shown,
        checks=() if grain is Granularity.NONE else tuple(_shown(judged, controls, grain, inside=inside)),
        reasons=judged.reasons if inside else (),
        owner=promise.owner if inside else "",
        says=word.says if word else "",
        said_on=word.on if word else None,
        by_owner=word is not None and same_person(word.by, promise.owner),
        until=promise.waive.until if promise.waive and judged.status is Status.WAIVED else None,
        rehearsed=rehearsed,
    )


def _widest(promise: Promise, publish: Publish, controls: Mapping[str, Control]) -> int:
    """The widest allowed audience, as an index. A control that is not in the catalogue is for staff only."""
    known = [controls[id_].audience if id_ in controls else Audience.STAFF for id_ in promise.controls]
    return min(_WIDTH.index(limit) for limit in (publish.status, promise.audience, *known))


def _shown(
    judged: PromiseStatus, controls: Mapping[str, Control], grain: Granularity, *, inside: bool
) -> Iterator[ShownCheck]:
    for standing in judged.by_control:
        check = standing.check
        if check is None or check.control not in controls:
            continue
        control, exact = controls[check.control], grain is Granularity.EXACT
        failed = check.outcome in {CheckOutcome.FAIL, CheckOutcome.ERROR}
        yield ShownCheck(
            question=control.question,
            outcome=check.outcome,
            at=check.at,
            summary=check.summary if exact else "",
            figures=check.figures if exact else banded(check.figures),
            cannot_see=control.cannot_see,
            looks_at=control.looks_at,
            tested=check.evidence.tested if exact else _band(check.evidence.tested),
            population=check.evidence.population if exact else _band(check.evidence.population),
            is_all=check.evidence.tested == check.evidence.population,
            collector=check.collector,
            evidence=check.evidence if inside else None,
            findings=check.findings if inside else (),
            remedy=control.remedy if inside and failed else "",
        )


def banded(figures: Mapping[str, Figure]) -> Mapping[str, Figure]:
    """Numbers as their orders of magnitude; text is left out, because it may reveal as much as a number."""
    return {name: _band(figure) for name, figure in figures.items() if not isinstance(figure, str)}


def _band(figure: float) -> Figure:
    if isinstance(figure, bool) or figure == 0:
        return figure
    if abs(figure) < 1:
        return "less than 1"
    low = 10 ** (len(str(int(abs(figure)))) - 1)
    return f"{'-' if figure < 0 else ''}{low}-{10 * low - 1}"


@dataclass(frozen=True, slots=True)
class PromiseTally:
    """The number of promises, and how many of them an audience does not see."""

    promises: int
    checked_here: int
    privately: int
    attested: int
    """Based only on a named person's statement, with nothing measured."""
    unbound: int
    """Not based on anything yet."""
    by_status: Mapping[Status, int]
    """Counts of the promises that are shown."""


def tally(seen: Iterable[tuple[Promise, Status | None]]) -> PromiseTally:
    """Count the promises of a page: every promise of the policy, with the status shown; None if it is private."""
    pairs = list(seen)
    checkable = [status for promise, status in pairs if promise.controls]
    here = sum(status is not None for status in checkable)
    counts = {status: sum(shown is status for _, shown in pairs) for status in Status}
    attested = sum(promise.attest is not None for promise, _ in pairs if not promise.controls)
    unbound = len(pairs) - len(checkable) - attested
    return PromiseTally(len(pairs), here, len(checkable) - here, attested, unbound, counts)
