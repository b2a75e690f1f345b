"""Retracting checks: a control was wrong, so its results of a period do not count.

Nothing is deleted. The checks stay, marked with the reason, and the ledger has an entry; statuses and trends ignore
them. Until the control has run again, the promises that depend on it are unproven.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from troth.ledger import DeclaredName, Entry, Opening, Value
from troth.protect import commit
from troth.service.configuration import ServiceError
from troth.service.core.ledger import record
from troth.service.core.models import CheckRow, EntryRow, Retraction

_ABOUT = "check.retracted/reason"
_REASON_MAX = 2_000


class NothingToRetract(ServiceError):
    """No check of the control in that period still counts; or the reason is missing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan to retract the checks of *control* from day *since* to day *until*, inclusive, in UTC."""

    control: str
    since: dt.date
    until: dt.date
    checks: tuple[int, ...]
    outcomes: Mapping[str, int]
    """Number of checks per outcome."""

    @property
    def begins(self) -> dt.datetime:
        return dt.datetime.combine(self.since, dt.time(), dt.UTC)

    @property
    def ends(self) -> dt.datetime:
        return dt.datetime.combine(self.until + dt.timedelta(days=1), dt.time(), dt.UTC)


def plan_retraction(control: str, *, since: dt.date, until: dt.date) -> Plan:
    """Checks that would be retracted; already retracted ones are left as they are.

    Raises `NothingToRetract`.
    """
    plan = Plan(control, since, until, (), {})
    if plan.ends <= plan.begins:
        raise NothingToRetract("the last day is before the first")
    found = CheckRow.objects.filter(control=control, retraction=None, at__gte=plan.begins, at__lt=plan.ends)
    rows = list(found.order_by("pk").values_list("pk", "outcome"))
    if not rows:
        known = CheckRow.objects.filter(control=control).exists()
        why = "none of its checks in that time still counts" if known else "it was never checked"
        raise NothingToRetract(f"{control}: {why}")
    return Plan(
        control, since, until, tuple(pk for pk, _ in rows), dict(sorted(Counter(word for _, word in rows).items()))
    )


def retract(plan: Plan, reason: str, *, now: dt.datetime) -> EntryRow:
    """Mark the checks of *plan* and record that, in one transaction. The ledger entry commits to *reason*, which is
    stored with the checks.

    Raises `NothingToRetract` if some of them were retracted or deleted since the plan was made.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > _REASON_MAX:
        raise NothingToRetract(f"give a reason of at most {_REASON_MAX:,} characters")
    _, opening = commit(_ABOUT, reason)
    made = Retraction(
        control=plan.control,
        since=plan.begins,
        until=plan.ends,
        reason=reason,
        opening=opening.dump(),
        checks=len(plan.checks),
        at=now,
    )
    with transaction.atomic():
        (made.entry,) = record(entry_of(made))
        made.save()
        if _mark(plan, made) != len(plan.checks):
            raise NothingToRetract("checks were retracted or deleted since the plan was made; make a new plan")
    return made.entry


def entry_of(made: Retraction) -> Entry:
    """Ledger entry of a retraction; always the same while the retraction is unchanged."""
    opening = Opening.load(bytes(made.opening))
    fields: dict[str, Value] = {
        "control": DeclaredName.of(made.control),
        "checks": made.checks,
        "since": made.since.astimezone(dt.UTC).date(),
        "until": (made.until.astimezone(dt.UTC) - dt.timedelta(days=1)).date(),
        "reason": Opening(_ABOUT, made.reason, opening.salt).commitment,
        "actor": "owner",
    }
    return Entry("check.retracted", made.at, fields)


_AT_ONCE = 500


def _mark(plan: Plan, made: Retraction) -> int:
    marked = 0
    for start in range(0, len(plan.checks), _AT_ONCE):
        rows = CheckRow.objects.filter(pk__in=plan.checks[start : start + _AT_ONCE], retraction=None)
        marked += rows.update(retraction=made)
    return marked
