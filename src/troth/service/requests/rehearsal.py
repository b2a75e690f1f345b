"""Ordinary business and breaches of requests: asked, answered, and told to recipients."""

from __future__ import annotations

import datetime as dt
import threading

from troth.rehearsal import Inapplicable, InventedPerson, World, breach
from troth.service.api.models import ApiToken
from troth.service.api.tokens import make
from troth.service.cases.content import CaseContent
from troth.service.cases.intake.mailbox import READ_AT
from troth.service.cases.intake.receive import Intake, receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.core import timestamps
from troth.service.core.deployment import current
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.disclosures.models import RecipientNotification
from troth.service.requests.duty import CASES_WRITE
from troth.service.requests.models import CaseReceipt


def ordinary(world: World) -> None:
    """Somebody sees their data, somebody has it erased, and somebody still waits; the mailbox is read."""
    if not world.people:
        return
    _ask(world, "view", world.people[0])
    _ask(world, "erase", world.people[-1])
    world.now += dt.timedelta(minutes=2)  # batches wait a moment for further requests
    run_jobs(threading.Event(), clock=lambda: world.now, pace=Pace(look_s=0.02), until_idle=True)
    timestamps.note(READ_AT, world.now)
    if world.declaration.requests.by_api:
        make("shop", [CASES_WRITE], until=world.now + dt.timedelta(days=300), now=world.now)
    _ask(world, "view", world.people[1])


def _ask(world: World, right: str, person: InventedPerson) -> Case:
    address = person.identifier("email")
    content = CaseContent(address=address, identifiers=(("email", address),))
    intake = Intake(CaseKind.REQUEST, content, Channel.CENTRE, right=right, tier=1)
    return receive(intake, current().without_own, now=world.now)


def _requests() -> list[Case]:
    cases = list(Case.objects.filter(kind=CaseKind.REQUEST))
    if not cases:
        raise Inapplicable("no request")
    return cases


@breach("requests.answered_in_time", "Requests are left lying for three months.")
def left_lying(world: World) -> None:
    if not Case.objects.filter(kind=CaseKind.REQUEST, closed_at=None).exists():
        raise Inapplicable("no open request")
    world.now += dt.timedelta(days=100)


@breach("requests.answered_in_time", "A request is answered two days late.")
def answered_late(world: World) -> None:
    closed = [case for case in _requests() if case.closed_at is not None]
    if not closed:
        raise Inapplicable("no answered request")
    due = world.now.date() - dt.timedelta(days=2)
    Case.objects.filter(pk=closed[0].pk).update(due_on=due)


@breach("requests.every_channel", "Nobody reads the mailbox for two days.")
def unread_mailbox(world: World) -> None:
    if not world.declaration.requests.by_mail:
        raise Inapplicable("no mailbox is declared")
    timestamps.note(READ_AT, world.now - dt.timedelta(days=2))


@breach("requests.every_channel", "The token with which applications open requests runs out.")
def lapsed_token(world: World) -> None:
    if not ApiToken.objects.update(ended_at=world.now):
        raise Inapplicable("no token")


@breach("requests.recipients_told", "The notices to recipients are deleted before they are sent.")
def dropped_notices(world: World) -> None:
    if not RecipientNotification.objects.all().delete()[0]:
        raise Inapplicable("no notice")


@breach("core.held_cases_freeze_deletion", "Data is erased although the person waits to see it.")
def erased_meanwhile(world: World) -> None:
    waiting = Case.objects.filter(closed_at=None).exclude(subject="").first()
    receipt = CaseReceipt.objects.filter(case__right="erase").first()
    if waiting is None or receipt is None:
        raise Inapplicable("no request to see is open")
    Case.objects.filter(pk=receipt.case_id).update(subject=waiting.subject)
    CaseReceipt.objects.filter(pk=receipt.pk).update(at=world.now + dt.timedelta(seconds=1))
