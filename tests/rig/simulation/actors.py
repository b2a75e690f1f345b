"""Actors on the job system itself: steps, calls that must not be missed, batches, exactly one effect."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from tests.rig.simulation.world import World

from troth.service.core.jobs.queue import enqueue, signal
from troth.service.core.jobs.registry import Kind, Retry
from troth.service.core.jobs.running import RunningJob
from troth.stores import StoreUnreachable

_TABLES = """
CREATE TABLE IF NOT EXISTS simulated_effect (name varchar(80), at varchar(20));
CREATE TABLE IF NOT EXISTS simulated_value (name varchar(40) PRIMARY KEY, wanted integer, seen integer);
DELETE FROM simulated_effect;
DELETE FROM simulated_value;
"""
RETRY = Retry(longest=dt.timedelta(seconds=60))


def make_tables() -> None:
    with connection.cursor() as cursor:
        for statement in _TABLES.split(";"):
            if statement.strip():
                cursor.execute(statement)


def _note(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO simulated_effect VALUES (%s, '')", [name])


def effects(beginning: str) -> Counter[str]:
    """How often each effect was had whose name begins so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM simulated_effect WHERE name LIKE %s", [f"{beginning}%"])
        return Counter(row[0] for row in cursor.fetchall())


def _kind(name: str, run: Any, **more: Any) -> dict[str, Kind]:
    return {name: Kind(name, run, run, retry=RETRY, **more)}


class Steps:
    """A job of several steps in our database and in a store that is slow, away, or loses its answer; it waits for
    somebody's approval between them. Each step has its effect before it is passed, none is repeated after it was
    recorded unless a clock was wrong, and the end comes once."""

    def __init__(self) -> None:
        self.kinds: Mapping[str, Kind] = _kind("sim.steps", self._run)

    def reset(self, world: World) -> None:
        self._world = world
        self._keys, self._numbers = list[str](), itertools.count()
        self._store: Counter[str] = Counter()
        self._recorded, self._repeated = set[str](), list[str]()

    def act(self) -> None:
        key = f"s{next(self._numbers)}"  # a new one, because what was tried before may have been enqueued
        is_enqueued = self._world.has_done(lambda: enqueue("sim.steps", key))
        self._world.tasks.sleep(self._world.rng.choice((0.0, 0.0, 1.0, 12.0)))
        self._world.insist(lambda: self._approve(key))
        if is_enqueued:
            self._keys.append(key)

    def _approve(self, key: str) -> None:
        with transaction.atomic():
            _note(f"a{key}")
            signal("sim.steps", key)

    def _run(self, jobs: Sequence[RunningJob]) -> None:
        [job] = jobs
        for name in ("locate", "erase"):
            what = f"{job.key}/{name}"
            assert job.step(name, lambda what=what: self._change(what)) == 1  # type: ignore[misc]
            self._recorded.add(what)
        if not effects(f"a{job.key}"):
            job.wait(dt.timedelta(days=1))
        with transaction.atomic():
            _note(f"{job.key}/answered")
            job.finish()

    def _change(self, name: str) -> int:
        """A change of the company's store, and a row about it in our database; harmless twice, as every step."""
        if name in self._recorded:
            self._repeated.append(name)
        tasks = self._world.tasks
        if self._world.is_hurt(0.05):
            tasks.sleep(self._world.rng.uniform(0.0, 50.0))
        if self._world.is_hurt(0.05):
            raise StoreUnreachable("away", store="shop", retryable=True)
        self._store[name] += 1
        if self._world.is_hurt(0.05):
            raise StoreUnreachable("its answer was lost", store="shop", retryable=True)
        _note(name)
        return 1

    def check(self) -> None:
        assert self._world.has_jumped or not self._repeated, f"repeated after it was recorded: {self._repeated}"
        had = effects("s")
        answered = {name: count for name, count in had.items() if name.endswith("answered")}
        assert all(count == 1 for count in answered.values()), f"answered twice: {answered}"
        for key in self._keys:
            assert f"{key}/answered" in answered, f"{key} was never answered"
            for name in ("locate", "erase"):
                assert had[f"{key}/{name}"], f"{key}: {name} was skipped"
                assert self._store[f"{key}/{name}"], f"{key}: {name} was skipped in the store"


class Calls:
    """Somebody changes a row and enqueues the job that looks at it, also while that runs: it sees the last change."""

    def __init__(self) -> None:
        self.kinds: Mapping[str, Kind] = _kind("sim.calls", self._run)

    def reset(self, world: World) -> None:
        self._world = world

    def act(self) -> None:
        name = f"c{self._world.rng.randrange(2)}"
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO simulated_value VALUES (%s, 1, 0)"
                    " ON CONFLICT (name) DO UPDATE SET wanted = simulated_value.wanted + 1",
                    [name],
                )
            enqueue("sim.calls", name)

    def _run(self, jobs: Sequence[RunningJob]) -> None:
        [job] = jobs
        wanted = str(job.step("look", lambda: self._wanted(job.key)))
        self._world.tasks.sleep(self._world.rng.choice((0.0, 1.0, 40.0)))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE simulated_value SET seen = %s WHERE name = %s AND seen < %s", [wanted, job.key, wanted]
            )

    def _wanted(self, name: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT wanted FROM simulated_value WHERE name = %s", [name])
            return int(cursor.fetchall()[0][0])

    def check(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, wanted, seen FROM simulated_value WHERE wanted <> seen")
            missed = cursor.fetchall()
        assert not missed, f"the last change was not seen: {missed}"


class Batches:
    """Jobs that run together and end each by itself, in the transaction of their effect."""

    def __init__(self) -> None:
        self.kinds: Mapping[str, Kind] = _kind("sim.batch", self._run, batch=4, at_once=1)

    def reset(self, world: World) -> None:
        self._world = world
        self._keys, self._numbers = list[str](), itertools.count()

    def act(self) -> None:
        keys = [f"b{next(self._numbers)}" for _ in range(3)]
        with transaction.atomic():
            enqueue("sim.batch", *keys)
        self._keys += keys

    def _run(self, jobs: Sequence[RunningJob]) -> None:
        for job in jobs:
            job.go_on()
            if self._world.is_hurt(0.1):
                job.retry("busy")
                continue
            with transaction.atomic():
                _note(job.key)
                job.finish()

    def check(self) -> None:
        done = effects("b")
        assert all(count == 1 for count in done.values()), f"had twice: {done}"
        assert set(self._keys) <= set(done), f"never had: {set(self._keys) - set(done)}"
