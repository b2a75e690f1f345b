"""What happened after which controls are asked again at once, and not only when they are due.

Whoever changes something notes the event in the same transaction: a row, which nobody waits for. The keep loop takes
the rows and brings the controls concerned forward, so that a thousand events are one check.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Max

from troth.controls import EVENTS
from troth.service.core import scheduled_jobs
from troth.service.core.models import ControlEvent


def note(event: str, *, now: dt.datetime) -> None:
    """*event* happened, in the transaction that is open."""
    assert event in EVENTS, f"{event} is none of {EVENTS}"
    ControlEvent.objects.create(event=event, at=now)


def waiting() -> dict[str, int]:
    """The events that happened and were not taken yet, each with the number of its latest row."""
    return dict(ControlEvent.objects.values_list("event").annotate(Max("pk")))


def forward(event: str, upto: int, dates: Mapping[str, dt.datetime], *, now: dt.datetime) -> None:
    """Bring each name of the schedule forward to its date, and take the rows of *event*. While one of the names is
    being done nothing changes: it may have looked before this happened, and a later call brings it forward."""
    with transaction.atomic():
        if scheduled_jobs.bring_forward(dates, now=now):
            ControlEvent.objects.filter(event=event, pk__lte=upto).delete()
