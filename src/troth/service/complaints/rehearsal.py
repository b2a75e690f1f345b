"""Ordinary business and breaches of complaints and questions."""

from __future__ import annotations

import datetime as dt

from troth.rehearsal import Inapplicable, World, breach
from troth.service.cases.content import CaseContent
from troth.service.cases.intake.receive import Intake, receive
from troth.service.cases.lifecycle import Actor
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.complaints.actions import answer
from troth.service.core.deployment import current


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


@breach("complaints.acknowledged", "Nobody acknowledges a complaint for five weeks.")
def unacknowledged(world: World) -> None:
    received = world.now - dt.timedelta(days=35)
    Case.objects.filter(pk=_open(CaseKind.COMPLAINT).pk).update(acknowledged_at=None, received_at=received)


@breach("complaints.acknowledged", "A complaint is left without an outcome for half a year.")
def without_outcome(world: World) -> None:
    _open(CaseKind.COMPLAINT)
    world.now += dt.timedelta(days=180)


@breach("complaints.questions_answered", "A question waits for three weeks.")
def unanswered(world: World) -> None:
    _open(CaseKind.QUESTION)
    world.now += dt.timedelta(days=21)
