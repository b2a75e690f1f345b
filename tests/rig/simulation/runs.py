"""Runs of commands on the company's stores: a command dies, and a worker finishes what it began."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from django.db import Error
from tests.rig.simulation.actors import RETRY
from tests.rig.simulation.tasks import Process
from tests.rig.simulation.world import SimulatedRuntime, World

from troth.ledger import DeclaredName, Entry
from troth.rows import JournalError, Run
from troth.service.core.jobs import held
from troth.service.core.jobs.held import Holder
from troth.service.core.jobs.models import Job
from troth.service.core.jobs.registry import Kind
from troth.service.core.jobs.running import RunningJob
from troth.service.core.journal import RUN, DatabaseJournal, read_run
from troth.service.core.models import EntryRow, RunRow
from troth.stores import StoreUnreachable

_STEPS = ("shop:1", "shop:2")


class Runs:
    """Each run that has begun is finished, has all its steps, and is on record once, whichever processes had it."""

    def __init__(self) -> None:
        self.kinds: Mapping[str, Kind] = {RUN: Kind(RUN, self._resume, self._resume, retry=RETRY)}

    def reset(self, world: World) -> None:
        self._world = world
        self._numbers = itertools.count()
        self._store: Counter[str] = Counter()
        self._holders: dict[Process, Holder] = {}
        RunRow.objects.all().delete()
        EntryRow.objects.all().delete()
        world.patch(held, "holder", self._holder)

    def act(self) -> None:
        """Somebody runs a command, which may die; it is not repeated."""
        world, name = self._world, f"r{next(self._numbers)}"
        process = Process(f"command {name}")

        def command() -> None:
            try:
                self._command(name)
            finally:
                process.is_dead = True

        world.tasks.spawn(process, command)
        while not process.is_dead:
            world.tasks.sleep(5.0)
            world.trouble(process)

    def _command(self, name: str) -> None:
        journal = DatabaseJournal()
        with suppress(Error, JournalError, StoreUnreachable):
            run = Run(name, "amend", "dg1:" + "0" * 64, "sha256:" + "0" * 64, self._world.tasks.now(), b"sealed")
            journal.begin(run)
            try:
                self._carry_out(run)
            except StoreUnreachable:
                journal.let_go(name)

    def _resume(self, jobs: Sequence[RunningJob]) -> None:
        [job] = jobs
        run = read_run(job.key)
        if run is not None:
            with suppress(JournalError):
                self._carry_out(run)

    def _carry_out(self, run: Run) -> None:
        journal, world = DatabaseJournal(), self._world
        for step in _STEPS:
            if step in journal.steps(run.id):
                continue
            if world.is_hurt(0.1):
                world.tasks.sleep(world.rng.uniform(0.0, 50.0))
            if world.is_hurt(0.05):
                raise StoreUnreachable("away", store="shop", retryable=True)
            self._store[f"{run.id}/{step}"] += 1
            if world.is_hurt(0.05):
                raise StoreUnreachable("its answer was lost", store="shop", retryable=True)
            journal.done(run.id, step)
        journal.finish(run.id, [Entry("demo.fault_planted", run.begun, {"fault": DeclaredName("overdue")})])

    def _holder(self) -> Holder:
        task = self._world.tasks.current
        assert task is not None, "only tasks hold jobs"
        if task.process not in self._holders:
            self._holders[task.process] = Holder(SimulatedRuntime(self._world.tasks, task.process))
        return self._holders[task.process]

    def check(self) -> None:
        rows = list(RunRow.objects.all())
        assert all(row.finished_at is not None for row in rows), "a run is not finished"
        assert not Job.objects.filter(kind=RUN).exists(), "a finished run has a job"
        for row in rows:
            for step in _STEPS:
                assert self._store[f"{row.run_id}/{step}"], f"{row.run_id} is finished without {step}"
        on_record = sum(bytes(row.content).count(b"demo.fault_planted") for row in EntryRow.objects.all())
        assert on_record == len(rows), f"{on_record} entries for {len(rows)} runs"
