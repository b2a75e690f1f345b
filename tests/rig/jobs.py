"""Runs the jobs that are due at a moment, as a worker does."""

from __future__ import annotations

import datetime as dt

from troth.service.core.jobs.registry import chosen
from troth.service.core.jobs.runtime import Threads
from troth.service.core.jobs.worker import Pace, Worker
from troth.service.duty import import_all


def run_due(now: dt.datetime | None = None, *only: str) -> None:
    """Run jobs of the kinds *only*, or all, until none is due at *now*, by the real clock if it is omitted. Waits for
    a database that is away."""
    import_all("jobs")
    clock = (lambda: now) if now is not None else lambda: dt.datetime.now(dt.UTC)
    Worker(Threads(clock), Pace(look_s=0.02), chosen(only)).run(lambda: False, until_idle=True)
