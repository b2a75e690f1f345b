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

__all__ = ["BadFigure", "figure_of", "judged"]

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


@answers_own("pushed")
def own_pushed(own: OwnControl, control: str, pushed: Mapping[str, Pushed], now: dt.datetime) -> Answer:
    """The latest evidence that a program sent: its verdict, and what its figure must be. It is no newer than it is."""
    assert own.pushed is not None, "it is registered for these"
    found = pushed.get(control)
    if found is None:
        return Answer(Outcome.ERROR, "No program has sent evidence yet.")
    scope, ends = frozenset({found.source}), found.at + own.fresh
    evidence = Evidence(scope, scope, found.population, found.tested, found.population - found.tested)
    if ends <= now:
        day = f"{found.at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
        return Answer(Outcome.ERROR, f"The last evidence is of {day}, which is too long ago.", evidence)
    figures: dict[str, Figure] = {**found.figures}
    findings = []
    if found.outcome is Outcome.FAIL:
        findings.append(Finding(found.source, "the program that looked says that it is not so", own.remedy))
    if own.pushed.figure is not None and own.must is not None:
        figure = found.figures.get(own.pushed.figure)
        if figure is None:
            return Answer(Outcome.ERROR, f"The evidence lacks the figure “{own.pushed.figure}”.", evidence, figures)
        if not own.must.holds(figure):
            wrong = f"{own.pushed.figure} is {figure} and must be {own.must}"
            findings.append(Finding(found.source, wrong, own.remedy))
    outcome = Outcome.FAIL if findings else found.outcome
    said = {Outcome.FAIL: "not so", Outcome.PASS: "so", Outcome.NOT_APPLICABLE: "without object"}[outcome]
    told = ", ".join(f"{name} {figure}" for name, figure in figures.items())
    summary = f"{found.source} found it {said}{f': {told}' if told else ''}."
    return Answer(outcome, summary, evidence, figures, tuple(findings), until=ends)
