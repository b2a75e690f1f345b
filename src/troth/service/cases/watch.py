"""What time does to cases: reminders before a deadline, escalation, links that nobody pressed, packages and contents
whose days are over."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext

from troth.service.cases import allowance, freeze, life, telling
from troth.service.cases.desk import Desk, desk
from troth.service.cases.letters import day, staff_address, write_to
from troth.service.cases.models import Case, Event, Link, Outcome, Pause, State
from troth.service.record.clock import may_end
from troth.service.record.routines import routine

LEVELS = ((7, "soon"), (3, "urgent"), (1, "escalated"), (-1, "late"))
"""Days before the deadline, and what is said then; the last two go to the data protection officer as well."""
ABANDONED_DAYS = 30
"""How long a request waits for somebody to press the button in our letter."""
_REMIND_DAYS = 7
"""How long a question of ours stays unanswered before we ask again, once."""
_EVERY = dt.timedelta(minutes=5)
_AT_ONCE = 500


@routine("cases:watch")
def watch(now: dt.datetime) -> dt.datetime:
    """Do what is due at *now*. Harmless twice: each is done once for each case and level. Nothing ends by a clock that
    is not believed."""
    at_desk, is_sure = desk(), may_end(now)
    if is_sure:
        while telling.sweep(at_desk, now=now):
            pass
        freeze.end_unproved(at_desk, now)
        allowance.forget(now=now)
        _end_contents(at_desk, now)
    _remind_handlers(at_desk, now)
    _remind_people(at_desk, now)
    if is_sure:
        _abandon(at_desk, now)
    return now + _EVERY


def _end_contents(at_desk: Desk, now: dt.datetime) -> None:
    """Destroy what people wrote, once the period after their answer is over."""
    before = at_desk.declaration.requests.keep.before(now.date())
    over = Case.objects.filter(closed_at__date__lt=before).exclude(content=None)
    while cases := list(over.select_related("key")[:_AT_ONCE]):
        with transaction.atomic():
            at_desk.papers.destroy(cases, now=now)
            Case.objects.filter(pk__in=[case.pk for case in cases]).update(content=None)
            Event.objects.filter(case__in=cases).exclude(note=None).update(note=None)


def _remind_handlers(at_desk: Desk, now: dt.datetime) -> None:
    today = day(now, at_desk)
    later = [days for days, _ in LEVELS[1:]]
    for (days, level), following in zip(LEVELS, [*later, None], strict=True):
        rows = Case.objects.exclude(state=State.CLOSED).filter(due_on__lte=today + dt.timedelta(days=days))
        if following is not None:
            rows = rows.filter(due_on__gt=today + dt.timedelta(days=following))
        rows = rows.exclude(Exists(_reminded(level).filter(case=OuterRef("pk"))))
        for case in rows.order_by("due_on", "id").select_related("handler")[:_AT_ONCE]:
            assert case.due_on is not None, "that is what was asked for"
            _remind(case, level, (case.due_on - today).days, at_desk, now)


def _reminded(level: str) -> QuerySet[Event]:
    return Event.objects.filter(what="reminded", facts__level=level)


def _remind(case: Case, level: str, left: int, at_desk: Desk, now: dt.datetime) -> None:
    with transaction.atomic():
        locked = life.locked(case.pk)
        if locked.state == State.CLOSED or _reminded(level).filter(case=locked).exists():
            return
        Event.objects.create(
            case=locked, at=now, what="reminded", actor="rule", facts={"level": level, "days": left}, is_internal=True
        )
        facts = {"due": locked.due_on, "link": f"{at_desk.site}/console/cases/{locked.reference}/"}
        handler = getattr(case.handler, "email", "") if case.handler is not None else ""
        organisation = at_desk.declaration.organisation
        if level in ("soon", "urgent"):
            address = staff_address(locked, at_desk, handler or organisation.email)
            write_to(address, locked, "staff_due_soon", at_desk, {**facts, "days": max(left, 0)}, now=now, again=level)
            return
        officer = organisation.officer
        addresses = {handler, officer.email if officer is not None else organisation.email} - {""}
        addresses = {staff_address(locked, at_desk, address) for address in addresses}
        with translation.override(at_desk.declaration.policy.language):
            why = gettext("the deadline has passed") if level == "late" else gettext("one day is left")
        for number, address in enumerate(sorted(addresses)):
            again = f"{level}-{number}"
            write_to(address, locked, "staff_escalation", at_desk, {**facts, "why": why}, now=now, again=again)
        life.put_on_record(locked, "escalated", life.RULE, at_desk, now=now, due=locked.due_on)


def _remind_people(at_desk: Desk, now: dt.datetime) -> None:
    """Ask once more for what we asked for a week ago."""
    again = Event.objects.filter(case=OuterRef("case"), what="asked_again", at__gt=OuterRef("asked_at"))
    asked = Pause.objects.filter(
        ~Exists(again), answered_at=None, asked_at__lt=now - dt.timedelta(days=_REMIND_DAYS), case__state=State.PAUSED
    )
    for pause in asked.select_related("case", "case__key")[:_AT_ONCE]:
        with transaction.atomic():
            case = life.locked(pause.case_id)
            if case.state != State.PAUSED or case.events.filter(what="asked_again", at__gt=pause.asked_at).exists():
                continue
            content = at_desk.papers.content(case)
            facts = {
                "right": case.right or case.kind,
                "needed": content.question,
                "asked": day(pause.asked_at, at_desk),
            }
            number = str(case.pauses.count())
            write_to(content.address, case, "reminder_to_person", at_desk, facts, now=now, again=number)
            Event.objects.create(case=case, at=now, what="asked_again", actor="rule")


def _abandon(at_desk: Desk, now: dt.datetime) -> None:
    """A request whose letter nobody answered ends: without proof nothing may be done or told (GDPR Art. 12(2), (6)).
    No letter goes to an address that nobody confirmed."""
    before = now - dt.timedelta(days=ABANDONED_DAYS)
    unproved = Case.objects.filter(
        ~Exists(Link.objects.filter(case=OuterRef("pk"), open_until__gt=now)),
        state=State.VERIFYING,
        received_at__lt=before,
    )
    for case in unproved.order_by("id")[:_AT_ONCE]:
        with transaction.atomic():
            locked = life.locked(case.pk)
            if locked.state != State.VERIFYING or locked.links.filter(open_until__gt=now).exists():
                continue
            Link.objects.filter(case=locked).delete()
            facts = {"cite": "GDPR Art. 12(2), (6)", "why": "identity_not_shown"}
            life.close(locked, Outcome.REFUSED, at_desk, who=life.RULE, now=now, facts=facts)
