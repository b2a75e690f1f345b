"""Shared by the pages of the privacy centre: deployment, language, layout and portal session.

`centre_page` is for everyone; `window_page` is for visitors with a portal session, opened by a mailed link.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt

from troth.service.access_rules import public
from troth.service.core.deployment import Deployment, NoDeployment, current
from troth.service.networks import prefix_of
from troth.service.pages import csrf_failure, not_ready
from troth.service.requests.models import Case, Right
from troth.service.requests.pages import portal_session
from troth.service.requests.pages.form_token import is_ours
from troth.service.requests.pages.throttle import networks

RIGHTS = (Right.VIEW, Right.AMEND, Right.ERASE, Right.PORT, Right.RESTRICT, Right.OBJECT, Right.WITHDRAW)
"""Rights with their own form."""

View = Callable[..., HttpResponseBase]


def centre_page(view: View, *, takes_forms_from_elsewhere: bool = False) -> View:
    """Decorator for a public page in the visitor's language, with the current deployment. Only forms from our own pages
    are accepted, unless *takes_forms_from_elsewhere*, where the view does its own check."""

    @public
    @csrf_exempt  # Django's token needs a cookie; `form_token` does not
    @functools.wraps(view)
    def guarded(request: HttpRequest, *given: Any, **named: Any) -> HttpResponseBase:
        try:
            deployment = current().without_own
        except NoDeployment as error:
            return not_ready(request, error)
        language = _language(request, deployment)
        with translation.override(language):
            if guarded.checks_form and request.method == "POST" and not _is_ours(request):  # type: ignore[attr-defined]
                return csrf_failure(request)
            response = view(request, deployment, *given, **named)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language"])
        return response

    guarded.checks_form = not takes_forms_from_elsewhere  # type: ignore[attr-defined]
    return guarded


def _is_ours(request: HttpRequest) -> bool:
    """True if the form came from our own page. Django's test client may disable the check, as for Django's own."""
    return getattr(request, "_dont_enforce_csrf_checks", False) or is_ours(request)


def _language(request: HttpRequest, deployment: Deployment) -> str:
    """The language chosen in the URL, else the browser's preference, else the company's first language."""
    spoken = deployment.declaration.requests.languages
    chosen = chosen_language(request, deployment)
    if chosen:
        return chosen
    for wished, _ in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:500].lower()):
        if (short := wished.partition("-")[0]) in spoken:
            return short
    return spoken[0]


def chosen_language(request: HttpRequest, deployment: Deployment) -> str:
    chosen = request.GET.get("language", "")
    return chosen if chosen in deployment.declaration.requests.languages else ""


def to(request: HttpRequest, deployment: Deployment, name: str, *given: Any, **more: str) -> HttpResponseRedirect:
    """Redirect to one of our pages, in the chosen language."""
    query = {**more, **({"language": chosen} if (chosen := chosen_language(request, deployment)) else {})}
    return HttpResponseRedirect(reverse(name, args=given, query=query))


def shown(
    request: HttpRequest, deployment: Deployment, template: str, values: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    spoken = deployment.declaration.requests.languages
    chosen = chosen_language(request, deployment)
    context = {  # *at*: the URL of the page, if it differs from the current one
        "is_home": template == "home",
        "languages": [(code, name) for code, name in settings.LANGUAGES if code in spoken],
        "kept": {},  # query parameters kept when the language changes: only known ones
        "q": f"?language={chosen}" if chosen else "",
        "chosen": chosen,
        **values,
    }
    response = render(request, f"requests/{template}.html", context, status=status)
    response.headers["Content-Language"] = translation.get_language() or "en"
    return response


def too_many(request: HttpRequest, deployment: Deployment) -> HttpResponse | None:
    """Rate-limit response for a network that sends too much; None for others."""
    if not networks.is_over(prefix_of(request.META), now=timezone.now()):
        return None
    response = shown(request, deployment, "limited", {}, status=429)
    response.headers["Retry-After"] = "3600"
    return response


def language_of(case: Case, request: HttpRequest, deployment: Deployment) -> str:
    """The language chosen in the URL, else that of the case if supported, else the visitor's."""
    spoken = deployment.declaration.requests.languages
    return chosen_language(request, deployment) or (
        case.language if case.language in spoken else _language(request, deployment)
    )


def window_page(view: View) -> View:
    """Decorator for a page that needs an open portal session, in the language of the case."""

    @centre_page
    @functools.wraps(view)
    def guarded(request: HttpRequest, deployment: Deployment, *given: Any, **named: Any) -> HttpResponseBase:
        link = portal_session.opened(request, now=timezone.now())
        if link is None:
            return shown(request, deployment, "over", {"at": reverse("centre")}, status=403)
        language = language_of(link.case, request, deployment)
        with translation.override(language):
            return view(request, deployment, link, *given, **named)

    return guarded
