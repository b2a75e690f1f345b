"""Statuses of promises from checks, and their changes in the ledger and the history."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.db import IntegrityError, transaction

from troth.controls import Check, PromiseStatus, Status, status_of
from troth.service.assurance import rules
from troth.service.assurance.models import ChangeRow, PromiseRow
from troth.service.assurance.statements import approved_statements
from troth.service.configuration import ServiceError
from troth.service.core import checks
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record

_LOG = logging.getLogger("troth.keep")
_BEGAN_LATER = dt.timedelta(minutes=15)


class NoSuchPromise(ServiceError):
    """No promise of the policy has that id; the message tells where to find ids."""


def judge(
    of: Deployment, *, now: dt.datetime, history: Mapping[str, Sequence[Check]] | None = None
) -> tuple[PromiseStatus, ...]:
    """Status of every promise at *now*, in the order of the policy. *history* holds the controls' checks
    (`checks.history`); read if omitted."""
    history = checks.history(of.bound) if history is None else history
    approved = approved_statements(now)
    return tuple(
        status_of(
            promise,
            history,
            now=now,
            declaration_hash=of.looked_at_hash,
            controls=of.controls,
            doubt=of.doubts.get(index, ""),
            approved=approved,
        )
        for index, promise in enumerate(of.declaration.promises)
    )


def judge_with_dates(deployment: Deployment, now: dt.datetime) -> tuple[PromiseStatus, ...]:
    """Status of every promise at *now*, and since when, where the last pass saw the same status. Runs no checks."""
    known = {
        (name, status): since for name, status, since in PromiseRow.objects.values_list("promise", "status", "since")
    }
    return tuple(
        replace(status, since=known.get((status.name, status.status.value))) for status in judge(deployment, now=now)
    )


def meant(id_: str, names: Iterable[str]) -> str:
    """Name of the promise with that id on the status page, or that prefix of it. Raises `NoSuchPromise`."""
    wanted = id_.removeprefix("p-").removeprefix("~")
    found = [name for name in names if name.removeprefix("~").startswith(wanted)] if wanted else []
    if len(found) != 1:
        problem = "several promises begin so" if found else "no promise of the policy has this id"
        raise NoSuchPromise(f"{id_}: {problem}; troth promises lists them")
    return found[0]


def judge_all(deployment: Deployment, now: dt.datetime) -> tuple[tuple[str, Status], ...]:
    """Update ledger and history with the statuses, which also change when checks stop. Returns the changes."""
    history = checks.history(deployment.bound)
    # Another process may have started its pass after ours and be done: its checks are not dated in the future.
    made = (check.at for several in history.values() for check in several)
    now = max([now, *(at for at in made if at <= now + _BEGAN_LATER)])
    known = dict(PromiseRow.objects.values_list("promise", "status"))
    statuses = {status.name: status for status in judge(deployment, now=now, history=history)}
    changed = tuple(
        (status.promise.quote, status.status)
        for name, status in statuses.items()
        if known.get(name) != status.status.value and _remember(status, deployment, now)
    )
    PromiseRow.objects.exclude(promise__in=statuses).delete()
    return changed


def _remember(judged: PromiseStatus, deployment: Deployment, now: dt.datetime) -> bool:
    status = judged.status
    try:
        with transaction.atomic(durable=True):
            # A concurrent process waits here, and then finds nothing left to change.
            row = PromiseRow.objects.select_for_update().filter(promise=judged.name).first()
            before = None if row is None else Status(row.status)
            if before is status:
                return False
            row = row or PromiseRow(promise=judged.name)
            entry = rules.promise_changed(before, judged, declaration=deployment.looked_at_hash, now=now)
            row.status, row.since, row.entry = status.value, now, record(entry)[0]
            row.save()
            _change(row, before, judged).save()
    except IntegrityError:  # another process saw this promise first
        return False
    if before is not None:
        level = logging.WARNING if status is Status.BROKEN else logging.INFO
        _LOG.log(level, "%s: %s", status, judged.promise.quote)
    return True


def _change(row: PromiseRow, before: Status | None, judged: PromiseStatus) -> ChangeRow:
    deciding = judged.deciding
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
