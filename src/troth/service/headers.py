"""Response headers beyond those that Django and django-csp set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed

HAS_FORM = "troth.has_form"
"""Set in a request's META if its page has a form without Django's token."""

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
    """A Permissions-Policy that denies all but *allowed*: feature to origins, such as ``(self)``."""
    return ", ".join(f"{feature}={allowed.get(feature, '()')}" for feature in _FEATURES)


_PERMISSIONS = permissions({})


def headers(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: no device features, no cross-origin embedding, no caching unless a view allows it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        if "Cache-Control" not in response.headers or not _may_be_stored(request):
            response.headers["Cache-Control"] = "no-store"
        if "CSRF_COOKIE_NEEDS_UPDATE" in request.META or HAS_FORM in request.META:
            # The page has a form: under no-referrer, browsers send "Origin: null", which Django refuses.
            response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    return middleware


def _may_be_stored(request: HttpRequest) -> bool:
    """True if a proxy may cache the response: the query holds nothing but a known language."""
    languages = [code for code, _ in settings.LANGUAGES]
    return all(name == "language" and given in languages for name, given in parse_qsl(_query(request), True))


def _query(request: HttpRequest) -> str:
    return str(request.META.get("QUERY_STRING", ""))


def methods(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: pages accept GET, HEAD and POST only. The API checks its own methods."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # None of our URLs or parameters contains NUL, and PostgreSQL fails on it.
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
    from troth.service.api.framework import problem  # deferred: API operations load with the first request

    return problem(400, "We could not read that")
