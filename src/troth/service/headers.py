"""What every answer tells the browser, beside what Django and django-csp already say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed

HAS_FORM = "troth.has_form"
"""In a request's META once its page has a form without Django's token."""

_METHODS = ("GET", "HEAD", "POST")

_FEATURES = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "sync-xhr",
    "usb",
    "xr-spatial-tracking",
)


def permissions(allowed: Mapping[str, str]) -> str:
    """A Permissions-Policy with nothing but what is *allowed*: a feature, and to whom, such as ``(self)``."""
    return ", ".join(f"{feature}={allowed.get(feature, '()')}" for feature in _FEATURES)


_PERMISSIONS = permissions({})


def headers(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: no device features, no embedding elsewhere, and nothing is stored unless a view says it may be."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        if "Cache-Control" not in response.headers or not _may_be_stored(request):
            response.headers["Cache-Control"] = "no-store"
        if "CSRF_COOKIE_NEEDS_UPDATE" in request.META or HAS_FORM in request.META:
            # A form is on the page: under no-referrer, browsers send it with "Origin: null", which Django refuses.
            response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    return middleware


def _may_be_stored(request: HttpRequest) -> bool:
    """Whether a proxy may keep the answer under its address: not where somebody has put something into it."""
    languages = [code for code, _ in settings.LANGUAGES]
    return all(name == "language" and given in languages for name, given in parse_qsl(_query(request), True))


def _query(request: HttpRequest) -> str:
    return str(request.META.get("QUERY_STRING", ""))


def methods(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: no page knows more than to be fetched and to be sent a form. The API answers for itself."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # Nothing of ours has one in its name or asks for one, and PostgreSQL would break over it.
        if "\0" in request.path_info or "%00" in _query(request):
            return _garbled(request)
        if request.method not in _METHODS and not _is_api(request):
            return HttpResponseNotAllowed(_METHODS)
        return respond(request)

    return middleware


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/v1/")


def _garbled(request: HttpRequest) -> HttpResponse:
    if not _is_api(request):
        return HttpResponseBadRequest()
    from troth.service.api.framework import problem  # the operations are not read before the first request

    return problem(400, "We could not read that")
