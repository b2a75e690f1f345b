"""Events after which controls run at once instead of when they are due.

A change writes its event as a row in the same transaction; nobody waits for it. A job takes the rows and brings the
checks of affected controls forward, so that a thousand events cause one check.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Max

from troth.service.core.jobs.queue import bring_forward
from troth.service.core.models import ControlEvent
from troth.service.duty import duties


def note(event: str, *, now: dt.datetime) -> None:
    """Record *event* in the open transaction."""
    assert concerned(event), f"no duty registers {event}"
    ControlEvent.objects.create(event=event, at=now)


def concerned(event: str) -> frozenset[str]:
    """The controls that run at once after *event*, according to all duties."""
    return frozenset(control for duty in duties().values() for control in duty.after.get(event, ()))


def waiting() -> dict[str, int]:
    """Pending events, each with the number of its latest row."""
    return dict(ControlEvent.objects.values_list("event").annotate(Max("pk")))


def forward(event: str, upto: int, kind: str, dates: Mapping[str, dt.datetime]) -> None:
    """Bring the jobs of *kind* with these keys forward to their dates, and delete the rows of *event*. While one of
    them runs nothing changes: it may have started before the event, and a later call brings it forward."""
    with transaction.atomic():
        if bring_forward(kind, dates):
            ControlEvent.objects.filter(event=event, pk__lte=upto).delete()
