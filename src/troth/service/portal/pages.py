"""Public pages of no single duty: mailed links, the end of a session, and sign-in by the company's own login."""

from __future__ import annotations

import functools
import logging
import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.service import duty
from troth.service.core.deployment import Deployment
from troth.service.portal import company_login, handover, links, session
from troth.service.portal.base import chosen_language, closed, in_language, public_page, shown
from troth.service.portal.throttle import too_many

_TRY = "troth.try"
_log = logging.getLogger("troth.portal")


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def follow_link(request: HttpRequest, deployment: Deployment, secret: str) -> HttpResponseBase:
    """``/your-data/link/<secret>``: a page with a button, which does what the kind of link is for. Fetching it changes
    nothing."""
    find = links.use if request.method == "POST" else links.find
    try:
        link = find(secret, now=timezone.now())
    except links.LinkDead:
        return shown(request, deployment, "portal/dead.html", {}, status=410)
    with in_language(link.language, request, deployment):
        response: HttpResponseBase = duty.resolve(links.kind_of(link).opens)(request, deployment, link)
    if request.method != "POST":
        response.headers["Referrer-Policy"] = "strict-origin"  # the form needs an origin; the path is a secret
    return response


@require_POST
@public_page
def leave(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/case/leave``: end the portal session, and clear this device's data."""
    session.forget(request)
    response = shown(request, deployment, "portal/left.html", {"at": reverse("centre")})
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


# --- the company's own login -----------------------------------------------------------------------------------------


@require_POST
@functools.partial(public_page, takes_forms_from_elsewhere=True)
def hand_over(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/signed-in``: the company's own site hands over a person whom it has signed in.

    The token proves itself: it is signed by the company for us, and valid once and for minutes. It is sent by form,
    because a URL would stay in histories and logs.
    """
    if refused := too_many(request, deployment):
        return refused
    try:
        person = handover.accept(
            request.POST.get("token", "")[:4_000], settings.TROTH.handover_secret, deployment, now=timezone.now()
        )
    except handover.HandOverRefused:
        return closed(request, deployment)
    return _let_in(request, deployment, person, person.right, person.language)


@require_safe
@public_page
def sign_in(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/sign-in``: redirects to the company's own login. It is a plain link, because browsers apply the
    form-action policy to redirects after a form; it only changes what the session remembers of the attempt."""
    provider = settings.TROTH.subject_login
    if provider is None:
        raise Http404
    if refused := too_many(request, deployment):
        return refused
    try:
        place, remembered = company_login.begin(provider, _back(deployment), now=timezone.now())
    except company_login.LoginRefused as refused_:
        return _not_let_in(request, deployment, refused_)
    request.session[_TRY] = {
        **remembered,
        "right": request.GET.get("right", "")[:20],
        "language": chosen_language(request, deployment),
    }
    return HttpResponseRedirect(place)


@require_safe
@public_page
def come_back(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/sign-in/back``: return from the company's own login. The attempt is forgotten before it is
    checked."""
    provider = settings.TROTH.subject_login
    if provider is None:
        raise Http404
    remembered = request.session.pop(_TRY, None) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
    answer = {name: request.GET.get(name, "")[:2_000] for name in ("state", "code", "iss") if name in request.GET}
    try:
        person = company_login.finish(provider, _back(deployment), remembered, answer, now=timezone.now())
    except company_login.LoginRefused as refused:
        return _not_let_in(request, deployment, refused)
    assert remembered is not None, "nobody comes back from a try that is not known"
    return _let_in(request, deployment, person, remembered["right"], remembered["language"])


def _back(deployment: Deployment) -> str:
    return f"{deployment.site}{reverse('portal-sign-in-back')}"


def _let_in(
    request: HttpRequest, deployment: Deployment, person: handover.SignedInPerson, page: str, language: str
) -> HttpResponse:
    """Remember the person, and go to the *page* of the privacy centre with that name, else to its first page."""
    session.remember(request, person, deployment, now=timezone.now())
    is_spoken = language in deployment.declaration.requests.languages
    return HttpResponseRedirect(_path_of(page) + (f"?language={language}" if is_spoken else ""))


def _path_of(page: str) -> str:
    home = reverse("centre")
    path = f"{home}{page}/"
    if not re.fullmatch(r"[a-z-]+", page):
        return home
    try:
        resolve(path)
    except Resolver404:
        return home
    return path


def _not_let_in(request: HttpRequest, deployment: Deployment, refused: company_login.LoginRefused) -> HttpResponse:
    """Log the reason for the company; tell the person only that they can use e-mail instead."""
    _log.warning("the company's login for people let nobody in: %s", refused)
    return shown(request, deployment, "portal/not_signed_in.html", {"at": reverse("centre")}, status=403)
