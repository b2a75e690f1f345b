"""Shared by public pages: deployment, language, layout and portal session.

`public_page` is for everyone; `session_page` is for visitors with a portal session, opened by a mailed link.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
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
from troth.service.pages import csrf_failure, not_ready
from troth.service.portal import session
from troth.service.portal.form_token import is_ours

View = Callable[..., HttpResponseBase]


def public_page(view: View, *, takes_forms_from_elsewhere: bool = False) -> View:
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


def session_page(app: str) -> Callable[[View], View]:
    """Decorator for a page that needs a portal session of *app*. It gets the link that opened the session, and is in
    the language of that link."""

    def decorate(view: View) -> View:
        @public_page
        @functools.wraps(view)
        def guarded(request: HttpRequest, deployment: Deployment, *given: Any, **named: Any) -> HttpResponseBase:
            link = session.opened(request, app, now=timezone.now())
            if link is None:
                return closed(request, deployment)
            with in_language(link.language, request, deployment):
                return view(request, deployment, link, *given, **named)

        return guarded

    return decorate


def closed(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """The response where a session is needed and none is open."""
    return shown(request, deployment, "portal/over.html", {"at": reverse("centre")}, status=403)


def shown(
    request: HttpRequest, deployment: Deployment, template: str, values: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    """Render *template*, which extends ``portal/base.html``, in the current language."""
    spoken = deployment.declaration.requests.languages
    chosen = chosen_language(request, deployment)
    context = {  # *at*: the URL of the page, if it differs from the current one
        "languages": [(code, name) for code, name in settings.LANGUAGES if code in spoken],
        "kept": {},  # query parameters kept when the language changes: only known ones
        "q": f"?language={chosen}" if chosen else "",
        "chosen": chosen,
        **values,
    }
    response = render(request, template, context, status=status)
    response.headers["Content-Language"] = translation.get_language() or "en"
    return response


def to(request: HttpRequest, deployment: Deployment, name: str, *given: Any, **more: str) -> HttpResponseRedirect:
    """Redirect to one of our pages, in the chosen language."""
    query = {**more, **({"language": chosen} if (chosen := chosen_language(request, deployment)) else {})}
    return HttpResponseRedirect(reverse(name, args=given, query=query))


def chosen_language(request: HttpRequest, deployment: Deployment) -> str:
    """The language chosen in the URL, or an empty string."""
    chosen = request.GET.get("language", "")
    return chosen if chosen in deployment.declaration.requests.languages else ""


@contextlib.contextmanager
def in_language(preferred: str, request: HttpRequest, deployment: Deployment) -> Iterator[None]:
    """Use the language chosen in the URL, else *preferred* if the company supports it, else the visitor's."""
    is_spoken = preferred in deployment.declaration.requests.languages
    with translation.override(
        chosen_language(request, deployment) or (preferred if is_spoken else _language(request, deployment))
    ):
        yield


def _language(request: HttpRequest, deployment: Deployment) -> str:
    """The language chosen in the URL, else the browser's preference, else the company's first language."""
    spoken = deployment.declaration.requests.languages
    if chosen := chosen_language(request, deployment):
        return chosen
    for wished, _ in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:500].lower()):
        if (short := wished.partition("-")[0]) in spoken:
            return short
    return spoken[0]


def _is_ours(request: HttpRequest) -> bool:
    """True if the form came from our own page. Django's test client may disable the check, as for Django's own."""
    return getattr(request, "_dont_enforce_csrf_checks", False) or is_ours(request)
