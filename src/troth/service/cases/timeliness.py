"""Whether cases of a kind are answered in time, for the controls of the duties that answer them."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence
from troth.declaration import Declaration
from troth.service.cases.models import Case, CaseKind
from troth.service.cases.models import CaseOutcome as Ended
from troth.service.cases.rules import zone_of
from troth.text import counted

PERIOD = dt.timedelta(days=90)
"""How long ago a case that counts may have been closed."""
_CASES = frozenset({"cases"})


def concerned(kind: CaseKind, since: dt.datetime) -> QuerySet[Case]:
    """Cases of a kind that are open, or were closed after *since*."""
    return Case.objects.filter(kind=kind).filter(Q(closed_at=None) | Q(closed_at__gte=since))


def in_time(kind: CaseKind, declaration: Declaration, now: dt.datetime) -> ControlResult:
    """Cases of a kind that are open past their earliest deadline, or were closed after it within the period."""
    zone, word = zone_of(declaration.organisation), kind.value
    today = now.astimezone(zone).date()
    cases = concerned(kind, now - PERIOD)
    count = cases.count()
    evidence = Evidence(_CASES, _CASES, population=count, tested=count, period=(now - PERIOD, now))
    if not count:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, f"Nobody has sent a {word} within 90 days.", evidence)
    open_ = cases.filter(closed_at=None)
    late = open_.filter(due_on__lt=today).count()
    closed = cases.exclude(closed_at=None).exclude(outcome=Ended.WITHDRAWN).values_list("closed_at", "due_on")
    overdue = sum(due is not None and at is not None and at.astimezone(zone).date() > due for at, due in closed)
    findings = []
    if late:
        findings.append(
            ControlFinding("cases", f"{counted(late, word)} open past the deadline", "answer them, in the console")
        )
    if overdue:
        findings.append(
            ControlFinding("cases", f"{counted(overdue, word)} answered after the deadline", "find out why")
        )
    summary = f"{counted(count, word)}: {open_.count():,} open, {late:,} of them late; {overdue:,} answered late."
    figures = {"open": open_.count(), "late": late, "answered_late": overdue}
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)
