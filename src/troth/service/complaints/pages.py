"""Pages of the privacy centre to complain, to ask about the policy, and to appeal."""

from __future__ import annotations

import contextlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from troth.service.cases import lifecycle
from troth.service.cases.case_links import OpenedCase
from troth.service.cases.duty import STATUS_LINK
from troth.service.cases.intake import receive
from troth.service.cases.models import CaseKind, Channel, Right
from troth.service.cases.pages.base import due, form_status, intake_of, open_case, opened_case_page
from troth.service.cases.pages.case_status import title_of
from troth.service.complaints import actions
from troth.service.complaints.forms import AppealForm, ComplaintForm
from troth.service.core.deployment import Deployment, NoDeployment, current
from troth.service.pages import not_ready
from troth.service.policy_pages.publication import in_force
from troth.service.portal.base import public_page, shown, to
from troth.service.portal.throttle import too_many


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def complain(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/complain/``: complaints to us, or to the regulator."""
    return _in_words(request, deployment, CaseKind.COMPLAINT, ComplaintForm(request.POST or None))


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def question(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/ask/``: a question about one sentence of the policy, or all of it."""
    try:
        policy = in_force(current(), timezone.localdate()).policy
    except NoDeployment as error:
        return not_ready(request, error)
    clauses = [
        (sentence.id, sentence.text if len(sentence.text) <= 120 else f"{sentence.text[:118]}…")
        for block in policy.blocks
        if block.kind != "heading"
        for sentence in block.sentences
    ]
    asked = request.GET.get("clause", "")
    form = ComplaintForm(request.POST or None, clauses=clauses, initial={"clause": asked})
    quoted = next((sentence.text for sentence in policy.sentences if sentence.id == asked), "")
    kept = {"clause": asked} if quoted else {}
    return _in_words(request, deployment, CaseKind.QUESTION, form, quoted=quoted, kept=kept)


def _in_words(
    request: HttpRequest, deployment: Deployment, kind: CaseKind, form: ComplaintForm, **more: Any
) -> HttpResponse:
    if request.method == "POST":
        if refused := too_many(request, deployment):
            return refused
        if form.is_valid():
            if not form.is_by_a_program:
                intake = intake_of(form, kind, form.content(), clause=form.cleaned_data.get("clause", ""))
                receive.receive(intake, deployment, now=timezone.now())
            return to(request, deployment, "centre-sent", what=kind)
    regulator = deployment.declaration.organisation.regulator
    told = {"form": form, "kind": kind, "due": due(deployment, kind).on, "regulator": regulator, **more}
    return shown(request, deployment, "complaints/words.html", told, status=form_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
@opened_case_page
def appeal(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    """``/your-data/case/appeal``: appeal against a refusal or a partial fulfilment."""
    if not actions.may_appeal(opened.case):
        return to(request, deployment, "centre-case")
    form = AppealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        with contextlib.suppress(lifecycle.CaseRefused):  # someone has just appealed: the page says so
            text, channel = form.cleaned_data["answer"], Channel.CENTRE
            case = actions.open_appeal(opened.case.pk, text, deployment, channel=channel, is_proved=True, now=now)
            open_case(request, case, STATUS_LINK, now=now)
        return to(request, deployment, "centre-case")
    told = {
        "form": form,
        "reference": opened.case.reference,
        "title": title_of(opened.case.type),
        "due": due(deployment, Right.APPEAL, link="open").on,
        "at": reverse("centre-appeal"),
    }
    return shown(request, deployment, "complaints/appeal.html", told, status=form_status(form))
