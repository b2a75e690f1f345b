"""Workers that are killed, at any statement and in any number: nothing is lost, and no recorded step is done twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import Error, connection
from tests import forks
from tests.rig.databases import as_default
from tests.service import workers
from tests.service.conftest import ROOT

from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.jobs.queue import enqueue, health
from troth.testing.servers import running

pytestmark = pytest.mark.sampled

WAIT_S_MAX = 120.0
LEASE_S = 2.0


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
    WorkerRow.objects.update(lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))


def assert_each_had(abouts: list[str], *, more_max: int) -> None:
    """Every flow is done and every step was done at least once, *more_max* too often."""
    assert list(Job.objects.values_list("key", "state", "step", "reason")) == []
    had = workers.had()
    more = 0
    for about in abouts:
        for number in range(workers.STEPS):
            more += had[about, f"step-{number}"] - 1
    assert len(had) == len(abouts) * workers.STEPS
    assert 0 <= more <= more_max


def killed_at_random(crew: Workers, *, points: int, seed: int) -> None:
    chance = random.Random(seed)
    enqueue("ten", "R-count")
    statements = int(crew.carry())
    abouts = ["R-count"]
    killed = 0
    while killed < points:
        abouts.append(f"R-{len(abouts)}")
        enqueue("ten", abouts[-1])
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
    enqueue("slow", "R-1")
    dead = crew.begin(slow_s=3600)
    wait_until(lambda: ("R-1", "slow") in workers.had())
    crew.begin()
    wait_until(lambda: health().workers == 2)
    dead.kill()
    killed = time.monotonic()
    wait_until(lambda: not Job.objects.exists())
    # The lease, the look of the survivor (a third of it), and what a busy machine needs.
    assert time.monotonic() - killed < LEASE_S * 4 / 3 + 5
    assert workers.had() == {("R-1", "before"): 1, ("R-1", "slow"): 2, ("R-1", "after"): 1}


def test_a_worker_that_was_taken_for_dead_does_no_more(on_postgresql: None, crew: Workers) -> None:
    """It hangs in a step for longer than its lease, and wakes up when another one has finished its flow."""
    enqueue("slow", "R-1")
    hung = crew.begin(slow_s=0.5)
    wait_until(lambda: ("R-1", "slow") in workers.had())
    os.kill(hung.pid, signal.SIGSTOP)
    crew.begin()
    wait_until(lambda: not Job.objects.exists())
    os.kill(hung.pid, signal.SIGCONT)
    assert hung.wait(WAIT_S_MAX) == 1  # it says that its lease is lost
    assert workers.had()["R-1", "after"] == 1


def many(crew: Workers, *, kind: str, jobs: int, kills: int) -> list[str]:
    keys = [f"R-{number}" for number in range(jobs)]
    begun = [crew.begin(lease_s=15) for _ in range(8)]  # a busy machine must not take them for dead
    wait_until(lambda: health().workers == 8)
    enqueue(kind, *keys)
    for number in range(kills):
        wait_until(lambda number=number: Job.objects.count() <= jobs - jobs * (number + 1) // (kills + 2))  # type: ignore[misc]
        begun[number].kill()
    wait_until(lambda: not Job.objects.exists(), s_max=WAIT_S_MAX + jobs / 4)
    return keys


def test_eight_workers_do_everything_in_spite_of_kills(on_postgresql: None, crew: Workers) -> None:
    keys = many(crew, kind="ten", jobs=100, kills=2)
    assert_each_had(keys, more_max=16)


@pytest.mark.soak
def test_eight_workers_run_10000_jobs_each_once(tmp_path: Path, django_db_blocker: Any) -> None:
    """Workers are killed and the server is restarted, also as by a crash, at random."""
    chance = random.Random(14)
    keys = [f"R-{number}" for number in range(10_000)]
    with (
        running("postgresql", durable=True) as server,
        server.database("troth") as url,
        django_db_blocker.unblock(),
        as_default(url),
    ):
        call_command("migrate", verbosity=0)
        workers.make_had()
        with Workers(url, tmp_path / "home") as crew:
            begun = [crew.begin(lease_s=3) for _ in range(8)]
            enqueue("once", *keys)
            while unfinished():
                time.sleep(chance.uniform(0.1, 0.6))
                victim = chance.randrange(8)
                begun[victim].kill()
                begun[victim] = crew.begin(lease_s=3)
                if chance.random() < 0.2:
                    server.restart(chance.choice(["fast", "immediate"]))
        assert workers.had() == {(key, "once"): 1 for key in keys}


def unfinished() -> bool:
    """Whether a job is left, as soon as the database answers."""
    with contextlib.suppress(Error):
        return Job.objects.exists()
    connection.close()
    return True
