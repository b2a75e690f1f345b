"""Runs the jobs that are due at a moment, as a worker does."""

from __future__ import annotations

import datetime as dt
import threading

from troth.service.core.jobs.worker import Pace, run_jobs


def run_due(now: dt.datetime | None = None, *only: str) -> None:
    """Run jobs of the kinds *only*, or all, until none is due at *now*, by the real clock if it is omitted."""
    clock = (lambda: now) if now is not None else lambda: dt.datetime.now(dt.UTC)
    run_jobs(threading.Event(), pace=Pace(look_s=0.02), clock=clock, only=only, until_idle=True)
