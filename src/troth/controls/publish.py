"""Who may see a promise's status, and in what detail.

A status is shown to an audience only if the policy's publishing, the promise and *every* control behind it allow that
audience: a status that left out a control would still reveal its result. Hidden promises are counted, so that a page
always says how many it leaves out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from troth.controls.model import CheckOutcome, Control, Figure, Status
from troth.controls.status import Judgement
from troth.declaration import Audience, Granularity, Promise, Publish
from troth.text import same_person

_WIDTH = tuple(Audience)  # the enumeration goes from the narrowest to the widest
_INSIDE = frozenset({Audience.STAFF, Audience.AUDITOR})


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """One check as an audience may see it. *summary* is empty unless figures are exact."""

    question: str
    outcome: CheckOutcome
    at: dt.datetime
    summary: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class PublishedStatus:
    """A promise's status as an audience may see it. *reasons* name people and places, so they are for staff and
    auditors; *says* is the text of an attestation, without the name, *said_on* its date, and *by_owner* whether the
    owner of the promise gave it; *until* is the end of a waiver, without its reason; *as_of* is the time of the status
    if the audience sees it with a delay."""

    status: Status
    checks: tuple[ShownCheck, ...]
    reasons: tuple[str, ...] = ()
    says: str = ""
    until: dt.date | None = None
    as_of: dt.datetime | None = None
    by_owner: bool = False
    said_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The status of a promise at the time that a delayed audience sees: *status* is None if it was unknown."""

    at: dt.datetime
    status: Status | None


def shown_late(promise: Promise, audience: Audience, now: dt.datetime) -> dt.datetime | None:
    """The time of the status that *audience* sees with a delay; None if it sees the current one."""
    if promise.delay is None or audience in _INSIDE:
        return None
    day = promise.delay.before(now.astimezone(dt.UTC).date())
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def visible(
    promise: Promise,
    judgement: Judgement,
    audience: Audience,
    publish: Publish,
    *,
    controls: Mapping[str, Control],
    earlier: Earlier | None = None,
) -> PublishedStatus | None:
    """What *audience* may see of the promise's status; None if it is private.

    Staff and auditors see exact figures, others as much as the promise's granularity allows. Findings are never
    included. For a delayed promise, others see *earlier* and no check, and nothing without *earlier*.
    """
    if _WIDTH.index(audience) > _widest(promise, publish, controls):
        return None
    inside = audience in _INSIDE
    if promise.delay is not None and not inside:
        if earlier is None or earlier.status is None:
            return None
        return PublishedStatus(earlier.status, (), as_of=earlier.at)
    grain = Granularity.EXACT if inside else promise.granularity
    checks = () if grain is Granularity.NONE else tuple(_shown(judgement, controls, grain))
    word = promise.attest if judgement.status is Status.STATED else None
    by_owner = word is not None and same_person(word.by, promise.owner)
    until = promise.waive.until if promise.waive and judgement.status is Status.WAIVED else None
    reasons = judgement.reasons if inside else ()
    says, said_on = (word.says, word.on) if word else ("", None)
    return PublishedStatus(judgement.status, checks, reasons, says, until, by_owner=by_owner, said_on=said_on)


def _widest(promise: Promise, publish: Publish, controls: Mapping[str, Control]) -> int:
    """The widest allowed audience, as an index. A control that is not in the catalogue is for staff only."""
    known = [controls[id_].audience if id_ in controls else Audience.STAFF for id_ in promise.controls]
    return min(_WIDTH.index(limit) for limit in (publish.status, promise.audience, *known))


def _shown(judgement: Judgement, controls: Mapping[str, Control], grain: Granularity) -> Iterable[ShownCheck]:
    for standing in judgement.standings:
        check = standing.check
        if check is None or check.control not in controls:
            continue
        exact = grain is Granularity.EXACT
        figures = check.figures if exact else banded(check.figures)
        summary = check.summary if exact else ""
        yield ShownCheck(controls[check.control].question, check.outcome, check.at, summary, figures)


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
    """The number of promises, and how many of them an audience does not see. `str` is the sentence for pages."""

    promises: int
    checked_here: int
    privately: int
    attested: int
    """Based only on a named person's statement, with nothing measured."""
    unbound: int
    """Not based on anything yet."""
    by_status: Mapping[Status, int]
    """Counts of the promises that are shown."""

    def __str__(self) -> str:
        noun = "promise" if self.promises == 1 else "promises"
        return (
            f"{self.promises} {noun}: {self.checked_here} checked here, {self.privately} privately, "
            f"{self.attested} only attested, {self.unbound} bound to nothing"
        )


def tally(seen: Iterable[tuple[Promise, PublishedStatus | None]]) -> PromiseTally:
    """Count the promises of a page: every promise of the policy, with the result of `visible`."""
    pairs = list(seen)
    checkable = [(promise, shown) for promise, shown in pairs if promise.controls]
    here = sum(shown is not None for _, shown in checkable)
    counts = {status: sum(shown is not None and shown.status is status for _, shown in pairs) for status in Status}
    attested = sum(promise.attest is not None for promise, _ in pairs if not promise.controls)
    unbound = len(pairs) - len(checkable) - attested
    return PromiseTally(len(pairs), here, len(checkable) - here, attested, unbound, counts)
