"""A clock that is set by hand, and random bytes that are the same each time, for a process that has imported what it
needs.

Troth and the example company read the time as ``datetime.datetime.now`` and as Django's ``timezone.now``, and pass it
on from there as *now*. Both are replaced; values stay plain datetimes, and ``time.time`` and timers go on. Random bytes
come from ``os.urandom`` and `secrets`. A process that is forked draws others than its parent.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import secrets
from typing import Any

from django.utils import timezone

_REAL = dt.datetime
_now: list[dt.datetime] = []


class _Kind(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _REAL)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _REAL)


class _Held(_REAL, metaclass=_Kind):
    def __new__(cls, *given: Any, **named: Any) -> Any:
        return _REAL(*given, **named)

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return _now[-1].astimezone(tz) if tz is not None else _now[-1].astimezone().replace(tzinfo=None)


for _name in ("combine", "fromisoformat", "fromordinal", "fromtimestamp", "strptime"):
    setattr(_Held, _name, getattr(_REAL, _name))


def hold(at: dt.datetime, *, seed: int) -> None:
    """From here on it is *at*, an aware moment, and random bytes follow from *seed*: in this process, and in those that
    it forks."""
    drawn = random.Random(seed)
    _now.append(at)
    dt.datetime = _Held  # type: ignore[misc]
    timezone.now = lambda: _now[-1]
    os.urandom = drawn.randbytes
    secrets.token_bytes = lambda nbytes=None: drawn.randbytes(nbytes or secrets.DEFAULT_ENTROPY)
    secrets.randbelow = lambda exclusive_upper_bound: drawn.randrange(exclusive_upper_bound)
    os.register_at_fork(before=lambda: drawn.randbytes(1))


def forward(minutes: int) -> None:
    """Set the clock on."""
    _now.append(_now[-1] + dt.timedelta(minutes=minutes))
