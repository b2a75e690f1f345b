"""Checks as rows: kept when they are made, read back as the values that statuses are decided from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from troth.promises import Check, Evidence, Finding, Outcome
from troth.service.record.models import CheckRow

__all__ = ["history", "keep", "latest"]

_SOUND = Q(outcome__in=[CheckRow.Outcome.PASS, CheckRow.Outcome.NOT_APPLICABLE])
_FAILURES_MAX = 50
"""Failures in a row that are read back; more than any control needs to call a promise broken."""


def keep(check: Check) -> CheckRow:
    """Keep the check as evidence, in the transaction that is open."""
    return CheckRow.objects.create(
        control=check.control,
        control_version=check.control_version,
        outcome=check.outcome.value,
        summary=check.summary,
        at=check.at,
        valid_until=check.valid_until,
        declaration_hash=check.declaration_hash,
        evidence=_evidence_json(check.evidence),
        figures=dict(check.figures),
        findings=[{"place": f.place, "message": f.message, "mend": f.mend} for f in check.findings],
    )


def latest(control: str) -> Check | None:
    """The control's latest check."""
    row = _of(control).first()
    return None if row is None else _value(row)


def history(controls: Iterable[str]) -> dict[str, list[Check]]:
    """What each control's status follows from: its latest check, the last that passed, the failures since then."""
    return {control: _deciding(control) for control in controls}


def _deciding(control: str) -> list[Check]:
    rows = _of(control)
    newest, sound = rows.first(), rows.filter(_SOUND).first()
    failures = rows.filter(outcome=CheckRow.Outcome.FAIL)
    if sound is not None:
        failures = failures.filter(at__gte=sound.at)
    found = {row.pk: row for row in (newest, sound, *failures[:_FAILURES_MAX]) if row is not None}
    return [_value(row) for _, row in sorted(found.items())]


def _of(control: str) -> QuerySet[CheckRow]:
    return CheckRow.objects.filter(control=control).order_by("-at", "-id")


def _value(row: CheckRow) -> Check:
    return Check(
        control=row.control,
        control_version=row.control_version,
        outcome=Outcome(row.outcome),
        summary=row.summary,
        at=row.at,
        valid_until=row.valid_until,
        declaration_hash=row.declaration_hash,
        evidence=_evidence(row.evidence),
        figures=row.figures,
        findings=tuple(Finding(**finding) for finding in row.findings),
    )


def _evidence_json(evidence: Evidence) -> dict[str, object]:
    return {
        "in_scope": sorted(evidence.in_scope),
        "observed": sorted(evidence.observed),
        "population": evidence.population,
        "tested": evidence.tested,
        "excluded": evidence.excluded,
        "period": [moment.isoformat() for moment in evidence.period] if evidence.period else None,
        "query": evidence.query,
    }


def _evidence(stored: dict[str, Any]) -> Evidence:
    period = stored["period"]
    return Evidence(
        in_scope=frozenset(stored["in_scope"]),
        observed=frozenset(stored["observed"]),
        population=stored["population"],
        tested=stored["tested"],
        excluded=stored["excluded"],
        period=(dt.datetime.fromisoformat(period[0]), dt.datetime.fromisoformat(period[1])) if period else None,
        query=stored["query"],
    )
