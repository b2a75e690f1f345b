"""The console's pages of cases: the queue, one case, and what a handler and an approver do with it.

Nothing personal is shown before the look is on record (`doors.look`). Whatever changes something is a POST; what the
engine refuses is said on the page, and nothing has changed then. Confidential cases are there for the officers alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Count, Min, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from troth.errors import TrothError
from troth.service.cases import run
from troth.service.cases.console_forms import Asking, Filter
from troth.service.cases.console_page import Line, Sheet, content_of, line, people_of, relative, sheet
from troth.service.cases.desk import Desk, desk
from troth.service.cases.letters import day
from troth.service.cases.models import Case, Kind, Needs, State
from troth.service.staff.doors import Right as Leave
from troth.service.staff.doors import look, needs, standing_of

__all__ = ["PURPOSE", "act", "approve", "case", "cases", "find", "purpose_of", "who"]

PURPOSE = "troth_requests"
"""Why staff look at a case unless they say otherwise: to answer it."""
PAGE_LINES = 50
_SOMEBODY = (Needs.REVIEW, Needs.APPROVAL, Needs.ANSWER, Needs.MEND)


# --- the queue --------------------------------------------------------------------------------------------------------


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE)
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """``/console/cases/``: open cases by their due dates, or closed ones, the latest first. Nothing personal."""
    form = Filter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    at_desk, now = desk(), timezone.now()
    today = day(now, at_desk)
    lines, more = _lines(request, wanted, today)
    shown = {"here": "cases", "form": form, "lines": lines, "more": more, "is_closed": wanted.get("only") == "closed"}
    return render(request, "cases/console/queue.html", {**shown, **_figures(request, today), "today": today})


def _visible(request: HttpRequest) -> QuerySet[Case]:
    """The cases that whoever asks may know of."""
    every = Case.objects.all()
    return every if standing_of(request).is_officer else every.filter(is_confidential=False)


def _lines(request: HttpRequest, wanted: Mapping[str, Any], today: dt.date) -> tuple[list[Line], str]:
    rows = _filtered(_visible(request), wanted, today, request.user.pk)
    is_closed = wanted.get("only") == "closed"
    rows = _after(rows, request.GET.get("after", ""), is_closed=is_closed)
    rows = rows.order_by("-closed_at", "-id") if is_closed else rows.order_by("due_on", "id")
    page = list(rows.select_related("handler").defer("content", "plan")[: PAGE_LINES + 1])
    more = ""
    if len(page) > PAGE_LINES:
        last = page[PAGE_LINES - 1]
        key = last.closed_at if is_closed else last.due_on
        assert key is not None, "that is what they are ordered by"
        asked = {name: value for name, value in wanted.items() if value}
        more = "?" + urlencode({**asked, "after": f"{key.isoformat()}~{last.pk}"})
    return [line(row, today, mine=request.user.pk) for row in page[:PAGE_LINES]], more


def _filtered(rows: QuerySet[Case], wanted: Mapping[str, Any], today: dt.date, mine: int | None) -> QuerySet[Case]:
    only, what, need = wanted.get("only"), wanted.get("what"), wanted.get("needs")
    rows = rows.filter(state=State.CLOSED) if only == "closed" else rows.exclude(state=State.CLOSED)
    if only == "mine":
        rows = rows.filter(handler=mine)
    elif only == "late":
        rows = rows.filter(due_on__lt=today)
    if what in (Kind.COMPLAINT, Kind.QUESTION):
        rows = rows.filter(kind=what)
    elif what:
        rows = rows.filter(right=what)
    if need == "somebody":
        rows = rows.filter(needs__in=_SOMEBODY)
    elif need:
        rows = rows.filter(needs=need)
    return rows


def _after(rows: QuerySet[Case], after: str, *, is_closed: bool) -> QuerySet[Case]:
    """The rows behind the last one of the page before; from the start where that is not to be read."""
    key, _, number = after.partition("~")
    try:
        if is_closed:
            at = dt.datetime.fromisoformat(key)
            return rows.filter(closed_at__lte=at).filter(Q(closed_at__lt=at) | Q(pk__lt=int(number)))
        on = dt.date.fromisoformat(key)
        return rows.filter(due_on__gte=on).filter(Q(due_on__gt=on) | Q(pk__gt=int(number)))
    except ValueError:
        return rows


def _figures(request: HttpRequest, today: dt.date) -> dict[str, Any]:
    found = (
        _visible(request)
        .exclude(state=State.CLOSED)
        .aggregate(open=Count("pk"), late=Count("pk", filter=Q(due_on__lt=today)), first=Min("due_on"))
    )
    first = found["first"]
    return {**found, "first_when": relative(first, today) if first is not None else ""}


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE)
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """``/console/cases/find?reference=…``: to the page of that case."""
    reference = request.GET.get("reference", "").strip().upper()
    if not _visible(request).filter(reference=reference).exists():
        shown = {"here": "cases", "form": Filter(), "lines": [], "more": "", "not_found": True}
        at_desk = desk()
        today = day(timezone.now(), at_desk)
        return render(request, "cases/console/queue.html", {**shown, **_figures(request, today)}, status=404)
    return HttpResponseRedirect(reverse("case", args=[reference]))


# --- one case ---------------------------------------------------------------------------------------------------------


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE, Leave.OFFICER, personal=True)
@require_safe
def case(request: HttpRequest, reference: str) -> HttpResponse:
    """``/console/cases/<reference>/``: everything about one case, once the look is on record."""
    return _page(request, _case(request, reference))


def _case(request: HttpRequest, reference: str) -> Case:
    row = _visible(request).select_related("key", "handler").filter(reference=reference).first()
    if row is None:
        raise Http404
    return row


def purpose_of(request: HttpRequest) -> str:
    """For which purpose whoever sent *request* looks."""
    return str(request.POST.get("purpose") or request.GET.get("purpose") or PURPOSE)


def who(request: HttpRequest) -> run.Who:
    """Whoever sent *request*, as the engine knows them."""
    return run.Who("staff", standing_of(request).pseudonym or "")


def _page(
    request: HttpRequest,
    row: Case,
    *,
    wrong: str = "",
    tried: str = "",
    form: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    at_desk, now, purpose = desk(), timezone.now(), purpose_of(request)
    content = content_of(row, at_desk)
    look(request, subjects=people_of(row, content, at_desk), purpose=purpose, about=row.about)
    made = sheet(row, content, at_desk, now=now, mine=request.user.pk)
    shown = {
        "here": "cases",
        "sheet": made,
        "case": row,
        "wrong": wrong,
        "form": form if form is not None and form.errors else None,
        "acts": _offered(request, made, at_desk, tried, form),
        "may_approve": _may_approve(request, row),
        "purpose": purpose,
        "purposes": _purposes(at_desk),
    }
    return render(request, "cases/console/case.html", shown, status=status)


def _purposes(at_desk: Desk) -> list[tuple[str, str]]:
    """The declared purposes that somebody may look for, by their titles."""
    from troth.service.pages import the_company

    purposes = the_company().declaration.purposes
    return sorted(((name, one.title or name) for name, one in purposes.items()), key=lambda pair: pair[1])


def _back(request: HttpRequest, reference: str) -> HttpResponse:
    purpose = purpose_of(request)
    asked = "?" + urlencode({"purpose": purpose}) if purpose != PURPOSE else ""
    return HttpResponseRedirect(reverse("case", args=[reference]) + asked)


# --- what is done with it ---------------------------------------------------------------------------------------------

Do = Callable[[HttpRequest, Case, Mapping[str, Any], Desk, dt.datetime], object]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a handler may do with a case: in a form of its own, where the case's state allows it."""

    title: Any
    button: Any
    do: Do
    is_offered: Callable[[Sheet], bool]
    form: type[forms.Form] | None = None
    hint: Any = ""


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


