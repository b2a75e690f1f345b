"""Periodic jobs of the duties, run by the scheduler, in one process at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

Routine = Callable[[dt.datetime], dt.datetime]
"""Does what is due at a time and returns its next run. Must be idempotent."""

_known: dict[str, Routine] = {}


def periodic_job(name: str) -> Callable[[Routine], Routine]:
    """Register a job under a name such as ``cases:watch``. Call it while Django starts (``AppConfig.ready``)."""

    def register(do: Routine) -> Routine:
        _known[name] = do
        return do

    return register


def periodic_jobs() -> Mapping[str, Routine]:
    """All periodic jobs, by name."""
    return _known
