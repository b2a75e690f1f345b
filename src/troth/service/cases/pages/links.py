"""What the mailed links of a case open: each is a page with a button."""

from __future__ import annotations

import contextlib

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext

from troth.service.cases import actions, lifecycle
from troth.service.cases.case_links import opened_by
from troth.service.cases.content import content_of
from troth.service.cases.intake import receive
from troth.service.cases.models import CaseState
from troth.service.cases.pages import case_status
from troth.service.core.deployment import Deployment
from troth.service.portal import links, session
from troth.service.portal.base import shown, to
from troth.service.portal.confirmation import Confirmation, confirmed
from troth.service.portal.models import MailedLink


def _open(request: HttpRequest, deployment: Deployment, link: MailedLink) -> HttpResponse:
    session.open_session(request, link, now=timezone.now())
    return to(request, deployment, "centre-case")


def _prove(request: HttpRequest, deployment: Deployment, link: MailedLink) -> HttpResponse:
    receive.prove(link.matter, deployment, now=timezone.now())
    return _open(request, deployment, link)


def _ask_prove(request: HttpRequest, deployment: Deployment, link: MailedLink) -> Confirmation:
    case = opened_by(link).case
    if link.used_at or case.state != CaseState.VERIFYING:
        return _question(
            heading=gettext("Open it once more"), lead=case_status.title_of(case.type), button=gettext("Open")
        )
    return _question(
        heading=gettext("Was it you?"),
        lead=case_status.title_of(case.type),
        button=gettext("Yes, it was me"),
        note=gettext("If it was not you, close this page. Nothing happens."),
    )


def _ask_status(request: HttpRequest, deployment: Deployment, link: MailedLink) -> Confirmation:
    asked = case_status.title_of(opened_by(link).case.type)
    return _question(heading=gettext("How far we are"), lead=asked, button=gettext("Show it"))


def _ask_package(request: HttpRequest, deployment: Deployment, link: MailedLink) -> Confirmation:
    lead = gettext(
        "Press the button, and you can download them for %(hours)s hours. Do it where nobody else looks on."
    ) % {"hours": links.SESSION_HOURS}
    return _question(heading=gettext("Your data are ready"), lead=lead, button=gettext("Open"))


def _ask_agent(request: HttpRequest, deployment: Deployment, link: MailedLink) -> Confirmation:
    case = opened_by(link).case
    content = content_of(case, deployment)
    name = content.agent_name if content is not None else ""
    introduced = gettext("Somebody whom we do not know asked for this, and typed this name:")
    return _question(
        heading=gettext("May somebody ask in your name?"),
        lead=case_status.title_of(case.type),
        text=(
            format_html("{} <q>{}</q>", introduced, name),
            gettext("If you did not send them, say so: then it ends here."),
            gettext("The answer goes to your address, not to theirs."),
        ),
        button=gettext("Yes, they ask for me"),
        refusal=gettext("No, I sent nobody"),
    )


@confirmed(_ask_agent)
def authorise_agent(request: HttpRequest, deployment: Deployment, link: MailedLink) -> HttpResponse:
    """Let the agent act for the person, or close the case if the person sent nobody."""
    if "no" in request.POST:
        with contextlib.suppress(lifecycle.CaseRefused):  # it was executed already: the page says so
            now = timezone.now()
            actions.withdraw(link.matter, deployment, who=lifecycle.SUBJECT, now=now, is_denied=True)
            links.close(link, now=now)
            return shown(request, deployment, "cases/denied.html", {})
    return _prove(request, deployment, link)


def _question(**texts: object) -> Confirmation:
    return Confirmation(title=gettext("One more step"), **texts)  # type: ignore[arg-type]


prove = confirmed(_ask_prove)(_prove)
open_status = confirmed(_ask_status)(_open)
open_package = confirmed(_ask_package)(_open)
