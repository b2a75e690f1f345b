"""Durable flows: every step has its effect, whatever happens to the worker or to a store in between."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import Error, IntegrityError, OperationalError, connection, connections, transaction
from tests.service.conftest import ROOT

from troth.service.configuration import Settings
from troth.service.core.disposal import dispose
from troth.service.core.models import ScheduledJob
from troth.service.core.own_tables import noted, own
from troth.service.work import engine, run
from troth.service.work import worker as work_worker
from troth.service.work.carried import Flow, NotesAway
from troth.service.work.engine import prepare
from troth.service.work.models import FlowRow, WorkerRow
from troth.service.work.run import Stopped, feeder, flow, health, step, wait_for_word, wake, want
from troth.service.work.worker import Pace, worker
from troth.stores import StoreUnreachable, open_system

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2036, 11, 24, 9, 41, tzinfo=dt.UTC)
"""Later than the clock of this machine, by which flows are wanted."""
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
PACE = Pace(look_s=0.02, busy_s=0.02)
State = FlowRow.State


class Clock:
    """The time of flows, which only the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Carry = Callable[[], None]


@pytest.fixture
def carry(database: str, clock: Clock) -> Carry:
    """Carries every flow as far as it can go at the moment of the clock, each time by another worker."""
    settings = Settings.read({"TROTH_DATABASE_URL": database})
    return lambda: worker(threading.Event(), settings=settings, pace=PACE, clock=clock, until_idle=True)


@pytest.fixture(autouse=True)
def _flows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_flows", {})
    monkeypatch.setattr(run, "_feeders", [])
    # What the duties register stays out, and is not registered where the next test would not find it.
    monkeypatch.setattr(work_worker, "autodiscover_modules", lambda _: None)


def row(about: str = "R-1") -> FlowRow:
    return FlowRow.objects.get(name="demo", about=about)


