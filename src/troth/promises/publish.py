"""Who may see a promise's status, and how much of it.

A status is shown to an audience only when the policy's publishing, the promise and *every* control it rests on allow
that audience: a status that hid a control would still tell its result. What is not shown is counted, so that a page
always says how much it leaves out.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from troth.declaration import Audience, Promise, Publish
from troth.promises.model import Control, Figure, Outcome, Status
from troth.promises.status import Judgement

__all__ = ["Granularity", "Shown", "ShownCheck", "Tally", "tally", "visible"]

_WIDTH = tuple(Audience)  # the enumeration goes from the narrowest to the widest
_INSIDE = frozenset({Audience.STAFF, Audience.AUDITOR})


class Granularity(enum.StrEnum):
    """How much of a check is told: its figures, only their order of magnitude, or no more than the outcome."""

    EXACT = "exact"
    BANDED = "banded"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """One check as an audience may see it. *summary* is empty where figures are not exact."""

    question: str
    outcome: Outcome
    at: dt.datetime
    summary: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Shown:
    """A promise's status as an audience may see it. *reasons* name people and places, so they are for staff and
    auditors; *says* holds the words of an attestation, without the name."""

    status: Status
    checks: tuple[ShownCheck, ...]
    reasons: tuple[str, ...] = ()
    says: str = ""


def visible(
    promise: Promise,
    judgement: Judgement,
    audience: Audience,
    publish: Publish,
    *,
    controls: Mapping[str, Control],
    granularity: Granularity = Granularity.BANDED,
) -> Shown | None:
    """What *audience* may see of the promise's status; None when it is private.

    Staff and auditors see exact figures; *granularity* is for the others. Findings are never part of it.
    """
    if _WIDTH.index(audience) > _widest(promise, publish, controls):
        return None
    inside = audience in _INSIDE
    grain = Granularity.EXACT if inside else granularity
    checks = () if grain is Granularity.NONE else tuple(_shown(judgement, controls, grain))
    says = promise.attest.says if promise.attest and judgement.status is Status.STATED else ""
    return Shown(judgement.status, checks, judgement.reasons if inside else (), says)


def _widest(promise: Promise, publish: Publish, controls: Mapping[str, Control]) -> int:
    """The widest audience, as an index. A control that the catalogue does not know is for staff only."""
    known = [controls[id_].audience if id_ in controls else Audience.STAFF for id_ in promise.controls]
    return min(_WIDTH.index(limit) for limit in (publish.status, promise.audience, *known))


def _shown(judgement: Judgement, controls: Mapping[str, Control], grain: Granularity) -> Iterable[ShownCheck]:
    for standing in judgement.standings:
        check = standing.check
        if check is None or check.control not in controls:
            continue
        exact = grain is Granularity.EXACT
        figures = check.figures if exact else _banded(check.figures)
        summary = check.summary if exact else ""
        yield ShownCheck(controls[check.control].question, check.outcome, check.at, summary, figures)


def _banded(figures: Mapping[str, Figure]) -> Mapping[str, Figure]:
    """Numbers as their orders of magnitude; text is left out, because it may be as telling as a number."""
    return {name: _band(figure) for name, figure in figures.items() if not isinstance(figure, str)}


def _band(figure: float) -> Figure:
    if isinstance(figure, bool) or figure == 0:
        return figure
    if abs(figure) < 1:
        return "less than 1"
    low = 10 ** (len(str(int(abs(figure)))) - 1)
    return f"{'-' if figure < 0 else ''}{low}-{10 * low - 1}"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many promises there are, and how many of them an audience is not shown. `str` is the sentence for pages."""

    promises: int
    checked_here: int
    privately: int
    not_checkable: int
    by_status: Mapping[Status, int]
    """Of the promises that are shown."""

    def __str__(self) -> str:
        noun = "promise" if self.promises == 1 else "promises"
        return (
            f"{self.promises} {noun}: {self.checked_here} checked here, {self.privately} privately, "
            f"{self.not_checkable} not checkable"
        )


def tally(seen: Iterable[tuple[Promise, Shown | None]]) -> Tally:
    """Count the promises of a page: every promise of the policy, with what `visible` made of it."""
    pairs = list(seen)
    checkable = [(promise, shown) for promise, shown in pairs if promise.controls]
    here = sum(shown is not None for _, shown in checkable)
    counts = {status: sum(shown is not None and shown.status is status for _, shown in pairs) for status in Status}
    return Tally(len(pairs), here, len(checkable) - here, len(pairs) - len(checkable), counts)
