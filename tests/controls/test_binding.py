"""What is wrong with the binding of promises to controls is said where it stands."""

from typing import Any

from troth.controls import check
from troth.declaration import Declaration, Severity


def codes(company: dict[str, Any]) -> list[str]:
    return [problem.code for problem in check(Declaration.model_validate(company))]


def test_a_well_bound_promise_has_no_problem(company: dict[str, Any]) -> None:
    assert codes(company) == []


def test_an_unknown_control_is_answered_with_the_nearest(company: dict[str, Any]) -> None:
    company["promises"][0]["controls"] = ["declaration.completed"]
    (problem,) = check(Declaration.model_validate(company))

    assert (problem.code, problem.path) == ("control-unknown", "promises.0.controls.0")
    assert problem.fix == "did you mean 'declaration.complete'?"


def test_a_promise_that_nothing_shows_is_a_warning(company: dict[str, Any]) -> None:
    company["promises"][0]["controls"] = []
    (problem,) = check(Declaration.model_validate(company))

    assert (problem.code, problem.severity) == ("promise-unbound", Severity.WARNING)


def test_an_attested_promise_needs_no_control(company: dict[str, Any]) -> None:
    word = {"by": "ben@example.org", "says": "We lock it.", "on": "2026-11-01", "until": "2027-11-01"}
    company["promises"][0] |= {"controls": [], "attest": word}
    assert codes(company) == []


def test_a_waiver_of_another_promises_control_is_a_problem(company: dict[str, Any]) -> None:
    waiver = {"reason": "x", "approver": "chloe@example.org", "until": "2027-01-01", "scope": ["law.reviewed"]}
    company["promises"][0]["waive"] = waiver
    assert codes(company) == ["waiver-scope"]
