"""Actions that a handler or officer may take on a case: each with its labels, its form, and when it is offered. The
views are in `console.cases`; `actions` of the app executes them, and refuses invalid ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from troth.service.cases import actions, lifecycle
from troth.service.cases.console.case_page import ConsoleCasePage
from troth.service.cases.console.forms import (
    ActionForm,
    ClarificationForm,
    NoteForm,
    ReasonsForm,
    RefusalForm,
    ResumeForm,
)
from troth.service.cases.handling import handling_of
from troth.service.cases.models import Case, CaseState, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.rights import StaffRight as Leave


@dataclass(frozen=True, slots=True)
class At:
    """Context of an action: request, case, deployment, actor and time."""

    request: HttpRequest
    case: Case
    deployment: Deployment
    who: lifecycle.Actor
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class ConsoleAction:
    """An action that a handler may take on a case, with its own form, offered if the case's state allows it."""

    title: Any
    button: Any
    do: Callable[[At, Mapping[str, Any]], object]
    is_offered: Callable[[ConsoleCasePage], bool]
    form: type[ActionForm] | None = None
    hint: Any = ""
    is_for_officer: bool = False
    place: int = 500
    """Where it stands among the actions."""
    is_first: bool = False
    """Whether it is the one that the case waits for, wherever it is offered."""
    query: Callable[[Case], Mapping[str, str]] = lambda case: {}
    """Query parameters of the page that follows."""


@dataclass(frozen=True, slots=True)
class Offered:
    """An action as the page shows it."""

    name: str
    action: ConsoleAction
    form: forms.Form | None
    is_open: bool


def _withdraw(at: At, given: Mapping[str, Any]) -> None:
    with transaction.atomic():
        lifecycle.note(at.case, given["text"], at.deployment, who=at.who, now=at.now)
        actions.withdraw(at.case.pk, at.deployment, who=at.who, now=at.now)


def is_idle(made: ConsoleCasePage) -> bool:
    """True if the case is open and not being executed."""
    return not made.is_closed and made.case.batch_id is None and made.case.needs != WaitReason.SYSTEMS


def waits_for(made: ConsoleCasePage, *wanted: str) -> bool:
    return made.case.needs in wanted


ACTIONS: Mapping[str, ConsoleAction] = {
    "resume": ConsoleAction(
        _("The person has answered"),
        _("Go on"),
        lambda at, given: actions.resume(at.case.pk, given["text"], at.deployment, who=at.who, now=at.now),
        lambda made: made.case.state == CaseState.PAUSED,
        ResumeForm,
        hint=_("If the answer came another way, by telephone or letter."),
        place=50,
    ),
    "take": ConsoleAction(
        _("Take it"),
        _("Take it"),
        lambda at, given: actions.take(at.case.pk, at.request.user, at.deployment, who=at.who, now=at.now),
        lambda made: not made.is_closed and (made.case.handler_id is None or made.case.handler_id != made.mine),
        hint=_("You work on it from now on. Nobody approves the plan of a case that they work on."),
        place=60,
    ),
    "ask": ConsoleAction(
        _("Ask the person for something"),
        _("Send the question, and pause"),
        lambda at, given: actions.pause(at.case.pk, given["question"], at.deployment, who=at.who, now=at.now),
        lambda made: made.case.state == CaseState.IN_PROGRESS and is_idle(made),
        ClarificationForm,
        hint=_("Only ask for what the answer needs. Clocks that may be paused are paused."),
        place=80,
    ),
    "extend": ConsoleAction(
        _("Take more time"),
        _("Tell the person, and extend"),
        lambda at, given: actions.extend(at.case.pk, given["reasons"], at.deployment, who=at.who, now=at.now),
        lambda made: not made.is_closed and made.case.extended_at is None and not made.row.is_late,
        ReasonsForm,
        hint=_("Only once, before the deadline, and if the request is complex or there are many (GDPR Art. 12(3))."),
        place=90,
    ),
    "refuse": ConsoleAction(
        _("Refuse"),
        _("Send the refusal, and close"),
        lambda at, given: actions.refuse(
            at.case.pk, given["reasons"], given["law"], at.deployment, who=at.who, now=at.now
        ),
        is_idle,
        RefusalForm,
        hint=_("The e-mail says why, on which legal ground, and whom the person may turn to."),
        place=100,
    ),
    "withdraw": ConsoleAction(
        _("The person withdraws it"),
        _("Confirm it by e-mail, and close"),
        _withdraw,
        is_idle,
        NoteForm,
        hint=_("Note how and when they told you."),
        place=110,
    ),
    "note": ConsoleAction(
        _("Write a note"),
        _("Keep the note"),
        lambda at, given: lifecycle.note(at.case, given["text"], at.deployment, who=at.who, now=at.now),
        lambda made: made.content is not None,
        NoteForm,
        place=130,
    ),
    "confide": ConsoleAction(
        _("Hand it to the officer"),
        _("For the officer and the deputy alone"),
        lambda at, given: actions.confide(at.case.pk, apart=True, who=at.who, now=at.now),
        lambda made: not made.case.is_confidential,
        hint=_("Handlers no longer see it, nor do you unless you are one of the two."),
        place=140,
    ),
    "share": ConsoleAction(
        _("Let handlers see it"),
        _("No longer confidential"),
        lambda at, given: actions.confide(at.case.pk, apart=False, who=at.who, now=at.now),
        lambda made: made.case.is_confidential,
        is_for_officer=True,
        place=150,
    ),
}
"""Actions on every case."""


def actions_on(case: Case) -> dict[str, ConsoleAction]:
    """Actions on *case*, in their order on its page."""
    known = {**ACTIONS, **handling_of(case.type).actions}
    return dict(sorted(known.items(), key=lambda named: named[1].place))


def offered(
    request: HttpRequest, made: ConsoleCasePage, deployment: Deployment, tried: str, form: forms.Form | None
) -> list[Offered]:
    """Actions that the sender of *request* may take on the case now, the recommended one first."""
    standing = standing_of(request)
    if not standing.may(Leave.CASES_HANDLE):
        return []
    known = [
        Offered(name, action, form if name == tried and form else form_of(name, made.case, deployment), name == tried)
        for name, action in actions_on(made.case).items()
        if (standing.is_officer or not action.is_for_officer) and action.is_offered(made)
    ]
    return sorted(known, key=lambda offered: not offered.action.is_first)


def form_of(name: str, row: Case, deployment: Deployment, given: Any = None) -> forms.Form | None:
    """The form of an action, with unique element ids so that a page can contain several; None if it has no form."""
    form = actions_on(row)[name].form
    return form(given, auto_id=f"{name}_%s", case=row, declaration=deployment.declaration) if form is not None else None