def _is_busy(made: Sheet) -> bool:
    return made.case.batch_id is not None or made.case.needs == Needs.SYSTEMS


def _is_open(made: Sheet) -> bool:
    return not made.is_closed


def _take(request: HttpRequest, row: Case, given: Mapping[str, Any], at_desk: Desk, now: dt.datetime) -> None:
    run.take(row.pk, request.user, at_desk, who=who(request), now=now)


def _ask(request: HttpRequest, row: Case, given: Mapping[str, Any], at_desk: Desk, now: dt.datetime) -> None:
    run.pause(row.pk, given["question"], at_desk, who=who(request), now=now)


ACTS: Mapping[str, Act] = {
    "take": Act(
        _("Take it"),
        _("Take it"),
        _take,
        lambda made: _is_open(made) and made.handler != gettext("you"),
        hint=_("You work on it from now on. Whoever works on a case does not approve its plan."),
    ),
    "ask": Act(
        _("Ask the person for something"),
        _("Send the question, and pause"),
        _ask,
        lambda made: made.case.state == State.IN_PROGRESS and not _is_busy(made),
        Asking,
        hint=_("Only for what the case cannot be answered without. The clocks that may stand still do so."),
    ),
}


def _offered(request: HttpRequest, made: Sheet, at_desk: Desk, tried: str, form: forms.Form | None) -> list[Offered]:
    if not _may_handle(request):
        return []
    found = []
    for name, one in ACTS.items():
        if not one.is_offered(made):
            continue
        blank = _form(one, made.case, at_desk, None, made) if name != tried or form is None else form
        found.append(
            Offered(
                name,
                str(one.title),
                str(one.button),
                str(one.hint),
                blank,
                is_first=_FIRST.get(made.case.needs) == name,
                is_open=name == tried,
            )
        )
    return sorted(found, key=lambda act: not act.is_first)


