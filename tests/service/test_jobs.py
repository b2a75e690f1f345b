"""Background jobs: every step has its effect, whatever happens to the worker or to a store in between."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import Error, IntegrityError, OperationalError, connection, transaction

from troth.service.core.jobs import registry
from troth.service.core.jobs import worker as jobs_worker
from troth.service.core.jobs.lease import CLOCKS_DIFFER
from troth.service.core.jobs.models import HIGH, LOW, Job, WorkerRow
from troth.service.core.jobs.process import is_gone, this_process
from troth.service.core.jobs.queue import cancel, enqueue, hasten, health, resume, resume_stopped, signal
from troth.service.core.jobs.registry import Retry, batch_job, job, poller
from troth.service.core.jobs.running import LeaseLost, Result, RunningJob, Stopped, TryAgain
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.core.models import ControlEvent
from troth.stores import StoreUnreachable

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2036, 11, 24, 9, 41, tzinfo=dt.UTC)
"""Later than the clock of this machine, by which jobs are enqueued."""
SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
PACE = Pace(look_s=0.02)
State = Job.State


class Clock:
    """The time of jobs, which only the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


RunAll = Callable[[], None]


@pytest.fixture
def run_all(database: str, clock: Clock) -> RunAll:
    """Runs every job as far as it can go at the moment of the clock, each time in another worker."""
    return lambda: run_jobs(threading.Event(), pace=PACE, clock=clock, until_idle=True)


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_kinds", {})
    monkeypatch.setattr(registry, "_pollers", [])
    # What the duties register stays out, and is not registered where the next test would not find it.
    monkeypatch.setattr(jobs_worker, "import_all", lambda *_: None)


def row(key: str = "R-1") -> Job:
    return Job.objects.get(kind="demo", key=key)


def is_done(key: str = "R-1") -> bool:
    return not Job.objects.filter(kind="demo", key=key).exists()


