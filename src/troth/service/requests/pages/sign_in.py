"""Sign-in by the company's own login: handed over by its application, or requested by us."""

from __future__ import annotations

import functools
import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from troth.service.core.deployment import Deployment
from troth.service.requests.pages import portal_session
from troth.service.requests.pages.base import RIGHTS, centre_page, chosen_language, shown, too_many
from troth.service.requests.verification import company_login, proof
from troth.service.requests.verification.proof import HandOver

_TRY = "troth.try"
_log = logging.getLogger("troth.cases")


@require_POST
@functools.partial(centre_page, takes_forms_from_elsewhere=True)
def hand_over(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/signed-in``: the company's own site hands over a person whom it has signed in.

    The token proves itself: it is signed by the company for us, and valid once and for minutes. It is sent by form,
    because a URL would stay in histories and logs.
    """
    if refused := too_many(request, deployment):
        return refused
    try:
        handed = proof.handover(
            request.POST.get("token", "")[:4_000], settings.TROTH.handover_secret, deployment, now=timezone.now()
        )
    except proof.HandOverRefused:
        return shown(request, deployment, "over", {"at": reverse("centre")}, status=403)
    return _let_in(request, deployment, handed)


@require_safe
@centre_page
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
    asked = request.GET.get("right", "")
    right = asked if asked in RIGHTS else ""
    request.session[_TRY] = {**remembered, "right": right, "language": chosen_language(request, deployment)}
    return HttpResponseRedirect(place)


@require_safe
@centre_page
def come_back(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/sign-in/back``: return from the company's own login. The attempt is forgotten before it is
    checked."""
    provider = settings.TROTH.subject_login
    if provider is None:
        raise Http404
    remembered = request.session.pop(_TRY, None) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
    answer = {name: request.GET.get(name, "")[:2_000] for name in ("state", "code", "iss") if name in request.GET}
    try:
        handed = company_login.finish(provider, _back(deployment), remembered, answer, now=timezone.now())
    except company_login.LoginRefused as refused:
        return _not_let_in(request, deployment, refused)
    assert remembered is not None, "nobody comes back from a try that is not known"
    return _let_in(request, deployment, handed, right=remembered["right"], language=remembered["language"])


def _back(deployment: Deployment) -> str:
    return f"{deployment.site}{reverse('centre-sign-in-back')}"


def _let_in(
    request: HttpRequest, deployment: Deployment, handed: HandOver, *, right: str = "", language: str = ""
) -> HttpResponse:
    portal_session.remember(request, handed, deployment, now=timezone.now())
    right, language = right or handed.right, language or handed.language
    more = {"language": language} if language in deployment.declaration.requests.languages else {}
    if right in RIGHTS:
        return HttpResponseRedirect(reverse("centre-right", args=[right], query=more))
    return HttpResponseRedirect(reverse("centre", query=more))


def _not_let_in(request: HttpRequest, deployment: Deployment, refused: company_login.LoginRefused) -> HttpResponse:
    """Log the reason for the company; tell the person only that they can use e-mail instead."""
    _log.warning("the company's login for people let nobody in: %s", refused)
    return shown(request, deployment, "not_signed_in", {"at": reverse("centre")}, status=403)
