"""Whether to trust the clock where time alone ends or destroys something (docs/decisions/0010).

A worker notes its last pass under a trusted clock. If the clock is then ahead by more than a plausible downtime, or
than the uptime of a running process, nothing is ended or destroyed until somebody confirms the clock, or it is back.
Everything else goes on.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from troth.ledger import CLOCK_SLACK, Entry, Pseudonym
from troth.service.core import timestamps
from troth.service.core.jobs.queue import hasten_all
from troth.service.core.ledger import record, tree

_LOG = logging.getLogger("troth.keep")
GAP_MAX: Final = dt.timedelta(days=7)
"""Downtime accepted without confirmation, because it looks like a clock that is ahead. It allows a long weekend or a
move of the machine; a clock ahead by less ends things a week too early at most."""
JUMP_MAX: Final = dt.timedelta(days=1)
"""Tolerated difference between wall clock and process uptime; larger than any change of time zone."""
_NOTED_EVERY: Final = dt.timedelta(minutes=1)
_SEEN, _DOUBTED = "clock:seen", "clock:doubted"


@dataclass(frozen=True, slots=True)
class Doubt:
    """The clock is not trusted: last run under a trusted clock, and the clock's time when that was noticed."""

    seen: dt.datetime
    noticed: dt.datetime

    @property
    def days(self) -> int:
        return (self.noticed - self.seen).days

    def __str__(self) -> str:
        return (
            f"the clock says {self.noticed:%Y-%m-%d %H:%M} UTC, {self.days} days after Troth last ran: either it is "
            "ahead, or Troth did not run for that long; nothing expires or is destroyed until the clock is fixed or "
            "somebody confirms it in the console's work queue"
        )


class Pulse:
    """Wall clock and uptime at this process's last trusted pass."""

    def __init__(self) -> None:
        self._at: dt.datetime | None = None
        self._ran_s = 0.0

    def has_jumped(self, now: dt.datetime) -> bool:
        """True if the clock has advanced more than this process has run since."""
        return self._at is not None and now - self._at - dt.timedelta(seconds=uptime_s() - self._ran_s) > JUMP_MAX

    def note(self, now: dt.datetime) -> None:
        self._at, self._ran_s = now, uptime_s()


def uptime_s() -> float:
    """Seconds of a clock that nobody can set, including sleep if the system counts it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def doubt(now: dt.datetime) -> Doubt | None:
    """Why the clock at *now* is not trusted; None if it is, and before a pass ever ran."""
    seen = timestamps.noted(_SEEN)
    if seen is None:
        return None
    noticed = timestamps.noted(_DOUBTED)
    if noticed is not None and seen < noticed <= now + CLOCK_SLACK:
        return Doubt(seen, noticed)
    return Doubt(seen, now) if now - seen > GAP_MAX else None


def may_end(now: dt.datetime) -> bool:
    """True if what is over at *now* may be ended or destroyed."""
    return doubt(now) is None


def beat(now: dt.datetime, pulse: Pulse) -> Doubt | None:
    """Note that a pass runs at *now*; returns the doubt if the clock is not trusted. A doubt is recorded
    once."""
    seen = timestamps.noted(_SEEN)
    if seen is None:  # first run, or after an update: the ledger knows an earlier time
        seen = tree().checkpoint_at or now
        timestamps.note_first(_SEEN, seen)
    found = doubt(now)
    if found is None and now - seen > JUMP_MAX and pulse.has_jumped(now):
        found = Doubt(seen, now)
    if found is not None:
        _doubted(found, now)
        return found
    pulse.note(now)
    if not dt.timedelta() <= now - seen < _NOTED_EVERY:
        timestamps.note(_SEEN, now)
    if timestamps.forget(_DOUBTED):
        hasten_all(at=now)  # jobs done meanwhile were rescheduled by the wrong clock
        _LOG.warning("the clock is right again, or was confirmed: what is due to expire expires again")
    return None


def _doubted(doubt: Doubt, now: dt.datetime) -> None:
    with transaction.atomic():
        is_new = timestamps.note_first(_DOUBTED, doubt.noticed)
        if is_new:
            record(Entry("clock.doubted", now, {"days": doubt.days}))
    if is_new:
        _LOG.error("%s", doubt)


def confirm(now: dt.datetime, *, by: Pseudonym) -> bool:
    """Trust the clock from now on, because somebody has checked it. True if it was doubted."""
    with transaction.atomic():
        found = doubt(now)
        if found is None:
            return False
        timestamps.note(_SEEN, now)
        record(Entry("clock.confirmed", now, {"days": (now - found.seen).days, "by": by}))
    return True
