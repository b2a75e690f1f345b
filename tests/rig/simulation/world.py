"""Workers and actors on the simulated machine, from the first enqueued job until nothing is left to do."""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Protocol
from unittest import mock

from django.db import Error, connection
from tests.rig.simulation.database import Database
from tests.rig.simulation.tasks import Killed, Process, Task, Tasks

from troth.service.core.jobs import lease, queue, registry
from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.jobs.registry import Kind
from troth.service.core.jobs.worker import Pace, Worker, WorkerLost

PACE = Pace(threads=3, look_s=10.0, poll_s=10.0, stop_s=10.0)
FAULTS_S = 60.0
"""How long there are faults; whatever was begun has to come to its end after that."""
UNTIL_S = 3600.0
_JUMPS = tuple(dt.timedelta(seconds=seconds) for seconds in (-3600, -40, 40, 600))


class Violation(AssertionError):
    """Something is not as it must be, after the schedule of this seed."""


class Actor(Protocol):
    """What people and other systems do in a schedule, and what must be so at its end."""

    kinds: Mapping[str, Kind]
    """Its jobs."""

    def reset(self, world: World) -> None:
        """Begin a schedule: forget the last one."""

    def act(self) -> None:
        """One thing that somebody does; called again if its process was killed or its answer lost meanwhile."""

    def check(self) -> None:
        """Raise ``AssertionError`` unless everything has come to its right end."""


class SimulatedRuntime:
    """The runtime of a worker in a simulated process (`troth.service.core.jobs.runtime.Runtime`)."""

    process = ""

    def __init__(self, tasks: Tasks, process: Process) -> None:
        self._tasks, self._process = tasks, process
        self._loop: Task | None = None
        self._sleeping: list[Task] = []
        self.now, self.monotonic = tasks.now, tasks.monotonic

    def rest(self, seconds: float) -> None:
        self._loop = self._tasks.current
        self._tasks.rest(seconds)

    def wake(self) -> None:
        if self._loop is not None:
            self._tasks.wake(self._loop)

    def sleep(self, seconds: float) -> None:
        assert self._tasks.current is not None, "a task sleeps"
        self._sleeping.append(self._tasks.current)
        self._tasks.rest(seconds)

    def spawn(self, do: Callable[[], None]) -> None:
        self._tasks.spawn(self._process, do)

    def close(self) -> None:
        for task in self._sleeping:
            self._tasks.wake(task)


