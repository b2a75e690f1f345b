"""A company's own controls stand beside the catalogue's, on the company's terms, and never show what must not be."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import pytest
from tests.tables import each_row

from troth.controls import (
    BadAnswer,
    CheckOutcome,
    ControlResult,
    Evidence,
    catalogue,
    check,
    controls_of,
    looked_at_hash,
    run,
)
from troth.controls.result import answers_own
from troth.declaration import Audience, Declaration, DeclarationErrors, Must, Promise, parse

ID = "ours.no_late_calls"
OWN: dict[str, Any] = {
    "question": "Are there no calls after eight?",
    "sql": {"system": "shop", "figure": "select count(*) from customer", "must": "= 0"},
    "cannot_see": "Calls that nobody logged.",
}


def declaring(company: dict[str, Any], **own: Any) -> Declaration:
    told = copy.deepcopy(company)
    told["controls"] = {ID: {key: value for key, value in {**OWN, **own}.items() if value is not None}}
    told["promises"][0]["controls"] = [ID]
    return Declaration.model_validate(told)


def test_it_joins_the_catalogue_and_stays_with_staff_unless_the_company_says_otherwise(company: dict[str, Any]) -> None:
    controls = controls_of(declaring(company))
    assert set(controls) == {*catalogue(), ID}
    own = controls[ID]
    assert (own.every, own.fresh_for, own.audience) == (dt.timedelta(days=1), dt.timedelta(days=3), Audience.STAFF)
    assert controls_of(declaring(company, audience="public"))[ID].audience is Audience.PUBLIC


@pytest.mark.parametrize("never", ["network", "keys", "incidents", "legal_demands"])
def test_what_concerns_networks_keys_incidents_and_demands_is_never_public(company: dict[str, Any], never: str) -> None:
    assert controls_of(declaring(company, concerns=never))[ID].audience is Audience.STAFF
    with pytest.raises(ValueError, match="for staff"):
        declaring(company, concerns=never, audience="public")


def test_another_question_is_another_version_and_the_same_terms_are_not(company: dict[str, Any]) -> None:
    def version(**own: Any) -> int:
        return controls_of(declaring(company, **own))[ID].version

    assert version(severity="high", every="1 hour") == version()
    assert version(sql={**OWN["sql"], "must": "<= 5"}) != version()
    assert version(sql={**OWN["sql"], "figure": "select 0"}) != version()


def test_what_other_controls_found_outlives_a_change_of_an_own_control(company: dict[str, Any]) -> None:
    assert looked_at_hash(declaring(company)) == looked_at_hash(declaring(company, severity="high"))


def test_binding_a_control_that_does_not_exist_names_the_nearest(company: dict[str, Any]) -> None:
    declared = declaring(company)
    wrong = Promise(quote="q", owner="o", controls=("ours.no_late_cals", "declaration.complet"))
    found = check(declared.model_copy(update={"promises": (*declared.promises, wrong)}))
    assert [(each.code, each.fix) for each in found] == [
        ("control-unknown", f"did you mean '{ID}'?"),
        ("control-unknown", "did you mean 'declaration.complete'?"),
    ]


@pytest.mark.parametrize(
    ("own", "code", "fix"),
    [
        ({"sql": {**OWN["sql"], "system": "shpo"}}, "control-system", "did you mean 'shop'?"),
        ({"principles": ["oecd.opennes"]}, "control-principle", "did you mean 'oecd.openness'?"),
    ],
)
def test_a_figure_of_what_is_not_there_is_told(company: dict[str, Any], own: Any, code: str, fix: str) -> None:
    [problem] = check(declaring(company, **own))
    assert (problem.code, problem.fix) == (code, fix)


@pytest.mark.parametrize(
    ("own", "about", "codes"),
    [
        ({}, (), []),
        ({}, ("shop",), []),
        ({}, ("shop.customer",), []),
        ({}, ("shop", "logins"), ["control-elsewhere"]),
        ({"sql": None, "pushed": {}}, ("shop",), ["control-elsewhere"]),
        ({"sql": None, "http": {"url": "https://desk.example.org/status"}}, ("shop",), ["control-elsewhere"]),
        ({"sql": None, "pushed": {}}, (), []),
    ],
)
def test_a_control_that_does_not_look_at_what_its_promise_is_about_is_told(
    company: dict[str, Any], own: Any, about: tuple[str, ...], codes: list[str]
) -> None:
    declared = declaring(company, **own)
    narrowed = declared.promises[0].model_copy(update={"about": about})
    found = check(declared.model_copy(update={"promises": (narrowed, *declared.promises[1:])}))
    assert [each.code for each in found] == codes


@pytest.mark.parametrize(
    ("figure", "is_told"),
    [
        ("SELECT 0", True),
        ("select (1 - 1) as late", True),
        ("SELECT 'nothing from the shop' = ''", True),
        ("SELECT 0 -- from customer", True),
        ("SELECT count(*) FROM customer", False),
        ("SELECT late_calls()", False),
        ("WITH late AS (TABLE customer) SELECT 0", False),
        ("SELECT 0 /* FROM */ FROM customer", False),
    ],
)
def test_a_figure_that_reads_no_table_is_told(company: dict[str, Any], figure: str, is_told: bool) -> None:
    found = check(declaring(company, sql={**OWN["sql"], "figure": figure}))
    assert [each.code for each in found] == ["control-constant"] * is_told


def test_a_control_that_nobody_asks_is_told(company: dict[str, Any]) -> None:
    [problem] = check(declaring(company).model_copy(update={"promises": ()}))
    assert (problem.code, problem.path) == ("control-unbound", f"controls.{ID}")


HEAD = """troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
controls:
"""


@each_row(
    ("own", "words"),
    [
        (
            "ours.a: {question: Is it?, cannot_see: The rest., sql: {system: s, figure: delete from t, must: = 0}}",
            "SELECT",
        ),
        (
            "ours.a: {question: Is it?, cannot_see: The rest., sql: {system: s, figure: select 1; select, must: = 0}}",
            "semicolon",
        ),
        (
            "ours.a: {question: Is it?, cannot_see: The rest., sql: {system: s, figure: select 1, must: few}}",
            "'<= 5'",
        ),
        ("ours.a: {question: Is it so?, cannot_see: The rest.}", "'sql', 'http' and 'pushed'"),
        ("ours.a: {question: It is so., cannot_see: The rest., pushed: {}}", "question mark"),
        ("ours.a: {question: Is it?, cannot_see: The rest., pushed: {}, every: daily}", "'1 day'"),
        ("ours.a: {question: Is it?, cannot_see: The rest., pushed: {}, fresh_for: 1 hour}", "longer than 'every'"),
        ("ours.a: {question: Is it?, cannot_see: The rest., pushed: {figure: late}}", "need each other"),
        ("shop.a: {question: Is it so?, cannot_see: The rest., pushed: {}}", "ours.no_late_calls"),
        ("ours.a: {question: Is it?, cannot_see: The rest., http: {url: 'http://example.org/'}}", "https://"),
        ("ours.a: {question: Is it?, cannot_see: The rest., http: {url: 'https://a:b@example.org/'}}", "password"),
        (
            "ours.a: {question: Is it?, cannot_see: The rest., http: {url: 'https://example.org/', token: s3cret}}",
            "NAME",
        ),
    ],
)
def test_a_control_that_cannot_be_asked_is_refused_with_its_line(own: str, words: str) -> None:
    with pytest.raises(DeclarationErrors) as refused:
        parse(f"{HEAD}  {own}\n")
    assert words in str(refused.value)
    assert "troth.yaml:5:" in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("must", "holds", "fails"), [("= 0", 0, 1), ("<= 5", 5, 5.001), ("< 5", 4.999, 5), (">= 1", 1, 0), ("> 0", 1, 0)]
)
def test_a_figure_is_what_it_must_be_or_not(must: str, holds: float, fails: float) -> None:
    assert Must.parse(must).holds(holds)
    assert not Must.parse(must).holds(fails)


@pytest.mark.parametrize(
    ("tight", "loose"),
    [("= 0", "<= 5"), ("= 0", ">= 0"), ("<= 5", "<= 6"), ("< 5", "<= 5"), (">= 2", ">= 1"), ("> 1", ">= 1")],
)
def test_a_looser_limit_has_more_room(tight: str, loose: str) -> None:
    before, after = Must.parse(tight).room, Must.parse(loose).room
    assert any(now > then for then, now in zip(before, after, strict=True))
    assert not any(now < then for then, now in zip(before, after, strict=True))


def test_there_is_no_fourth_kind() -> None:
    with pytest.raises(BadAnswer, match="no kind"):
        answers_own("mail")


def test_a_pass_that_rests_on_older_evidence_ends_with_it(
    company: dict[str, Any], now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, scope = now + dt.timedelta(hours=1), frozenset({"crm"})
    answer = ControlResult(CheckOutcome.PASS, "It is.", Evidence(scope, scope), until=ends)
    monkeypatch.setitem(run.__globals__["_ANSWERS"], "own:pushed", lambda: answer)
    declared = declaring(company, sql=None, pushed={})
    assert run(ID, {"declaration": declared, "now": now}).valid_until == ends
