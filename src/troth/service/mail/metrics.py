"""Figures for monitoring: e-mails by state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Q
from prometheus_client import Metric

from troth.service.core.metrics import gauge
from troth.service.mail.models import LetterRow

State = LetterRow.State


def figures(now: dt.datetime) -> Iterator[Metric]:
    """E-mails that are not sent, by state. Sent ones are left out: to count them takes longer with every one."""
    unsent = LetterRow.objects.filter(Q(ended_at__isnull=True) | Q(state=State.FAILED))  # each has its index
    counts = dict(unsent.values_list("state").annotate(Count("pk")))
    states = (State.QUEUED, State.HANDING_OVER, State.FAILED)
    numbers = {state.value: counts.get(state, 0) for state in states}
    yield gauge("troth_emails", "E-mails that are not sent", "state", numbers)
