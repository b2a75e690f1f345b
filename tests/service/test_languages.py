"""A page is in the language that its address or the browser asks for, and nothing is remembered about that."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.translation import get_language
from tests.tables import each_row

from troth.service.languages import languages


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_language())


@each_row(
    ("query", "header", "language"),
    [
        ("", "", "en"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "nl,fr;q=0.5", "fr"),
        ("", "tlh", "en"),
        ("", "*", "en"),
        ("", "x" * 10_000 + ",de", "en"),
        ("?language=es", "de", "es"),
        ("?language=ES", "de", "es"),
        ("?language=tlh", "de", "de"),
        ("?language=../../etc", "de", "de"),
        ("?language=", "de", "de"),
        ("?language=es%0d%0aSet-Cookie:x", "", "en"),
    ],
)
def test_the_address_counts_before_the_browser(query: str, header: str, language: str) -> None:
    response = languages(page)(RequestFactory().get(f"/{query}", headers={"Accept-Language": header}))
    assert response.content.decode() == response["Content-Language"] == language
    assert "Accept-Language" in response["Vary"]
    assert not response.cookies
    assert get_language() == "en"