class Steps:
    """What steps did, in their order."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def __call__(self, what: str, result: Result = None) -> Callable[[], Result]:
        def do() -> Result:
            self.did.append(what)
            return result

        return do


@pytest.fixture
def steps() -> Steps:
    return Steps()


# --- steps -----------------------------------------------------------------------------------------------------------


def test_a_job_runs_its_steps_in_turn_to_its_end(run_all: RunAll, steps: Steps) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        count = job.step("count", steps(f"count {job.key}", 3))
        job.step("tell", steps(f"tell {job.key} {count}"))

    enqueue("demo", "R-1", "R-2")
    run_all()
    assert [did for did in steps.did if "R-2" in did] == ["count R-2", "tell R-2 3"]
    assert sorted(steps.did) == ["count R-1", "count R-2", "tell R-1 3", "tell R-2 3"]
    assert not Job.objects.exists()
    assert not WorkerRow.objects.exists()


@pytest.mark.parametrize("result", [None, True, 3, "sha256:ab", {"done": 2, "left": ["R-1", None]}])
def test_a_step_is_not_done_again_and_leaves_the_same(
    run_all: RunAll, steps: Steps, clock: Clock, result: Result
) -> None:
    seen = []

    @job("demo")
    def demo(job: RunningJob) -> None:
        seen.append(job.step("first", steps("first", result)))
        if len(seen) == 1:
            job.wait(DAY)

    enqueue("demo", "R-1")
    run_all()
    clock.now += DAY
    run_all()
    assert steps.did == ["first"]
    assert seen == [result, result]
    assert is_done()


@pytest.mark.parametrize("value", ["Ann Example", "ann@example.org", ["x" * 201], {"name": 1.5}, 30_000 * [1]])
def test_a_step_that_would_leave_a_value_fails_and_leaves_nothing(run_all: RunAll, value: Result) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("tell", lambda: value)

    enqueue("demo", "R-1")
    run_all()
    assert (row().state, row().step, row().reason, row().steps) == (State.FAILED, "tell", "ValueError", {})


def test_a_step_within_a_step_is_a_mistake(run_all: RunAll) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("outer", lambda: job.step("inner", lambda: 1))

    enqueue("demo", "R-1")
    run_all()
    assert (row().state, row().reason) == (State.FAILED, "AssertionError")


def test_an_effect_and_the_end_of_its_job_are_one_transaction(run_all: RunAll, clock: Clock) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        with transaction.atomic():
            ControlEvent.objects.create(event="made", at=NOW)
            job.finish()
            if job.attempts == 0:
                raise OSError("before the commit")

    enqueue("demo", "R-1")
    run_all()
    assert not ControlEvent.objects.exists()
    clock.now += HOUR
    run_all()
    assert ControlEvent.objects.count() == 1
    assert is_done()


def test_a_worker_that_lost_a_job_cannot_end_it(run_all: RunAll) -> None:
    lost = []

    @job("demo")
    def demo(job: RunningJob) -> None:
        Job.objects.update(worker="another")
        with transaction.atomic():
            ControlEvent.objects.create(event="made", at=NOW)
            try:
                job.finish()
            except LeaseLost:
                lost.append(job.key)
                raise

    enqueue("demo", "R-1")
    run_all()
    assert lost == ["R-1"]
    assert not ControlEvent.objects.exists()
    assert row().worker == "another"


# --- enqueueing ------------------------------------------------------------------------------------------------------


def test_what_is_rolled_back_is_not_enqueued(database: str) -> None:
    def change_nothing() -> None:
        with transaction.atomic():
            enqueue("demo", "R-1")
            raise IntegrityError

    with pytest.raises(IntegrityError):
        change_nothing()
    assert not Job.objects.exists()


def test_one_that_is_queued_is_enqueued_once_and_brought_forward(run_all: RunAll, steps: Steps) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("do", steps("do"))

    enqueue("demo", "R-1", not_before=NOW + DAY)
    run_all()
    assert steps.did == []
    enqueue("demo", "R-1", not_before=NOW + 2 * DAY)
    assert row().due_at == NOW + DAY
    enqueue("demo", "R-1")
    enqueue("demo", "R-1", "R-1")
    run_all()
    assert steps.did == ["do"]


def test_one_that_is_done_begins_anew(run_all: RunAll, steps: Steps) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("do", steps("do"))

    for _ in range(2):
        enqueue("demo", "R-1")
        run_all()
    assert steps.did == ["do", "do"]


def test_one_that_is_enqueued_while_it_runs_runs_again_from_its_first_step(run_all: RunAll, steps: Steps) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("do", steps("do"))
        if steps.did == ["do"]:
            enqueue("demo", "R-1")  # as somebody else might at this moment
            assert Job.objects.count() == 1

    enqueue("demo", "R-1")
    run_all()
    assert steps.did == ["do", "do"]
    assert is_done()


def test_one_that_is_enqueued_between_two_attempts_runs_again_from_its_first_step(
    run_all: RunAll, clock: Clock, steps: Steps
) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("look", steps("look"))
        if len(steps.did) == 1 and job.attempts == 0:
            raise TryAgain("busy")

    enqueue("demo", "R-1")
    run_all()
    enqueue("demo", "R-1")  # what it has looked at has changed
    clock.now += HOUR
    run_all()
    assert steps.did == ["look", "look"]
    assert is_done()


def test_no_retry_is_hurried_by_enqueueing(run_all: RunAll, clock: Clock) -> None:
    asked = []

    @job("demo")
    def demo(job: RunningJob) -> None:
        asked.append(clock.now)
        raise TryAgain("busy", HOUR)

    enqueue("demo", "R-1")
    run_all()
    enqueue("demo", "R-1")
    run_all()
    assert row().due_at == NOW + HOUR
    hasten("demo", at=NOW)
    run_all()
    assert asked == [NOW, NOW]


def test_many_are_enqueued_at_once(database: str) -> None:
    enqueue("demo", *(f"R-{number}" for number in range(250)))
    assert health(NOW).queued == 250
    assert cancel("demo", keeping=["R-7"]) == 249


def test_kinds_that_this_version_does_not_know_are_left_to_others(run_all: RunAll) -> None:
    enqueue("newer", "R-1")
    run_all()
    assert Job.objects.get().state == State.QUEUED


def test_a_worker_may_be_given_some_kinds_alone(database: str, clock: Clock, steps: Steps) -> None:
    for name in ("demo", "demo.more", "demonstration"):
        job(name)(lambda job: steps.did.append(job.kind.name))
        enqueue(name, "R-1")
    run_jobs(threading.Event(), pace=PACE, clock=clock, only=["demo"], until_idle=True)
    assert sorted(steps.did) == ["demo", "demo.more"]


def test_the_higher_priority_runs_first(database: str, clock: Clock, steps: Steps) -> None:
    @job("low")
    def low(job: RunningJob) -> None:
        steps("low")()

    @job("high")
    def high(job: RunningJob) -> None:
        steps("high")()

    enqueue("low", "1", "2", "3")
    enqueue("high", "1", priority=HIGH)
    run_jobs(threading.Event(), pace=Pace(threads=1), clock=clock, until_idle=True)
    assert steps.did == ["high", "low", "low", "low"]


def test_of_kinds_that_run_few_at_once_the_higher_priority_runs_first(
    database: str, clock: Clock, steps: Steps
) -> None:
    for name in ("a_low", "b_high"):
        job(name, at_once=1)(lambda job: steps.did.append(job.kind.name))
    enqueue("a_low", "1", priority=LOW)
    enqueue("b_high", "1", priority=HIGH)
    run_jobs(threading.Event(), pace=Pace(threads=1), clock=clock, until_idle=True)
    assert steps.did == ["b_high", "a_low"]


def test_a_process_of_another_user_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = this_process()
    assert not is_gone(mine)
    assert not is_gone(mine.replace(mine.split(":")[0], "another-boot"))
    assert is_gone(f"{mine.rpartition(':')[0]}:1"), "its number was given to another"

    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr("os.kill", refuse)
    assert not is_gone(f"{mine.rpartition(':')[0]}:1")


def test_a_kind_runs_no_more_at_once_than_it_may(database: str, clock: Clock) -> None:
    running, most, lock = set[str](), [0], threading.Lock()
    both = threading.Barrier(2, timeout=10)

    @job("demo", at_once=2)
    def demo(job: RunningJob) -> None:
        with lock:
            running.add(job.key)
            most[0] = max(most[0], len(running))
        both.wait()
        with lock:
            running.discard(job.key)

    enqueue("demo", *map(str, range(10)))
    run_jobs(threading.Event(), pace=PACE, clock=clock, until_idle=True)
    assert most == [2]
    assert not Job.objects.exists()


def test_jobs_of_a_batch_run_together_and_end_each_by_itself(run_all: RunAll, clock: Clock) -> None:
    sizes = []

    @batch_job("demo", most=8)
    def demo(jobs: Sequence[RunningJob]) -> None:
        sizes.append(len(jobs))
        for each in jobs:
            if each.key == "R-3" and each.attempts == 0:
                each.retry("busy")
            if each.key == "R-4":
                each.finish(clock.now + DAY)

    enqueue("demo", *(f"R-{number}" for number in range(10)))
    run_all()
    assert sorted(sizes) == [2, 8]
    assert {(job.key, job.reason) for job in Job.objects.all()} == {("R-3", "busy"), ("R-4", "")}
    assert row("R-4").due_at == NOW + DAY


def test_a_large_batch_takes_one_thread(database: str, clock: Clock) -> None:
    both = threading.Barrier(2, timeout=10)

    @batch_job("demo", most=50, at_once=1)
    def demo(jobs: Sequence[RunningJob]) -> None:
        both.wait()

    @job("other")
    def other(job: RunningJob) -> None:
        both.wait()

    enqueue("demo", *map(str, range(50)))
    enqueue("other", "R-1")
    run_jobs(threading.Event(), pace=PACE, clock=clock, until_idle=True)
    assert not Job.objects.exists()


def test_a_poller_turns_rows_into_jobs(run_all: RunAll, steps: Steps) -> None:
    @poller
    def fill(now: dt.datetime) -> None:
        if not steps.did:
            enqueue("demo", "R-1")

    @poller
    def broken(now: dt.datetime) -> None:
        raise OSError

    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("do", steps("do"))

    run_all()
    assert steps.did == ["do"]


# --- recurring -------------------------------------------------------------------------------------------------------


def test_a_recurring_job_runs_when_it_is_due(run_all: RunAll, clock: Clock) -> None:
    ran = []

    @job("demo", every=HOUR)
    def demo(job: RunningJob) -> dt.datetime | None:
        ran.append(job.now)
        return job.now + DAY if len(ran) == 2 else None

    for at in (NOW, NOW + HOUR / 2, NOW + HOUR, NOW + 2 * HOUR, NOW + HOUR + DAY):
        clock.now = at
        run_all()
    assert ran == [NOW, NOW + HOUR, NOW + HOUR + DAY]


def test_a_recurring_job_is_retried_whatever_it_meets(
    run_all: RunAll, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    @job("demo", every=HOUR)
    def demo(job: RunningJob) -> None:
        raise LookupError("Ann's row")

    with caplog.at_level(logging.ERROR):
        run_all()
    assert (row("").state, row("").reason) == (State.QUEUED, "LookupError")
    assert NOW < (row("").due_at or NOW) < NOW + HOUR


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_a_wait_is_over_at_its_time_and_holds_no_worker(run_all: RunAll, clock: Clock, steps: Steps) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        until = job.step("before", lambda: steps.did.append("before") or (NOW + 30 * DAY).isoformat())  # type: ignore[func-returns-value]
        if clock.now < dt.datetime.fromisoformat(str(until)):
            job.wait(30 * DAY)
        job.step("after", steps("after"))

    enqueue("demo", *(f"R-{number}" for number in range(20)))  # more than a worker runs at once
    run_all()
    assert health(clock.now).waiting == 20
    clock.now += 30 * DAY - HOUR
    run_all()
    assert steps.did == 20 * ["before"]
    clock.now += HOUR
    run_all()
    assert steps.did == 20 * ["before"] + 20 * ["after"]


def test_a_signal_ends_a_wait(run_all: RunAll) -> None:
    looked = []

    @job("demo")
    def demo(job: RunningJob) -> None:
        looked.append(job.key)
        if len(looked) < 3:
            job.wait(30 * DAY)

    enqueue("demo", "R-1")
    run_all()
    run_all()
    assert len(looked) == 1
    signal("demo", "R-1")
    signal("demo", "R-2")  # that is not there
    run_all()
    assert len(looked) == 2
    enqueue("demo", "R-1")
    run_all()
    assert is_done()


def test_no_signal_is_missed_between_looking_and_waiting(run_all: RunAll) -> None:
    looked = []

    @job("demo")
    def demo(job: RunningJob) -> None:
        looked.append(job.key)
        if len(looked) == 1:
            signal("demo", "R-1")  # as somebody else might at this moment
            job.wait(30 * DAY)

    enqueue("demo", "R-1")
    run_all()
    assert looked == ["R-1", "R-1"]
    assert is_done()


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


def test_a_store_that_is_down_for_an_hour_is_waited_for(run_all: RunAll, clock: Clock, steps: Steps) -> None:
    shop = Shop()

    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("before", steps("before"))
        count = job.step("erase", shop.erase)
        job.step("after", steps(f"after {count}"))

    enqueue("demo", "R-1")
    paused = []
    for _ in range(3):
        run_all()
        assert (row().state, row().step, row().reason) == (State.QUEUED, "erase", "StoreUnreachable:shop")
        paused.append((row().due_at or NOW) - clock.now)
        clock.now += paused[-1]
    assert paused == sorted(paused)
    assert row().attempts == shop.asked == 3
    clock.now = NOW + HOUR
    shop.is_down = False
    run_all()
    assert steps.did == ["before", "after 3"]
    assert is_done()


def test_a_store_that_says_when_is_not_asked_before(run_all: RunAll, clock: Clock) -> None:
    class Later(OSError):
        retry_after = 3600

    @job("demo")
    def demo(job: RunningJob) -> None:
        raise Later

    enqueue("demo", "R-1")
    run_all()
    assert row().due_at == clock.now + HOUR


def test_a_kind_decides_how_often_it_is_retried(run_all: RunAll, clock: Clock) -> None:
    tried = []

    @job("demo", retry=Retry(waits=(SECOND, HOUR)))
    def demo(job: RunningJob) -> None:
        tried.append(clock.now)
        raise TryAgain("busy")

    enqueue("demo", "R-1")
    for _ in range(6):
        run_all()
        clock.now += HOUR / 2
    assert [at - NOW for at in tried] == [dt.timedelta(), HOUR / 2, 3 * HOUR / 2, 5 * HOUR / 2]
    assert (row().state, row().reason, row().attempts) == (State.QUEUED, "busy", 4)


def test_a_job_that_stopped_goes_on_at_its_step_once_it_is_resumed(run_all: RunAll, steps: Steps) -> None:
    changed = [True]

    def check() -> Result:
        if changed[0]:
            raise Stopped("declaration_changed")
        return None

    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("before", steps("before"))
        job.step("check", check)
        job.step("after", steps("after"))

    enqueue("demo", "R-1")
    run_all()
    assert (row().state, row().step, row().reason) == (State.STOPPED, "check", "declaration_changed")
    run_all()
    assert health().stopped == 1
    changed[0] = False
    assert resume_stopped(["demo"], ["another_reason"]) == 0
    assert resume_stopped(["demo"], ["declaration_changed"]) == 1
    run_all()
    assert steps.did == ["before", "after"]
    assert is_done()


@pytest.mark.parametrize("place", ["body", "step"])
def test_a_job_that_fails_is_visible_and_goes_on_once_it_is_resumed(
    run_all: RunAll, steps: Steps, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]

    def break_() -> None:
        if broken[0]:
            raise LookupError("Ann's row")

    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("before", steps("before"))
        if place == "body":
            break_()
        job.step("break", break_)

    enqueue("demo", "R-1")
    with caplog.at_level(logging.ERROR):
        run_all()
    assert (row().state, row().reason) == (State.FAILED, "LookupError")
    assert health().failed == 1
    broken[0] = False
    assert resume(Job.objects.all(), now=NOW) == 1
    run_all()
    assert steps.did == ["before"]
    assert is_done()


def test_a_step_whose_database_goes_away_is_done_again(
    run_all: RunAll,
    clock: Clock,
    steps: Steps,
    database: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL ends every connection in the middle of a step; on SQLite, somebody else writes for longer than we
    wait."""
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)
        connection.close()
    left = [2]

    def make() -> Result:
        left[0] -= 1
        if left[0] >= 0:
            lose(database, request)
        return ControlEvent.objects.create(event="made", at=NOW).pk

    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("before", steps("before"))
        job.step("make", make)
        job.step("after", steps("after"))

    enqueue("demo", "R-1")
    for _ in range(6):
        with contextlib.suppress(Error):  # one that is not patient says so
            run_all()
        connection.close()
        WorkerRow.objects.update(lease_until=NOW - SECOND)
        clock.now += HOUR
    assert is_done()
    assert steps.did == ["before", "after"]
    assert ControlEvent.objects.count() == 1


