"""Controls on complaints and questions: people are answered in time. Results name nobody."""

from __future__ import annotations

import datetime as dt

from troth.controls import ControlResult, answers
from troth.declaration import Declaration
from troth.service.cases.models import CaseKind
from troth.service.cases.timeliness import in_time

_ACKNOWLEDGED = dt.timedelta(days=30)


@answers("complaints.questions_answered")
def questions_answered(declaration: Declaration, now: dt.datetime) -> ControlResult:
    """GDPR Art. 12(1)-(2): questions about the policy that are late, or were answered late in the last 90 days."""
    return in_time(CaseKind.QUESTION, declaration, now)


@answers("complaints.acknowledged")
def complaints_acknowledged(declaration: Declaration, now: dt.datetime) -> ControlResult:
    """DPA 2018 s.164A: complaints not acknowledged within thirty days, and complaints that are late, or were answered
    late in the last 90 days."""
    return in_time(CaseKind.COMPLAINT, declaration, now, acknowledged_within=_ACKNOWLEDGED)
