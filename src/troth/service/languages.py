"""The language of a page: the one that its address asks for, else the one that the browser asks for, else English.

Nothing is remembered on the visitor's device. Where somebody's own language is known, as on the page of a request, the
view writes in that one.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, get_supported_language_variant, override
from django.utils.translation.trans_real import parse_accept_lang_header

_HEADER_MAX = 500


def languages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: answer in the language that was asked for, and say which one it is."""

    def answer(request: HttpRequest) -> HttpResponse:
        with override(language_asked_for(request)):
            response = get_response(request)
            language = get_language() or settings.LANGUAGE_CODE
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ("Accept-Language",))
        return response

    return answer


def language_asked_for(request: HttpRequest) -> str:
    """By ``?language=de``, or by the first of ours in ``Accept-Language``."""
    wanted = request.GET.get("language", "")
    header = request.headers.get("Accept-Language", "")[:_HEADER_MAX]
    for code in (wanted[:20].lower(), *(code for code, _ in parse_accept_lang_header(header))):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
