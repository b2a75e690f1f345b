"""A company's own controls are asked by the keep loop like any other, and one that hangs holds up nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.service.test_passes import HOUR, NOW

from troth.controls import (
    CheckOutcome,
    ControlResult,
    Evidence,
    catalogue,
    check_session,
    controls_of,
    result,
)
from troth.declaration import parse
from troth.policy import read
from troth.protect import Keyring
from troth.service.assurance import jobs, rules
from troth.service.assurance.control_inputs import register_answers
from troth.service.assurance.models import PromiseRow
from troth.service.core.deployment import Deployment
from troth.service.core.journal import DatabaseJournal
from troth.service.core.models import CheckRow, RunRow
from troth.stores import open_store

pytestmark = pytest.mark.sampled

DECLARED = """
troth: 1
organisation: {{name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}}
policy: {{file: policy.md, effective: 2026-11-01}}
systems: {{shop: {{store: "sqlite:///shop.db"}}}}
controls:
  ours.no_late_calls:
    question: Are there no late calls?
    sql: {{system: shop, figure: "{figure}", must: "{must}", timeout_s: 1}}
    every: 1 hour
    cannot_see: Calls that nobody logged.
promises:
  - {{quote: We do not call late., owner: dpo@example.org, controls: [ours.no_late_calls]}}
  - {{quote: We finish every deletion., owner: dpo@example.org, controls: [core.runs_finished]}}
"""
LATE = "SELECT count(*) FROM call_log WHERE hour >= 20"
ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"


@pytest.fixture
def shop(database: str, tmp_path: Path) -> Path:
    hashes = {"plan_hash": "h", "declaration_hash": "h"}
    RunRow.objects.create(run_id="r-0", action="erase", **hashes, begun_at=NOW - HOUR, finished_at=NOW - HOUR)
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript("CREATE TABLE call_log (id INTEGER PRIMARY KEY, hour INTEGER)")
    return tmp_path / "shop.db"


def declaring(shop: Path, figure: str = LATE, must: str = "= 0") -> Deployment:
    declaration = parse(DECLARED.format(figure=figure, must=must))

    @contextlib.contextmanager
    def look(company: Deployment, now: dt.datetime) -> Iterator[Mapping[str, object]]:
        with contextlib.closing(open_store("shop", f"sqlite:///{shop}", read_only=True)) as store:
            seen = {"declaration": company.declaration, "stores": {"shop": store}, "now": now}
            yield {**seen, "journal": DatabaseJournal()}

    text = read("# Policy\n\nWe do not call late. We finish every deletion.\n")
    company = Deployment(declaration, policy=text)
    return company.but(keyring=Keyring(b"\x01" * 32), look=look)


def outcomes() -> dict[str, str]:
    return {row.control: row.outcome for row in CheckRow.objects.order_by("id")}


def statuses() -> list[str]:
    return sorted(PromiseRow.objects.values_list("status", flat=True))


def test_a_figure_breaks_its_promise_and_fixes_it(database: str, shop: Path) -> None:
    jobs.run_due(NOW, deployment=declaring(shop))
    assert statuses() == ["kept", "kept"]
    with contextlib.closing(sqlite3.connect(shop)) as connection:
        connection.execute("INSERT INTO call_log (hour) VALUES (21)")
        connection.commit()
        jobs.run_due(NOW + HOUR, deployment=declaring(shop))
        assert statuses() == ["broken", "kept"]
        connection.execute("DELETE FROM call_log")
        connection.commit()
    jobs.run_due(NOW + 2 * HOUR, deployment=declaring(shop))
    assert statuses() == ["kept", "kept"]


def test_a_statement_that_never_ends_is_an_error_and_the_others_are_asked(database: str, shop: Path) -> None:
    jobs.run_due(NOW, deployment=declaring(shop, ENDLESS))
    assert outcomes() == {"ours.no_late_calls": "error", "core.runs_finished": "pass"}
    assert statuses() == ["kept", "unproven"]
    assert "within 1 seconds" in CheckRow.objects.get(outcome="error").summary


def test_an_answer_that_hangs_is_an_error_and_the_loop_goes_on(
    database: str, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, scope = threading.Event(), frozenset({"journal"})

    def hangs(**_: Any) -> ControlResult:
        gate.wait(60)
        return ControlResult(CheckOutcome.PASS, "At last.", Evidence(scope, scope))

    limits = {id_: replace(each, limit=dt.timedelta(seconds=0.5)) for id_, each in catalogue().items()}
    register_answers()
    monkeypatch.setitem(result._ANSWERS, "core.runs_finished", lambda: hangs())
    monkeypatch.setattr(check_session, "controls_of", lambda declared: {**controls_of(declared), **limits})
    for hour in range(3):
        jobs.run_due(NOW + hour * HOUR, deployment=declaring(shop), hasten=True)
    assert outcomes() == {"ours.no_late_calls": "pass", "core.runs_finished": "error"}
    assert len(check_session._left) == 1, "nothing piles up"
    gate.set()
    for thread in list(check_session._left.values()):
        thread.join(10)
    jobs.run_due(NOW + 4 * HOUR, deployment=declaring(shop), hasten=True)
    assert statuses() == ["kept", "kept"]


def test_another_limit_is_asked_at_once_and_a_looser_one_is_an_entry(database: str, shop: Path) -> None:
    before, after = declaring(shop), declaring(shop, must="<= 5")
    jobs.run_due(NOW, deployment=declaring(shop))
    report = jobs.run_due(NOW + HOUR / 60, deployment=declaring(shop, must="<= 5"))
    assert [check.control for check in report.checks] == ["ours.no_late_calls"]
    told = [
        entry.fields["what"]
        for entry in rules.loosened(
            rules.bindings(before.declaration.promises, before.controls),
            rules.bindings(after.declaration.promises, after.controls),
            now=NOW,
        )
    ]
    assert told == ["query", "at_most", "at_least"]
