"""Status pages as JSON: the same facts, for the same audience."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from troth.controls import Matrix, PublishedStatus, RehearsalRecord, ShownCheck
from troth.declaration import Audience
from troth.service.assurance.rules import owners_of
from troth.service.assurance.status_history import DAYS, Trend, latest_changes
from troth.service.assurance.status_reasons import ChangeReason, reason_sentence
from troth.service.core.deployment import Deployment
from troth.service.core.models import Task
from troth.service.labels import status_text
from troth.service.policy_pages.status_page import StatusPage, principles_of, trend_of

_CHANGES = 20
"""Changes per promise in the list of all; its own page has them all."""


def facts_of(deployment: Deployment, page: StatusPage, now: dt.datetime) -> dict[str, Any]:
    """All facts of the status page, with the latest changes of each promise, and for staff the open tasks."""
    changes = _changes(deployment, page, now)
    facts: dict[str, Any] = {
        "version": 4,
        "organisation": deployment.declaration.organisation.name,
        "policy": {
            "effective": deployment.declaration.policy.effective.isoformat(),
            "language": deployment.declaration.policy.language,
        },
        "at": now.isoformat(),
        "audience": page.audience.value,
        "declaration": deployment.looked_at_hash,
        "tally": asdict(page.tally),
        "trend": _trend(trend_of(page, now)),
        "sentences": {"all": page.sentences, "bound": page.bound},
        "principles": _principles(principles_of(deployment, page)),
        "promises": [promise_facts(mark, changes.get(mark.id, ())) for mark in page.marks],
    }
    return facts | ({"tasks": _tasks(deployment)} if page.audience is Audience.STAFF else {})


def promise_facts(mark: PublishedStatus, changes: Sequence[ChangeReason]) -> dict[str, Any]:
    """One promise with its changes, latest first."""
    return {
        "id": mark.id,
        "quote": mark.quote,
        "status": mark.status,
        "since": mark.since.isoformat() if mark.since else None,
        "receipt": mark.leaf,
        "as_of": mark.as_of.isoformat() if mark.as_of else None,
        "says": status_text(mark),
        "rehearsed": _rehearsed(mark.rehearsed),
        "checks": [_check(looked) for looked in mark.checks],
        "history": [_change(each) for each in changes],
    }


def _check(looked: ShownCheck) -> dict[str, Any]:
    return {
        "question": looked.question,
        "outcome": looked.outcome,
        "at": looked.at.isoformat(),
        "summary": looked.summary or None,
        "figures": dict(looked.figures),
        "looks_at": looked.looks_at,
        "tested": looked.tested,
        "population": looked.population,
        "by": looked.collector,
        "cannot_see": looked.cannot_see,
    }


def _rehearsed(record: RehearsalRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "planted": record.planted,
        "noticed": record.noticed,
        "not_planted": record.not_planted,
        "at": record.at.isoformat(),
    }


def _changes(deployment: Deployment, page: StatusPage, now: dt.datetime) -> Mapping[str, list[ChangeReason]]:
    pairs = [
        (promise, mark)
        for promise, mark in zip(deployment.declaration.promises, page.marks, strict=True)
        if mark.status is not None
    ]
    until = {mark.name: mark.as_of or now for _, mark in pairs}
    found = latest_changes(until, _CHANGES, since=now - dt.timedelta(days=DAYS))
    return {
        mark.id: [reason_sentence(each, promise, deployment.controls, page.audience) for each in found[mark.name]]
        for promise, mark in pairs
    }


def _change(reason: ChangeReason) -> dict[str, Any]:
    change = reason.change
    return {
        "at": change.at.isoformat(),
        "before": change.before or None,
        "status": change.status,
        "cause": change.cause or None,
        "why": reason.why,
        "figures": dict(reason.figures),
        "summary": reason.summary or None,
        "receipt": change.entry.leaf,
    }


def _trend(trend: Trend) -> dict[str, Any]:
    return {
        "promises": trend.promises,
        "days": trend.days,
        "counts": [{"from": column.day.isoformat(), "days": column.days, **column.counts} for column in trend.columns],
    }


def _principles(matrix: Matrix) -> dict[str, Any]:
    return {
        "sets": {
            set_: {"principles": len(matrix.of(set_)), "kept": matrix.kept(set_), "broken": matrix.broken(set_)}
            for set_ in ("ftc", "oecd")
        },
        "rows": [
            {
                "id": row.principle.id,
                "title": row.principle.title,
                "source": row.principle.source,
                "promises": row.promises,
                "privately": row.privately,
                "by_status": row.by_status,
            }
            for row in matrix.rows
        ],
    }


def _tasks(deployment: Deployment) -> list[dict[str, Any]]:
    rows = Task.objects.filter(closed_at=None).select_related("latest").order_by("opened_at", "pk")
    return [
        {
            "id": task.pk,
            "control": task.control,
            "scope": task.scope,
            "owners": list(owners_of(task.control, deployment.declaration, deployment.controls)),
            "opened_at": task.opened_at.isoformat(),
            "latest_at": task.latest.at.isoformat(),
            "summary": task.latest.summary,
        }
        for task in rows
    ]
