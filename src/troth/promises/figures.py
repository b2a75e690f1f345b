"""A company's own figure, held against what it must be."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal

from troth.declaration import OwnControl
from troth.promises.answer import Answer, answers_own
from troth.promises.catalogue import PromisesError
from troth.promises.model import Evidence, Figure, Finding, Outcome, Pushed

_LARGEST = 10**15


class BadFigure(PromisesError):
    """What was to be a figure is no number, or none that means anything. What it was is not repeated."""


def figure_of(value: object) -> int | float:
    """*value* as a figure. Raises `BadFigure` for text and everything else that is no plain number."""
    if value is None:
        raise BadFigure("it gave nothing where a number is expected; where there are no rows, count them or add 0")
    if not isinstance(value, int | float | Decimal):
        raise BadFigure("it gave something that is no number; count rows instead of showing them")
    number = float(value)
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise BadFigure("it gave a number that is too large to mean anything")
    whole = int(number)
    return whole if whole == number else number


def judged(own: OwnControl, figure: int | float, place: str, evidence: Evidence) -> Answer:
    """The answer that *figure* is, for a control that says what it must be."""
    must = own.must
    assert must is not None, "only a program's own verdict does without, and that is not judged"
    finding = Finding(place, f"the figure is {figure} and must be {must}", own.remedy)
    return Answer.of(
        f"The figure is {figure}; it must be {must}.",
        evidence=evidence,
        figures={"figure": figure},
        findings=() if must.holds(figure) else (finding,),
    )


def faults(own: OwnControl, found: Pushed) -> list[Finding]:
    """What is wrong by that evidence: the program's verdict, and its figure where that is not what it must be."""
    wrong = ["the program that looked says that it is not so"] if found.outcome is Outcome.FAIL else []
    name = own.pushed.figure if own.pushed else None
    if name is not None and own.must is not None and name in found.figures and not own.must.holds(found.figures[name]):
        wrong.append(f"{name} is {found.figures[name]} and must be {own.must}")
    return [Finding(found.source, message, own.remedy) for message in wrong]


@answers_own("pushed")
def own_pushed(own: OwnControl, control: str, pushed: Mapping[str, Pushed], now: dt.datetime) -> Answer:
    """The evidence that a program sent: its verdict, and what its figure must be. A pass is no newer than it is, and
    rests on all that there was to look at; a failure counts whatever its age."""
    assert own.pushed is not None, "it is registered for these"
    found = pushed.get(control)
    if found is None:
        return Answer(Outcome.ERROR, "No program has sent evidence yet.")
    evidence, figures, ends = _looked(found), dict[str, Figure](found.figures), found.at + own.fresh
    findings, lacking = faults(own, found), own.pushed.figure
    if not findings and ends <= now:
        day = f"{found.at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
        return Answer(Outcome.ERROR, f"The last evidence is of {day}, which is too long ago.", evidence)
    if not findings and lacking is not None and lacking not in figures:
        return Answer(Outcome.ERROR, f"The evidence lacks the figure “{lacking}”.", evidence, figures)
    outcome = Outcome.FAIL if findings else found.outcome
    said = {Outcome.FAIL: "not so", Outcome.PASS: "so", Outcome.NOT_APPLICABLE: "without object"}[outcome]
    told = ", ".join(f"{name} {figure}" for name, figure in figures.items())
    summary = f"{found.source} found it {said}{f': {told}' if told else ''}."
    return Answer(outcome, summary, evidence, figures, tuple(findings), until=ends)


def _looked(found: Pushed) -> Evidence:
    """What the program looked at: a pass that tested nothing, or a part, has not observed it."""
    scope = frozenset({found.source})
    observed = frozenset[str]() if found.outcome is Outcome.PASS and not found.is_complete else scope
    excluded = found.population - found.tested
    return Evidence(scope, observed, found.population, found.tested, excluded, (found.at, found.at))
