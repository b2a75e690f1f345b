"""Figures for monitoring: promises by status, and controls by the outcome of their latest check."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from django.db.models import Case, Count, F, OuterRef, Subquery, Value, When
from prometheus_client import Metric

from troth.controls import Status
from troth.service.assurance.models import BindingRow, PromiseRow
from troth.service.core.metrics import gauge
from troth.service.core.models import CheckRow

_STALE, _NONE = "stale", "none"


def figures(now: dt.datetime) -> Iterator[Metric]:
    """Figures at *now*, in two statements: one index lookup a control, however many checks there are."""
    counts = dict(PromiseRow.objects.values_list("status").annotate(Count("pk")))
    promises = {status.value: counts.get(status, 0) for status in Status}
    yield gauge("troth_promises", "Promises of the policy", "status", promises)

    checks = CheckRow.objects.filter(control=OuterRef("control"), retraction=None).order_by("-at", "-id")
    outcome = Case(When(valid_until__lte=now, then=Value(_STALE)), default=F("outcome"))
    bound = BindingRow.objects.values("control").distinct().annotate(last=Subquery(checks.values_list(outcome)[:1]))
    outcomes = Counter(row["last"] or _NONE for row in bound)
    controls = {name: outcomes[name] for name in (*CheckRow.Outcome.values, _STALE, _NONE)}
    yield gauge("troth_controls", "Controls of promises, by the outcome of their latest check", "outcome", controls)
