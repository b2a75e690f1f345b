"""Durable flows: each step has its effect, whatever happens to the worker, the store or the database in between."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest

from troth.service.configuration import Settings
from troth.service.work import run
from troth.service.work.models import FlowRow
from troth.service.work.run import flow, step, want
from troth.service.work.worker import Pace, worker

NOW = dt.datetime(2030, 11, 24, 9, 41, tzinfo=dt.UTC)
"""Later than the clock of this machine, by which flows are wanted."""
DAY = dt.timedelta(days=1)
PACE = Pace(look_s=0.02, busy_s=0.02)


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
    """Carries every flow as far as it can go at the moment of the clock."""
    settings = Settings.read({"TROTH_DATABASE_URL": database})
    return lambda: worker(threading.Event(), settings=settings, pace=PACE, clock=clock, until_idle=True)


@pytest.fixture(autouse=True)
def _flows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_flows", {})
    monkeypatch.setattr(run, "_feeders", [])


def row(name: str = "demo", about: str = "R-1") -> FlowRow:
    return FlowRow.objects.get(name=name, about=about)


def test_a_flow_runs_its_steps_in_turn_to_its_end(carry: Carry) -> None:
    did: list[str] = []

    @flow("demo")
    def body(about: str) -> None:
        count = step("count", lambda: (did.append(f"count {about}"), 3)[1])
        step("tell", lambda: did.append(f"tell {count}"))

    want("demo", "R-1", "R-2")
    carry()
    assert sorted(did) == ["count R-1", "count R-2", "tell 3", "tell 3"]
    assert row().state == FlowRow.State.DONE
