"""Ordinary business and breaches of complaints and questions."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from troth.rehearsal import Inapplicable, World, breach
from troth.service.cases.content import CaseContent
from troth.service.cases.intake.receive import Intake, receive
from troth.service.cases.lifecycle import Actor
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.complaints.actions import answer
from troth.service.core.deployment import current
from troth.service.mail.models import LetterRow


def ordinary(world: World) -> None:
    """A complaint and a question are answered, and one of each is new."""
    for kind in (CaseKind.COMPLAINT, CaseKind.QUESTION):
        case = _write(world, kind)
        answer(case.pk, "We have looked into it.", current().without_own, who=Actor("staff"), now=world.now)
        _write(world, kind)


def _write(world: World, kind: CaseKind) -> Case:
    content = CaseContent(address="ann@example.org", message="What do you mean?")
    return receive(Intake(kind, content, Channel.CENTRE), current().without_own, now=world.now)


def _open(kind: CaseKind) -> Case:
    case = Case.objects.filter(kind=kind, closed_at=None).first()
    if case is None:
        raise Inapplicable("none is open")
    return case


def _answered(kind: CaseKind) -> QuerySet[Case]:
    cases = Case.objects.filter(kind=kind).exclude(closed_at=None)
    if not cases.exists():
        raise Inapplicable("none is answered")
    return cases


def _move(world: World, kind: CaseKind) -> None:
    """The open case is left lying, and its deadline is moved."""
    case = _open(kind)
    world.now += dt.timedelta(days=180)
    Case.objects.filter(pk=case.pk).update(due_on=world.now.date() + dt.timedelta(days=5))


@breach("complaints.acknowledged", "Nobody acknowledges a complaint for five weeks.")
def unacknowledged(world: World) -> None:
    received = world.now - dt.timedelta(days=35)
    Case.objects.filter(pk=_open(CaseKind.COMPLAINT).pk).update(acknowledged_at=None, received_at=received)


@breach("complaints.acknowledged", "A complaint is left without an outcome for half a year.")
def without_outcome(world: World) -> None:
    _open(CaseKind.COMPLAINT)
    world.now += dt.timedelta(days=180)


@breach("complaints.acknowledged", "A complaint is answered two days late.")
def complaint_answered_late(world: World) -> None:
    _answered(CaseKind.COMPLAINT).update(due_on=world.now.date() - dt.timedelta(days=2))


@breach("complaints.acknowledged", "Somebody moves the deadline of a complaint in the database, and leaves it lying.")
def moved_complaint(world: World) -> None:
    _move(world, CaseKind.COMPLAINT)


@breach(
    "complaints.acknowledged",
    "Somebody deletes a complaint that nobody has answered.",
    unseen="what is not in our own database any more is not counted",
)
def deleted_complaint(world: World) -> None:
    _open(CaseKind.COMPLAINT).delete()


@breach("complaints.questions_answered", "A question waits for three weeks.")
def unanswered(world: World) -> None:
    _open(CaseKind.QUESTION)
    world.now += dt.timedelta(days=21)


@breach("complaints.questions_answered", "A question is answered two days late.")
def question_answered_late(world: World) -> None:
    _answered(CaseKind.QUESTION).update(due_on=world.now.date() - dt.timedelta(days=2))


@breach("complaints.questions_answered", "The mail server refuses the answer to a question, and nobody tries again.")
def undelivered_answer(world: World) -> None:
    abouts = [case.about for case in _answered(CaseKind.QUESTION)]
    refused = {"state": LetterRow.State.FAILED, "reason": "550", "ended_at": world.now}
    if not LetterRow.objects.filter(about__in=abouts).update(**refused):
        raise Inapplicable("no answer by e-mail")


@breach(
    "complaints.questions_answered", "Somebody moves the deadline of a question in the database, and leaves it lying."
)
def moved_question(world: World) -> None:
    _move(world, CaseKind.QUESTION)


@breach(
    "complaints.questions_answered",
    "Somebody deletes a question that nobody has answered.",
    unseen="what is not in our own database any more is not counted",
)
def deleted_question(world: World) -> None:
    _open(CaseKind.QUESTION).delete()
