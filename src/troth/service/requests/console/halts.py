"""``/console/work/``: status of background work, reasons for halts, and actions to resume.

Only ids, counts and codes; no personal data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from troth.ledger import Pseudonym
from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.cases.models import Case
from troth.service.core.clock import confirm, doubt
from troth.service.core.jobs.models import Job
from troth.service.core.jobs.queue import health, health_by_kind, resume, workers
from troth.service.mail.actions import again
from troth.service.mail.models import REACHED, RETURNED, LetterRow
from troth.service.mail.rules import LetterRefused
from troth.service.requests.fulfilment.queue import end_halt, ready
from troth.service.requests.models import CaseStep, ProcessingHalt
from troth.service.staff.access_log import withheld_from
from troth.service.staff.console.lists import FilterForm, list_page
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight

_SHOWN = 100
_MEND: Mapping[str, Any] = {
    "no_company": _("The declaration cannot be read: run `troth check`, and fix what it reports."),
    "declaration_errors": _("The declaration has errors: run `troth check`, and fix what it reports."),
    "secret_missing": _("An environment variable that the declaration names is not set for the worker: set it."),
    "map_refused": _("The declaration does not match the tables: run `troth check`, and fix what it reports."),
    "store_refused": _("A system refuses what the declaration requires: check its permissions and its schema."),
    "unknown_name": _("A table or column of the declaration does not exist: run `troth check`."),
}
"""Reasons for a processing halt, with their fixes."""


_RETURNED = Q(reason__startswith=RETURNED)
_FAILED = _RETURNED | Q(state=LetterRow.State.FAILED)
_ATTENTION = Q(state__in=[Job.State.STOPPED, Job.State.FAILED])
_RETRIED = Q(state=Job.State.QUEUED, attempts__gt=0)
_STATES: Mapping[str, Q] = {
    "": _ATTENTION | _RETRIED,
    "attention": _ATTENTION,
    "retried": _RETRIED,
    **{state.value: Q(state=state) for state in Job.State},
    "all": Q(),
}


class JobFilterForm(FilterForm):
    """Filter of the list of jobs."""

    state = forms.ChoiceField(
        choices=[
            ("", _("Failed, stopped or retried")),
            ("attention", _("Failed or stopped")),
            ("retried", _("Retried")),
            ("queued", _("Queued")),
            ("running", _("Running")),
            ("waiting", _("Waiting")),
            ("stopped", _("Stopped")),
            ("failed", _("Failed")),
            ("all", _("All")),
        ],
        required=False,
        label=_("State"),
    )


@dataclass(frozen=True, slots=True)
class LateWork:
    """What is late: so many jobs of a *kind* or, if that is empty, requests that are ready; since when, and why."""

    kind: str
    number: int
    since: dt.datetime
    why: Any


@needs(StaffRight.CASES_HANDLE, EVIDENCE_READ)
@require_safe
def halts(request: HttpRequest) -> HttpResponse:
    """Status page: workers, jobs, processing halts, and e-mails."""
    return _page(request)


def _page(request: HttpRequest, *, wrong: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    jobs, letters = _jobs(request), _letters(request).defer("sealed")
    known, form = health(now, among=jobs), JobFilterForm(request.GET)
    page = list_page(form, filtered(request, form.wanted))
    shown = {
        "here": "work",
        "wrong": wrong,
        "health": known,
        "is_behind": known.is_behind(now),
        "stops": [
            (stop, _MEND.get(stop.why, stop.why))
            for stop in ProcessingHalt.objects.filter(cleared_at=None).order_by("since")
        ],
        "doubt": doubt(now),
        "list": page,
        "late_work": list(_late_work(request, jobs, now)),
        "workers": workers(now).order_by("begun_at"),
        "waiting": letters.filter(ended_at__isnull=True).count(),
        "late": letters.filter(~Q(reason=""), ended_at__isnull=True).count(),
        "failed": letters.filter(_FAILED).exclude(reason=REACHED).order_by("-ended_at")[:_SHOWN],
        "may_change": standing_of(request).may(StaffRight.CASES_HANDLE),
    }
    return render(request, "requests/console/work.html", shown, status=status if wrong else page.status)


def filtered(request: HttpRequest, wanted: Mapping[str, str]) -> QuerySet[Job]:
    """Jobs visible to the sender of *request* that pass the filter *wanted* (`JobFilterForm`), latest change first."""
    return _jobs(request).filter(_STATES[wanted.get("state", "")]).order_by("-changed_at", "-pk")


def _late_work(request: HttpRequest, jobs: QuerySet[Job], now: dt.datetime) -> Iterator[LateWork]:
    """Everything late among *jobs*, and the requests that a halt keeps back, which have no job."""
    halt = ProcessingHalt.objects.filter(cleared_at=None).order_by("since").first()
    if halt is not None and (number := ready().exclude(reference__in=withheld_from(request)).count()):
        yield LateWork("", number, halt.since, _("Processing is halted."))
    busy = _("No worker has taken them: all are busy, or run other kinds.")
    why = busy if workers(now).exists() else _("No worker runs.")
    for kind in health_by_kind(now, among=jobs):
        if kind.late_since is not None:
            yield LateWork(kind.kind, kind.late, kind.late_since, why)


def _jobs(request: HttpRequest) -> QuerySet[Job]:
    """Jobs visible to the sender of *request*. Those of withheld cases and their e-mails are hidden."""
    numbers = Case.objects.filter(reference__in=withheld_from(request)).values_list("pk", flat=True)
    letters = LetterRow.objects.filter(about__in=_withheld(request)).values_list("pk", flat=True)
    steps = CaseStep.objects.filter(case__in=numbers).values_list("pk", flat=True)
    jobs = Job.objects.exclude(kind__in=["requests.follow", "requests.lift"], key__in=list(map(str, numbers)))
    jobs = jobs.exclude(kind="requests.ask", key__in=list(map(str, steps)))
    return jobs.exclude(kind="mail.send", key__in=list(map(str, letters)))


def returned(request: HttpRequest) -> int:
    """Number of e-mails that came back, or may have, and whose people were not reached yet."""
    return _letters(request).filter(_RETURNED).count()


def _letters(request: HttpRequest) -> QuerySet[LetterRow]:
    return LetterRow.objects.exclude(about__in=_withheld(request))


def _withheld(request: HttpRequest) -> list[str]:
    return [f"case:{reference}" for reference in withheld_from(request)]


@needs(StaffRight.CASES_HANDLE)
@require_POST
def go_on(request: HttpRequest, pk: int) -> HttpResponse:
    """Resume a stopped or failed job where it was."""
    jobs = _jobs(request).filter(pk=pk)
    if not jobs.exists():
        raise Http404
    resume(jobs)
    return HttpResponseRedirect(reverse("work"))


@needs(StaffRight.CASES_HANDLE)
@require_POST
def resume_processing(request: HttpRequest) -> HttpResponse:
    """Resume processing after the configuration was fixed; otherwise it halts again, and nothing is lost."""
    end_halt(timezone.now())
    return HttpResponseRedirect(reverse("work"))


@needs(StaffRight.CASES_HANDLE)
@require_POST
def confirm_clock(request: HttpRequest) -> HttpResponse:
    """Confirm that the clock is right, so that expired data is deleted again."""
    confirm(timezone.now(), by=Pseudonym(standing_of(request).pseudonym or ""))
    return HttpResponseRedirect(reverse("work"))


@needs(StaffRight.CASES_HANDLE)
@require_POST
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Resend a failed e-mail, after the cause was fixed."""
    row = _letters(request).filter(pk=pk).first()
    if row is None:
        raise Http404
    try:
        again(row.once, now=timezone.now())
    except LetterRefused as refused:
        return _page(request, wrong=str(refused)[:1].upper() + str(refused)[1:], status=409)
    return HttpResponseRedirect(reverse("work"))
