"""``/console/tasks/``: manual tasks in systems, and their results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.service.cases import lifecycle
from troth.service.cases.console.case_page import everyone_of, people_of, wrote
from troth.service.cases.console.cases import back, purpose_of, purposes, visible_case, who
from troth.service.cases.console.queue_row import QueueRow, queue_row
from troth.service.cases.content import ContentGone, SealedContent, content_of
from troth.service.cases.messages import day
from troth.service.cases.models import Case, CaseState
from troth.service.core.deployment import Deployment, current
from troth.service.requests.console.sheet import STEP_WHY
from troth.service.requests.fulfilment import external_systems
from troth.service.requests.models import LOOKS, CaseStep
from troth.service.staff.access_log import record_access, refuse_own
from troth.service.staff.console.lists import FilterForm, list_page
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight as Leave

PROOF_BYTES_MAX = 5 * 1024 * 1024
_WHY = ("cannot_find", "must_keep", "not_possible", "other")
_DONE, _CANNOT = "done", "cannot"

_SIGNS: Mapping[bytes, tuple[str, str]] = {
    b"%PDF-": ("application/pdf", "pdf"),
    b"\x89PNG\r\n\x1a\n": ("image/png", "png"),
    b"\xff\xd8\xff": ("image/jpeg", "jpg"),
}


def type_of(data: bytes) -> tuple[str, str] | None:
    """Media type and file extension, detected from the content; None for types that are not accepted as proof."""
    for sign, known in _SIGNS.items():
        if data.startswith(sign):
            return known
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = all(letter.isprintable() or letter in "\r\n\t\ufeff" for letter in text)
    return ("text/plain; charset=utf-8", "txt") if plain and text.strip() else None


class TaskFilterForm(FilterForm):
    """Filter of the list of tasks."""

    only = forms.ChoiceField(
        choices=[("", _("All")), ("mine", _("Mine")), ("today", _("Due today")), ("late", _("Late"))],
        required=False,
        label=_("Which"),
    )


class TaskResultForm(forms.Form):
    """Result of a task."""

    how = forms.ChoiceField(
        choices=[(_DONE, _("It is done")), (_CANNOT, _("It cannot be done"))],
        label=_("How it ended"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether it is done.")},
    )
    rows = forms.IntegerField(label=_("How many records"), required=False, min_value=0, max_value=10_000_000)
    why = forms.ChoiceField(
        choices=[("", _("Choose")), *((name, STEP_WHY[name]) for name in _WHY)],
        required=False,
        label=_("Why it cannot be done"),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For staff. The person does not see it, but may request it."),
    )
    proof = forms.FileField(
        label=_("Proof"), required=False, help_text=_("A PDF, a picture (PNG, JPEG) or plain text, of at most 5 MB.")
    )

    def __init__(self, *given: Any, right: str = "", too_large: bool = False, **named: Any) -> None:
        super().__init__(*given, **named)
        self.label_suffix = ""
        self.too_large = too_large
        if right in LOOKS:
            self.fields["proof"].label = _("What you found")
            self.fields["proof"].help_text = _(
                "The person gets it unchanged: remove what is about others. A PDF, a picture (PNG, JPEG) or plain "
                "text, of at most 5 MB."
            )

    def clean_proof(self) -> bytes | None:
        if self.too_large:
            raise ValidationError(_("The file is larger than 5 MB."))
        given = self.cleaned_data.get("proof")
        if not given:
            return None
        if given.size > PROOF_BYTES_MAX:
            raise ValidationError(_("The file is larger than 5 MB."))
        data: bytes = given.read()
        if type_of(data) is None:
            raise ValidationError(_("The file is not a PDF, PNG, JPEG or plain text."))
        return data

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("how") == _CANNOT and not cleaned.get("why"):
            self.add_error("why", _("Say why: the person is told."))
        return cleaned


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task in the list, without personal data."""

    id: int
    case: QueueRow
    system: str
    assignee: str


@needs(Leave.CASES_HANDLE)
@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    """Waiting tasks, most urgent first."""
    deployment = current().without_own
    today, form = day(timezone.now(), deployment), TaskFilterForm(request.GET)

    def shown(rows: Sequence[CaseStep]) -> list[TaskRow]:
        return [_line(row, deployment, today) for row in rows]

    page = list_page(form, filtered(request, form.wanted, today), show=shown)
    return render(request, "requests/console/tasks.html", {"here": "tasks", "list": page}, status=page.status)


