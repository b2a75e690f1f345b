"""Thousands of seeded schedules of stop, send, crash and resume: no message leaves whose hand-over was committed after
a stop, nobody gets an edition twice, and each recipient has one outcome."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rig.simulation.database import in_memory
from tests.rig.simulation.editions import Shop, everybody
from tests.rig.simulation.world import World
from tests.scale import scaled

SEED = os.environ.get("SIMULATION_SEED")
"""The one schedule to run again, if it is set."""


@pytest.fixture(scope="module")
def machine(migrated: Path, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), in_memory(migrated):
        yield


def simulate(count: int, *, first: int = 0) -> None:
    """Run *count* schedules. Raises `Violation` with the seed of the first that goes wrong."""
    for seed in range(first, first + count):
        World(seed, everybody(Shop()), together=True).run()


@pytest.mark.scaled
def test_every_schedule_keeps_what_a_stop_promises(machine: None) -> None:
    simulate(1, first=int(SEED)) if SEED else simulate(scaled(120, 10_000))
