"""Resends the links of open and recent cases to the address of the cases.

The page does the same work for every address: it stores one keyed reference. Whether there is a case is determined
later, in the worker, and only the owner of the mailbox learns it.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from troth.declaration import IdentityKind
from troth.service.core.deployment import Deployment, current
from troth.service.core.jobs.models import HIGH
from troth.service.core.jobs.queue import enqueue
from troth.service.requests import lifecycle
from troth.service.requests.aliases import about
from troth.service.requests.content import CaseContent, ContentGone, SealedContent
from troth.service.requests.intake import receive
from troth.service.requests.models import Case, CaseState
from troth.service.requests.verification.case_links import PROVING, links_of

CASES_MAX = 5
"""Maximum number of cases, the latest ones; people with more have to contact us."""
_CLOSED_FOR = dt.timedelta(days=92)
_QUIET = dt.timedelta(minutes=10)
"""Minimum time between links of one case, so that the form cannot flood a mailbox."""


def wish(address: str, deployment: Deployment) -> None:
    """Request that links are resent, if there are any; the work is the same if there are none. Raises
    `lifecycle.CaseRefused`."""
    subject = lifecycle.subject_of(CaseContent(identifiers=((IdentityKind.EMAIL, address),)), deployment)
    enqueue("requests.resend_links", subject, priority=HIGH)


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
            try:
                content = SealedContent(deployment.keyring).content(case)
            except ContentGone:
                continue
            sent += receive.send_link(case, content, deployment, now=now, again=links.count())
    return sent
