"""Actions that a handler or officer may take on a case: each with its labels, its form, and when it is offered. The
views are in `console.cases`; `requests.actions` executes the actions, and refuses invalid ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from troth.service.cases import actions as case_actions
from troth.service.cases import lifecycle
from troth.service.cases.console.case_page import ConsoleCasePage, grounds, rows_in_question
from troth.service.cases.console.forms import (
    AnswerForm,
    ChoiceForm,
    ClarificationForm,
    NoteForm,
    ReasonsForm,
    RefusalForm,
    ResumeForm,
)
from troth.service.cases.models import Case, CaseState, Right, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.requests import actions
from troth.service.requests.fulfilment import preview
from troth.service.requests.responses import appeals
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
    form: type[forms.Form] | None = None
    hint: Any = ""
    is_for_officer: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """An action as the page shows it."""

    name: str
    title: str
    button: str
    hint: str
    form: forms.Form | None
    is_first: bool
    is_open: bool


def _take(at: At, given: Mapping[str, Any]) -> None:
    case_actions.take(at.case.pk, at.request.user, at.deployment, who=at.who, now=at.now)


def _confide(at: At, given: Mapping[str, Any]) -> None:
    case_actions.confide(at.case.pk, apart=True, who=at.who, now=at.now)


def _share(at: At, given: Mapping[str, Any]) -> None:
    case_actions.confide(at.case.pk, apart=False, who=at.who, now=at.now)


def _ask(at: At, given: Mapping[str, Any]) -> None:
    case_actions.pause(at.case.pk, given["question"], at.deployment, who=at.who, now=at.now)


def _resume(at: At, given: Mapping[str, Any]) -> None:
    case_actions.resume(at.case.pk, given["text"], at.deployment, who=at.who, now=at.now)


def _extend(at: At, given: Mapping[str, Any]) -> None:
    case_actions.extend(at.case.pk, given["reasons"], at.deployment, who=at.who, now=at.now)


def _refuse(at: At, given: Mapping[str, Any]) -> None:
    case_actions.refuse(at.case.pk, given["reasons"], given["law"], at.deployment, who=at.who, now=at.now)


def _answer(at: At, given: Mapping[str, Any]) -> None:
    if at.case.right == Right.APPEAL:
        appeals.decide(at.case.pk, given["text"], at.deployment, granted=given["granted"], who=at.who, now=at.now)
        return
    actions.answer(at.case.pk, given["text"], at.deployment, who=at.who, now=at.now, remedy=given.get("remedy", ""))


def _rows(at: At, given: Mapping[str, Any]) -> None:
    actions.choose_rows(at.case.pk, given["chosen"], at.deployment, who=at.who, now=at.now)


def _again(at: At, given: Mapping[str, Any]) -> None:
    actions.try_again(at.case.pk, at.deployment, who=at.who, now=at.now)


def _grant(at: At, given: Mapping[str, Any]) -> None:
    actions.grant(at.case.pk, at.deployment, who=at.who, now=at.now)


def _plan(at: At, given: Mapping[str, Any]) -> None:
    preview.previewed(at.case, at.deployment, at=at.now)


def _note(at: At, given: Mapping[str, Any]) -> None:
    lifecycle.note(at.case, given["text"], at.deployment, who=at.who, now=at.now)


def _withdraw(at: At, given: Mapping[str, Any]) -> None:
    with transaction.atomic():
        lifecycle.note(at.case, given["text"], at.deployment, who=at.who, now=at.now)
        case_actions.withdraw(at.case.pk, at.deployment, who=at.who, now=at.now)


def _lift(at: At, given: Mapping[str, Any]) -> None:
    actions.lift(at.case.pk, given["reasons"], at.deployment, who=at.who, now=at.now)


def _is_idle(made: ConsoleCasePage) -> bool:
    """True if the case is open and not being executed."""
    return not made.is_closed and made.case.batch_id is None and made.case.needs != WaitReason.SYSTEMS


def _needs(made: ConsoleCasePage, *wanted: str) -> bool:
    return made.case.needs in wanted


_CHANGING = (Right.AMEND, Right.ERASE, Right.RESTRICT, Right.OBJECT, Right.WITHDRAW)

ACTS: Mapping[str, ConsoleAction] = {
    "rows": ConsoleAction(
        _("Choose the person's rows"),
        _("Continue with these rows"),
        _rows,
        lambda made: _needs(made, WaitReason.REVIEW),
        ChoiceForm,
        hint=_("The case continues with exactly these rows."),
    ),
    "answer": ConsoleAction(
        _("Answer"), _("Send the answer, and close"), _answer, lambda made: _needs(made, WaitReason.ANSWER), AnswerForm
    ),
    "grant": ConsoleAction(
        _("Grant the objection"),
        _("Stop the use for good"),
        _grant,
        lambda made: _needs(made, WaitReason.WEIGHING),
        hint=_(
            "Unless compelling grounds override the interests of this person, or a legal claim needs the data (GDPR "
            "Art. 21(1)). If so, refuse, and say what they are."
        ),
    ),
    "again": ConsoleAction(
        _("Try again"),
        _("Carry it out again"),
        _again,
        lambda made: _needs(made, WaitReason.REVIEW) and bool(made.case.subject),
        hint=_("After something was fixed, or checked and found to be right."),
    ),
    "resume": ConsoleAction(
        _("The person has answered"),
        _("Go on"),
        _resume,
        lambda made: made.case.state == CaseState.PAUSED,
        ResumeForm,
        hint=_("If the answer came another way, by telephone or letter."),
    ),
    "take": ConsoleAction(
        _("Take it"),
        _("Take it"),
        _take,
        lambda made: not made.is_closed and (made.case.handler_id is None or made.case.handler_id != made.mine),
        hint=_("You work on it from now on. Nobody approves the plan of a case that they work on."),
    ),
    "plan": ConsoleAction(
        _("Show what would be done"),
        _("Look now"),
        _plan,
        lambda made: _is_idle(made) and made.case.right in _CHANGING and made.case.state == CaseState.IN_PROGRESS,
        hint=_("Searches every system and shows places, counts and grounds. Nothing is changed."),
    ),
    "ask": ConsoleAction(
        _("Ask the person for something"),
        _("Send the question, and pause"),
        _ask,
        lambda made: made.case.state == CaseState.IN_PROGRESS and _is_idle(made),
        ClarificationForm,
        hint=_("Only ask for what the answer needs. Clocks that may be paused are paused."),
    ),
    "extend": ConsoleAction(
        _("Take more time"),
        _("Tell the person, and extend"),
        _extend,
        lambda made: not made.is_closed and made.case.extended_at is None and not made.is_late,
        ReasonsForm,
        hint=_("Only once, before the deadline, and if the request is complex or there are many (GDPR Art. 12(3))."),
    ),
    "refuse": ConsoleAction(
        _("Refuse"),
        _("Send the refusal, and close"),
        _refuse,
        _is_idle,
        RefusalForm,
        hint=_("The e-mail says why, on which legal ground, and whom the person may turn to."),
    ),
    "withdraw": ConsoleAction(
        _("The person withdraws it"),
        _("Confirm it by e-mail, and close"),
        _withdraw,
        _is_idle,
        NoteForm,
        hint=_("Note how and when they told you."),
    ),
    "lift": ConsoleAction(
        _("Lift the restriction"),
        _("Announce it to the person"),
        _lift,
        lambda made: made.is_restricted,
        ReasonsForm,
        hint=_("The person is told first; it is lifted three days later (GDPR Art. 18(3))."),
    ),
    "note": ConsoleAction(
        _("Write a note"), _("Keep the note"), _note, lambda made: made.content is not None, NoteForm
    ),
    "confide": ConsoleAction(
        _("Hand it to the officer"),
        _("For the officer and the deputy alone"),
        _confide,
        lambda made: not made.case.is_confidential,
        hint=_("Handlers no longer see it, nor do you unless you are one of the two."),
    ),
    "share": ConsoleAction(
        _("Let handlers see it"),
        _("No longer confidential"),
        _share,
        lambda made: made.case.is_confidential,
        is_for_officer=True,
    ),
}


def offered(
    request: HttpRequest, made: ConsoleCasePage, deployment: Deployment, tried: str, form: forms.Form | None
) -> list[Offered]:
    """Actions that the sender of *request* may take on the case now, the recommended one first."""
    standing = standing_of(request)
    if not standing.may(Leave.CASES_HANDLE):
        return []
    found = [
        Offered(
            name,
            str(one.title),
            str(one.button),
            str(one.hint),
            form if name == tried and form is not None else form_of(name, made.case, deployment, None),
            is_first=_FIRST.get(made.case.needs) == name,
            is_open=name == tried,
        )
        for name, one in ACTS.items()
        if (standing.is_officer or not one.is_for_officer) and one.is_offered(made)
    ]
    return sorted(found, key=lambda one: not one.is_first)


_FIRST: Mapping[str, str] = {WaitReason.REVIEW: "rows", WaitReason.WEIGHING: "grant", WaitReason.ANSWER: "answer"}


def form_of(name: str, row: Case, deployment: Deployment, given: Any) -> forms.Form | None:
    """The form of an action, with unique element ids so that a page can contain several; None if it has no form."""
    made = ACTS[name].form
    if made is None:
        return None
    more: dict[str, Any] = {"auto_id": f"{name}_%s"}
    if made is RefusalForm:
        more["grounds"] = grounds(row, deployment.declaration)
    elif made is ChoiceForm:
        more["known"] = rows_in_question(row)
    elif made is AnswerForm:
        more["about"] = row.right or row.kind
    return made(given, **more)