class Steps:
    """What steps did, in their order."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def __call__(self, what: str, result: run.Result = None) -> Callable[[], run.Result]:
        def do() -> run.Result:
            self.did.append(what)
            return result

        return do


@pytest.fixture
def steps() -> Steps:
    return Steps()


# --- steps -----------------------------------------------------------------------------------------------------------


def test_a_flow_runs_its_steps_in_turn_to_its_end(carry: Carry, steps: Steps) -> None:
    @flow("demo")
    def body(about: str) -> None:
        count = step("count", steps(f"count {about}", 3))
        step("tell", steps(f"tell {about} {count}"))

    want("demo", "R-1", "R-2")
    carry()
    assert [it for it in steps.did if "R-2" in it] == ["count R-2", "tell R-2 3"]
    assert sorted(steps.did) == ["count R-1", "count R-2", "tell R-1 3", "tell R-2 3"]
    assert row().state == State.DONE
    assert not WorkerRow.objects.exists()


@pytest.mark.parametrize("result", [None, True, 3, "sha256:ab", {"done": 2, "left": ["R-1", None]}])
def test_a_step_is_not_done_again_and_leaves_the_same(
    carry: Carry, steps: Steps, clock: Clock, result: run.Result
) -> None:
    seen = []

    @flow("demo")
    def body(about: str) -> None:
        seen.append(step("first", steps("first", result)))
        wait_for_word(DAY)

    want("demo", "R-1")
    carry()
    clock.now += DAY
    carry()
    assert steps.did == ["first"]
    assert seen == [result, result]
    assert row().state == State.DONE


@pytest.mark.parametrize("value", ["Ann Example", "ann@example.org", ["x" * 201], {"name": 1.5}, 30_000 * [1]])
def test_a_step_that_would_leave_a_value_fails_and_leaves_nothing(
    carry: Carry, tmp_path: Path, value: run.Result, caplog: pytest.LogCaptureFixture
) -> None:
    @flow("demo")
    def body(about: str) -> None:
        step("tell", lambda: value)

    want("demo", "R-1")
    carry()
    assert (row().state, row().step, row().reason) == (State.FAILED, "tell", "ValueError")


def test_a_step_outside_a_flow_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="body of a flow"):
        step("make", lambda: 1)


def test_a_step_within_a_step_is_a_mistake(carry: Carry) -> None:
    @flow("demo")
    def body(about: str) -> None:
        step("outer", lambda: step("inner", lambda: 1))

    want("demo", "R-1")
    carry()
    assert (row().state, row().reason) == (State.FAILED, "AssertionError")


# --- wanting ---------------------------------------------------------------------------------------------------------


def test_what_is_rolled_back_is_not_wanted(database: str) -> None:
    def change_nothing() -> None:
        with transaction.atomic():
            want("demo", "R-1")
            raise IntegrityError

    with pytest.raises(IntegrityError):
        change_nothing()
    assert not FlowRow.objects.exists()


def test_wanting_again_what_is_wanted_changes_nothing_but_hastens(database: str, carry: Carry, steps: Steps) -> None:
    @flow("demo")
    def body(about: str) -> None:
        step("do", steps("do"))

    want("demo", "R-1", not_before=NOW + DAY)
    carry()
    assert steps.did == []
    want("demo", "R-1", not_before=NOW + 2 * DAY)
    assert row().due_at == NOW + DAY
    want("demo", "R-1")
    want("demo", "R-1")
    carry()
    assert steps.did == ["do"]


def test_one_that_is_done_begins_anew_when_it_is_wanted_again(carry: Carry, steps: Steps) -> None:
    @flow("demo")
    def body(about: str) -> None:
        step("do", steps("do"))

    for _ in range(2):
        want("demo", "R-1")
        carry()
    assert steps.did == ["do", "do"]
    assert row().round == 2


def test_flows_that_this_version_does_not_know_are_left_to_others(carry: Carry) -> None:
    want("newer", "R-1")
    carry()
    assert FlowRow.objects.get().state == State.WANTED


def test_a_feeder_turns_rows_into_flows(carry: Carry, steps: Steps) -> None:
    @feeder
    def fill() -> None:
        if not FlowRow.objects.exists():
            want("demo", "R-1")

    @feeder
    def broken() -> None:
        raise OSError

    @flow("demo")
    def body(about: str) -> None:
        step("do", steps("do"))

    carry()
    assert steps.did == ["do"]


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_a_wait_is_over_at_its_time_and_holds_no_worker(carry: Carry, clock: Clock, steps: Steps) -> None:
    @flow("demo")
    def body(about: str) -> None:
        step("before", steps("before"))
        wait_for_word(30 * DAY)
        step("after", steps("after"))

    want("demo", *(f"R-{number}" for number in range(20)))  # more than a worker runs at once
    carry()
    assert health(clock.now).waiting == 20
    clock.now += 30 * DAY - HOUR
    carry()
    assert steps.did == 20 * ["before"]
    clock.now += HOUR
    carry()
    assert steps.did == 20 * ["before"] + 20 * ["after"]


def test_a_word_ends_the_wait_for_it(carry: Carry, clock: Clock) -> None:
    heard = []

    @flow("demo")
    def body(about: str) -> None:
        heard.append(wait_for_word(30 * DAY))
        heard.append(wait_for_word(30 * DAY))

    want("demo", "R-1")
    carry()
    wake("demo", "R-1")
    wake("demo", "R-2")  # that nobody hears
    carry()
    assert heard == [True]
    clock.now += 30 * DAY
    carry()
    assert heard == [True, True, False]  # the first is replayed
    assert row().state == State.DONE


def test_a_word_that_came_before_the_wait_is_heard(carry: Carry) -> None:
    heard = []

    @flow("demo")
    def body(about: str) -> None:
        step("look", lambda: wake("demo", about))  # as somebody else might at this moment
        heard.append(wait_for_word(30 * DAY))

    want("demo", "R-1")
    carry()
    assert heard == [True]


def test_no_word_is_missed_while_the_flow_is_put_away(carry: Carry, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []

    @flow("demo")
    def body(about: str) -> None:
        heard.append(wait_for_word(30 * DAY))

    real = Flow._away

    def away(self: Flow, state: FlowRow.State, due: dt.datetime | None) -> dict[str, object]:
        if state == State.WAITING:
            wake("demo", "R-1")  # after the flow has looked for words, and before it is put away
        return real(self, state, due)

    monkeypatch.setattr(Flow, "_away", away)
    want("demo", "R-1")
    carry()
    assert heard == [True]


# --- what goes wrong -------------------------------------------------------------------------------------------------


class Shop:
    """A store that is down until the test says otherwise."""

    def __init__(self) -> None:
        self.is_down, self.asked = True, 0

    def erase(self) -> int:
        self.asked += 1
        if self.is_down:
            raise StoreUnreachable("Ann's shop is closed", store="shop", retryable=True)
        return 3


def test_a_store_that_is_down_for_an_hour_is_waited_for(carry: Carry, clock: Clock, steps: Steps) -> None:
    shop = Shop()

    @flow("demo")
    def body(about: str) -> None:
        step("before", steps("before"))
        count = step("erase", shop.erase)
        step("after", steps(f"after {count}"))

    want("demo", "R-1")
    paused = []
    for _ in range(3):
        carry()
        assert (row().state, row().step, row().reason) == (State.WAITING, "erase", "StoreUnreachable:shop")
        paused.append((row().due_at or NOW) - clock.now)
        clock.now += paused[-1]
    assert paused == sorted(paused)
    assert row().tries == shop.asked == 3
    clock.now = NOW + HOUR
    shop.is_down = False
    carry()
    assert steps.did == ["before", "after 3"]
    assert (row().state, row().tries, row().reason) == (State.DONE, 0, "")


def test_a_store_that_says_when_is_not_asked_before(carry: Carry, clock: Clock) -> None:
    class Later(OSError):
        retry_after = 3600

    def ask() -> run.Result:
        raise Later

    @flow("demo")
    def body(about: str) -> None:
        step("ask", ask)

    want("demo", "R-1")
    carry()
    assert row().due_at == clock.now + HOUR


def test_a_flow_that_stopped_goes_on_at_its_step_once_it_is_wanted_again(carry: Carry, steps: Steps) -> None:
    changed = [True]

    def check() -> run.Result:
        if changed[0]:
            raise Stopped("declaration_changed")
        return None

    @flow("demo")
    def body(about: str) -> None:
        step("before", steps("before"))
        step("check", check)
        step("after", steps("after"))

    want("demo", "R-1")
    carry()
    assert (row().state, row().step, row().reason) == (State.STOPPED, "check", "declaration_changed")
    carry()
    assert health().stopped == 1
    changed[0] = False
    want("demo", "R-1")
    carry()
    assert steps.did == ["before", "after"]
    assert row().state == State.DONE


@pytest.mark.parametrize("place", ["body", "step"])
def test_a_flow_that_fails_is_visible_and_goes_on_once_it_is_wanted_again(
    carry: Carry, steps: Steps, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]

    def break_() -> None:
        if broken[0]:
            raise LookupError("Ann's row")

    @flow("demo")
    def body(about: str) -> None:
        step("before", steps("before"))
        if place == "body":
            break_()
        step("break", break_)

    want("demo", "R-1")
    with caplog.at_level(logging.ERROR):
        carry()
    assert (row().state, row().reason) == (State.FAILED, "LookupError")
    assert health().failed == 1
    broken[0] = False
    want("demo", "R-1")
    carry()
    assert steps.did == ["before"]
    assert row().state == State.DONE


def test_a_flow_whose_steps_have_changed_stops(carry: Carry, monkeypatch: pytest.MonkeyPatch) -> None:
    @flow("demo")
    def before(about: str) -> None:
        step("one", lambda: 1)
        raise Stopped("here")

    want("demo", "R-1")
    carry()
    monkeypatch.setattr(run, "_flows", {})

    @flow("demo")
    def after(about: str) -> None:
        step("two", lambda: 2)

    want("demo", "R-1")
    carry()
    assert (row().state, row().reason) == (State.STOPPED, "flow_changed")


def test_a_step_whose_database_goes_away_is_done_again(
    carry: Carry,
    clock: Clock,
    steps: Steps,
    database: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL ends every connection in the middle of a step, those of the notes too; on SQLite, somebody else writes
    for longer than we wait."""
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.1)
        connection.close()
    left = [2]

    def make() -> run.Result:
        left[0] -= 1
        if left[0] >= 0:
            lose(database, request)
        return ScheduledJob.objects.create(name="made", next_due=NOW).pk

    @flow("demo")
    def body(about: str) -> None:
        step("before", steps("before"))
        step("make", make)
        step("after", steps("after"))

    want("demo", "R-1")
    for _ in range(6):
        with contextlib.suppress(Error, NotesAway):  # one that is not patient says so
            carry()
        connection.close()
        expire_leases()
        clock.now += HOUR
    assert (row().state, row().reason) == (State.DONE, "")
    assert steps.did == ["before", "after"]
    assert ScheduledJob.objects.filter(name="made").count() == 1


