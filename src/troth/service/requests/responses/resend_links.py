"""Sending the links of open and recent cases again, to whoever's address they have.

The page that asks for it does the same for every address: it notes one keyed reference. Whether there is a case behind
it shows later, in the worker, and only to the owner of the mailbox.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from troth.declaration import IdentityKind
from troth.service.requests import lifecycle
from troth.service.requests.aliases import about
from troth.service.requests.content import CaseContent, ContentGone
from troth.service.requests.deployment import CaseDeployment, case_deployment
from troth.service.requests.intake import receive
from troth.service.requests.models import Case, CaseState, MailedLink
from troth.service.work.run import want

CASES_MAX = 5
"""The latest cases of an address; whoever has more asks us."""
_CLOSED_FOR = dt.timedelta(days=92)
_QUIET = dt.timedelta(minutes=10)
"""A case's link is not sent again while one was sent so recently: so no button makes a flood of letters."""


def wish(address: str, at_desk: CaseDeployment) -> None:
    """Have the links sent, if there are any; the work is the same where there are none. Raises
    `lifecycle.CaseRefused`."""
    subject = lifecycle.subject_of(CaseContent(identifiers=((IdentityKind.EMAIL, address),)), at_desk)
    want("cases.again", subject)


def resend_links(subject: str, *, now: dt.datetime) -> int:
    """Mail a fresh link for each of the subject's latest cases. How many. Harmless twice."""
    at_desk, sent = case_deployment(), 0
    recent = Q(closed_at__isnull=True) | Q(closed_at__gt=now - _CLOSED_FOR)
    theirs = Case.objects.select_related("key").filter(recent, about([subject]))
    for case in theirs.order_by("-received_at")[:CASES_MAX]:
        with transaction.atomic():
            links = MailedLink.objects.filter(case=case, use__in=[MailedLink.Use.PROVE, MailedLink.Use.AGENT])
            if links.filter(made_at__gt=now - _QUIET).exists() or case.state == CaseState.RECEIVED:
                continue
            try:
                content = at_desk.papers.content(case)
            except ContentGone:
                continue
            sent += receive.send_link(case, content, at_desk, now=now, again=links.count())
    return sent
