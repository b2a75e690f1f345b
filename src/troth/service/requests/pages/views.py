"""Views of the privacy centre: people make requests without an account, and follow them.

Every page works without scripts. All changes use POST. Personal data is shown only in a portal session opened by a
mailed link, and never appears in a URL. Known and unknown addresses get the same answer, after the same work.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from django.conf import settings
from django.db.models import F
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.declaration import Declaration, Organisation
from troth.service.cases import lifecycle
from troth.service.cases.case_links import OpenedCase
from troth.service.cases.duty import PROVE_LINK
from troth.service.cases.handling import handling_of
from troth.service.cases.intake import receive
from troth.service.cases.labels import cookie_words, purpose_words
from troth.service.cases.messages import day, not_told
from troth.service.cases.models import Case, CaseKind, CaseOutcome, CaseState, Right
from troth.service.cases.pages.base import case_response, due, form_status, intake_of, open_case, opened_case_page
from troth.service.cases.pages.case_status import title_of
from troth.service.core.deployment import Deployment
from troth.service.duty import CentreLink, listed
from troth.service.portal import session
from troth.service.portal.base import chosen_language, public_page, shown, to
from troth.service.portal.throttle import too_many
from troth.service.requests import rules
from troth.service.requests.fulfilment.restriction import is_stopped
from troth.service.requests.models import CHOICES
from troth.service.requests.pages.forms import RequestForm, points_form, purposes_for
from troth.service.requests.responses import outcome
from troth.service.requests.verification import proof

_PUBLIC_S = 60


# --- home ------------------------------------------------------------------------------------------------------------


@require_safe
@public_page
def home(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/``: all rights, and access to earlier cases. The page is the same for everyone, so it is cached for
    a day per language."""
    made = _made_for(deployment.declaration)
    key = (translation.get_language(), chosen_language(request, deployment), day(timezone.now(), deployment))
    page_made = made.get(key)
    if page_made is None:
        organisation = deployment.declaration.organisation
        told = {
            "is_home": True,
            "due": due(deployment, Right.VIEW).on,
            "officer": organisation.officer,
            "regulator": organisation.regulator,
            "within_a_day": within_a_day(now=timezone.now()),
            "more": [
                _centre_link(link, organisation) for link in sorted(listed("centre"), key=lambda link: link.place)
            ],
        }
        if len(made) >= _HOMES_MAX:
            made.clear()
        page_made = made[key] = shown(request, deployment, "requests/home.html", told).content
    response = HttpResponse(page_made)
    patch_cache_control(response, public=True, max_age=_PUBLIC_S)
    return response


def _centre_link(link: CentreLink, organisation: Organisation) -> tuple[str, str, str]:
    """URL name and texts of a link, in the active language."""
    if link.alone and not organisation.regulator:
        return link.name, gettext(link.title), gettext(link.alone)
    about = gettext(link.about)
    return link.name, gettext(link.title), about % {"regulator": organisation.regulator} if link.alone else about


_ANSWERED_MIN = 20
"""Minimum number of answers for a statistic; with fewer, it would be chance, and might reveal a person."""


def within_a_day(*, now: dt.datetime) -> int | None:
    """Percentage of the requests answered in the last 90 days that were answered within 24 hours; None if there are few
    answers, or less than half were that fast."""
    ended = (CaseOutcome.FULFILLED, CaseOutcome.PARTLY_FULFILLED, CaseOutcome.REFUSED)
    closed = Case.objects.filter(
        kind=CaseKind.REQUEST, outcome__in=ended, closed_at__gt=now - dt.timedelta(days=90), closed_at__lte=now
    )
    answered = closed.exclude(pk__in=not_told().values("case"))
    all_of_them = answered.count()
    quick = answered.filter(closed_at__lte=F("received_at") + dt.timedelta(hours=24)).count()
    if all_of_them < _ANSWERED_MIN or 2 * quick < all_of_them:
        return None
    return 100 * quick // all_of_them


_HOMES_MAX = 32
_homes: tuple[Declaration | None, dict[tuple[Any, ...], bytes]] = (None, {})


def _made_for(declaration: Declaration) -> dict[tuple[Any, ...], bytes]:
    """Cache of home pages for the current declaration."""
    global _homes  # noqa: PLW0603 - those of the last declaration only
    if _homes[0] is not declaration:
        _homes = (declaration, {})
    return _homes[1]


