"""Manual actions on any case: pause, resume, extend, refuse, assign, withdraw, approve.

Each function is one transaction in Troth's own database: the case, its event, its ledger entry and its e-mail commit
together.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.db import transaction

from troth.ledger import Entry, Hash
from troth.service.cases import lifecycle
from troth.service.cases.case_links import status_address
from troth.service.cases.content import SealedContent
from troth.service.cases.handling import case_types, handling_of
from troth.service.cases.messages import day, redress, write, write_to
from troth.service.cases.models import Case, CaseEvent, CaseOutcome, CasePause, CaseState, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record
from troth.service.staff import approvals
from troth.service.staff.models import StaffMember


def pause(case_id: int, question: str, deployment: Deployment, *, who: lifecycle.Actor, now: dt.datetime) -> Case:
    """Ask the person for information that the answer needs. Clocks that may pause are paused. Raises `CaseRefused`."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        if case.state != CaseState.IN_PROGRESS:
            raise lifecycle.CaseRefused(f"{case.reference} cannot be paused: only a case in progress can")
        lifecycle.require_untouched(case)
        content = SealedContent(deployment.keyring).content(case)
        CasePause.objects.create(case=case, asked_at=now)
        case.state, before = CaseState.PAUSED, case.needs
        case.needs = ""
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, question=question), now=now)
        clocks = lifecycle.reckon(case, deployment, now=now)
        case.save()
        status = status_address(case, deployment, now=now)
        facts = {
            "right": case.type,
            "needed": question,
            "clock": "paused" if clocks.first.is_paused else "runs",
            "asked": day(now, deployment),
            "due": clocks.first.on,
            "link": status,
        }
        again = str(case.pauses.count())
        write_to(content.address, case, "more_information", deployment, facts, now=now, again=again, by_staff=True)
        lifecycle.put_on_record(case, "paused", who, deployment, now=now, due=case.due_on, facts={"needed": before})
        return case


def resume(case_id: int, answer_text: str, deployment: Deployment, *, who: lifecycle.Actor, now: dt.datetime) -> Case:
    """Resume a paused case after the person has answered, or a handler has the information. The clocks run on."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        if case.state != CaseState.PAUSED:
            raise lifecycle.CaseRefused(f"{case.reference} is not paused")
        content = SealedContent(deployment.keyring).content(case)
        case.pauses.filter(answered_at=None).update(answered_at=now)
        case.state, case.needs = (
            CaseState.IN_PROGRESS,
            WaitReason.ANSWER if case_types()[case.type].is_answered else WaitReason.REVIEW,
        )
        message = "\n\n".join(part for part in (content.message, answer_text) if part)
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, message=message, question=""), now=now)
        lifecycle.reckon(case, deployment, now=now)
        case.save()
        again = str(case.pauses.count())
        facts = {"right": case.type, "due": case.due_on}
        write_to(content.address, case, "resumed", deployment, facts, now=now, again=again)
        lifecycle.put_on_record(case, "resumed", who, deployment, now=now, due=case.due_on)
        return case


def extend(case_id: int, reasons: str, deployment: Deployment, *, who: lifecycle.Actor, now: dt.datetime) -> Case:
    """Extend the deadline as the law allows, with reasons, before the first deadline has passed (GDPR Art. 12(3)).

    Raises `CaseRefused` if no applicable law gives more time, or if it is too late or already extended.
    """
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        lifecycle.require_open(case)
        before = lifecycle.reckon(case, deployment, now=now).first
        if case.extended_at is not None:
            raise lifecycle.CaseRefused(f"{case.reference} was extended already; no law allows a second extension")
        if before.is_late(now):
            raise lifecycle.CaseRefused(
                f"{case.reference} was due on {before.on}: an extension must be announced before that day"
            )
        case.extended_at = now
        after = lifecycle.reckon(case, deployment, now=now).first
        if after.on == before.on:
            raise lifecycle.CaseRefused(f"{case.reference} cannot be extended: {before.rule} allows no extension")
        case.save()
        facts = {
            "right": case.type,
            "received": day(case.received_at, deployment),
            "reasons": reasons,
            "due_before": before.on,
            "due": after.on,
            "cite": str(after.citation or before.citation),
            **redress(case, deployment),
        }
        content = SealedContent(deployment.keyring).content(case)
        write(case, "extended", deployment, facts, content=content, now=now, by_staff=True)
        lifecycle.put_on_record(case, "extended", who, deployment, now=now, due=after.on)
        return case


def refuse(
    case_id: int, reasons: str, cite: str, deployment: Deployment, *, who: lifecycle.Actor, now: dt.datetime
) -> Case:
    """Refuse a case, with the reasons, the citation, and how to complain (GDPR Art. 12(4)). Raises `CaseRefused`."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        lifecycle.require_open(case)
        lifecycle.require_untouched(case)
        lifecycle.require_other(case, who)
        if not reasons.strip() or not cite.strip():
            raise lifecycle.CaseRefused("a refusal needs its reasons and its legal ground (GDPR Art. 12(4))")
        content = SealedContent(deployment.keyring).content(case)
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, answer=reasons), now=now)
        facts = {
            "right": case.type,
            "received": day(case.received_at, deployment),
            "reasons": reasons,
            "cite": cite,
            "status": status_address(case, deployment, now=now),
            **redress(case, deployment, is_less=True),
        }
        write(case, "refused", deployment, facts, content=content, now=now, by_staff=True)
        lifecycle.close(case, CaseOutcome.REFUSED, deployment, who=who, now=now, facts={"cite": cite})
        return case


