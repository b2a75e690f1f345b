"""Pages of cases in the privacy centre: people follow what they asked for.

Every page works without scripts. All changes use POST. Personal data is shown only in a portal session opened by a
mailed link, and never appears in a URL. Known and unknown addresses get the same answer, after the same work.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.service.cases import actions, lifecycle, resend_links
from troth.service.cases.case_links import OpenedCase
from troth.service.cases.duty import PROVE_LINK
from troth.service.cases.forms import ClarificationAnswerForm, ResendLinksForm
from troth.service.cases.handling import case_types
from troth.service.cases.intake import mail_allowance
from troth.service.cases.models import CaseState
from troth.service.cases.pages import case_status
from troth.service.cases.pages.base import case_response, due, form_status, opened_case_page
from troth.service.core.deployment import Deployment
from troth.service.pages import the_log, told_of
from troth.service.portal.base import public_page, shown, to
from troth.service.portal.confirmation import Confirmation, confirmed
from troth.service.portal.resend import request_links
from troth.service.portal.throttle import too_many


@require_safe
@public_page
def sent(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/sent/``: the next steps and the deadline."""
    what = request.GET.get("what", "")
    if what == "again":
        return shown(request, deployment, "cases/sent_again.html", {"kept": {"what": what}})
    if what not in case_types() or case_types()[what].is_followup:
        raise Http404
    link = link if (link := request.GET.get("link", "")) in ("none", "both") else "link"
    is_by_agent = request.GET.get("by") == "agent"
    told = {
        "what": what,
        "kept": {"what": what, "link": link, **({"by": "agent"} if is_by_agent else {})},
        "title": case_status.title_of(what),
        "link": link,
        "is_by_agent": is_by_agent,
        "is_in_words": case_types()[what].is_answered,
        "due": due(deployment, what, link=link),
        "hours": PROVE_LINK.lasts // dt.timedelta(hours=1),
        "most": mail_allowance.MESSAGES_MAX,
    }
    return shown(request, deployment, "cases/sent.html", told)


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def ask_again(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/again/``: request the links again."""
    form = ResendLinksForm(request.POST or None)
    if request.method == "POST":
        if refused := too_many(request, deployment):
            return refused
        if form.is_valid():
            if not form.is_by_a_program:
                request_links(form.cleaned_data["email"], deployment)
            return to(request, deployment, "centre-sent", what="again")
    told = {"form": form, "cases": resend_links.CASES_MAX}
    return shown(request, deployment, "cases/again.html", told, status=form_status(form))


@require_safe
@opened_case_page
def case_page(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    """``/your-data/case/``: status, next step and possible actions."""
    return case_response(request, deployment, opened)


@require_POST
@opened_case_page
def answer(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    """Accept the person's answer to our question; the clock continues."""
    form = ClarificationAnswerForm(request.POST)
    if opened.case.state != CaseState.PAUSED:
        return to(request, deployment, "centre-case")
    if not form.is_valid():
        return case_response(request, deployment, opened, form=form, status=422)
    actions.resume(opened.case.pk, form.cleaned_data["answer"], deployment, who=lifecycle.SUBJECT, now=timezone.now())
    return to(request, deployment, "centre-case")


def _ask_take_back(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> Confirmation:
    lifecycle.require_untouched(opened.case)
    return Confirmation(
        title=gettext("Take it back?"),
        heading=gettext("Take it back?"),
        lead=case_status.title_of(opened.case.type),
        text=(gettext("Then we close it. You can ask again at any time."),),
        button=gettext("Take it back"),
        way_back=("centre-case", gettext("Leave it as it is")),
    )


@confirmed(_ask_take_back)
def _take_back(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    actions.withdraw(opened.case.pk, deployment, who=lifecycle.SUBJECT, now=timezone.now())
    return to(request, deployment, "centre-case")


@require_http_methods(["GET", "HEAD", "POST"])
@opened_case_page
def take_back(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponseBase:
    """Withdraw the request, after a confirmation, because it cannot be undone."""
    if not opened.is_inside or opened.case.state == CaseState.CLOSED:
        return to(request, deployment, "centre-case")
    try:
        return _take_back(request, deployment, opened)
    except lifecycle.CaseRefused:
        said = gettext("We have begun to carry it out, and it cannot be taken back any more.")
        return case_response(request, deployment, opened, wrong=said, status=409)


@require_safe
@opened_case_page
def receipt_page(request: HttpRequest, deployment: Deployment, opened: OpenedCase, leaf: int) -> HttpResponse:
    """Show one ledger entry about this case, with its proof."""
    return shown(request, deployment, "cases/receipt.html", _receipt(opened, leaf))


@require_safe
@opened_case_page
def receipt_file(request: HttpRequest, deployment: Deployment, opened: OpenedCase, leaf: int) -> HttpResponse:
    """Download the machine-readable proof (C2SP tlog-proof)."""
    return HttpResponse(_receipt(opened, leaf)["receipt"], content_type="text/plain; charset=utf-8")


def _receipt(opened: OpenedCase, leaf: int) -> dict[str, Any]:
    log = the_log()
    if leaf >= log.size or leaf not in case_status.leaves(opened.case):
        raise Http404
    return told_of(log, leaf)
