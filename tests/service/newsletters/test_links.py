"""Links in e-mails are fetched by scanners, previews and prefetching browsers: only a POST does what they say."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from tests.scale import scaled
from tests.service.newsletters.conftest import BEN, Publisher

from troth.service.mail.stops import tokens
from troth.service.newsletters.actions import sign_up
from troth.service.newsletters.models import SignUp
from troth.service.portal import links

FETCHED_BY: list[dict[str, str]] = [
    {},
    {"Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"X-Moz": "prefetch"},
    {"User-Agent": "Mozilla/5.0 (compatible; link scanner)", "Accept": "*/*"},
    {"Accept-Language": "de", "Referer": "https://mail.example.org/"},
    {"X-HTTP-Method-Override": "POST", "List-Unsubscribe": "One-Click"},
]


@pytest.fixture
def secret(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> str:
    """The secret of the link by which a sign-up is confirmed."""
    made, real = list[str](), links.make

    def make(*of: Any, **more: Any) -> str:
        made.append(real(*of, **more))
        return made[-1]

    monkeypatch.setattr(links, "make", make)
    deployment, now = publisher.deployment, publisher.now()
    assert sign_up("monthly", "ann.new@example.org", {}, deployment, shown="News, please", language="en", now=now)
    return made[0]


def stop_link(publisher: Publisher) -> str:
    [fingerprint] = publisher.start().deliveries.values_list("fingerprint", flat=True)[:1]
    return f"/your-data/stop/{tokens.make('monthly', fingerprint, publisher.deployment.keyring)}"


def everything() -> dict[str, list[Any]]:
    """The rows of all tables."""
    return {model._meta.label: list(model._default_manager.order_by("pk").values_list()) for model in apps.get_models()}


@pytest.mark.scaled
@pytest.mark.sampled
def test_a_thousand_fetches_change_nothing(publisher: Publisher, secret: str) -> None:
    stop = stop_link(publisher)
    pages = [stop, f"{stop}?List-Unsubscribe=One-Click", f"{stop}?scope=all", "/your-data/stop/"]
    pages += [f"/your-data/stop/?email={BEN}&list=monthly", "/your-data/newsletters/monthly"]
    pages += [f"/your-data/newsletters/monthly?email={BEN}", f"/your-data/link/{secret}"]
    before, visitor = everything(), Client(enforce_csrf_checks=True)
    fetches = itertools.product((visitor.get, visitor.head), FETCHED_BY, pages)
    for fetch, headers, page in itertools.islice(itertools.cycle(fetches), scaled(112, 1_000)):
        assert fetch(page, headers=headers).status_code == 200
    assert everything() == before
    assert SignUp.objects.get().confirmed_at is None
    assert visitor.post(stop).status_code == 200
    assert everything() != before, "a POST does, so that this would show"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("language", ["en", "de", "xx"])
def test_a_one_click_post_is_answered_without_a_redirect(
    publisher: Publisher, settings: Any, language: str, scheme: str
) -> None:
    link = stop_link(publisher)
    settings.APPEND_SLASH, settings.PREPEND_WWW = True, False
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = (
        scheme == "https",
        ("HTTP_X_FORWARDED_PROTO", "https"),
    )
    settings.LANGUAGE_CODE = "de"
    done = Client(enforce_csrf_checks=True).post(
        link,
        b"List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
        headers={"Accept-Language": language, "X-Forwarded-Proto": scheme, "Origin": "https://mail.example.org"},
    )
    assert (done.status_code, done.has_header("Location"), done.cookies.output()) == (200, False, "")
    assert publisher.plan("# Next\n\ntext").people == 1
