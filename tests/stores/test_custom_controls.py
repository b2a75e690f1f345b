"""Databases answer a company's own controls with one number, read-only, and for a bounded time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Declaration
from troth.stores import QueryableStore, check_figures, open_store

pytestmark = pytest.mark.sampled

ID = "ours.no_late_calls"
NOW = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
HANGING = {
    "sqlite": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "postgresql": "SELECT count(*) FROM (SELECT pg_sleep(60)) AS slept",
    "mariadb": "SELECT sleep(60) AS slept",
}


@pytest.fixture
def ask(any_place: Any) -> Callable[..., Check]:
    any_place.run("CREATE TABLE call_log (id integer, note varchar(40))")
    any_place.run("INSERT INTO call_log VALUES (1, 'late 100% ann@example.org')")

    def asked(figure: str, must: str = "= 0", **sql: Any) -> Check:
        own = {
            "question": "Are there no late calls?",
            "cannot_see": "The rest.",
            "sql": {"system": "shop", "figure": figure, "must": must, **sql},
        }
        declared = Declaration.model_validate({**COMPANY, "controls": {ID: own}})
        return run(ID, {"declaration": declared, "now": NOW, "stores": {"shop": any_place.open(read_only=True)}})

    return asked


COMPANY: dict[str, Any] = {
    "troth": 1,
    "organisation": {"name": "E", "country": "GB", "address": "a", "email": "privacy@example.org"},
    "policy": {"file": "policy.md", "effective": "2026-01-01"},
    "systems": {"shop": {"store": "${SHOP}"}},
}


def test_a_figure_within_its_limit_passes_and_one_beyond_fails(ask: Any, any_place: Any) -> None:
    late = "SELECT count(*) FROM call_log WHERE note LIKE 'late 100%'"
    check = ask(late, "<= 1")
    assert (check.outcome, check.figures, check.evidence.observed) == (CheckOutcome.PASS, {"figure": 1}, {"shop"})
    any_place.run("INSERT INTO call_log VALUES (2, 'late 100%')")
    check = ask(late, "<= 1")
    assert (check.outcome, [finding.place for finding in check.findings]) == (CheckOutcome.FAIL, ["shop"])


@pytest.mark.few(3)
@pytest.mark.parametrize(
    "figure",
    [
        "SELECT note FROM call_log",
        "SELECT id, id FROM call_log",
        "SELECT id FROM call_log UNION ALL SELECT 2",
        "SELECT id FROM call_log WHERE id = 7",
        "SELECT NULL AS nothing",
        "SELECT id FROM no_such_table",
        "SELECT (",
    ],
)
def test_what_gives_no_single_number_is_an_error_without_values(ask: Any, figure: str) -> None:
    check = ask(figure)
    assert (check.outcome, check.figures) == (CheckOutcome.ERROR, {})
    assert "ann" not in check.summary


@pytest.mark.parametrize(
    "figure",
    [
        "WITH gone AS (DELETE FROM call_log RETURNING id) SELECT count(*) FROM gone",
        "SELECT 1) AS f WHERE 1 = 1 -- ",
        "SELECT count(*) FROM call_log INTO OUTFILE '/tmp/x'",
        "SELECT 1) AS f LIMIT 1 FOR UPDATE -- ",
    ],
)
def test_nothing_is_written_by_a_figure(ask: Any, any_place: Any, figure: str) -> None:
    ask(figure)
    assert any_place.rows("SELECT count(*) FROM call_log") == [(1,)]


def test_a_statement_that_hangs_is_an_error_in_time_and_the_next_is_answered(ask: Any, any_place: Any) -> None:
    check = ask(HANGING[any_place.kind], timeout_s=1)
    assert (check.outcome, check.summary) == (
        CheckOutcome.ERROR,
        "shop returned no figure within 1 seconds.",
    )
    assert ask("SELECT count(*) FROM call_log", "= 1").outcome is CheckOutcome.PASS


def test_checking_the_declaration_tells_the_figures_that_the_store_does_not_give(any_place: Any) -> None:
    any_place.run("CREATE TABLE call_log (id integer, note varchar(40))")
    figures = {"ours.good": "SELECT count(*) FROM call_log", "ours.bad": "SELECT count(*) FROM call_logs"}
    own = {
        id_: {"question": "Is it so?", "cannot_see": "The rest.", "sql": {"system": "shop", "figure": f, "must": "= 0"}}
        for id_, f in figures.items()
    }
    declared = Declaration.model_validate({**COMPANY, "controls": own})
    [problem] = check_figures(declared, "shop", any_place.open(read_only=True))
    assert (problem.code, problem.path) == ("control-figure", "controls.ours.bad.sql.figure")
    assert list(check_figures(declared, "crm", any_place.open(read_only=True))) == []


def test_a_system_that_is_not_there_or_takes_no_select_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    folder = open_store("shop", f"files:{tmp_path}/calls")
    assert not isinstance(folder, QueryableStore)
    own = {"question": "So?", "cannot_see": "The rest.", "sql": {"system": "shop", "figure": "SELECT 1", "must": "= 1"}}
    declared = Declaration.model_validate({**COMPANY, "controls": {ID: {**own, "question": "Is it so?"}}})
    for stores in ({}, {"shop": folder}):
        check = run(ID, {"declaration": declared, "now": NOW, "stores": stores})
        assert check.outcome is CheckOutcome.ERROR
