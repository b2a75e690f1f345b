"""Figures for monitoring: open requests by what is left of their clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Q
from prometheus_client import Metric

from troth.service.cases.models import Case, CaseState
from troth.service.cases.rules import zone_of
from troth.service.core.deployment import NoDeployment, current
from troth.service.core.metrics import gauge

_SOON = dt.timedelta(days=3)


def figures(now: dt.datetime) -> Iterator[Metric]:
    """Open requests, complaints and questions at *now*, in one statement."""
    today = _today(now)
    counts = Case.objects.exclude(state=CaseState.CLOSED).aggregate(
        overdue=Count("pk", filter=Q(due_on__lt=today)),
        due_soon=Count("pk", filter=Q(due_on__gte=today, due_on__lte=today + _SOON)),
        in_time=Count("pk", filter=Q(due_on__gt=today + _SOON)),
        none=Count("pk", filter=Q(due_on=None)),
    )
    text = "Open requests, complaints and questions; due_soon: within three days"
    yield gauge("troth_requests_open", text, "clock", counts)


def _today(now: dt.datetime) -> dt.date:
    """The date where the company is; of UTC while its declaration cannot be read."""
    try:
        return now.astimezone(zone_of(current().declaration.organisation)).date()
    except NoDeployment:
        return now.astimezone(dt.UTC).date()