class World:
    """One schedule: *seed* decides everything in it, also which of the actors take part, unless all do *together*."""

    def __init__(self, seed: int, actors: Sequence[Actor], *, together: bool = False) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.tasks = Tasks(random.Random(seed + 1))
        # From hardly any faults to one in twenty statements; a few schedules have none at all.
        rate = self.rng.choice((0.0, 0.002, 0.01, 0.01, 0.03, 0.05))
        self.database = Database(
            connection, self.tasks, random.Random(seed + 2), rate=rate, until_s=FAULTS_S if rate else 0.0
        )
        count = len(actors) if together else self.rng.choice((1, 1, 2, 2, len(actors)))
        self._actors = self.rng.sample(list(actors), count)
        self._acting = 0
        self.has_jumped = False
        """A clock was wrong for a while: a worker may have been taken for dead although it was alive."""
        self._patches = ExitStack()
        self._kinds = {name: kind for actor in self._actors for name, kind in actor.kinds.items()}

    def run(self) -> None:
        """Raise `Violation` if the schedule does not come to its right end."""
        logging.disable(logging.CRITICAL)
        try:
            with self._patches as stack:
                stack.enter_context(self._patched())
                for actor in self._actors:
                    actor.reset(self)
                stack.enter_context(self.database.installed())
                stack.callback(self.tasks.end)
                for number in range(self.rng.choice((1, 2, 2, 2, 3))):
                    self._begin_worker(number)
                for number, actor in enumerate(self._actors):
                    self._begin_actor(number, actor)
                if not self.tasks.run(self._is_over, until_s=UNTIL_S):
                    raise AssertionError(f"it does not come to an end: {self._left()}")
            for actor in self._actors:
                actor.check()
        except AssertionError as wrong:
            raise Violation(f"seed {self.seed}, {self.database.faults} faults: {wrong}") from wrong
        finally:
            logging.disable(logging.NOTSET)

    # --- for actors ----------------------------------------------------------------------------------------------

    def patch(self, target: object, name: str, value: object) -> None:
        """Replace an attribute until the end of the schedule."""
        self._patches.enter_context(mock.patch.object(target, name, value))

    def is_hurt(self, chance: float) -> bool:
        """Whether something outside goes wrong now: a slow store, a lost answer. Nothing does in the end."""
        return self.tasks.monotonic() < FAULTS_S and self.rng.random() < chance

    # --- processes -----------------------------------------------------------------------------------------------

    def _begin_worker(self, number: int) -> None:
        """A worker and its supervisor, which starts it again when it has died."""
        process = Process(f"worker {number}")

        def loop() -> None:
            with suppress(WorkerLost):
                Worker(SimulatedRuntime(self.tasks, process), PACE, dict(self._kinds)).run(lambda: process.is_stopped)
            process.is_dead = True

        def supervise() -> None:
            nonlocal process
            while True:
                self.tasks.sleep(self.rng.uniform(1.0, 8.0))
                if self.tasks.monotonic() < FAULTS_S:
                    self.trouble(process)
                else:
                    process.clock_offset = dt.timedelta()  # somebody has set it right
                if process.is_dead:
                    process = Process(process.name)
                    self.tasks.spawn(process, loop)

        self.tasks.spawn(process, loop)
        self.tasks.spawn(Process(f"supervisor {number}"), supervise)

    def trouble(self, process: Process) -> None:
        """What may happen to a process at any time, as often as there are faults."""
        if self.rng.random() >= 6 * self.database.rate:
            return
        until = self.tasks.monotonic() + self.rng.choice((5.0, 45.0))  # shorter than a lease, or longer
        match self.rng.randrange(5):
            case 0:
                process.is_dead = True
            case 1:
                process.is_stopped = True
            case 2:
                process.clock_offset, self.has_jumped = self.rng.choice(_JUMPS), True
            case 3:
                process.frozen_until = until
            case _:
                process.cut_off_until = until

    def _begin_actor(self, number: int, actor: Actor) -> None:
        """A process that acts a few times; what was interrupted is done again, as people do."""
        self._acting += 1
        process = Process(f"actor {number}")

        def act() -> None:
            nonlocal process
            for _ in range(self.rng.choice((1, 1, 2, 3))):
                self.tasks.sleep(self.rng.choice((0.0, 0.0, 1.0, 10.0)))
                self.insist(actor.act)
            self._acting -= 1

        self.tasks.spawn(process, act)

    def has_done(self, do: Callable[[], None]) -> bool:
        """Let an actor's process do something; False if it was killed or did not get an answer."""
        task = self.tasks.current
        assert task is not None, "actors are tasks"
        try:
            do()
        except Killed:
            task.process.is_dead = False  # it is started again
            return False
        except Error:
            return False
        return True

    def insist(self, do: Callable[[], None]) -> None:
        """Let an actor's process do something until it is done."""
        while not self.has_done(do):
            self.tasks.sleep(2.0)

    def _is_over(self) -> bool:
        if self._acting:
            return False
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM core_job WHERE key <> '' LIMIT 1")
            return cursor.fetchone() is None

    def _left(self) -> list[Any]:
        return list(Job.objects.values_list("kind", "key", "state", "attempts", "reason", "due_at"))

    @contextmanager
    def _patched(self) -> Iterator[None]:
        """Let the code under test take time, chance and jobs from here."""
        connection.needs_rollback = False
        for model in (Job, WorkerRow):
            model.objects.all().delete()
        tokens = iter(range(10**9))
        with ExitStack() as stack:
            for target, name, value in (
                (queue, "_now", self.tasks.now),
                (registry, "random", self.rng),
                (registry, "_kinds", self._kinds),
                (registry, "_pollers", []),
                (lease, "secrets", mock.Mock(token_hex=lambda _: f"w{next(tokens)}")),
            ):
                stack.enter_context(mock.patch.object(target, name, value))
            yield
