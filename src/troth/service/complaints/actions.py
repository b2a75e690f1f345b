"""Answering complaints and questions, and opening and deciding appeals.

An appeal is a separate case that refers to the first one, with its own clock, and decided by someone not involved in
the first decision. If it is granted, the original request is opened again as a new case and executed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.db import transaction

from troth.service.cases import lifecycle
from troth.service.cases.case_links import status_address
from troth.service.cases.content import CaseContent, SealedContent, readable
from troth.service.cases.intake import receive
from troth.service.cases.messages import day, redress, write
from troth.service.cases.models import Case, CaseEvent, CaseKind, CaseOutcome, CaseState, Channel, Right, WaitReason
from troth.service.core.deployment import Deployment

_CHANNEL_TIER = 1


def may_appeal(case: Case) -> bool:
    """True if *case* was refused or partly fulfilled, and there is no appeal yet."""
    return (
        case.kind == CaseKind.REQUEST
        and case.right != Right.APPEAL
        and case.state == CaseState.CLOSED
        and case.outcome in (CaseOutcome.REFUSED, CaseOutcome.PARTLY_FULFILLED)
        and case.content is not None
        and not Case.objects.filter(answers_case=case.pk).exists()
    )


def open_appeal(
    case_id: int,
    text: str,
    deployment: Deployment,
    *,
    channel: Channel,
    is_proved: bool,
    now: dt.datetime,
    received_at: dt.datetime | None = None,
) -> Case:
    """Open an appeal against the answer to a case. Unless *is_proved*, a link is first sent to the known address,
    because e-mails are easily forged. Raises `lifecycle.CaseRefused` if an appeal is not possible."""
    with transaction.atomic():
        first = lifecycle.locked(case_id)
        if not may_appeal(first):
            raise lifecycle.CaseRefused(f"{first.reference} was not refused, or somebody has appealed already")
        before = SealedContent(deployment.keyring).content(first)
        content = CaseContent(
            address=before.address, identifiers=before.identifiers, rows=before.rows, name=before.name, message=text
        )
        intake = receive.Intake(
            kind=CaseKind.REQUEST,
            content=content,
            channel=channel,
            language=first.language,
            right=Right.APPEAL,
            residence=first.residence,
            tier=max(first.tier, _CHANNEL_TIER) if is_proved else 0,
            is_confidential=first.is_confidential,
            received_at=received_at,
            answers_case=first.pk,
        )
        opened = receive.receive(intake, deployment, now=now)
        CaseEvent.objects.create(case=first, at=now, what="appealed", actor="subject")
        return opened


def decide(
    case_id: int,
    text: str,
    deployment: Deployment,
    *,
    granted: bool,
    who: lifecycle.Actor,
    now: dt.datetime,
    cite: str = "",
) -> Case | None:
    """Answer an appeal; if *granted*, return the new case for the original request. Raises `lifecycle.CaseRefused`,
    also for anyone involved in the first decision."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        if case.right != Right.APPEAL or case.needs != WaitReason.ANSWER:
            raise lifecycle.CaseRefused(f"{case.reference} is no appeal that waits for an answer")
        lifecycle.require_other(case, who)
        content = SealedContent(deployment.keyring).content(case)
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, answer=text), now=now)
        page = status_address(case, deployment, now=now)
        facts = {"received": day(case.received_at, deployment), "answer": text, "granted": "yes" if granted else "no"}
        facts |= {"status": page, **({"cite": cite} if cite else {}), **redress(case, deployment)}
        write(case, "appeal_answered", deployment, facts, content=content, now=now, by_staff=True)
        lifecycle.close(case, CaseOutcome.FULFILLED if granted else CaseOutcome.REFUSED, deployment, who=who, now=now)
        return receive.open_again(case, deployment, now=now) if granted else None


def answer(
    case_id: int, text: str, deployment: Deployment, *, who: lifecycle.Actor, now: dt.datetime, remedy: str = ""
) -> Case:
    """Answer a question or complaint, and close the case. Raises `CaseRefused`."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        lifecycle.require_open(case)
        if case.needs != WaitReason.ANSWER or case.right == Right.APPEAL:
            raise lifecycle.CaseRefused(
                f"{case.reference} is not a case that is answered in writing: only questions and complaints are"
            )
        content = SealedContent(deployment.keyring).content(case)
        SealedContent(deployment.keyring).put(case, dataclasses.replace(content, answer=text), now=now)
        received = day(case.received_at, deployment)
        if case.kind == CaseKind.QUESTION:
            # Never send typed text to an unverified address: somebody could use us to mail text to its owner.
            quoted = readable(content.message)[:1_000].strip() if case.tier else ""
            asked = {"asked": quoted} if quoted else {}
            kind, facts = "question_answered", {"received": received, "answer": text, **asked}
        else:
            kind, facts = "complaint_outcome", {"received": received, "outcome": text}
            facts |= {"remedy": remedy} if remedy else {}
        write(case, kind, deployment, facts, content=content, now=now, by_staff=True)
        lifecycle.close(case, CaseOutcome.FULFILLED, deployment, who=who, now=now)
        return case