_FIRST: Mapping[str, str] = {Needs.REVIEW: "rows", Needs.ANSWER: "answer", Needs.MEND: "again"}


def _form(one: Act, row: Case, at_desk: Desk, given: Any, made: Sheet | None = None) -> forms.Form | None:
    if one.form is None:
        return None
    named: dict[str, Any] = {"auto_id": "id_%s"}
    return one.form(given, **named)


def _may_handle(request: HttpRequest) -> bool:
    return standing_of(request).may(Leave.CASES_HANDLE)


def _may_approve(request: HttpRequest, row: Case) -> bool:
    """Whether the plan of this case may be approved by whoever asks: not its handler, and of a confidential case only
    an officer."""
    standing = standing_of(request)
    if row.handler_id == request.user.pk:
        return False
    return standing.is_officer if row.is_confidential else standing.may(Leave.CASES_APPROVE)


@needs(Leave.CASES_HANDLE, personal=True)
@require_POST
def act(request: HttpRequest, reference: str, what: str) -> HttpResponse:
    """Do one of `ACTS`. What is refused is said on the case's page."""
    row, at_desk = _case(request, reference), desk()
    one = ACTS.get(what)
    if one is None:
        raise Http404
    form = _form(one, row, at_desk, request.POST)
    if form is not None and not form.is_valid():
        return _page(request, row, tried=what, form=form, status=400)
    try:
        one.do(request, row, form.cleaned_data if form is not None else {}, at_desk, timezone.now())
    except TrothError as refused:
        return _page(request, _case(request, reference), wrong=_sentence(refused), tried=what, form=form, status=409)
    return _back(request, reference)


@needs(Leave.CASES_APPROVE, Leave.OFFICER, personal=True)
@require_POST
def approve(request: HttpRequest, reference: str) -> HttpResponse:
    """Approve exactly the plan that was shown, as somebody else than its handler."""
    row = _case(request, reference)
    if not _may_approve(request, row):
        return _page(request, row, wrong=gettext("Somebody else has to approve this plan."), status=403)
    try:
        run.approve(row.pk, request.POST.get("plan", ""), request.user, desk(), who=who(request), now=timezone.now())
    except TrothError as refused:
        return _page(request, _case(request, reference), wrong=_sentence(refused), status=409)
    return _back(request, reference)


def _sentence(refused: Exception) -> str:
    text = str(refused)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
