"""Comparing the figure of a custom control with its condition."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal

from troth.controls.catalogue import PromisesError
from troth.controls.model import CheckOutcome, ControlFinding, Evidence, Figure, Pushed
from troth.controls.result import ControlResult, answers_own
from troth.declaration import OwnControl

_LARGEST = 10**15


class BadFigure(PromisesError):
    """The result is not a number, or not a meaningful one. It is not quoted."""


def figure_of(value: object) -> int | float:
    """*value* as a figure. Raises `BadFigure` for text and anything else that is not a plain number."""
    if value is None:
        raise BadFigure(
            "it returned nothing instead of a number; if there may be no rows, use a count, or default to 0"
        )
    if not isinstance(value, int | float | Decimal):
        raise BadFigure("it returned a value that is not a number; count rows instead of selecting them")
    number = float(value)
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise BadFigure("it returned a number beyond the limit")
    whole = int(number)
    return whole if whole == number else number


def judged(own: OwnControl, figure: int | float, place: str, evidence: Evidence) -> ControlResult:
    """The result of a control with a condition, for *figure*."""
    must = own.must
    assert must is not None, "only a program's own verdict does without, and that is not judged"
    finding = ControlFinding(place, f"the figure is {figure} and must be {must}", own.remedy)
    return ControlResult.of(
        f"The figure is {figure}, and must be {str(must).removeprefix('= ')}.",
        evidence=evidence,
        figures={"figure": figure},
        findings=() if must.holds(figure) else (finding,),
    )


def faults(own: OwnControl, evidence: Pushed) -> list[ControlFinding]:
    """Findings from that evidence: the program's failing verdict, and a figure that violates its condition."""
    wrong = ["the program that checked it reports a failure"] if evidence.outcome is CheckOutcome.FAIL else []
    name = own.pushed.figure if own.pushed else None
    if (
        name is not None
        and own.must is not None
        and name in evidence.figures
        and not own.must.holds(evidence.figures[name])
    ):
        wrong.append(f"{name} is {evidence.figures[name]} and must be {own.must}")
    return [ControlFinding(evidence.source, message, own.remedy) for message in wrong]


@answers_own("pushed")
def own_pushed(own: OwnControl, control: str, pushed: Mapping[str, Pushed], now: dt.datetime) -> ControlResult:
    """The result from evidence that a program sent: its verdict, and the condition on its figure. A pass is as old as
    the evidence, and needs complete evidence; a failure counts whatever its age."""
    assert own.pushed is not None, "it is registered for these"
    found = pushed.get(control)
    if found is None:
        return ControlResult(CheckOutcome.ERROR, "No program has sent evidence yet.")
    evidence, figures, ends = _looked(found), dict[str, Figure](found.figures), found.at + own.fresh
    findings, lacking = faults(own, found), own.pushed.figure
    if not findings and ends <= now:
        day = f"{found.at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
        return ControlResult(CheckOutcome.ERROR, f"The last evidence is from {day}, which is too old.", evidence)
    if not findings and lacking is not None and lacking not in figures:
        return ControlResult(CheckOutcome.ERROR, f"The evidence lacks the figure “{lacking}”.", evidence, figures)
    outcome = CheckOutcome.FAIL if findings else found.outcome
    said = {CheckOutcome.FAIL: "not so", CheckOutcome.PASS: "so", CheckOutcome.NOT_APPLICABLE: "without object"}[
        outcome
    ]
    told = ", ".join(f"{name} {figure}" for name, figure in figures.items())
    summary = f"{found.source} found it {said}{f': {told}' if told else ''}."
    return ControlResult(outcome, summary, evidence, figures, tuple(findings), until=ends)


def _looked(evidence: Pushed) -> Evidence:
    """What the program examined: a pass that tested nothing, or only a part, has not observed it."""
    scope = frozenset({evidence.source})
    observed = frozenset[str]() if evidence.outcome is CheckOutcome.PASS and not evidence.is_complete else scope
    excluded = evidence.population - evidence.tested
    return Evidence(scope, observed, evidence.population, evidence.tested, excluded, (evidence.at, evidence.at))