def lose(database: str, request: pytest.FixtureRequest) -> None:
    """Our own database goes away; raises what a statement meets then."""
    if connection.vendor == "postgresql":
        request.getfixturevalue("postgresql_server").cut(database.rpartition("/")[2])
        ControlEvent.objects.exists()
        return
    with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN EXCLUSIVE")
        ControlEvent.objects.create(event="locked", at=NOW)


def test_a_mistake_in_a_statement_is_no_database_that_is_away(run_all: RunAll) -> None:
    def ask() -> Result:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        return None

    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("ask", ask)

    enqueue("demo", "R-1")
    run_all()
    assert (row().state, row().step) == (State.FAILED, "ask")


def test_what_a_worker_has_by_its_row_alone_is_put_back(
    database: str, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the database goes away from a worker that claims a job: it commits, and nobody hears of that."""
    stop, lost = threading.Event(), list[object]()

    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("do", steps("do"))
        stop.set()

    real = jobs_worker.Worker._claimed

    def unheard(self: jobs_worker.Worker, *arguments: object) -> object:
        claimed = real(self, *arguments)  # type: ignore[arg-type]
        if claimed and not lost:
            lost.append(claimed)
            raise OperationalError("the connection is lost")
        return claimed

    monkeypatch.setattr(jobs_worker.Worker, "_claimed", unheard)
    monkeypatch.setattr(jobs_worker, "AGAIN", dt.timedelta())
    enqueue("demo", "R-1")
    threading.Timer(20, stop.set).start()
    run_jobs(stop, pace=PACE)
    assert steps.did == ["do"]


def test_jobs_of_a_dead_worker_are_taken_over(run_all: RunAll, steps: Steps) -> None:
    @job("demo")
    def demo(job: RunningJob) -> None:
        job.step("do", steps("do"))

    enqueue("demo", "R-1")
    Job.objects.update(state=State.RUNNING, worker="dead", due_at=None)
    WorkerRow.objects.create(name="dead", begun_at=NOW - DAY, lease_until=NOW + SECOND)
    run_all()
    assert steps.did == []
    WorkerRow.objects.update(lease_until=NOW - CLOCKS_DIFFER + SECOND)  # the clock of its machine may be behind
    run_all()
    assert steps.did == []
    WorkerRow.objects.update(lease_until=NOW - CLOCKS_DIFFER - SECOND)
    run_all()
    assert steps.did == ["do"]


def test_health_says_what_waits_and_since_when(database: str) -> None:
    now = dt.datetime.now(dt.UTC)
    enqueue("demo", "R-1", not_before=now - HOUR)
    enqueue("demo", "R-2", not_before=now + HOUR)
    WorkerRow.objects.create(name="alive", begun_at=now, lease_until=now + HOUR)
    WorkerRow.objects.create(name="dead", begun_at=now, lease_until=now - HOUR)
    state = health(now)
    assert (state.workers, state.queued, state.scheduled, state.running, state.oldest) == (1, 1, 1, 0, now - HOUR)
    assert state.is_behind(now)
    assert not health(now - HOUR).is_behind(now - HOUR)
