"""Manual actions on a request: choose rows, retry, grant an objection, lift a restriction.

Each function is one transaction in Troth's own database: the case, its event, its ledger entry and its e-mail commit
together. Execution in the stores is in `fulfilment`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from troth.service.cases.content import SealedContent
from troth.service.cases.lifecycle import Actor, CaseRefused, locked, put_on_record, subject_of
from troth.service.cases.messages import day, write
from troth.service.cases.models import Case, CaseAlias, CaseEvent, CaseState, Right, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import enqueue
from troth.service.preferences.models import Choice
from troth.service.requests.fulfilment.restriction import choices_in_force, is_marked, restrictions_in_force


def choose_rows(case_id: int, rows: Sequence[str], deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """Continue the case with only *rows*, which a handler has identified as the person's.

    Raises `CaseRefused` if the case waits for no review, or *rows* are not rows of the company.
    """
    with transaction.atomic():
        case = locked(case_id)
        if case.state != CaseState.IN_PROGRESS or case.needs != WaitReason.REVIEW:
            raise CaseRefused(f"{case.reference} does not wait for a review")
        content = dataclasses.replace(SealedContent(deployment.keyring).content(case), rows=tuple(rows))
        if case.subject and not case.named.exists():
            CaseAlias.objects.create(case=case, name=case.subject)
        case.subject, case.reviewed, case.needs = subject_of(content, deployment), True, ""
        SealedContent(deployment.keyring).put(case, content, now=now)
        case.save()
        CaseEvent.objects.create(
            case=case, at=now, what="reviewed", actor=who.actor, by=who.by, facts={"rows": len(rows)}, is_internal=True
        )
        return case


def try_again(case_id: int, deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """Execute the case again unchanged, after the problem it waited for was fixed. Raises `CaseRefused`."""
    with transaction.atomic():
        case = locked(case_id)
        if case.state != CaseState.IN_PROGRESS or case.needs != WaitReason.REVIEW or not case.subject:
            raise CaseRefused(f"{case.reference} does not wait for anything that can be retried")
        case.needs = ""
        case.save(update_fields=["needs"])
        CaseEvent.objects.create(case=case, at=now, what="again", actor=who.actor, by=who.by, is_internal=True)
        return case


def grant(case_id: int, deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """Grant an objection, because no compelling ground overrides it (GDPR Art. 21(1)); it is executed next."""
    with transaction.atomic():
        case = locked(case_id)
        if case.state != CaseState.IN_PROGRESS or case.needs != WaitReason.WEIGHING:
            raise CaseRefused(f"{case.reference} does not wait for its objection to be weighed")
        case.needs = ""
        case.save(update_fields=["needs"])
        put_on_record(case, "granted", who, deployment, now=now)
        return case


def lift(case_id: int, reasons: str, deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """End a restriction; the person is informed before it is lifted (GDPR Art. 18(3)). Raises `CaseRefused`."""
    with transaction.atomic():
        case = locked(case_id)
        first = restrictions_in_force(case).order_by("since").first()
        if first is None:
            raise CaseRefused(f"nothing is restricted by {case.reference}")
        announce_lift(case, first, reasons, deployment, now)
        CaseEvent.objects.create(case=case, at=now, what="lifting", actor=who.actor, by=who.by)
        return case


def end_halt(case: Case, deployment: Deployment, now: dt.datetime) -> None:
    """End the interim restriction of contested data (GDPR Art. 18(1)(a)) or of a use objected to (Art. 18(1)(d)); the
    person is informed before."""
    first = choices_in_force(case).order_by("since").first()
    if first is not None:
        with translation.override(case.language):
            reasons = (
                gettext("We have weighed your objection, and wrote to you what we decided and why.")
                if case.right == Right.OBJECT
                else gettext("We have looked into what you asked us to correct, and answered you.")
            )
        announce_lift(case, first, reasons, deployment, now)


def announce_lift(case: Case, first: Choice, reasons: str, deployment: Deployment, now: dt.datetime) -> None:
    """Inform the person that the restrictions of *case* end, and schedule that; *first* is the oldest of them."""
    on = now + _LIFT_NOTICE
    facts = {"on": day(on, deployment), "reasons": reasons, "since": day(first.since, deployment)}
    facts |= {} if is_marked(case) else {"recorded": "yes"}
    content = SealedContent(deployment.keyring).content(case)
    write(case, "restriction_lifted", deployment, facts, content=content, now=now, by_staff=True)
    enqueue("requests.lift", str(case.pk), not_before=on)


_LIFT_NOTICE = dt.timedelta(days=3)
"""Time between the notice and the lifting of a restriction."""
