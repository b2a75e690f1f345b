"""The period for which the law keeps a row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from troth.declaration import Keep
from troth.stores import Scalar


@dataclass(frozen=True, slots=True)
class KeepingPeriod:
    """Whether the period is over, and the *day* on which it ends, if that is known."""

    is_over: bool
    day: dt.date | None


def kept_until(keep: Keep, start: Scalar, now: dt.datetime) -> KeepingPeriod:
    """The period of a row whose column ``keep.from`` holds *start*. If that is missing or unreadable, the row is kept,
    because the end of the period cannot be shown."""
    day = _as_date(start)
    if keep.for_ is None or day is None:
        return KeepingPeriod(False, None)
    end = keep.for_.after(day)
    return KeepingPeriod(end <= now.date(), end)


def _as_date(value: Scalar) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, str):
        try:
            return dt.datetime.fromisoformat(value.strip()).date()
        except ValueError:
            return None
    return value if isinstance(value, dt.date) else None