def take(case_id: int, handler: Any, deployment: Deployment, *, who: lifecycle.Actor, now: dt.datetime) -> Case:
    """Assign the case to *handler*. Raises `CaseRefused` for a closed case."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        lifecycle.require_open(case)
        lifecycle.require_other(case, who)
        if case.handler_id != handler.pk:
            case.handler = handler
            case.save(update_fields=["handler"])
            lifecycle.put_on_record(case, "assigned", who, deployment, now=now)
        return case


def confide(case_id: int, *, apart: bool, who: lifecycle.Actor, now: dt.datetime) -> Case:
    """Restrict the case to the data protection officer and the deputy (*apart*), or let handlers see it again. This
    removes its handler; someone with access must take it."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        if case.is_confidential != apart:
            case.is_confidential = apart
            case.handler = None
            case.save(update_fields=["is_confidential", "handler"])
            what = "confided" if apart else "shared"
            CaseEvent.objects.create(case=case, at=now, what=what, actor=who.actor, by=who.by, is_internal=True)
        return case


def withdraw(
    case_id: int, deployment: Deployment, *, who: lifecycle.Actor, now: dt.datetime, is_denied: bool = False
) -> Case:
    """Withdraw the case for the person; *is_denied*: they say that they authorised no agent. Raises `CaseRefused` if it
    is already being executed."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        lifecycle.require_open(case)
        lifecycle.require_untouched(case)
        content = SealedContent(deployment.keyring).content(case)
        said = {"right": case.type, "closed": day(now, deployment)}
        said |= handling_of(case.type).withdrawing(case)
        said |= {"denied": "yes"} if is_denied else {}
        write(case, "withdrawn", deployment, said, content=content, now=now)
        lifecycle.close(
            case, CaseOutcome.WITHDRAWN, deployment, who=who, now=now, facts={"why": "denied"} if is_denied else {}
        )
        return case


def approve(case_id: int, plan_hash: str, by: StaffMember, deployment: Deployment, *, now: dt.datetime) -> Case:
    """Approve exactly the plan shown, by a person not otherwise involved in the case. It is executed next.

    Raises `OwnPlan` if the person was involved, `CaseRefused` if the case's plan has changed.
    """
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        if case.state != CaseState.IN_PROGRESS or case.needs != WaitReason.APPROVAL:
            raise lifecycle.CaseRefused(f"{case.reference} does not wait for an approval")
        if not case.plan_hash or case.plan_hash != plan_hash:
            raise lifecycle.CaseRefused("the plan has changed since it was shown to you; read it again")
        approvals.approve(lifecycle.plan_approval(case, plan_hash), by=by, asked_by=involved(case), now=now)
        case.needs = ""
        case.save(update_fields=["needs"])
        CaseEvent.objects.create(case=case, at=now, what="approved", actor="staff", by=by.pseudonym, is_internal=True)
        if case.subject:
            fields = lifecycle.entry_fields(case, lifecycle.Actor("staff", by.pseudonym), deployment)
            record(Entry("plan.approved", now, fields | {"plan": Hash(plan_hash), "right": case.right}))
        return case


def involved(case: Case) -> frozenset[str]:
    """Pseudonyms of the case's handler, and of those who acted on it other than by approving its plans, for example
    opened it or added notes."""
    handler = StaffMember.objects.filter(user=case.handler_id).values_list("pseudonym", flat=True)
    return frozenset([*handler, *case.events.exclude(by="").exclude(what="approved").values_list("by", flat=True)])
