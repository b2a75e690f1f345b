"""One core for a benchmark: others do not lend it time, and goals say what one core does."""

from __future__ import annotations

import os


def pin() -> str:
    """Keep this process, and those that it starts, to one core. Which one, in a line."""
    if not hasattr(os, "sched_setaffinity"):
        return "on any core: this system does not pin a process; goals are for one core"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"on core {core} alone"
