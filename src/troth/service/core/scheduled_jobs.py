"""Due jobs, each claimed by exactly one of any number of processes on any number of machines.

A claim is a lease: its holder must finish while it lasts. When a process dies its lease expires, and the next process
claims the row again. Work under a claim must be idempotent; its *effects* happen only once, because `finish` runs in
the caller's transaction and refuses a lost lease.
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
    """The lease expired and another process has the job; drop the work."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Lease on job *name* until *until*."""

    name: str
    lease: str
    until: dt.datetime


def schedule(names: Iterable[str], *, at: dt.datetime) -> int:
    """Schedule each name *at*, unless it is scheduled already. Returns how many were new."""
    wanted = set(names)
    with transaction.atomic():
        known = set(ScheduledJob.objects.filter(name__in=wanted).values_list("name", flat=True))
        # Another process may schedule the same names now; the first one counts.
        ScheduledJob.objects.bulk_create(
            [ScheduledJob(name=name, next_due=at) for name in sorted(wanted - known)], ignore_conflicts=True
        )
    return len(wanted - known)


def forget(prefix: str, *, keeping: Iterable[str]) -> int:
    """Unschedule names that start with *prefix* and are not in *keeping*. Returns how many."""
    gone, _ = ScheduledJob.objects.filter(name__startswith=prefix).exclude(name__in=set(keeping)).delete()
    return gone


def hasten(prefix: str, *, at: dt.datetime) -> None:
    """Bring names with *prefix* forward to *at*, if due later; claimed ones stay claimed."""
    ScheduledJob.objects.filter(name__startswith=prefix, lease="", next_due__gt=at).update(next_due=at)


def bring_forward(dates: Mapping[str, dt.datetime], *, now: dt.datetime) -> bool:
    """Bring each name forward to its date, if due later, in the open transaction. If one is claimed, change nothing and
    return False."""
    rows = list(ScheduledJob.objects.select_for_update().filter(name__in=list(dates)).order_by("name"))
    if any(row.lease_until is not None and row.lease_until > now for row in rows):
        return False
    for row in rows:
        ScheduledJob.objects.filter(pk=row.pk, next_due__gt=dates[row.name]).update(next_due=dates[row.name])
    return True


def put_off(name: str, *, until: dt.datetime) -> None:
    """Set *name* due at *until*, scheduled or not: for jobs that reveal by being late that something was not done."""
    ScheduledJob.objects.update_or_create(name=name, defaults={"next_due": until})


def is_scheduled(name: str) -> bool:
    """True if *name* was scheduled and not forgotten."""
    return ScheduledJob.objects.filter(name=name).exists()


def due_since(name: str, now: dt.datetime) -> dt.timedelta | None:
    """How long *name* has been due at *now*; None if it is not due or not scheduled."""
    row = ScheduledJob.objects.filter(name=name, next_due__lte=now).first()
    return now - row.next_due if row is not None else None


def claim(now: dt.datetime, *, lease_for: dt.timedelta, limit: int = 1, prefix: str = "") -> list[Claim]:
    """Claim up to *limit* free rows that are due at *now*, longest overdue first."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    with transaction.atomic():
        # PostgreSQL skips rows that others are claiming; SQLite has one writer at a time anyway.
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
    """Release the claim as done until *next_due*, in the transaction of the work: `LeaseLost` rolls it back."""
    mine = ScheduledJob.objects.filter(name=held.name, lease=held.lease)
    if not mine.update(lease="", lease_until=None, next_due=next_due):
        raise LeaseLost(f"the lease on {held.name} expired before it was finished; another process has taken it over")


def release(held: Claim) -> None:
    """Release the claim undone. No effect if it is lost."""
    ScheduledJob.objects.filter(name=held.name, lease=held.lease).update(lease="", lease_until=None)


def next_due(now: dt.datetime, *, prefix: str = "") -> dt.datetime | None:
    """When the next job can be claimed: *now* or earlier if one can be now, None if nothing is scheduled."""
    rows = ScheduledJob.objects.filter(name__startswith=prefix)
    moments = [max(row.next_due, row.lease_until or row.next_due) for row in rows]
    return min(moments, default=None)