@require_safe
@public_page
def choices(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/choices/``: marketing e-mail, whether its reading is counted, and cookies."""
    told = {
        "counts": any(it.statistics != "none" for it in deployment.declaration.newsletters.values()),
        "marketing": [purpose_words(deployment.declaration, name) for name in rules.marketing(deployment.declaration)],
        "cookies": [cookie_words(name, one) for name, one in deployment.declaration.cookies.items()],
    }
    return shown(request, deployment, "requests/choices.html", told)


# --- asking ----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def ask_for(request: HttpRequest, deployment: Deployment, right: str) -> HttpResponse:
    """``/your-data/<right>/``: the form of one right."""
    rows = min(int(rows), 99) if (rows := request.POST.get("rows", "")).isdecimal() and rows.isascii() else 1
    wants_row = "more" in request.POST
    someone = session.known(request, deployment, now=timezone.now())
    form = RequestForm(
        request.POST if request.method == "POST" and not wants_row else None,
        right=right,
        declaration=deployment.declaration,
        someone=someone,
        rows=rows + wants_row,
        initial=request.POST.dict() if wants_row else None,
    )
    if request.method == "POST" and not wants_row:
        if refused := too_many(request, deployment):
            return refused
        if form.is_valid():
            case = None if form.is_by_a_program else _receive(form, right, deployment)
            if case is not None and someone is not None:  # no e-mailed proof is needed any more
                open_case(request, case, PROVE_LINK, now=timezone.now())
                return to(request, deployment, "centre-case")
            asked, lives = form.content().purposes, form.cleaned_data["residence"]
            link = rules.link_needed(deployment.declaration, right, asked, residence=lives)
            more: dict[str, str] = {} if link == "link" else {"link": link}
            more |= {"by": "agent"} if form.content().agent_address else {}
            return to(request, deployment, "centre-sent", what=right, **more)
    told = {
        "form": form,
        "someone": someone,
        "right": right,
        "due": due(deployment, right, link="open" if someone is not None else form.link).on,
        "link": "none" if someone is not None else form.link,
        "weighs": bool(rules.weighed(deployment.declaration, right, rules.stoppable(deployment.declaration, right))),
        "is_choice": right in CHOICES,
        "signs_in": someone is None and settings.TROTH.subject_login is not None,
        "has_something": right not in CHOICES or bool(purposes_for(deployment.declaration, right)),
        "title": title_of(right),
    }
    return shown(request, deployment, "requests/ask.html", told, status=form_status(form))


ADDRESS_MAX = 8
"""Unverified cases of one address per day after which an already stopped use is not stopped again."""


def has_asked_enough(subject: str, *, now: dt.datetime) -> bool:
    """True if this subject has so many unverified cases within a day that repeating an action already done would be a
    nuisance. Addresses are counted by the keyed reference of their cases, so that nothing extra is stored."""
    recent = Case.objects.filter(subject=subject, tier=0, received_at__gt=now - dt.timedelta(days=1))
    return recent.values_list("pk")[:ADDRESS_MAX].count() >= ADDRESS_MAX


# --- in a portal session ---------------------------------------------------------------------------------------------


def _receive(form: RequestForm, right: str, deployment: Deployment) -> Case | None:
    """Open the case. No data is looked up, so the response time is the same for strangers and customers."""
    now, content, someone = timezone.now(), form.content(), form.someone
    has_enough = someone is None and has_asked_enough(lifecycle.subject_of(content, deployment), now=now)
    if has_enough and right in CHOICES and is_stopped(right, content, deployment):
        return None  # it is recorded already
    intake = intake_of(form, right, content, tier=someone.tier if someone is not None else 0)
    return receive.receive_all(handling_of(right).parts(intake, deployment.declaration), deployment, now=now)[0]


# --- in a portal session ---------------------------------------------------------------------------------------------


@require_POST
@opened_case_page
def prove_points(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    """Check data points given by the person. The response never says which one was wrong."""
    if not opened.is_inside or opened.case.state != CaseState.VERIFYING:
        return to(request, deployment, "centre-case")
    form = points_form(opened, deployment, request.POST)
    if not form.is_valid():
        return case_response(request, deployment, opened, points=form, status=422)
    declares, now = bool(form.cleaned_data.get("declares")), timezone.now()
    if tier := proof.proven_tier(opened, form.answers(), declares=declares, deployment=deployment, now=now):
        receive.prove(opened.case.pk, deployment, now=now, tier=tier)
        return to(request, deployment, "centre-case")
    opened.case.refresh_from_db()
    said = gettext("We could not match that. Check the spelling, or give other details.")
    return case_response(request, deployment, opened, wrong=said, status=422)


@require_POST
@opened_case_page
def fetch_package(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponseBase:
    """Download the package with the person's data."""
    packed = outcome.unsealed(opened.case, deployment, now=timezone.now()) if opened.is_inside else None
    if packed is None:
        return case_response(
            request, deployment, opened, wrong=gettext("The file is not there any more. You can ask again."), status=410
        )
    name = f"{opened.case.reference}.zip"
    response = FileResponse(io.BytesIO(packed), as_attachment=True, filename=name, content_type="application/zip")
    response.headers["Cache-Control"] = "no-store"
    return response
