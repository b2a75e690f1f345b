"""Manual actions on a case: pause, extend, refuse, approve, answer, withdraw and others.

Each function is one transaction in Troth's own database: the case, its event, its ledger entry and its e-mail commit
together. Execution in the stores is in `fulfilment`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from troth.ledger import Entry, Hash, Pseudonym
from troth.ledger import Value as FieldValue
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import enqueue
from troth.service.core.ledger import record
from troth.service.requests.content import SealedContent, readable
from troth.service.requests.fulfilment.restriction import choices_in_force, restrictions_in_force
from troth.service.requests.lifecycle import (
    Actor,
    CaseRefused,
    announce_lift,
    close,
    locked,
    plan_approval,
    pseudonym_of,
    put_on_record,
    reckon,
    require_open,
    require_other,
    require_untouched,
    subject_of,
)
from troth.service.requests.messages import appealing, day, redress, write, write_to
from troth.service.requests.models import (
    Case,
    CaseAlias,
    CaseEvent,
    CaseKind,
    CaseOutcome,
    CasePause,
    CaseState,
    Right,
    WaitReason,
)
from troth.service.requests.verification.case_links import status_address
from troth.service.staff import approvals
from troth.service.staff.models import StaffMember


def pause(case_id: int, question: str, deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """Ask the person for information that the answer needs. Clocks that may pause are paused. Raises `CaseRefused`."""
    with transaction.atomic():
        case = locked(case_id)
        if case.state != CaseState.IN_PROGRESS:
            raise CaseRefused(f"{case.reference} cannot be paused: only a case in progress can")
        require_untouched(case)
        content = SealedContent(deployment.keyring).content(case)
        CasePause.objects.create(case=case, asked_at=now)
        case.state, before = CaseState.PAUSED, case.needs
        case.needs = ""
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, question=question), now=now)
        clocks = reckon(case, deployment, now=now)
        case.save()
        status = status_address(case, deployment, now=now)
        facts = {
            "right": case.right or case.kind,
            "needed": question,
            "clock": "paused" if clocks.first.is_paused else "runs",
            "asked": day(now, deployment),
            "due": clocks.first.on,
            "link": status,
        }
        again = str(case.pauses.count())
        write_to(content.address, case, "more_information", deployment, facts, now=now, again=again)
        put_on_record(case, "paused", who, deployment, now=now, due=case.due_on, facts={"needed": before})
        return case


def resume(case_id: int, answer_text: str, deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """Resume a paused case after the person has answered, or a handler has the information. The clocks run on."""
    with transaction.atomic():
        case = locked(case_id)
        if case.state != CaseState.PAUSED:
            raise CaseRefused(f"{case.reference} is not paused")
        content = SealedContent(deployment.keyring).content(case)
        case.pauses.filter(answered_at=None).update(answered_at=now)
        case.state, case.needs = (
            CaseState.IN_PROGRESS,
            WaitReason.REVIEW if case.kind == CaseKind.REQUEST else WaitReason.ANSWER,
        )
        message = "\n\n".join(part for part in (content.message, answer_text) if part)
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, message=message, question=""), now=now)
        reckon(case, deployment, now=now)
        case.save()
        again = str(case.pauses.count())
        facts = {"right": case.right or case.kind, "due": case.due_on}
        write_to(content.address, case, "resumed", deployment, facts, now=now, again=again)
        put_on_record(case, "resumed", who, deployment, now=now, due=case.due_on)
        return case


def extend(case_id: int, reasons: str, deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """Extend the deadline as the law allows, with reasons, before the first deadline has passed (GDPR Art. 12(3)).

    Raises `CaseRefused` if no applicable law gives more time, or if it is too late or already extended.
    """
    with transaction.atomic():
        case = locked(case_id)
        require_open(case)
        before = reckon(case, deployment, now=now).first
        if case.extended_at is not None:
            raise CaseRefused(f"{case.reference} was extended already; no law allows a second extension")
        if before.is_late(now):
            raise CaseRefused(
                f"{case.reference} was due on {before.on}: an extension must be announced before that day"
            )
        case.extended_at = now
        after = reckon(case, deployment, now=now).first
        if after.on == before.on:
            raise CaseRefused(f"{case.reference} cannot be extended: {before.rule} allows no extension")
        case.save()
        facts = {
            "right": case.right or case.kind,
            "received": day(case.received_at, deployment),
            "reasons": reasons,
            "due_before": before.on,
            "due": after.on,
            "cite": str(after.citation or before.citation),
            **redress(case, deployment),
        }
        write(case, "extended", deployment, facts, content=SealedContent(deployment.keyring).content(case), now=now)
        put_on_record(case, "extended", who, deployment, now=now, due=after.on)
        return case


def refuse(case_id: int, reasons: str, cite: str, deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """Refuse a case, with the reasons, the citation, and how to complain (GDPR Art. 12(4)). Raises `CaseRefused`."""
    with transaction.atomic():
        case = locked(case_id)
        require_open(case)
        require_untouched(case)
        require_other(case, who)
        if not reasons.strip() or not cite.strip():
            raise CaseRefused("a refusal needs its reasons and its legal ground (GDPR Art. 12(4))")
        content = SealedContent(deployment.keyring).content(case)
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, answer=reasons), now=now)
        facts = {
            "right": case.right or case.kind,
            "received": day(case.received_at, deployment),
            "reasons": reasons,
            "cite": cite,
            "status": status_address(case, deployment, now=now),
            **redress(case, deployment),
            **appealing(case, deployment),
        }
        write(case, "refused", deployment, facts, content=content, now=now)
        close(case, CaseOutcome.REFUSED, deployment, who=who, now=now, facts={"cite": cite})
        return case


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


def take(case_id: int, handler: Any, deployment: Deployment, *, who: Actor, now: dt.datetime) -> Case:
    """Assign the case to *handler*. Raises `CaseRefused` for a closed case."""
    with transaction.atomic():
        case = locked(case_id)
        require_open(case)
        require_other(case, who)
        if case.handler_id != handler.pk:
            case.handler = handler
            case.save(update_fields=["handler"])
            put_on_record(case, "assigned", who, deployment, now=now)
        return case


def confide(case_id: int, *, apart: bool, who: Actor, now: dt.datetime) -> Case:
    """Restrict the case to the data protection officer and the deputy (*apart*), or let handlers see it again. This
    removes its handler; someone with access must take it."""
    with transaction.atomic():
        case = locked(case_id)
        if case.is_confidential != apart:
            case.is_confidential = apart
            case.handler = None
            case.save(update_fields=["is_confidential", "handler"])
            what = "confided" if apart else "shared"
            CaseEvent.objects.create(case=case, at=now, what=what, actor=who.actor, by=who.by, is_internal=True)
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


def withdraw(case_id: int, deployment: Deployment, *, who: Actor, now: dt.datetime, is_denied: bool = False) -> Case:
    """Withdraw the case for the person; *is_denied*: they say that they authorised no agent. Raises `CaseRefused` if it
    is already being executed."""
    with transaction.atomic():
        case = locked(case_id)
        require_open(case)
        require_untouched(case)
        content = SealedContent(deployment.keyring).content(case)
        said = {"right": case.right or case.kind, "closed": day(now, deployment)}
        if choices_in_force(case).exists():
            said["lifted"] = "yes"
            enqueue("requests.lift", str(case.pk))
        said |= {"denied": "yes"} if is_denied else {}
        write(case, "withdrawn", deployment, said, content=content, now=now)
        close(case, CaseOutcome.WITHDRAWN, deployment, who=who, now=now, facts={"why": "denied"} if is_denied else {})
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
