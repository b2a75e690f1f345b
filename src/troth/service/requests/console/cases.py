"""Console views for cases: the queue, one case, and the actions of handlers and approvers.

Personal data is shown only after the access was recorded (`record_access`). All changes use POST; a refused action is
shown on the page and changes nothing. Only officers see confidential cases.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Count, Min, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from troth.errors import TrothError
from troth.service.core.deployment import Deployment, current
from troth.service.labels import sentence
from troth.service.mail.actions import again
from troth.service.mail.models import LetterRow
from troth.service.requests import actions, lifecycle
from troth.service.requests.console.actions import ACTS, At, form_of, offered
from troth.service.requests.console.case_page import content_of, everyone_of, people_of, sheet
from troth.service.requests.console.forms import QueueFilterForm
from troth.service.requests.console.queue_row import QueueRow, queue_row, relative
from troth.service.requests.fulfilment import external_systems, preview
from troth.service.requests.messages import day
from troth.service.requests.models import Case, CaseKind, CaseState, CaseStep, Right, WaitReason
from troth.service.staff.access_log import record_access, refuse_own, withheld_from
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight as Leave

PURPOSE = "troth_requests"
"""Default purpose of an access to a case: to answer it."""
PAGE_LINES = 50
_SOMEBODY = (WaitReason.REVIEW, WaitReason.WEIGHING, WaitReason.APPROVAL, WaitReason.ANSWER)


# --- the queue --------------------------------------------------------------------------------------------------------


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE)
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """``/console/cases/``: open cases by due date, or closed ones, latest first. Without personal data."""
    form = QueueFilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    deployment, now = current().without_own, timezone.now()
    today = day(now, deployment)
    lines, more = _lines(request, wanted, today)
    shown = {"here": "cases", "form": form, "lines": lines, "more": more, "is_closed": wanted.get("only") == "closed"}
    return render(request, "requests/console/queue.html", {**shown, **_figures(request, today), "today": today})


def _visible(request: HttpRequest) -> QuerySet[Case]:
    """Cases visible to the sender of *request*."""
    every = Case.objects.all()
    return every if standing_of(request).is_officer else every.filter(is_confidential=False)


def _lines(request: HttpRequest, wanted: Mapping[str, Any], today: dt.date) -> tuple[list[QueueRow], str]:
    rows = _filtered(_visible(request), wanted, today, request.user.pk)
    is_closed = wanted.get("only") == "closed"
    rows = _after(rows, request.GET.get("after", ""), is_closed=is_closed)
    rows = rows.order_by("-closed_at", "-id") if is_closed else rows.order_by("due_on", "id")
    page = list(rows.select_related("handler").defer("content", "plan")[: PAGE_LINES + 1])
    more = ""
    if len(page) > PAGE_LINES:
        last = page[PAGE_LINES - 1]
        key = last.closed_at if is_closed else last.due_on
        assert key is not None, "the list is ordered by it"
        asked = {name: value for name, value in wanted.items() if value}
        more = "?" + urlencode({**asked, "after": f"{key.isoformat()}~{last.pk}"})
    shown = page[:PAGE_LINES]
    systems = answered(shown)
    return [queue_row(row, today, mine=request.user.pk, answered=systems.get(row.pk, (0, 0))) for row in shown], more


def answered(cases: Iterable[Case]) -> dict[int, tuple[int, int]]:
    """For each of *cases* that waits for systems: the number that have answered, and the number asked."""
    waiting = [case.pk for case in cases if case.needs == WaitReason.SYSTEMS]
    if not waiting:
        return {}
    ended = Count("pk", filter=~Q(state=CaseStep.State.WAITING))
    rows = CaseStep.objects.filter(case__in=waiting).values_list("case").annotate(ended=ended, whole=Count("pk"))
    return {case: (done, whole) for case, done, whole in rows}


def _filtered(rows: QuerySet[Case], wanted: Mapping[str, Any], today: dt.date, mine: int | None) -> QuerySet[Case]:
    only, what, need = wanted.get("only"), wanted.get("what"), wanted.get("needs")
    rows = rows.filter(state=CaseState.CLOSED) if only == "closed" else rows.exclude(state=CaseState.CLOSED)
    if only == "mine":
        rows = rows.filter(handler=mine)
    elif only == "late":
        rows = rows.filter(due_on__lt=today)
    if what in (CaseKind.COMPLAINT, CaseKind.QUESTION):
        rows = rows.filter(kind=what)
    elif what:
        rows = rows.filter(right=what)
    if need == "somebody":
        rows = rows.filter(needs__in=_SOMEBODY)
    elif need:
        rows = rows.filter(needs=need)
    return rows


def _after(rows: QuerySet[Case], after: str, *, is_closed: bool) -> QuerySet[Case]:
    """Rows after the last one of the previous page; all rows if *after* is invalid."""
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
        .exclude(state=CaseState.CLOSED)
        .aggregate(open=Count("pk"), late=Count("pk", filter=Q(due_on__lt=today)), first=Min("due_on"))
    )
    first = found["first"]
    found["may_handle"] = standing_of(request).may(Leave.CASES_HANDLE)
    return {**found, "first_when": relative(first, today) if first is not None else ""}


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE)
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """``/console/cases/find?reference=…``: redirects to the page of that case."""
    reference = request.GET.get("reference", "").strip().upper()
    if not _visible(request).filter(reference=reference).exists():
        shown = {"here": "cases", "form": QueueFilterForm(), "lines": [], "more": "", "not_found": True}
        deployment = current().without_own
        today = day(timezone.now(), deployment)
        return render(request, "requests/console/queue.html", {**shown, **_figures(request, today)}, status=404)
    return HttpResponseRedirect(reverse("case", args=[reference]))


# --- one case ---------------------------------------------------------------------------------------------------------


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE, Leave.OFFICER, personal=True)
@require_safe
def case(request: HttpRequest, reference: str) -> HttpResponse:
    """``/console/cases/<reference>/``: everything about one case, after the access was recorded."""
    return _page(request, _case(request, reference))


def _case(request: HttpRequest, reference: str) -> Case:
    row = _visible(request).select_related("key", "handler").filter(reference=reference).first()
    if row is None:
        raise Http404
    refuse_own(request, everyone_of(row, current().without_own))
    return row


def purpose_of(request: HttpRequest) -> str:
    """The purpose of the access that *request* states."""
    return str(request.POST.get("purpose") or request.GET.get("purpose") or PURPOSE)


def who(request: HttpRequest) -> lifecycle.Actor:
    """The sender of *request* as an `Actor`."""
    return lifecycle.Actor("staff", standing_of(request).pseudonym or "")


def _page(
    request: HttpRequest,
    row: Case,
    *,
    wrong: str = "",
    tried: str = "",
    form: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    deployment, now, purpose = current().without_own, timezone.now(), purpose_of(request)
    content = content_of(row, deployment)
    record_access(request, subjects=people_of(row, content, deployment), purpose=purpose, about=row.about)
    made = sheet(row, content, deployment, now=now, mine=request.user.pk, withheld=withheld_from(request))
    shown = {
        "here": "cases",
        "sheet": made,
        "case": row,
        "wrong": wrong,
        "form": form if form is not None and form.errors else None,
        "acts": offered(request, made, deployment, tried, form),
        "may_handle": standing_of(request).may(Leave.CASES_HANDLE),
        "may_approve": _may_approve(request, row),
        "purpose": purpose,
        "purposes": purposes(),
        **_differences(request, row, deployment, now),
    }
    return render(request, "requests/console/case.html", shown, status=status)


def _differences(request: HttpRequest, row: Case, deployment: Deployment, now: dt.datetime) -> dict[str, Any]:
    """Current and new values of an amendment; read from the systems only on demand."""
    if row.right != Right.AMEND or row.state == CaseState.CLOSED:
        return {}
    if not request.GET.get("values"):
        return {"may_compare": True}
    try:
        return {"differences": preview.differences(row, deployment, at=now), "may_compare": True, "compared": True}
    except TrothError as refused:
        return {"not_compared": sentence(refused), "may_compare": True}


def purposes() -> list[tuple[str, str]]:
    """Declared purposes for an access, as (name, title), sorted by title."""
    declared = current().declaration.purposes
    return sorted(((name, one.title or name) for name, one in declared.items()), key=lambda pair: pair[1])


def _back(request: HttpRequest, reference: str, *, values: bool = False) -> HttpResponse:
    purpose = purpose_of(request)
    asked = ({"purpose": purpose} if purpose != PURPOSE else {}) | ({"values": "1"} if values else {})
    return HttpResponseRedirect(reverse("case", args=[reference]) + ("?" + urlencode(asked) if asked else ""))


# --- actions ----------------------------------------------------------------------------------------------------------


def _may_approve(request: HttpRequest, row: Case) -> bool:
    """True if the sender of *request* may approve the plan: they must not be involved in the case, and a confidential
    case needs an officer."""
    standing = standing_of(request)
    if standing.pseudonym in actions.involved(row):
        return False
    return standing.is_officer if row.is_confidential else standing.may(Leave.CASES_APPROVE)


@needs(Leave.CASES_HANDLE, personal=True)
@require_POST
def act(request: HttpRequest, reference: str, what: str) -> HttpResponse:
    """Execute one of `ACTS`. A refusal is shown on the case page, and changes nothing."""
    row, deployment = _case(request, reference), current().without_own
    if what not in ACTS or (ACTS[what].is_for_officer and not standing_of(request).is_officer):
        raise Http404
    made = sheet(row, content_of(row, deployment), deployment, now=timezone.now(), mine=request.user.pk)
    if not ACTS[what].is_offered(made):
        wrong = gettext("The state of the case has changed, and no longer allows that.")
        return _page(request, row, wrong=wrong, status=409)
    form = form_of(what, row, deployment, request.POST)
    if form is not None and not form.is_valid():
        return _page(request, row, tried=what, form=form, status=400)
    at = At(request, row, deployment, who(request), timezone.now())
    try:
        ACTS[what].do(at, form.cleaned_data if form is not None else {})
    except TrothError as refused:
        return _page(request, _case(request, reference), wrong=sentence(refused), tried=what, form=form, status=409)
    if not _visible(request).filter(pk=row.pk).exists():  # it is now confidential
        return HttpResponseRedirect(reverse("cases"))
    return _back(request, reference, values=what == "plan" and row.right == Right.AMEND)


@needs(Leave.CASES_HANDLE, personal=True)
@require_POST
def give_up(request: HttpRequest, reference: str, step: int) -> HttpResponse:
    """Stop waiting for one system: the case is answered without it, and the e-mail says so."""
    row = _case(request, reference)
    if not row.steps.filter(pk=step).exists():
        raise Http404
    external_systems.give_up(step, by=who(request).by, at=timezone.now())
    return _back(request, reference)


@needs(Leave.CASES_HANDLE, personal=True)
@require_POST
def send_again(request: HttpRequest, reference: str, letter: int) -> HttpResponse:
    """Resend a failed e-mail of this case, after the cause was fixed."""
    row = _case(request, reference)
    failed = LetterRow.objects.filter(pk=letter, about=row.about).first()
    if failed is None:
        raise Http404
    try:
        again(failed.once, now=timezone.now())
    except TrothError as refused:
        return _page(request, row, wrong=sentence(refused), status=409)
    return _back(request, reference)


@needs(Leave.CASES_APPROVE, Leave.OFFICER, personal=True)
@require_POST
def approve(request: HttpRequest, reference: str) -> HttpResponse:
    """Approve exactly the plan that was shown, as someone not otherwise involved in the case."""
    row = _case(request, reference)
    if not _may_approve(request, row):
        return _page(request, row, wrong=gettext("Somebody else has to approve this plan."), status=403)
    try:
        plan, member = request.POST.get("plan", ""), standing_of(request).member
        assert member is not None
        actions.approve(row.pk, plan, member, current().without_own, now=timezone.now())
    except TrothError as refused:
        return _page(request, _case(request, reference), wrong=sentence(refused), status=409)
    return _back(request, reference)
