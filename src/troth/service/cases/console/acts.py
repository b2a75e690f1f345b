"""What a handler or an officer may do with a case in the console: every act with its words, its form, and when it is
offered. The views are in `console`; the engine (`run`) does it, and refuses what cannot be done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from troth.service.cases import appeal, life, preview, run
from troth.service.cases.console.forms import Answering, Asking, Choosing, Noting, Reasons, Refusing, Resuming
from troth.service.cases.console.page import Sheet, grounds, rows_in_question
from troth.service.cases.desk import Desk
from troth.service.cases.models import Case, Needs, Right, State
from troth.service.staff.rights import Right as Leave
from troth.service.staff.standing import standing_of


@dataclass(frozen=True, slots=True)
class At:
    """Where and when an act is done, and by whom."""

    request: HttpRequest
    case: Case
    desk: Desk
    who: life.Who
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a handler may do with a case: in a form of its own, where the case's state allows it."""

    title: Any
    button: Any
    do: Callable[[At, Mapping[str, Any]], object]
    is_offered: Callable[[Sheet], bool]
    form: type[forms.Form] | None = None
    hint: Any = ""
    is_for_officer: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """An act as the page offers it."""

    name: str
    title: str
    button: str
    hint: str
    form: forms.Form | None
    is_first: bool
    is_open: bool


def _take(at: At, given: Mapping[str, Any]) -> None:
    run.take(at.case.pk, at.request.user, at.desk, who=at.who, now=at.now)


def _confide(at: At, given: Mapping[str, Any]) -> None:
    run.confide(at.case.pk, apart=True, who=at.who, now=at.now)


def _share(at: At, given: Mapping[str, Any]) -> None:
    run.confide(at.case.pk, apart=False, who=at.who, now=at.now)


def _ask(at: At, given: Mapping[str, Any]) -> None:
    run.pause(at.case.pk, given["question"], at.desk, who=at.who, now=at.now)


def _resume(at: At, given: Mapping[str, Any]) -> None:
    run.resume(at.case.pk, given["text"], at.desk, who=at.who, now=at.now)


def _extend(at: At, given: Mapping[str, Any]) -> None:
    run.extend(at.case.pk, given["reasons"], at.desk, who=at.who, now=at.now)


def _refuse(at: At, given: Mapping[str, Any]) -> None:
    run.refuse(at.case.pk, given["reasons"], given["law"], at.desk, who=at.who, now=at.now)


def _answer(at: At, given: Mapping[str, Any]) -> None:
    if at.case.right == Right.APPEAL:
        appeal.decide(at.case.pk, given["text"], at.desk, granted=given["granted"], who=at.who, now=at.now)
        return
    run.answer(at.case.pk, given["text"], at.desk, who=at.who, now=at.now, remedy=given.get("remedy", ""))


def _rows(at: At, given: Mapping[str, Any]) -> None:
    run.choose_rows(at.case.pk, given["chosen"], at.desk, who=at.who, now=at.now)


def _again(at: At, given: Mapping[str, Any]) -> None:
    run.try_again(at.case.pk, at.desk, who=at.who, now=at.now)


def _grant(at: At, given: Mapping[str, Any]) -> None:
    run.grant(at.case.pk, at.desk, who=at.who, now=at.now)


def _plan(at: At, given: Mapping[str, Any]) -> None:
    preview.previewed(at.case, at.desk, at=at.now)


def _note(at: At, given: Mapping[str, Any]) -> None:
    life.note(at.case, given["text"], at.desk, who=at.who, now=at.now)


def _withdraw(at: At, given: Mapping[str, Any]) -> None:
    with transaction.atomic():
        life.note(at.case, given["text"], at.desk, who=at.who, now=at.now)
        run.withdraw(at.case.pk, at.desk, who=at.who, now=at.now)


def _lift(at: At, given: Mapping[str, Any]) -> None:
    run.lift(at.case.pk, given["reasons"], at.desk, who=at.who, now=at.now)


def _is_idle(made: Sheet) -> bool:
    """Whether the case is open, and nothing is being carried out at this moment."""
    return not made.is_closed and made.case.batch_id is None and made.case.needs != Needs.SYSTEMS


def _needs(made: Sheet, *wanted: str) -> bool:
    return made.case.needs in wanted


_CHANGING = (Right.AMEND, Right.ERASE, Right.RESTRICT, Right.OBJECT, Right.WITHDRAW)

