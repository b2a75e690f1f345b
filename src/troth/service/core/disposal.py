"""Deletes expired rows from Troth's own database, by the retention rules of ``own_tables.yaml``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q

from troth.declaration import Period, Retention
from troth.ledger import Entry
from troth.service.core.checks import deciding
from troth.service.core.holds import HoldInForce, in_force
from troth.service.core.ledger import record
from troth.service.core.models import CheckRow, LegalHold, Subject, Task
from troth.service.core.own_tables import OWN, own, with_evidence

_BATCH = 1_000
_AHEAD = dt.timedelta(hours=2)
"""Longer than the interval between disposals, so that nothing is overdue in between."""
_SUBJECTS: Mapping[type[models.Model], str] = {Subject: "pseudonym", LegalHold: "subject"}
"""Columns that identify a subject as holds do."""


def dispose(now: dt.datetime, *, evidence: Period | None = None) -> Mapping[str, int]:
    """Delete every expired row that no legal hold keeps, in bounded transactions. Returns counts by retention rule.
    *evidence* is how long the company keeps checks, if it declares that.

    Idempotent. The ledger is not touched: its entries hold nothing about anyone once their key is gone.
    """
    holds = in_force(now)
    return {
        name: _dispose(rule, now, [hold for hold in holds if hold.is_on(rule.table)])
        for name, rule in with_evidence(own().retention, evidence).items()
    }


def _dispose(rule: Retention, now: dt.datetime, holds: Sequence[HoldInForce]) -> int:
    if any(hold.subject is None for hold in holds):
        return 0
    model = _models()[rule.table.removeprefix(f"{OWN}.")]
    end = now + _AHEAD
    over = dt.datetime.combine(rule.for_.before(end.date()), end.time(), end.tzinfo)
    past = model._default_manager.filter(**{f"{rule.from_}__lt": over})
    if model is CheckRow:
        past = past.exclude(_still_needed())
    if model in _SUBJECTS:
        past = past.exclude(**{f"{_SUBJECTS[model]}__in": [hold.subject for hold in holds]})
    gone = 0
    while keys := list(past.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            model._default_manager.filter(pk__in=keys).delete()
            if model is CheckRow:  # deleting evidence of a promise is itself recorded
                record(Entry("evidence.disposed", now, {"checks": len(keys), "before": over.date()}))
        gone += len(keys)
    return gone


def _still_needed() -> Q:
    """Checks that a task refers to, or that determine a control's status, stay whatever their age."""
    controls = CheckRow.objects.order_by("control").values_list("control", flat=True).distinct()
    standing = [row.pk for rows in deciding(controls).values() for row in rows]
    in_tasks = [
        Task.objects.filter(**{f"{name}__isnull": False}).values(name) for name in ("opened_by", "latest", "closed_by")
    ]
    needed = Q()
    for keys in (standing, *in_tasks):
        needed |= Q(pk__in=keys)
    return needed


def _models() -> Mapping[str, type[models.Model]]:
    return {model._meta.db_table: model for model in apps.get_models()}