def filtered(request: HttpRequest, wanted: Mapping[str, str], today: dt.date) -> QuerySet[CaseStep]:
    """Waiting tasks visible to the sender of *request* that pass the filter *wanted* (`TaskFilterForm`), by due
    date."""
    rows = _visible(request).filter(state=CaseStep.State.WAITING).exclude(case__state=CaseState.CLOSED)
    only = wanted.get("only")
    if only == "mine":
        rows = rows.filter(assignee__iexact=request.user.get_username())
    elif only == "late":
        rows = rows.filter(case__due_on__lt=today)
    elif only == "today":
        rows = rows.filter(case__due_on=today)
    return rows.order_by("case__due_on", "id")


def _visible(request: HttpRequest) -> QuerySet[CaseStep]:
    rows = (
        CaseStep.objects.filter(way="task")
        .select_related("case__key", "case__handler")
        .defer("case__content", "case__plan")
    )
    return rows if standing_of(request).is_officer else rows.filter(case__is_confidential=False)


def _line(row: CaseStep, deployment: Deployment, today: dt.date) -> TaskRow:
    return TaskRow(row.pk, queue_row(row.case, today, mine=None), _title(row, deployment), row.assignee)


def _title(row: CaseStep, deployment: Deployment) -> str:
    system = deployment.declaration.systems.get(row.system)
    return (system.title or row.system) if system is not None else row.system


@needs(Leave.CASES_HANDLE, personal=True)
@require_http_methods(["GET", "HEAD", "POST"])
def task(request: HttpRequest, pk: int) -> HttpResponse:
    """One task: what to do and for whom, after the access was recorded; and the form for its result."""
    row = _task(request, pk)
    form = _form(request, row) if request.method == "POST" else TaskResultForm(right=row.case.right)
    if request.method == "POST" and form.is_valid():
        _end(request, row, form.cleaned_data)
        return HttpResponseRedirect(reverse("tasks"))
    deployment, purpose = current().without_own, purpose_of(request)
    case: Case = row.case
    content = content_of(case, deployment)
    record_access(request, subjects=people_of(case, content, deployment), purpose=purpose, about=case.about)
    shown = {
        "here": "tasks",
        "step": row,
        "line": _line(row, deployment, day(timezone.now(), deployment)),
        "wrote": list(wrote(content, deployment.declaration)) if content is not None else [],
        "why": STEP_WHY.get(row.why, row.why),
        "form": form,
        "purpose": purpose,
        "purposes": purposes(),
        "is_waiting": row.state == CaseStep.State.WAITING,
    }
    return render(request, "requests/console/task.html", shown, status=400 if form.errors else 200)


def _task(request: HttpRequest, pk: int) -> CaseStep:
    row = _visible(request).filter(pk=pk).first()
    if row is None:
        raise Http404
    refuse_own(request, everyone_of(row.case, current().without_own))
    return row


def _form(request: HttpRequest, row: CaseStep) -> TaskResultForm:
    """The submitted form. Files of a body that is too large were discarded."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    too_large = length > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    return TaskResultForm(request.POST, request.FILES, right=row.case.right, too_large=too_large)


def _end(request: HttpRequest, row: CaseStep, given: Mapping[str, Any]) -> None:
    now, is_done = timezone.now(), given["how"] == _DONE
    counts = {"records": given["rows"]} if given.get("rows") is not None else {}
    with transaction.atomic():
        if given.get("note"):
            lifecycle.note(row.case, given["note"], current().without_own, who=who(request), now=now)
        external_systems.complete(
            row.pk,
            by=who(request).by,
            done=is_done,
            why="" if is_done else given["why"],
            counts=counts,
            proof=given.get("proof"),
            at=now,
        )


@needs(Leave.CASES_HANDLE, Leave.CASES_APPROVE, personal=True)
@require_safe
def proof(request: HttpRequest, pk: int) -> HttpResponse:
    """Download the file uploaded for a task, after the access was recorded."""
    row, deployment = _task(request, pk), current().without_own
    if row.proof is None:
        raise Http404
    content = content_of(row.case, deployment)
    record_access(
        request, subjects=people_of(row.case, content, deployment), purpose=purpose_of(request), about=row.case.about
    )
    try:
        data = SealedContent(deployment.keyring).file(row.case, bytes(row.proof))
    except ContentGone:
        raise Http404 from None
    _kind, ending = type_of(data) or ("", "bin")
    # Always a download, never displayed by its claimed type: the uploader may have been deceived.
    response = HttpResponse(data, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{row.case.reference}-{row.pk}.{ending}"'
    return response


@needs(Leave.CASES_HANDLE, personal=True)
@require_POST
def give_up(request: HttpRequest, reference: str, step: int) -> HttpResponse:
    """Stop waiting for one system: the case is answered without it, and the e-mail says so."""
    row = visible_case(request, reference)
    if not row.steps.filter(pk=step).exists():
        raise Http404
    external_systems.give_up(step, by=who(request).by, at=timezone.now())
    return back(request, reference)
