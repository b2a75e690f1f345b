"""What duties have done again and again, by the keep loop, one process at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

Routine = Callable[[dt.datetime], dt.datetime]
"""Does what is due at a moment, and says when to be called again. It has to be harmless twice."""

_known: dict[str, Routine] = {}


def periodic_job(name: str) -> Callable[[Routine], Routine]:
    """Registers a routine under a name such as ``cases:watch``. Call it while Django starts (``AppConfig.ready``)."""

    def register(do: Routine) -> Routine:
        _known[name] = do
        return do

    return register


def periodic_jobs() -> Mapping[str, Routine]:
    """All of them, by name."""
    return _known
