"""Controls on complaints and questions: people are answered in time. Results name nobody."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Q

from troth.controls import ControlFinding, ControlResult, answers
from troth.declaration import Declaration
from troth.service.cases.models import CaseKind
from troth.service.cases.timeliness import PERIOD, concerned, in_time
from troth.text import counted

_ACKNOWLEDGED = dt.timedelta(days=30)


@answers("complaints.questions_answered")
def questions_answered(declaration: Declaration, now: dt.datetime) -> ControlResult:
    """GDPR Art. 12(1)-(2): questions about the policy that are late, or were answered late in the last 90 days."""
    return in_time(CaseKind.QUESTION, declaration, now)


@answers("complaints.acknowledged")
def complaints_acknowledged(declaration: Declaration, now: dt.datetime) -> ControlResult:
    """DPA 2018 s.164A: complaints not acknowledged within thirty days, and complaints that are late."""
    since = now - PERIOD
    late = Q(acknowledged_at=None, received_at__lt=now - _ACKNOWLEDGED)
    late |= Q(acknowledged_at__gt=F("received_at") + _ACKNOWLEDGED)
    silent = concerned(CaseKind.COMPLAINT, since).filter(late).count()
    answer = in_time(CaseKind.COMPLAINT, declaration, now)
    if not silent:
        return answer
    told = f"{counted(silent, 'complaint')} not acknowledged within thirty days"
    findings = (*answer.findings, ControlFinding("cases", told, "acknowledge them, in the console"))
    figures = {**answer.figures, "unacknowledged": silent}
    return ControlResult.of(f"{answer.summary} {told}.", evidence=answer.evidence, findings=findings, figures=figures)
