"""Thousands of seeded schedules: whatever dies, is lost or is late, each effect is had, and once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import Error
from tests.rig.simulation import actors, outbox, runs
from tests.rig.simulation.database import in_memory
from tests.rig.simulation.world import Actor, Violation, World

from troth.service.core.jobs.running import Result, RunningJob

SCHEDULES = 100_000 if os.environ.get("TROTH_TESTS") == "full" else 2_000
PARTS = 4
SEED = os.environ.get("SIMULATION_SEED")
"""The one schedule to run again, if it is set."""


@pytest.fixture(scope="module")
def machine(migrated: Path, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), in_memory(migrated):
        yield


def everybody() -> Sequence[Actor]:
    return [actors.Steps(), actors.Calls(), actors.Batches(), outbox.Letters(), runs.Runs()]


def simulate(count: int, *, first: int = 0) -> None:
    """Run *count* schedules. Raises `Violation` with the seed of the first that goes wrong."""
    for seed in range(first, first + count):
        actors.make_tables()
        World(seed, everybody()).run()


@pytest.mark.scaled
@pytest.mark.parametrize("part", range(PARTS))
def test_every_schedule_comes_to_its_right_end(machine: None, part: int) -> None:
    if SEED is None:
        simulate(SCHEDULES // PARTS, first=part * (SCHEDULES // PARTS))
    elif part == 0:
        simulate(1, first=int(SEED))


def test_a_seed_is_the_whole_of_a_schedule(machine: None) -> None:
    def trace(seed: int) -> tuple[int, int, float]:
        actors.make_tables()
        world = World(seed, everybody())
        world.run()
        return world.tasks.switches, world.database.faults, world.tasks.monotonic()

    for seed in range(20):
        assert trace(seed) == trace(seed)


def test_a_lost_connection_that_is_stored_as_the_outcome_of_a_step_is_found(
    machine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mistake of an engine that requests once got stuck in, where random kills found nothing."""
    real = RunningJob.step

    def step(self: RunningJob, name: str, do: Callable[[], Result]) -> Result:
        def had() -> Result:
            try:
                return do()
            except (OSError, Error):
                return None

        return real(self, name, had)

    monkeypatch.setattr(RunningJob, "step", step)
    with pytest.raises(Violation):
        simulate(2_000)
