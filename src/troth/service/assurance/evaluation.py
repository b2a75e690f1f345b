"""Statuses of promises from checks, and their changes in the ledger and the history."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction

from troth.controls import Check, Judgement, Status, status_of
from troth.service.assurance import rules
from troth.service.assurance.models import ChangeRow, PromiseRow
from troth.service.assurance.statements import approved_statements
from troth.service.core import checks
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record

_LOG = logging.getLogger("troth.keep")
_BEGAN_LATER = dt.timedelta(minutes=15)


def judge(
    of: Deployment, *, now: dt.datetime, history: Mapping[str, Sequence[Check]] | None = None
) -> dict[str, Judgement]:
    """Status of every promise at *now*, by name (`rules.promise_name`). *history* holds the controls' checks
    (`checks.history`); read if omitted."""
    history = checks.history(of.bound) if history is None else history
    approved = approved_statements(now)
    return {
        rules.promise_name(promise): status_of(
            promise,
            history,
            now=now,
            declaration_hash=of.looked_at_hash,
            controls=of.controls,
            doubt=of.doubts.get(index, ""),
            approved=approved,
        )
        for index, promise in enumerate(of.declaration.promises)
    }


def judge_all(deployment: Deployment, now: dt.datetime) -> tuple[tuple[str, Status], ...]:
    """Update ledger and history with the statuses, which also change when checks stop. Returns the changes."""
    quotes = {rules.promise_name(promise): promise.quote for promise in deployment.declaration.promises}
    history = checks.history(deployment.bound)
    # Another process may have started its pass after ours and be done: its checks are not dated in the future.
    made = (check.at for several in history.values() for check in several)
    now = max([now, *(at for at in made if at <= now + _BEGAN_LATER)])
    known = dict(PromiseRow.objects.values_list("promise", "status"))
    changed = tuple(
        (quotes[name], judgement.status)
        for name, judgement in judge(deployment, now=now, history=history).items()
        if known.get(name) != judgement.status.value and _remember(name, quotes[name], judgement, deployment, now)
    )
    PromiseRow.objects.exclude(promise__in=quotes).delete()
    return changed


def _remember(name: str, quote: str, judgement: Judgement, deployment: Deployment, now: dt.datetime) -> bool:
    status = judgement.status
    try:
        with transaction.atomic(durable=True):
            # A concurrent process waits here, and then finds nothing left to change.
            row = PromiseRow.objects.select_for_update().filter(promise=name).first()
            before = None if row is None else Status(row.status)
            if before is status:
                return False
            row = row or PromiseRow(promise=name)
            entry = rules.promise_changed(name, before, judgement, declaration=deployment.looked_at_hash, now=now)
            row.status, row.since, row.entry = status.value, now, record(entry)[0]
            row.save()
            _change(row, before, judgement).save()
    except IntegrityError:  # another process saw this promise first
        return False
    if before is not None:
        _LOG.log(logging.WARNING if status is Status.BROKEN else logging.INFO, "%s: %s", status, quote)
    return True


def _change(row: PromiseRow, before: Status | None, judgement: Judgement) -> ChangeRow:
    deciding = judgement.deciding
    check = deciding.check if deciding else None
    return ChangeRow(
        promise=row.promise,
        at=row.since,
        before=before.value if before else "",
        status=row.status,
        cause=deciding.cause.value if deciding else "",
        control=(deciding.control or "") if deciding else "",
        summary=check.summary if check else "",
        figures=dict(check.figures) if check else {},
        entry=row.entry,
    )
