"""Appeals: whoever was refused, or got a part of what they asked for, has somebody else look at it again.

An appeal is a case of its own, which refers to the first: with its own clock, and decided by nobody who decided that.
Where it is granted, what was asked for at first becomes a case once more, and is carried out.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.db import transaction

from troth.service.cases import arrival, life, links
from troth.service.cases.content import Content
from troth.service.cases.desk import Desk
from troth.service.cases.letters import day, redress, write
from troth.service.cases.models import Case, Channel, Event, Kind, Link, Needs, Outcome, Right, State

_CHANNEL_TIER = 1


def is_possible(case: Case) -> bool:
    """Whether *case* was answered in a way that one may appeal against, and nobody has yet."""
    return (
        case.kind == Kind.REQUEST
        and case.right != Right.APPEAL
        and case.state == State.CLOSED
        and case.outcome in (Outcome.REFUSED, Outcome.PARTLY_FULFILLED)
        and case.content is not None
        and not Case.objects.filter(answers_case=case.pk).exists()
    )


def open_appeal(
    case_id: int,
    text: str,
    desk: Desk,
    *,
    channel: Channel,
    is_proved: bool,
    now: dt.datetime,
    received_at: dt.datetime | None = None,
) -> Case:
    """Open an appeal against the answer to a case. Without *is_proved* a link goes to the address that we know first: a
    letter in its name is easily forged. Raises `life.CaseRefused` where there is nothing to appeal against."""
    with transaction.atomic():
        first = life.locked(case_id)
        if not is_possible(first):
            raise life.CaseRefused(f"{first.reference} was not refused, or somebody has appealed already")
        before = desk.papers.content(first)
        content = Content(
            address=before.address, identifiers=before.identifiers, rows=before.rows, name=before.name, message=text
        )
        intake = arrival.Intake(
            kind=Kind.REQUEST,
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
        opened = arrival.receive(intake, desk, now=now)
        Event.objects.create(case=first, at=now, what="appealed", actor="subject")
        return opened


def decide(
    case_id: int, text: str, desk: Desk, *, granted: bool, who: life.Who, now: dt.datetime, cite: str = ""
) -> Case | None:
    """Answer an appeal, in words; where it is *granted*, the case of what was asked for at first. Raises
    `life.CaseRefused`, also for whoever decided on the first."""
    with transaction.atomic():
        case = life.locked(case_id)
        if case.right != Right.APPEAL or case.needs != Needs.ANSWER:
            raise life.CaseRefused(f"{case.reference} is no appeal that waits for an answer")
        life.require_other(case, who)
        content = desk.papers.content(case)
        desk.papers.put(case, dataclasses.replace(content, answer=text), now=now)
        page = links.address_of(links.make(case, Link.Use.STATUS, now=now), desk)
        facts = {"received": day(case.received_at, desk), "answer": text, "granted": "yes" if granted else "no"}
        facts |= {"status": page, **({"cite": cite} if cite else {}), **redress(case, desk)}
        write(case, "appeal_answered", desk, facts, content=content, now=now)
        life.close(case, Outcome.FULFILLED if granted else Outcome.REFUSED, desk, who=who, now=now)
        return _once_more(case, desk, now) if granted else None


def _once_more(case: Case, desk: Desk, now: dt.datetime) -> Case:
    """What was asked for at first, as a case that begins now."""
    first = case.answers_case
    if first is None or first.content is None:
        raise life.CaseRefused("what was asked for at first is not kept any more; open it as a request of its own")
    intake = arrival.Intake(
        kind=Kind.REQUEST,
        content=dataclasses.replace(desk.papers.content(first), answer="", question=""),
        channel=Channel(case.channel),
        language=first.language,
        right=first.right,
        residence=first.residence,
        tier=first.tier,
        is_confidential=first.is_confidential,
        answers_case=case.pk,
    )
    return arrival.receive(intake, desk, now=now)