def lose(database: str, request: pytest.FixtureRequest) -> None:
    """Our own database goes away; raises what a statement meets then."""
    if connection.vendor == "postgresql":
        request.getfixturevalue("postgresql_server").cut(database.rpartition("/")[2])
        ScheduledJob.objects.exists()
        return
    with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN EXCLUSIVE")
        ScheduledJob.objects.create(name="locked", next_due=NOW)


def expire_leases() -> None:
    """Let the time of workers that are gone be over."""
    WorkerRow.objects.update(lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))


def test_a_mistake_in_a_statement_is_no_database_that_is_away(carry: Carry, caplog: pytest.LogCaptureFixture) -> None:
    def ask() -> run.Result:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        return None

    @flow("demo")
    def body(about: str) -> None:
        step("ask", ask)

    want("demo", "R-1")
    carry()
    assert (row().state, row().step) == (State.FAILED, "ask")


def test_an_error_among_the_notes_is_not_had_again(
    carry: Carry, clock: Clock, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, an error that left a step was noted as its outcome; such flows go on once somebody wants them to."""
    broken = [True]

    def ask() -> run.Result:
        if broken[0]:
            raise OperationalError("the connection is closed")
        return 3

    @flow("demo")
    def body(about: str) -> None:
        step("before", steps("before"))
        step("after", steps(f"after {step('ask', ask)}"))

    want("demo", "R-1")
    with monkeypatch.context() as patch:
        patch.setattr(Flow, "_noted", lambda self, name, call: self._note(name, call))
        patch.setattr(engine, "_note", lambda name, call: vars(engine)["DBOS"].run_step({"name": name}, call))
        carry()
    FlowRow.objects.update(state=State.FAILED, due_at=None, step="ask", reason="PortableWorkflowError")
    broken[0] = False
    for _ in range(2):
        want("demo", "R-1")
        carry()
        clock.now += HOUR
    assert row().state == State.DONE
    assert steps.did == ["before", "before", "after 3"]


def test_what_a_worker_has_by_its_row_alone_is_given_back(
    database: str, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the database goes away from a worker that takes a flow: it commits, and nobody hears of that."""

    @flow("demo")
    def body(about: str) -> None:
        step("do", steps("do"))
        stop.set()

    real, stop = work_worker._Worker._take, threading.Event()

    def unheard(self: work_worker._Worker) -> list[Flow]:
        taken = real(self)
        if taken and taken[0].takings == 1:
            raise OperationalError("the connection is lost")
        return taken

    monkeypatch.setattr(work_worker._Worker, "_take", unheard)
    monkeypatch.setattr(work_worker, "_AGAIN", dt.timedelta())
    want("demo", "R-1", not_before=dt.datetime.now(dt.UTC))
    threading.Timer(20, stop.set).start()
    worker(stop, settings=Settings.read({"TROTH_DATABASE_URL": database}), pace=PACE)
    assert steps.did == ["do"]


# --- what is left ----------------------------------------------------------------------------------------------------


def test_done_flows_go_after_their_period_and_others_stay(carry: Carry, clock: Clock) -> None:
    @flow("demo")
    def body(about: str) -> None:
        if about == "R-2":
            raise Stopped("here")

    want("demo", "R-1", "R-2")
    carry()
    dispose(NOW + 89 * DAY)
    assert FlowRow.objects.count() == 2
    dispose(NOW + 92 * DAY)
    assert [it.about for it in FlowRow.objects.all()] == ["R-2"]


def test_health_says_what_waits_and_since_when(database: str) -> None:
    now = dt.datetime.now(dt.UTC)
    want("demo", "R-1", not_before=now - HOUR)
    want("demo", "R-2", not_before=now + HOUR)
    WorkerRow.objects.create(executor="alive", begun_at=now, lease_until=now + HOUR)
    WorkerRow.objects.create(executor="dead", begun_at=now, lease_until=now - HOUR)
    found = health(now)
    assert (found.workers, found.wanted, found.running, found.oldest) == (1, 2, 0, now - HOUR)
    assert found.is_behind(now)
    assert not health(now - HOUR).is_behind(now - HOUR)


def test_only_the_engine_knows_dbos() -> None:
    knows = set()
    for folder, _, names in os.walk(Path(run.__file__).parents[2], followlinks=True):
        for file in (Path(folder, name) for name in names if name.endswith(".py")):
            knows |= {file.name for line in file.read_text().splitlines() if re.match(r"\s*(import|from) dbos", line)}
    assert knows == {"engine.py"}


def test_what_answers_requests_does_not_load_it() -> None:
    code = (
        "import sys, django; django.setup();"
        "import troth.service.urls, troth.service.work.run, troth.service.work.worker;"
        "assert 'dbos' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_engine_keeps_what_is_declared_and_nothing_else(database: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite it has a file of its own")
    settings = Settings.read({"TROTH_DATABASE_URL": database})
    prepare(settings)
    prepare(settings)
    real = open_system("troth", own().systems["troth"], {"TROTH_DATABASE_URL": database})
    try:
        schema = real.describe()
    finally:
        real.close()
    kept = {name: table for name, table in schema.tables.items() if name.startswith("troth_work.")}
    declared = noted().systems["troth"].tables
    assert set(kept) == set(declared)
    for name, table in kept.items():
        assert {it.name for it in table.columns} - set(table.key) == set(declared[name].ignore), name