ACTS: Mapping[str, Act] = {
    "rows": Act(
        _("Say which rows are meant"),
        _("Go on with these rows"),
        _rows,
        lambda made: _needs(made, Needs.REVIEW),
        Choosing,
        hint=_("The case goes on with exactly these rows, and with no others."),
    ),
    "answer": Act(
        _("Answer"), _("Send the answer, and close"), _answer, lambda made: _needs(made, Needs.ANSWER), Answering
    ),
    "grant": Act(
        _("Grant the objection"),
        _("Stop the use for good"),
        _grant,
        lambda made: _needs(made, Needs.WEIGHING),
        hint=_(
            "Unless compelling grounds override the interests of this person, or a legal claim needs the data "
            "(GDPR Art. 21(1)). Where they do, refuse, and say which they are."
        ),
    ),
    "again": Act(
        _("Try again"),
        _("Carry it out as it stands"),
        _again,
        lambda made: _needs(made, Needs.REVIEW) and bool(made.case.subject),
        hint=_("After something was mended, or looked at and found to be right."),
    ),
    "resume": Act(
        _("The person has answered"),
        _("Go on"),
        _resume,
        lambda made: made.case.state == State.PAUSED,
        Resuming,
        hint=_("Where the answer came another way: by telephone, or by a letter."),
    ),
    "take": Act(
        _("Take it"),
        _("Take it"),
        _take,
        lambda made: not made.is_closed and (made.case.handler_id is None or made.case.handler_id != made.mine),
        hint=_("You work on it from now on. Whoever works on a case does not approve its plan."),
    ),
    "plan": Act(
        _("Look what would be done"),
        _("Look now"),
        _plan,
        lambda made: _is_idle(made) and made.case.right in _CHANGING and made.case.state == State.IN_PROGRESS,
        hint=_("Looks in every system and shows places, counts and grounds. Nothing is changed."),
    ),
    "ask": Act(
        _("Ask the person for something"),
        _("Send the question, and pause"),
        _ask,
        lambda made: made.case.state == State.IN_PROGRESS and _is_idle(made),
        Asking,
        hint=_("Only for what the case cannot be answered without. The clocks that may stand still do so."),
    ),
    "extend": Act(
        _("Take more time"),
        _("Write to the person, and extend"),
        _extend,
        lambda made: not made.is_closed and made.case.extended_at is None and not made.is_late,
        Reasons,
        hint=_("Once, before the deadline, and only for what is complex or one of many (GDPR Art. 12(3))."),
    ),
    "refuse": Act(
        _("Refuse"),
        _("Send the refusal, and close"),
        _refuse,
        _is_idle,
        Refusing,
        hint=_("The letter says why, where the law says so, and whom the person may turn to."),
    ),
    "withdraw": Act(
        _("The person takes it back"),
        _("Confirm it by letter, and close"),
        _withdraw,
        _is_idle,
        Noting,
        hint=_("Note how and when they told you."),
    ),
    "lift": Act(
        _("Lift the restriction"),
        _("Announce it to the person"),
        _lift,
        lambda made: any(one.lifted_at is None and not one.purpose for one in made.restrictions),
        Reasons,
        hint=_("The person is told first; it is lifted three days later (GDPR Art. 18(3))."),
    ),
    "note": Act(_("Write a note"), _("Keep the note"), _note, lambda made: made.content is not None, Noting),
    "confide": Act(
        _("Leave it to the officer"),
        _("For the officer and the deputy alone"),
        _confide,
        lambda made: not made.case.is_confidential,
        hint=_("Handlers do not see it any more, and you neither unless you are one of the two."),
    ),
    "share": Act(
        _("Let handlers see it"),
        _("No longer confidential"),
        _share,
        lambda made: made.case.is_confidential,
        is_for_officer=True,
    ),
}


def offered(request: HttpRequest, made: Sheet, at_desk: Desk, tried: str, form: forms.Form | None) -> list[Offered]:
    """What whoever asks may do with the case as it stands: the first thing to do first."""
    standing = standing_of(request)
    if not standing.may(Leave.CASES_HANDLE):
        return []
    found = [
        Offered(
            name,
            str(one.title),
            str(one.button),
            str(one.hint),
            form if name == tried and form is not None else form_of(name, made.case, at_desk, None),
            is_first=_FIRST.get(made.case.needs) == name,
            is_open=name == tried,
        )
        for name, one in ACTS.items()
        if (standing.is_officer or not one.is_for_officer) and one.is_offered(made)
    ]
    return sorted(found, key=lambda one: not one.is_first)


_FIRST: Mapping[str, str] = {Needs.REVIEW: "rows", Needs.WEIGHING: "grant", Needs.ANSWER: "answer"}


def form_of(name: str, row: Case, at_desk: Desk, given: Any) -> forms.Form | None:
    """The form of an act, its fields named so that the page may hold several."""
    made = ACTS[name].form
    if made is None:
        return None
    more: dict[str, Any] = {"auto_id": f"{name}_%s"}
    if made is Refusing:
        more["grounds"] = grounds(row, at_desk.declaration)
    elif made is Choosing:
        more["known"] = rows_in_question(row)
    elif made is Answering:
        more["about"] = row.right or row.kind
    return made(given, **more)
