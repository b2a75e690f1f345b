"""Many requests and several workers, and a store that is away: each is answered, exactly once."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from tests import forks
from tests.rig.jobs import run_due
from tests.service.conftest import ROOT
from tests.service.requests.conftest import FLOWS, Office

from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseBatch, CaseKind, CaseState, Channel
from troth.service.core.jobs.models import Job
from troth.service.core.jobs.queue import resume
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog, sequence
from troth.service.core.models import EntryRow, RunRow
from troth.service.core.store_pool import close_stores
from troth.service.mail.models import LetterRow
from troth.service.requests.models import CaseReceipt, ProcessingHalt
from troth.service.requests.responses import outcome

# --- a store that is away for an hour --------------------------------------------------------------------------------


@contextlib.contextmanager
def unreachable(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody answers where the shop should be."""
    with monkeypatch.context() as patched:
        patched.setenv("SHOP_DATABASE_URL", "postgresql://127.0.0.1:9/shop")
        close_stores()
        yield
    close_stores()


@contextlib.contextmanager
def locked(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shop lets everybody read and nobody write."""
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{office.folder}/shop.sqlite?timeout=0.1")
    with contextlib.closing(sqlite3.connect(office.folder / "shop.sqlite", isolation_level=None)) as shop:
        shop.execute("BEGIN IMMEDIATE")
        yield
        shop.execute("ROLLBACK")


_DIES_WRITING = """
import os, sqlite3, sys
shop = sqlite3.connect(sys.argv[1], isolation_level=None)
shop.executescript("PRAGMA synchronous = OFF; BEGIN IMMEDIATE; DELETE FROM login")
os.kill(os.getpid(), 9)
"""


@contextlib.contextmanager
def half_written(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shop's own program died while it wrote, and is not back yet to roll that back."""
    close_stores()
    subprocess.run([sys.executable, "-c", _DIES_WRITING, str(office.folder / "shop.sqlite")])
    yield
    office.do("SELECT count(*) FROM login")


@pytest.mark.parametrize(
    "away",
    [unreachable, pytest.param(locked, marks=pytest.mark.soak), pytest.param(half_written, marks=pytest.mark.soak)],
)
def test_a_store_that_is_down_for_an_hour_is_waited_for(
    office: Office, monkeypatch: pytest.MonkeyPatch, away: Callable[..., Any]
) -> None:
    begun = office.now()
    case = office.ask("erase", "ben@example.org", tier=1)
    reasons = set[str]()
    with away(office, monkeypatch):
        for minutes in (0, 20, 60):
            at = begun + dt.timedelta(minutes=minutes, seconds=5)
            run_due(at, *FLOWS)
            flow = Job.objects.get(kind="requests.batch")
            assert flow.state == Job.State.QUEUED
            assert flow.due_at is not None
            assert flow.due_at > at
            reasons.add(flow.reason)
            case.refresh_from_db()
            assert case.state == CaseState.IN_PROGRESS
    assert Job.objects.get(kind="requests.batch").attempts >= 3
    assert reasons <= {"StoreUnreachable:shop", "StoreBusy:shop", "RunInterrupted"}
    assert not ProcessingHalt.objects.exists(), "to wait is all that is needed"
    at = begun + dt.timedelta(minutes=75)
    run_due(at, *FLOWS)
    case.refresh_from_db()
    assert (case.state, case.receipts.count()) == (CaseState.CLOSED, 1)
    assert office.rows("select count(*) from customer where id = 2") == [(0,)]
    assert_once(office, [case])


@pytest.mark.parametrize(("right", "part"), [("erase", "_done"), ("view", "_hand_out")])
def test_an_answer_that_fails_holds_up_nobody_else(
    office: Office, monkeypatch: pytest.MonkeyPatch, right: str, part: str
) -> None:
    cases = [office.ask(right, f"{name}@example.org", tier=1) for name in ("ann", "ben")]
    answer, failing = getattr(outcome, part), cases[0].pk

    def fails(case: Case, *more: Any) -> Any:
        if case.pk == failing:
            raise RuntimeError
        return answer(case, *more)

    monkeypatch.setattr(outcome, part, fails)
    run_due(office.now() + dt.timedelta(seconds=5), *FLOWS)
    assert [case.pk for case in Case.objects.exclude(state=CaseState.CLOSED)] == [failing]
    monkeypatch.setattr(outcome, part, answer)
    assert resume(Job.objects.filter(kind="requests.batch", state=Job.State.FAILED)) == 1
    run_due(office.now() + dt.timedelta(seconds=5), *FLOWS)
    assert not Case.objects.exclude(state=CaseState.CLOSED).exists()
    if right == "erase":
        assert_once(office, cases)


# --- several workers -------------------------------------------------------------------------------------------------


def assert_once(office: Office, cases: list[Case]) -> None:
    """Everything about *cases* is there, and once."""
    count = len(cases)
    signer = ledger_signer(office.deployment.keyring, office.deployment.declaration.organisation)
    sequence(signer, now=office.now())
    DatabaseLog(signer).verify()
    found = Counter(bytes(row.content).partition(b'"kind":"')[2].partition(b'"')[0] for row in EntryRow.objects.all())
    assert found[b"case.received"] == found[b"case.closed"] == count
    assert (
        found[b"subject.erased"] == CaseReceipt.objects.count() == CaseReceipt.objects.values("case").distinct().count()
    )
    assert found[b"subject.erased"] == count
    letters = Counter(LetterRow.objects.values_list("about", "kind"))
    assert max(letters.values()) == 1
    for case in cases:
        assert letters[case.about, "acknowledged"] == 1
        assert letters[case.about, "fulfilled_erase"] + letters[case.about, "partly_fulfilled"] == 1
    assert not RunRow.objects.filter(finished_at=None).exists()
    assert not Job.objects.filter(kind__in=FLOWS).exists()
    assert not CaseBatch.objects.filter(ended_at=None).exists()


def everybody_at_once(office: Office, database: str, *, people: int, workers: int, kills: int) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite one worker works at a time")
    values = [(number, f"c{number}@example.org", f"C {number}") for number in range(100, 100 + people)]
    with sqlite3.connect(office.folder / "shop.sqlite") as shop:
        shop.executemany("insert into customer (id, email, name) values (?, ?, ?)", values)
        shop.executemany("insert into login values (?, ?, '192.0.2.1')", [(number, number) for number, _, _ in values])
    environment = {
        **os.environ,
        "TROTH_HOME": str(office.settings.home),
        "TROTH_DATABASE_URL": database,
        "TROTH_DECLARATION": str(office.folder / "troth.yaml"),
    }
    command = ["python", "-m", "tests.service.requests.killed", "forever", "0"]
    begun = [forks.start(command, env=environment, cwd=ROOT) for _ in range(workers)]
    try:
        at_once = max(50, people // 40)
        for first in range(0, people, at_once):  # they come while others are being answered
            intakes = [
                receive.Intake(
                    CaseKind.REQUEST,
                    CaseContent(address=mail, identifiers=(("email", mail),)),
                    Channel.API,
                    right="erase",
                    tier=3,
                )
                for _, mail, _ in values[first : first + at_once]
            ]
            receive.receive_all(intakes, office.deployment, now=office.now())
        killed, deadline = 0, time.monotonic() + 120 + people / 5
        while (closed := Case.objects.filter(state=CaseState.CLOSED).count()) < people:
            assert time.monotonic() < deadline, f"{closed} of {people} were answered in time"
            if killed < kills and closed > people * killed // (kills + 1):
                begun[killed].kill()
                killed += 1
            time.sleep(0.1)
        while Job.objects.filter(kind__in=FLOWS).exists():
            assert time.monotonic() < deadline + 60, "their jobs end"
            time.sleep(0.1)
    finally:
        for process in begun:
            process.kill()
            process.wait(30)
    assert office.rows("select count(*) from customer") == [(3,)]
    assert_once(office, list(Case.objects.all()))


def test_three_workers_answer_60_people_once(office: Office, database: str) -> None:
    everybody_at_once(office, database, people=60, workers=3, kills=1)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_eight_workers_answer_10_000_people_once(office: Office, database: str) -> None:
    everybody_at_once(office, database, people=10_000, workers=8, kills=3)
