"""Ordinary business and breaches of complaints and questions."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from troth.rehearsal import Inapplicable, World, register
from troth.service.cases.content import CaseContent
from troth.service.cases.intake.receive import Intake, receive
from troth.service.cases.lifecycle import Actor
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.complaints.actions import answer
from troth.service.core.deployment import current
from troth.service.mail.models import LetterRow
from troth.service.mail.rehearsal import refuse


def ordinary(world: World) -> None:
    """A complaint and a question are answered, and one of each is new."""
    for kind in (CaseKind.COMPLAINT, CaseKind.QUESTION):
        case = _write(world, kind)
        answer(case.pk, "We have looked into it.", current().without_own, who=Actor("staff"), now=world.now)
        _write(world, kind)


def _write(world: World, kind: CaseKind) -> Case:
    content = CaseContent(address="ann@example.org", message="What do you mean?")
    return receive(Intake(kind, content, Channel.CENTRE), current().without_own, now=world.now)


def _open(kind: str) -> QuerySet[Case]:
    """The first case without an answer."""
    cases = Case.objects.filter(kind=kind, closed_at=None)
    if not cases:
        raise Inapplicable("none is open")
    return cases.filter(pk=cases[0].pk)


def _answered(kind: str) -> QuerySet[Case]:
    cases = Case.objects.filter(kind=kind).exclude(closed_at=None)
    if not cases.exists():
        raise Inapplicable("none is answered")
    return cases


def answered_late(world: World, kind: str) -> None:
    _answered(kind).update(due_on=world.now.date() - dt.timedelta(days=2))


def left(world: World, kind: str, days: int) -> None:
    _open(kind)
    world.wait(days)


def moved(world: World, kind: str) -> None:
    """The open case is left lying, and its deadline is moved."""
    case = _open(kind)
    world.wait(180)
    case.update(due_on=world.now.date() + dt.timedelta(days=5))


def deleted(world: World, kind: str) -> None:
    _open(kind).delete()


def unacknowledged(world: World) -> None:
    _open(CaseKind.COMPLAINT).update(acknowledged_at=None, received_at=world.now - dt.timedelta(days=35))


def undelivered_answer(world: World) -> None:
    abouts = [case.about for case in _answered(CaseKind.QUESTION)]
    refuse(LetterRow.objects.filter(about__in=abouts), world)


register(__name__)
