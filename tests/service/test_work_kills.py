"""Workers that are killed, at any statement and in any number: nothing is lost, and no noted step is done twice."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from tests import forks
from tests.service import workers
from tests.service.conftest import ROOT

from troth.service.work.models import FlowRow, WorkerRow
from troth.service.work.run import health, want

pytestmark = pytest.mark.sampled

WAIT_S_MAX = 120.0
LEASE_S = 2.0
State = FlowRow.State


def wait_until(is_so: Callable[[], bool], *, s_max: float = WAIT_S_MAX) -> None:
    deadline = time.monotonic() + s_max
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


class Workers:
    """Workers in processes of their own on the test's database."""

    def __init__(self, database: str, home: Path) -> None:
        self._environment = {**os.environ, "TROTH_DATABASE_URL": database, "TROTH_HOME": str(home)}
        self._begun: list[forks.Process] = []

    def carry(self, *, killed_at: int = 0) -> str:
        """One that carries what it can, unless it is killed before: the number of its statements, or nothing."""
        ended = forks.run(self._command("carry", killed_at), env=self._environment, cwd=ROOT, timeout=WAIT_S_MAX)
        assert ended.returncode in (0, -9), ended.stderr
        return ended.stdout.strip()

    def begin(self, *, lease_s: float = LEASE_S, slow_s: float = 0.0) -> forks.Process:
        """One that goes on until it is killed."""
        self._begun.append(forks.start(self._command("forever", lease_s, slow_s), env=self._environment, cwd=ROOT))
        return self._begun[-1]

    def _command(self, *told: object) -> list[str]:
        return ["python", "-m", "tests.service.workers", *map(str, told)]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._begun:
            process.kill()
            process.wait(30)


@pytest.fixture
def crew(database: str, tmp_path: Path) -> Iterator[Workers]:
    workers.make_had()
    with Workers(database, tmp_path / "home") as crew:
        yield crew


def expire_leases() -> None:
    """Let the time of dead workers be over."""
    WorkerRow.objects.update(lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))


def assert_each_had(abouts: list[str], *, more_max: int) -> None:
    """Every flow is done and every step was done at least once, *more_max* too often."""
    unfinished = FlowRow.objects.exclude(state=State.DONE).values_list("about", "state", "step", "reason")
    assert list(unfinished) == []
    had = workers.had()
    more = 0
    for about in abouts:
        for number in range(workers.STEPS):
            more += had[about, f"step-{number}"] - 1
    assert len(had) == len(abouts) * workers.STEPS
    assert 0 <= more <= more_max


def killed_at_random(crew: Workers, *, points: int, seed: int) -> None:
    chance = random.Random(seed)
    want("ten", "R-count")
    statements = int(crew.carry())
    abouts = ["R-count"]
    killed = 0
    while killed < points:
        abouts.append(f"R-{len(abouts)}")
        want("ten", abouts[-1])
        for _ in range(chance.randint(1, 3)):  # those that follow are killed too
            killed += crew.carry(killed_at=chance.randint(1, statements)) == ""
            expire_leases()
        crew.carry()
    assert_each_had(abouts, more_max=killed)


def test_a_worker_killed_anywhere_is_followed_by_another(crew: Workers) -> None:
    killed_at_random(crew, points=6, seed=20_261_124)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_workers_killed_at_300_points(crew: Workers, seed: int) -> None:
    killed_at_random(crew, points=50, seed=seed)  # times three seeds, times two databases


@pytest.fixture
def on_postgresql(database: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite one worker works at a time")


def test_another_worker_takes_over_within_the_lease(on_postgresql: None, crew: Workers) -> None:
    want("slow", "R-1")
    dead = crew.begin(slow_s=3600)
    wait_until(lambda: ("R-1", "slow") in workers.had())
    crew.begin()
    wait_until(lambda: health().workers == 2)
    dead.kill()
    killed = time.monotonic()
    wait_until(lambda: FlowRow.objects.filter(state=State.DONE).exists())
    # The lease, the look of the survivor (a third of it), and what a busy machine needs.
    assert time.monotonic() - killed < LEASE_S * 4 / 3 + 5
    assert workers.had() == {("R-1", "before"): 1, ("R-1", "slow"): 2, ("R-1", "after"): 1}


def test_a_worker_that_was_taken_for_dead_does_no_more(on_postgresql: None, crew: Workers) -> None:
    """It hangs in a step for longer than its lease, and wakes up when another one has finished its flow."""
    want("slow", "R-1")
    hung = crew.begin(slow_s=0.5)
    wait_until(lambda: ("R-1", "slow") in workers.had())
    os.kill(hung.pid, signal.SIGSTOP)
    crew.begin()
    wait_until(lambda: FlowRow.objects.filter(state=State.DONE).exists())
    os.kill(hung.pid, signal.SIGCONT)
    assert hung.wait(WAIT_S_MAX) == 1  # it says that its lease is lost
    assert workers.had()["R-1", "after"] == 1


def test_a_second_worker_on_sqlite_stands_by(crew: Workers) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("on PostgreSQL both work")
    want("slow", "R-1")
    first = crew.begin(slow_s=3600)
    wait_until(lambda: ("R-1", "slow") in workers.had())
    crew.begin()
    want("ten", "R-2")
    wait_until(lambda: FlowRow.objects.filter(about="R-2", state=State.DONE).exists())
    assert health().workers == 1
    first.kill()
    wait_until(lambda: FlowRow.objects.filter(about="R-1", state=State.DONE).exists())


def many(crew: Workers, *, flows: int, kills: int) -> None:
    abouts = [f"R-{number}" for number in range(flows)]
    begun = [crew.begin(lease_s=15) for _ in range(8)]  # a busy machine must not take them for dead
    wait_until(lambda: health().workers == 8)
    want("ten", *abouts)

    def done() -> int:
        return FlowRow.objects.filter(state=State.DONE).count()

    for number in range(kills):
        wait_until(lambda number=number: done() >= flows * (number + 1) // (kills + 2))  # type: ignore[misc]
        begun[number].kill()
    wait_until(lambda: done() == flows, s_max=WAIT_S_MAX + flows / 4)
    assert_each_had(abouts, more_max=8 * kills)


def test_eight_workers_do_everything_in_spite_of_kills(on_postgresql: None, crew: Workers) -> None:
    many(crew, flows=100, kills=2)


@pytest.mark.soak
def test_eight_workers_carry_2000_flows(on_postgresql: None, crew: Workers) -> None:
    many(crew, flows=2_000, kills=4)
