"""Language of a page: from its URL, else from the browser's preference, else English.

Nothing is stored on the visitor's device. Views that know somebody's own language, such as the page of a request, use
that one.
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
    """Middleware: answer in the requested language and declare it."""

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
    """From ``?language=de``, or the first supported language in ``Accept-Language``."""
    wanted = request.GET.get("language", "")
    header = request.headers.get("Accept-Language", "")[:_HEADER_MAX]
    for code in (wanted[:20].lower(), *(code for code, _ in parse_accept_lang_header(header))):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
