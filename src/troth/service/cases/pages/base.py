"""Shared by the pages of cases in the privacy centre."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation

from troth.service.cases import case_links, lifecycle, rules
from troth.service.cases.case_links import OpenedCase, opened_by
from troth.service.cases.content import CaseContent
from troth.service.cases.duty import PROVE_LINK
from troth.service.cases.forms import ClarificationAnswerForm
from troth.service.cases.handling import case_types, handling_of
from troth.service.cases.intake.receive import Intake
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.cases.pages import case_status
from troth.service.core.deployment import Deployment
from troth.service.duty import LinkKind
from troth.service.portal import links, session
from troth.service.portal.base import View, session_page, shown
from troth.service.portal.models import MailedLink


def opened_case_page(view: View) -> View:
    """Decorator for a page of the case that the visitor has opened with a mailed link."""

    @session_page("requests")
    @functools.wraps(view)
    def guarded(
        request: HttpRequest, deployment: Deployment, link: MailedLink, *given: Any, **named: Any
    ) -> HttpResponseBase:
        return view(request, deployment, opened_by(link), *given, **named)

    return guarded


def due(deployment: Deployment, name: str, *, link: str = "link") -> Any:
    """The earliest deadline of a case of the type *name* that would arrive now, for an unknown residence. *link*:
    whether the person must open a link first, ``open`` if they have, or ``none``."""
    now, kind = timezone.now(), case_types()[name].kind
    # A clock may start only when identity is proved, and the person may still confirm tomorrow.
    by_then = now if link == "open" else now + PROVE_LINK.lasts
    is_proved = link != "none" and kind == CaseKind.REQUEST
    right = name if kind == CaseKind.REQUEST else ""
    asked = rules.ClockInputs(kind=kind, right=right, received_at=now, verified_at=by_then if is_proved else None)
    return rules.clocks(asked, deployment.declaration, now=now).first


def intake_of(form: Any, name: str, content: CaseContent, *, clause: str = "", tier: int = 0) -> Intake:
    """The intake of a case of the type *name* from a *form* of the privacy centre."""
    kind = case_types()[name].kind
    return Intake(
        kind=CaseKind(kind),
        right=name if kind == CaseKind.REQUEST else "",
        content=content,
        channel=Channel.CENTRE,
        language=translation.get_language() or "en",
        residence=form.cleaned_data["residence"],
        clause=clause[:80],
        tier=tier,
        who=lifecycle.Actor("agent") if content.agent_address else lifecycle.SUBJECT,
    )


def open_case(request: HttpRequest, case: Case, kind: LinkKind, *, now: dt.datetime) -> None:
    """Open a portal session as if a link of *kind* had been mailed and used."""
    session.open_session(request, links.use(case_links.make(case, kind, now=now), now=now), now=now)


def form_status(form: Any) -> int:
    """The status of a page with *form*."""
    return 422 if form.is_bound and form.errors else 200


def case_response(
    request: HttpRequest,
    deployment: Deployment,
    opened: OpenedCase,
    *,
    form: ClarificationAnswerForm | None = None,
    wrong: str = "",
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The page of the case, with values for its templates."""
    now, handling = timezone.now(), handling_of(opened.case.type)
    seen = case_status.show(opened.case, deployment, inside=opened.is_inside, now=now)
    values = {"case": seen, "details": seen.details, "wrong": wrong, "at": reverse("centre-case")}
    if seen.needs_answer:
        values["form"] = form or ClarificationAnswerForm()
    values |= {**handling.status_context(opened, deployment, now), **more}
    response = shown(request, deployment, "cases/case.html", values, status=status)
    for name, value in handling.headers(opened.case).items():
        response.headers[name] = value
    return response
