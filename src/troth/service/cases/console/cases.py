"""Console views for cases: the queue, one case, and the actions of handlers and approvers.

Personal data is shown only after the access was recorded (`record_access`). All changes use POST; a refused action is
shown on the page and changes nothing. Only officers see confidential cases.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django import forms
from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from troth.errors import TrothError
from troth.service.cases import actions, lifecycle
from troth.service.cases.console.actions import At, actions_on, form_of, offered
from troth.service.cases.console.case_page import everyone_of, people_of, sheet
from troth.service.cases.console.forms import CaseFilterForm
from troth.service.cases.console.queue_row import FOR_HANDLER, FOR_STAFF, QueueRow, queue_rows, relative
from troth.service.cases.content import content_of
from troth.service.cases.messages import day
from troth.service.cases.models import Case, CaseEvent, CaseState
from troth.service.core.deployment import current
from troth.service.labels import sentence
from troth.service.mail.actions import again, settle
from troth.service.mail.models import LetterRow
from troth.service.staff.access_log import record_access, refuse_own, withheld_from
from troth.service.staff.console.lists import list_page
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight as Leave

PURPOSE = "troth_requests"
"""Default purpose of an access to a case: to answer it."""


# --- the queue --------------------------------------------------------------------------------------------------------


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE)
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """``/console/cases/``: open cases by due date, or closed ones, latest first. Without personal data."""
    return _queue(request, CaseFilterForm(request.GET))


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE)
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """``/console/cases/find?reference=…``: redirects to the page of that case."""
    reference = request.GET.get("reference", "").strip().upper()
    if not _visible(request).filter(reference=reference).exists():
        return _queue(request, CaseFilterForm(QueryDict()), not_found=True)
    return HttpResponseRedirect(reverse("case", args=[reference]))


def _queue(request: HttpRequest, form: CaseFilterForm, *, not_found: bool = False) -> HttpResponse:
    today = day(timezone.now(), current().without_own)

    def shown(rows: Sequence[Case]) -> list[QueueRow]:
        return queue_rows(rows, today, mine=request.user.pk)

    rows = filtered(request, form.wanted, today).select_related("handler").defer("content", "plan")
    page = list_page(form, rows, show=shown)
    late = Count("pk", filter=Q(due_on__lt=today))
    figures = filtered(request, {}, today).order_by().aggregate(open=Count("pk"), late=late, first=Min("due_on"))
    first = figures["first"]
    context = {
        "here": "cases",
        "list": page,
        "is_closed": form.wanted.get("only") == "closed",
        "not_found": not_found,
        "may_handle": standing_of(request).may(Leave.CASES_HANDLE),
        **figures,
        "first_when": relative(first, today) if first is not None else "",
    }
    return render(request, "cases/console/queue.html", context, status=404 if not_found else page.status)


def _visible(request: HttpRequest) -> QuerySet[Case]:
    """Cases visible to the sender of *request*."""
    every = Case.objects.all()
    return every if standing_of(request).is_officer else every.filter(is_confidential=False)


def filtered(request: HttpRequest, wanted: Mapping[str, str], today: dt.date) -> QuerySet[Case]:
    """Cases visible to the sender of *request* that pass the filter *wanted* (`CaseFilterForm`): open ones by due date,
    closed ones latest first."""
    only, what, need = wanted.get("only"), wanted.get("what"), wanted.get("needs")
    rows = _visible(request)
    if only == "closed":
        rows = rows.filter(state=CaseState.CLOSED).order_by("-closed_at", "-id")
    else:
        rows = rows.exclude(state=CaseState.CLOSED).order_by("due_on", "id")
    by = {"mine": Q(handler=request.user.pk), "unassigned": Q(handler=None)}
    rows = rows.filter((by | {"late": Q(due_on__lt=today), "today": Q(due_on=today)}).get(only or "", Q()))
    if what:
        rows = rows.filter(Q(right=what) | Q(kind=what, right=""))
    if need == "somebody":
        rows = rows.filter(needs__in=FOR_STAFF)
    elif need == "handler":
        rows = rows.filter(needs__in=FOR_HANDLER)
    elif need:
        rows = rows.filter(needs=need)
    return rows


# --- one case ---------------------------------------------------------------------------------------------------------


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE, Leave.OFFICER, personal=True)
@require_safe
def case(request: HttpRequest, reference: str) -> HttpResponse:
    """``/console/cases/<reference>/``: everything about one case, after the access was recorded."""
    return _page(request, visible_case(request, reference))


def visible_case(request: HttpRequest, reference: str) -> Case:
    """The case, for a member of staff who may see it."""
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
    made = sheet(row, content, deployment, request, now=now, withheld=withheld_from(request))
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
        "details": made.details,
    }
    return render(request, "cases/console/case.html", shown, status=status)


def purposes() -> list[tuple[str, str]]:
    """Declared purposes for an access, as (name, title), sorted by title."""
    declared = current().declaration.purposes
    return sorted(((name, one.title or name) for name, one in declared.items()), key=lambda pair: pair[1])


def back(request: HttpRequest, reference: str, **query: str) -> HttpResponse:
    """Redirect to the page of the case, with *query* besides the purpose."""
    purpose = purpose_of(request)
    asked = ({"purpose": purpose} if purpose != PURPOSE else {}) | query
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
    """Execute one of `actions_on` the case. A refusal is shown on the case page, and changes nothing."""
    row, deployment = visible_case(request, reference), current().without_own
    action = actions_on(row).get(what)
    if action is None or (action.is_for_officer and not standing_of(request).is_officer):
        raise Http404
    made = sheet(row, content_of(row, deployment), deployment, request, now=timezone.now())
    if not action.is_offered(made):
        wrong = gettext("The state of the case has changed, and no longer allows that.")
        return _page(request, row, wrong=wrong, status=409)
    form = form_of(what, row, deployment, request.POST)
    if form is not None and not form.is_valid():
        return _page(request, row, tried=what, form=form, status=400)
    at = At(request, row, deployment, who(request), timezone.now())
    try:
        action.do(at, form.cleaned_data if form is not None else {})
    except TrothError as refused:
        row = visible_case(request, reference)
        return _page(request, row, wrong=sentence(refused), tried=what, form=form, status=409)
    if not _visible(request).filter(pk=row.pk).exists():  # it is now confidential
        return HttpResponseRedirect(reverse("cases"))
    return back(request, reference, **action.query(row))


@needs(Leave.CASES_HANDLE, personal=True)
@require_POST
def send_again(request: HttpRequest, reference: str, letter: int) -> HttpResponse:
    """Resend a failed e-mail of this case, after the cause was fixed."""
    row = visible_case(request, reference)
    failed = LetterRow.objects.filter(pk=letter, about=row.about).first()
    if failed is None:
        raise Http404
    try:
        again(failed.once, now=timezone.now())
    except TrothError as refused:
        return _page(request, row, wrong=sentence(refused), status=409)
    return back(request, reference)


@needs(Leave.CASES_HANDLE, personal=True)
@require_POST
def reached(request: HttpRequest, reference: str, letter: int) -> HttpResponse:
    """Note that the person of an e-mail that came back was reached in another way."""
    row, now = visible_case(request, reference), timezone.now()
    returned = get_object_or_404(LetterRow, pk=letter, about=row.about)
    with transaction.atomic():
        if settle(returned.once, now=now):
            by, facts = standing_of(request).pseudonym or "", {"letter": returned.kind}
            CaseEvent.objects.create(
                case=row, at=now, what="reached", actor="staff", by=by, facts=facts, is_internal=True
            )
    return back(request, reference)


@needs(Leave.CASES_APPROVE, Leave.OFFICER, personal=True)
@require_POST
def approve(request: HttpRequest, reference: str) -> HttpResponse:
    """Approve exactly the plan that was shown, as someone not otherwise involved in the case."""
    row = visible_case(request, reference)
    if not _may_approve(request, row):
        return _page(request, row, wrong=gettext("Somebody else has to approve this plan."), status=403)
    try:
        plan, member = request.POST.get("plan", ""), standing_of(request).member
        assert member is not None
        actions.approve(row.pk, plan, member, current().without_own, now=timezone.now())
    except TrothError as refused:
        return _page(request, visible_case(request, reference), wrong=sentence(refused), status=409)
    return back(request, reference)
