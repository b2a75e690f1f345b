"""How fast messages leave: by our way out as a whole, and to each domain. Exact over all processes: a slot is reserved
in the transaction that hands messages over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from troth.service.mail.models import RateSlot

WAY_OUT: Final = ""
"""The name of the slots of all messages together; others are of a domain."""
_AHEAD_MAX = dt.timedelta(hours=2)
"""A slot further ahead is one of a clock that was wrong."""


def room(per_second: float, *, now: dt.datetime, within: dt.timedelta) -> int:
    """The most messages that may begin to leave our way out *within* this time, as it stands now."""
    known = dict(RateSlot.objects.filter(name=WAY_OUT).values_list("name", "free_at"))
    left = now + within - _begin(known.get(WAY_OUT, now), now)
    return int(left.total_seconds() * per_second + 1e-6) + 1 if left >= dt.timedelta() else 0


def reserve(
    domains: Sequence[str], per_second: Mapping[str, float], *, now: dt.datetime, within: dt.timedelta
) -> list[dt.timedelta | None]:
    """Reserve slots in the open transaction for messages to *domains*: how long after *now* each of them may leave,
    and None for those that may not *within* this time. Names without a rate have no limit, but may be put off."""
    names = sorted({WAY_OUT, *domains})  # in one order, against deadlocks
    rows = [RateSlot(name=name, free_at=now) for name in names if name in per_second]
    RateSlot.objects.bulk_create(rows, ignore_conflicts=True)
    slots = list(RateSlot.objects.select_for_update().filter(name__in=names).order_by("name"))
    free = dict.fromkeys(names, now) | {slot.name: _begin(slot.free_at, now) for slot in slots}
    starts: list[dt.timedelta | None] = [None] * len(domains)
    waiting = list(range(len(domains)))
    while waiting:
        at = max(free[WAY_OUT], min(free[domains[index]] for index in waiting))
        if at > now + within:
            break
        # Our way out does not wait for a domain while there are messages to others.
        chosen = next(index for index in waiting if free[domains[index]] <= at)
        waiting.remove(chosen)
        starts[chosen] = at - now
        for name in {WAY_OUT, domains[chosen]} & per_second.keys():
            free[name] = at + dt.timedelta(seconds=1 / per_second[name])
    for slot in slots:
        slot.free_at = free[slot.name]
    RateSlot.objects.bulk_update(slots, ["free_at"])
    return starts


def put_off(domain: str, pause: dt.timedelta, *, now: dt.datetime) -> None:
    """Let nothing leave to *domain* for *pause*: its server is busy."""
    until = now + pause
    RateSlot.objects.bulk_create([RateSlot(name=domain, free_at=until)], ignore_conflicts=True)
    RateSlot.objects.filter(name=domain, free_at__lt=until).update(free_at=until)


def _begin(free_at: dt.datetime, now: dt.datetime) -> dt.datetime:
    return max(now, free_at) if free_at < now + _AHEAD_MAX else now
