"""How fast messages leave: by our way out as a whole, and to each domain. Exact over all processes: a slot is reserved
in the transaction that hands messages over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from troth.service.mail.models import RateSlot

WAY_OUT: Final = ""
"""The name of the slots of all messages together; others are of a domain."""


def reserve(
    wanted: Mapping[str, int], per_second: Mapping[str, float], *, now: dt.datetime, within: dt.timedelta
) -> dict[str, int]:
    """Reserve slots in the open transaction: for each name, as many of *wanted* as may leave *within* this time. Names
    without a rate have no limit."""
    limited = sorted(name for name in wanted if name in per_second)
    RateSlot.objects.bulk_create([RateSlot(name=name, free_at=now) for name in limited], ignore_conflicts=True)
    granted = dict(wanted)
    slots = RateSlot.objects.select_for_update().filter(name__in=limited).order_by("name")  # against deadlocks
    for slot in slots:
        rate = per_second[slot.name]
        # A slot far ahead is one of a clock that was wrong.
        begins = max(now, slot.free_at) if slot.free_at < now + _AHEAD_MAX else now
        room = (now + within - begins).total_seconds() * rate
        slots_open = int(room + 1e-6) + 1 if room >= 0 else 0  # one begins at once, however slow the rate
        granted[slot.name] = min(wanted[slot.name], slots_open)
        slot.free_at = begins + dt.timedelta(seconds=granted[slot.name] / rate)
    RateSlot.objects.bulk_update(slots, ["free_at"])
    return granted


def put_off(name: str, until: dt.datetime) -> None:
    """Nothing leaves to the domain *name* before *until*: its server has asked for a pause."""
    RateSlot.objects.update_or_create(name=name, defaults={"free_at": until})


_AHEAD_MAX = dt.timedelta(hours=2)
