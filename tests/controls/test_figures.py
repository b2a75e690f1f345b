"""A figure is a number, and evidence that a program sends is as old as it says."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import pytest

from troth.controls import BadFigure, Check, CheckOutcome, Pushed, figure_of, run
from troth.declaration import Declaration

ID = "ours.doors_locked"
OWN = {
    "question": "Were the doors locked?",
    "cannot_see": "Windows.",
    "pushed": {"figure": "open doors", "must": "= 0"},
}


@pytest.mark.parametrize(("given", "figure"), [(3, 3), (True, 1), (decimal.Decimal("2.50"), 2.5), (4.0, 4)])
def test_a_number_is_a_figure(given: object, figure: float) -> None:
    assert figure_of(given) == figure


@pytest.mark.parametrize("given", ["ann@example.org", b"3", None, float("nan"), float("inf"), 10**16, [1]])
def test_what_is_no_number_is_refused_and_not_repeated(given: object) -> None:
    with pytest.raises(BadFigure) as refused:
        figure_of(given)
    assert "ann" not in str(refused.value)


@pytest.fixture
def ask(company: dict[str, Any], now: dt.datetime) -> Any:
    def asked(found: Pushed | None, /, **own: Any) -> Check:
        company["controls"] = {ID: {**OWN, **own}}
        declared = Declaration.model_validate(company)
        return run(ID, {"declaration": declared, "now": now, "pushed": {ID: found} if found else {}})

    return asked


def pushed(at: dt.datetime, outcome: CheckOutcome = CheckOutcome.PASS, **figures: int) -> Pushed:
    return Pushed("doorman", outcome, at, {name.replace("_", " "): figure for name, figure in figures.items()}, 5, 5)


def test_what_a_program_found_counts_as_long_as_it_is_fresh(ask: Any, now: dt.datetime) -> None:
    hour = dt.timedelta(hours=1)
    check = ask(pushed(now - hour, open_doors=0))
    assert (check.outcome, check.evidence.tested) == (CheckOutcome.PASS, 5)
    assert check.valid_until == now - hour + dt.timedelta(days=3)
    assert ask(pushed(now - dt.timedelta(days=3), open_doors=0)).outcome is CheckOutcome.ERROR


def test_a_figure_beyond_its_limit_fails_whatever_the_program_says(ask: Any, now: dt.datetime) -> None:
    assert ask(pushed(now, open_doors=0)).outcome is CheckOutcome.PASS
    check = ask(pushed(now, open_doors=2))
    assert (check.outcome, check.figures) == (CheckOutcome.FAIL, {"open doors": 2})
    assert ask(pushed(now, CheckOutcome.FAIL, open_doors=0)).outcome is CheckOutcome.FAIL


def test_without_a_limit_the_program_s_own_verdict_counts(ask: Any, now: dt.datetime) -> None:
    assert ask(pushed(now), pushed={}).outcome is CheckOutcome.PASS
    assert ask(pushed(now, CheckOutcome.FAIL), pushed={}).outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(("population", "tested"), [(0, 0), (5, 0), (5, 4)])
def test_a_pass_that_did_not_look_at_everything_is_none(
    ask: Any, now: dt.datetime, population: int, tested: int
) -> None:
    def found(outcome: CheckOutcome) -> Pushed:
        return Pushed("doorman", outcome, now, {"open doors": 0}, population, tested)

    assert ask(found(CheckOutcome.PASS)).outcome is CheckOutcome.ERROR
    assert ask(found(CheckOutcome.FAIL)).outcome is CheckOutcome.FAIL


def test_a_failure_counts_however_late_it_is_looked_at(ask: Any, now: dt.datetime) -> None:
    assert ask(pushed(now - dt.timedelta(days=9), CheckOutcome.FAIL, open_doors=0)).outcome is CheckOutcome.FAIL
    assert ask(pushed(now - dt.timedelta(days=9), open_doors=1)).outcome is CheckOutcome.FAIL


def test_evidence_without_its_figure_and_no_evidence_are_errors(ask: Any, now: dt.datetime) -> None:
    assert ask(pushed(now, shut_doors=5)).outcome is CheckOutcome.ERROR
    assert ask(None).outcome is CheckOutcome.ERROR
