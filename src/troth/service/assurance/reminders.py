"""Notifications: a control that fails or passes again, and an attestation that is about to expire.

Both become webhook messages in the transaction of their cause (`webhooks.tell`), so that each is sent only once it is
true.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from troth.controls import Control, promise_name
from troth.service.api import webhooks
from troth.service.assurance.models import ReminderRow
from troth.service.core.deployment import Deployment
from troth.service.core.tasks import TaskChange

REMIND_DAYS: Final = 30
"""Days before its end that an attestation's renewal is requested."""


def tell_tasks(followed: TaskChange, deployment: Deployment, control: Control, now: dt.datetime) -> None:
    """Notify webhooks of opened and closed tasks, in the open transaction."""
    about = {
        "control": control.id,
        "severity": control.severity,
        "promises": [promise_name(each) for each in deployment.declaration.promises if control.id in each.controls],
    }
    for event, tasks in (("control.failing", followed.opened), ("control.passing", followed.closed)):
        told = [{**about, "task": task.pk, "scope": task.scope, "since": task.opened_at.isoformat()} for task in tasks]
        webhooks.tell(event, *told, now=now)


def remind(deployment: Deployment, now: dt.datetime) -> None:
    """Open one reminder for each attestation that expires within `REMIND_DAYS`, and close those that were answered."""
    today = now.astimezone(dt.UTC).date()
    words = {
        promise_name(promise): promise.attest.until for promise in deployment.declaration.promises if promise.attest
    }
    ending = {name: until for name, until in words.items() if (until - today).days <= REMIND_DAYS}
    known = set(ReminderRow.objects.filter(promise__in=ending).values_list("promise", "until"))
    for name, until in ending.items():
        if (name, until) not in known:
            _open(name, until, now)
    for row in ReminderRow.objects.filter(closed_at=None):
        if words.get(row.promise) != row.until:
            ReminderRow.objects.filter(pk=row.pk, closed_at=None).update(closed_at=now)


def _open(name: str, until: dt.date, now: dt.datetime) -> None:
    with transaction.atomic():
        _, is_new = ReminderRow.objects.get_or_create(promise=name, until=until, defaults={"opened_at": now})
        if is_new:
            webhooks.tell("attestation.expiring", {"promise": name, "until": until.isoformat()}, now=now)
