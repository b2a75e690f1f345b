"""Resends the links of open and recent cases to the address of the cases."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from troth.service.cases.aliases import about
from troth.service.cases.case_links import PROVING, links_of
from troth.service.cases.content import content_of
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseState
from troth.service.core.deployment import current

CASES_MAX = 5
"""Maximum number of cases, the latest ones; people with more have to contact us."""
_CLOSED_FOR = dt.timedelta(days=92)
_QUIET = dt.timedelta(minutes=10)
"""Minimum time between links of one case, so that the form cannot flood a mailbox."""


def resend_links(subject: str, *, now: dt.datetime) -> int:
    """Mail a new link for each of the subject's latest cases. Returns the number mailed. Idempotent."""
    deployment, sent = current().without_own, 0
    recent = Q(closed_at__isnull=True) | Q(closed_at__gt=now - _CLOSED_FOR)
    theirs = Case.objects.select_related("key").filter(recent, about([subject]))
    for case in theirs.order_by("-received_at")[:CASES_MAX]:
        with transaction.atomic():
            links = links_of([case.pk], *PROVING)
            if links.filter(made_at__gt=now - _QUIET).exists() or case.state == CaseState.RECEIVED:
                continue
            if (content := content_of(case, deployment)) is None:
                continue
            sent += receive.send_link(case, content, deployment, now=now, again=links.count())
    return sent
