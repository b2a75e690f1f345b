"""Manual actions on a case: pause, extend, refuse, approve, answer, withdraw and others.

Each function is one transaction in Troth's own database: the case, its event, its ledger entry and its e-mail commit
together. Execution in the stores is in `fulfilment`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from troth.ledger import Entry, Hash, Pseudonym
from troth.ledger import Value as FieldValue
from troth.service.cases.content import SealedContent, readable
from troth.service.cases.lifecycle import (
    Actor,
    CaseRefused,
    announce_lift,
    close,
    locked,
    plan_approval,
    pseudonym_of,
    put_on_record,
    require_open,
    subject_of,
)
from troth.service.cases.messages import day, write
from troth.service.cases.models import (
    Case,
    CaseAlias,
    CaseEvent,
    CaseKind,
    CaseOutcome,
    CaseState,
    Right,
    WaitReason,
)
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record
from troth.service.requests.fulfilment.restriction import restrictions_in_force
from troth.service.staff import approvals
from troth.service.staff.models import StaffMember


def approve(case_id: int, plan_hash: str, by: StaffMember, deployment: Deployment, *, now: dt.datetime) -> Case:
    """Approve exactly the plan shown, by a person not otherwise involved in the case. It is executed next.

    Raises `OwnPlan` if the person was involved, `CaseRefused` if the case's plan has changed.
    """
    with transaction.atomic():
        case = locked(case_id)
        if case.state != CaseState.IN_PROGRESS or case.needs != WaitReason.APPROVAL:
            raise CaseRefused(f"{case.reference} does not wait for an approval")
        if not case.plan_hash or case.plan_hash != plan_hash:
            raise CaseRefused("the plan has changed since it was shown to you; read it again")
        approvals.approve(plan_approval(case, plan_hash), by=by, asked_by=involved(case), now=now)
        case.needs = ""
        case.save(update_fields=["needs"])
        CaseEvent.objects.create(case=case, at=now, what="approved", actor="staff", by=by.pseudonym, is_internal=True)
        if case.subject:
            said: dict[str, FieldValue] = {
                "plan": Hash(plan_hash),
                "right": case.right,
                "subject": Pseudonym(case.subject),
                "actor": "staff",
                "by": Pseudonym(by.pseudonym),
                "case": pseudonym_of(case, deployment),
            }
            record(Entry("plan.approved", now, said))
        return case


def involved(case: Case) -> frozenset[str]:
    """Pseudonyms of the case's handler, and of those who acted on it other than by approving its plans, for example
    opened it or added notes."""
    handler = StaffMember.objects.filter(user=case.handler_id).values_list("pseudonym", flat=True)
    return frozenset([*handler, *case.events.exclude(by="").exclude(what="approved").values_list("by", flat=True)])


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


def answer(case_id: int, text: str, deployment: Deployment, *, who: Actor, now: dt.datetime, remedy: str = "") -> Case:
    """Answer a question or complaint, and close the case. Raises `CaseRefused`."""
    with transaction.atomic():
        case = locked(case_id)
        require_open(case)
        if case.needs != WaitReason.ANSWER or case.right == Right.APPEAL:
            raise CaseRefused(
                f"{case.reference} is not a case that is answered in writing: only questions and complaints are"
            )
        content = SealedContent(deployment.keyring).content(case)
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, answer=text), now=now)
        received = day(case.received_at, deployment)
        if case.kind == CaseKind.QUESTION:
            # Never send typed text to an unverified address: somebody could use us to mail text to its owner.
            quoted = readable(content.message)[:1_000].strip() if case.tier else ""
            asked = {"asked": quoted} if quoted else {}
            write(
                case,
                "question_answered",
                deployment,
                {"received": received, "answer": text, **asked},
                content=content,
                now=now,
            )
        else:
            facts = {"received": received, "outcome": text, **({"remedy": remedy} if remedy else {})}
            write(case, "complaint_outcome", deployment, facts, content=content, now=now)
        close(case, CaseOutcome.FULFILLED, deployment, who=who, now=now)
        return case
