"""Time-based processing of cases: reminders, escalation, abandoned requests, and expiry of packages and contents."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext

from troth.service.cases import lifecycle
from troth.service.cases.case_links import PERSONAL, links_of
from troth.service.cases.content import SealedContent
from troth.service.cases.duty import STATUS_LINK
from troth.service.cases.handling import handlings
from troth.service.cases.intake import mail_allowance
from troth.service.cases.messages import day, write_staff, write_to
from troth.service.cases.models import Case, CaseEvent, CaseOutcome, CasePause, CaseState
from troth.service.core.clock import may_end
from troth.service.core.deployment import Deployment, current

LEVELS = ((7, "soon"), (3, "urgent"), (1, "escalated"), (-1, "late"))
"""Days before the deadline and the reminder sent then; the last two also go to the data protection officer."""
ABANDONED_DAYS = 30
"""Days after which a request ends if nobody confirms the link in our e-mail."""
_REMIND_DAYS = 7
"""Days after which an unanswered question of ours is repeated, once."""
_AT_ONCE = 500


def watch(now: dt.datetime) -> None:
    """Do everything that is due at *now*. Idempotent: each case gets each level once. Nothing expires while the clock
    is in doubt."""
    deployment, is_sure = current().without_own, may_end(now)
    if is_sure:
        for handling in handlings():
            handling.expire(deployment, now)
        mail_allowance.forget(now=now)
        _end_contents(deployment, now)
    _remind_handlers(deployment, now)
    _remind_people(deployment, now)
    if is_sure:
        _abandon(deployment, now)


def _end_contents(deployment: Deployment, now: dt.datetime) -> None:
    """Destroy the contents of cases whose retention period after closing is over."""
    before = deployment.declaration.requests.keep.before(now.date())
    over = Case.objects.filter(closed_at__date__lt=before).exclude(content=None)
    while cases := list(over.select_related("key")[:_AT_ONCE]):
        with transaction.atomic():
            SealedContent(deployment.keyring).destroy(cases, now=now)
            Case.objects.filter(pk__in=[case.pk for case in cases]).update(content=None)
            CaseEvent.objects.filter(case__in=cases).exclude(note=None).update(note=None)


def _remind_handlers(deployment: Deployment, now: dt.datetime) -> None:
    today = day(now, deployment)
    later = [days for days, _ in LEVELS[1:]]
    for (days, level), following in zip(LEVELS, [*later, None], strict=True):
        rows = Case.objects.exclude(state=CaseState.CLOSED).filter(due_on__lte=today + dt.timedelta(days=days))
        if following is not None:
            rows = rows.filter(due_on__gt=today + dt.timedelta(days=following))
        rows = rows.exclude(Exists(_reminded(level).filter(case=OuterRef("pk"))))
        for case in rows.order_by("due_on", "id").select_related("handler")[:_AT_ONCE]:
            assert case.due_on is not None, "that is what was asked for"
            _remind(case, level, (case.due_on - today).days, deployment, now)


def _reminded(level: str) -> QuerySet[CaseEvent]:
    return CaseEvent.objects.filter(what="reminded", facts__level=level)


def _remind(case: Case, level: str, left: int, deployment: Deployment, now: dt.datetime) -> None:
    with transaction.atomic():
        locked = lifecycle.locked(case.pk)
        if locked.state == CaseState.CLOSED or _reminded(level).filter(case=locked).exists():
            return
        CaseEvent.objects.create(
            case=locked, at=now, what="reminded", actor="rule", facts={"level": level, "days": left}, is_internal=True
        )
        handler = getattr(case.handler, "email", "") if case.handler is not None else ""
        organisation, due = deployment.declaration.organisation, {"due": locked.due_on}
        if level in ("soon", "urgent"):
            facts = {**due, "days": max(left, 0)}
            write_staff(
                handler or organisation.email, locked, "staff_due_soon", deployment, facts, now=now, again=level
            )
            return
        officer = organisation.officer.email if organisation.officer is not None else organisation.email
        with translation.override(deployment.declaration.policy.language):
            why = gettext("the deadline has passed") if level == "late" else gettext("one day is left")
        addresses = {officer} if locked.is_confidential else {handler, officer} - {""}
        for number, address in enumerate(sorted(addresses)):
            again = f"{level}-{number}"
            write_staff(address, locked, "staff_escalation", deployment, {**due, "why": why}, now=now, again=again)
        lifecycle.put_on_record(locked, "escalated", lifecycle.RULE, deployment, now=now, due=locked.due_on)


def _remind_people(deployment: Deployment, now: dt.datetime) -> None:
    """Repeat questions that were asked a week ago and not answered."""
    again = CaseEvent.objects.filter(case=OuterRef("case"), what="asked_again", at__gt=OuterRef("asked_at"))
    asked = CasePause.objects.filter(
        ~Exists(again),
        answered_at=None,
        asked_at__lt=now - dt.timedelta(days=_REMIND_DAYS),
        case__state=CaseState.PAUSED,
    )
    for pause in asked.select_related("case", "case__key")[:_AT_ONCE]:
        with transaction.atomic():
            case = lifecycle.locked(pause.case_id)
            if case.state != CaseState.PAUSED or case.events.filter(what="asked_again", at__gt=pause.asked_at).exists():
                continue
            content = SealedContent(deployment.keyring).content(case)
            facts = {"right": case.type, "needed": content.question, "asked": day(pause.asked_at, deployment)}
            number = str(case.pauses.count())
            write_to(
                content.address, case, "reminder_to_person", deployment, facts, now=now, again=number, by_staff=True
            )
            CaseEvent.objects.create(case=case, at=now, what="asked_again", actor="rule")


def _abandon(deployment: Deployment, now: dt.datetime) -> None:
    """Close requests whose link nobody confirmed: without proof of identity nothing may be done or disclosed (GDPR
    Art. 12(2), (6)). No e-mail is sent to an unconfirmed address."""
    before = now - dt.timedelta(days=ABANDONED_DAYS)
    unproved = Case.objects.filter(
        ~Exists(links_of([OuterRef("pk")], *PERSONAL).filter(open_until__gt=now)),
        state=CaseState.VERIFYING,
        received_at__lt=before,
    )
    for case in unproved.order_by("id")[:_AT_ONCE]:
        with transaction.atomic():
            locked = lifecycle.locked(case.pk)
            links = links_of([locked.pk], *PERSONAL, STATUS_LINK)
            if locked.state != CaseState.VERIFYING or links.filter(open_until__gt=now).exists():
                continue
            links.delete()
            facts = {"cite": "GDPR Art. 12(2), (6)", "why": "identity_not_shown"}
            lifecycle.close(locked, CaseOutcome.REFUSED, deployment, who=lifecycle.RULE, now=now, facts=facts)
