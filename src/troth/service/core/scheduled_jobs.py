"""What is due, claimed by exactly one of any number of processes on any number of machines.

A claim is a lease: whoever holds it works, and finishes while it lasts. When a process dies its lease runs out, and the
next one to look claims the row again. What is done under a claim has to be harmless twice; what it *leaves behind* is
not left twice, because `finish` takes part in the caller's transaction and refuses a lease that is lost.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from troth.service.configuration import ServiceError
from troth.service.core.models import ScheduledJob


class LeaseLost(ServiceError):
    """The lease ran out and another process took the row; drop the work, it is in other hands."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do *name* until *until*."""

    name: str
    lease: str
    until: dt.datetime


def schedule(names: Iterable[str], *, at: dt.datetime) -> int:
    """Make each name due *at*, unless it is scheduled already. How many were new."""
    wanted = set(names)
    with transaction.atomic():
        known = set(ScheduledJob.objects.filter(name__in=wanted).values_list("name", flat=True))
        # Another process may schedule the same names at this moment; the first one counts.
        ScheduledJob.objects.bulk_create(
            [ScheduledJob(name=name, next_due=at) for name in sorted(wanted - known)], ignore_conflicts=True
        )
    return len(wanted - known)


def forget(prefix: str, *, keeping: Iterable[str]) -> int:
    """Take off the schedule what starts with *prefix* and is not among *keeping*. How many were taken off."""
    gone, _ = ScheduledJob.objects.filter(name__startswith=prefix).exclude(name__in=set(keeping)).delete()
    return gone


def hasten(prefix: str, *, at: dt.datetime) -> None:
    """Let everything of that *prefix* be due at *at*, if it was due later; what is claimed stays claimed."""
    ScheduledJob.objects.filter(name__startswith=prefix, lease="", next_due__gt=at).update(next_due=at)


def bring_forward(dates: Mapping[str, dt.datetime], *, now: dt.datetime) -> bool:
    """Let each name be due at its date, if it was due later, in the transaction that is open. Where one of them is
    claimed nothing changes, and the answer is False."""
    rows = list(ScheduledJob.objects.select_for_update().filter(name__in=list(dates)).order_by("name"))
    if any(row.lease_until is not None and row.lease_until > now for row in rows):
        return False
    for row in rows:
        ScheduledJob.objects.filter(pk=row.pk, next_due__gt=dates[row.name]).update(next_due=dates[row.name])
    return True


def put_off(name: str, *, until: dt.datetime) -> None:
    """Let *name* be due at *until*, scheduled or not: for what shows by being late that something was not done."""
    ScheduledJob.objects.update_or_create(name=name, defaults={"next_due": until})


def is_scheduled(name: str) -> bool:
    """Whether *name* was ever scheduled, and not forgotten."""
    return ScheduledJob.objects.filter(name=name).exists()


def due_since(name: str, now: dt.datetime) -> dt.timedelta | None:
    """How long *name* has been due at *now*, None where it is not or was never scheduled."""
    row = ScheduledJob.objects.filter(name=name, next_due__lte=now).first()
    return now - row.next_due if row is not None else None


def claim(now: dt.datetime, *, lease_for: dt.timedelta, limit: int = 1, prefix: str = "") -> list[Claim]:
    """Up to *limit* rows that are due at *now* and that nobody holds, the longest overdue first."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    with transaction.atomic():
        # PostgreSQL passes over rows that others are claiming; SQLite lets one writer in at a time anyway.
        rows = (
            ScheduledJob.objects.select_for_update(skip_locked=True)
            .filter(free, next_due__lte=now, name__startswith=prefix)
            .order_by("next_due", "name")[:limit]
        )
        claims = []
        for row in rows:
            row.lease, row.lease_until = secrets.token_hex(16), now + lease_for
            row.save(update_fields=["lease", "lease_until"])
            claims.append(Claim(row.name, row.lease, row.lease_until))
    return claims


def finish(held: Claim, *, next_due: dt.datetime) -> None:
    """Give the claim back, done until *next_due*, in the transaction of what was done: `LeaseLost` undoes it."""
    mine = ScheduledJob.objects.filter(name=held.name, lease=held.lease)
    if not mine.update(lease="", lease_until=None, next_due=next_due):
        raise LeaseLost(f"the lease on {held.name} ran out before it was finished; another process has it")


def release(held: Claim) -> None:
    """Give the claim back undone. Harmless when it is lost."""
    ScheduledJob.objects.filter(name=held.name, lease=held.lease).update(lease="", lease_until=None)


def next_due(now: dt.datetime, *, prefix: str = "") -> dt.datetime | None:
    """When something can next be claimed: *now* or earlier when it can be at once, None when nothing is scheduled."""
    rows = ScheduledJob.objects.filter(name__startswith=prefix)
    moments = [max(row.next_due, row.lease_until or row.next_due) for row in rows]
    return min(moments, default=None)
