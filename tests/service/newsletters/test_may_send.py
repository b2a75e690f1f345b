"""The company's own mail: it asks, nobody gets it after a stop, and its links and headers stop what they name."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from email.message import EmailMessage as Mail
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client
from tests.hook.servers import served
from tests.service.newsletters.conftest import ANN, BEN, CHLOE, DECLARATION, Publisher

from troth.hook.mail import MailGuard, MailRefused, MailUndecided, NotWanted
from troth.service.api import tokens as api_tokens
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope
from troth.service.mail.stops.inbox import take_token
from troth.service.newsletters.actions import stop_by_address
from troth.service.newsletters.duty import MAIL_ASK
from troth.service.newsletters.may_send import MAILS_MAX, decisions
from troth.service.preferences.models import Choice
from troth.service.preferences.rules import fingerprints

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PURPOSES = """
  club: {title: Our club, basis: legitimate_interests, interests: to sell more, use: marketing.advertising,
         data: [user.contact.email]}
  tips: {basis: consent, use: essential.service, data: [user.contact.email]}
  orders: {title: Orders, basis: contract, use: essential.service, data: [user.contact.email]}
systems:"""


@pytest.fixture
def shop(publisher: Publisher) -> Publisher:
    (publisher.folder / "troth.yaml").write_text(DECLARATION.replace("\nsystems:", PURPOSES, 1), encoding="utf-8")
    return publisher


def decided(shop: Publisher, *mails: tuple[str, str]) -> list[tuple[bool, str]]:
    return [(answer.allowed, answer.reason) for answer in decisions(mails, shop.deployment)]


def stop(shop: Publisher, address: str, name: str, scope: StopScope = StopScope.LIST) -> None:
    stop_by_address(address, name, scope, shop.deployment, channel="centre", now=shop.now())


def secret(*scopes: Any) -> str:
    now = dt.datetime.now(dt.UTC)
    name = f"shop_{len(scopes)}"
    return api_tokens.make(name, scopes or (MAIL_ASK,), until=now + dt.timedelta(days=1), now=now)


def post(body: Any, token: str) -> Any:
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {token}"}
    return client.post("/api/v1/mail/ask", json.dumps(body), content_type="application/json", headers=headers)


# --- what is decided -------------------------------------------------------------------------------------------------


def test_the_purpose_and_the_choices_decide(shop: Publisher) -> None:
    stop(shop, BEN, "offers")
    assert decided(shop, (ANN, "offers"), (BEN, "offers"), (CHLOE, "offers"), (BEN, "orders"), (ANN, "tips")) == [
        (True, "nothing_recorded"),
        (False, "objected"),
        (True, "nothing_recorded"),
        (True, "nothing_recorded"),
        (False, "no_consent"),
    ]


def test_consent_that_the_company_recorded_counts_as_for_an_edition(shop: Publisher) -> None:
    assert decided(shop, ("Ann@Example.org", "news"), (BEN, "news"), (CHLOE, "news")) == [
        (True, "given"),
        (True, "given"),
        (False, "no_consent"),
    ]
    stop(shop, BEN, "monthly")
    shop.do(f"update subscriber set state = 'gone' where email = '{ANN}'")
    assert decided(shop, (ANN, "news"), (BEN, "news")) == [(False, "no_consent"), (False, "withdrawn")]


def test_an_address_in_capitals_is_that_of_the_same_person(shop: Publisher) -> None:
    stop(shop, ANN, "offers")
    assert decided(shop, (ANN.upper(), "offers"), (ANN, "offers")) == [(False, "objected")] * 2


def test_what_is_no_address_and_no_purpose_is_refused_beside_the_others(shop: Publisher) -> None:
    asked = [("ann", "offers"), ("\u212ann@example.org", "offers"), ("a" * 999 + "@b", "offers"), (ANN, "other")]
    assert decided(shop, *asked, (ANN, "offers")) == [
        *[(False, "not_an_address")] * 3,
        (False, "not_declared"),
        (True, "nothing_recorded"),
    ]


# --- what stops it ---------------------------------------------------------------------------------------------------


def test_an_allowed_mail_gets_the_link_of_its_newsletter(shop: Publisher) -> None:
    [answer] = decisions([(ANN, "offers")], shop.deployment)
    token = answer.stop.rpartition("/")[2]
    [ann] = fingerprints([("email", ANN)], shop.deployment.keyring)
    assert token == tokens.make("offers", ann, shop.deployment.keyring)
    assert answer.headers == {
        "List-Unsubscribe": f"<{answer.stop}>, <mailto:privacy@example.org?subject=stop%20{token}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "<offers.example.org>",
    }


def test_what_may_not_be_sent_or_cannot_be_stopped_gets_none(shop: Publisher) -> None:
    stop(shop, ANN, "offers")
    answers = decisions([(ANN, "offers"), (ANN, "orders")], shop.deployment)
    assert [(answer.allowed, answer.stop, answer.headers) for answer in answers] == [(False, "", {}), (True, "", {})]


@pytest.mark.parametrize("is_by_mail", [False, True])
def test_the_link_of_a_purpose_without_a_newsletter_stops_that_purpose_alone(shop: Publisher, is_by_mail: bool) -> None:
    [answer] = decisions([(ANN, "club")], shop.deployment)
    path, token = answer.stop.removeprefix(shop.deployment.site), answer.stop.rpartition("/")[2]
    if is_by_mail:
        raw = f"From: {BEN}\r\nSubject: stop {token}\r\n\r\n".encode()
        assert take_token(MailboxMessage(raw, shop.now(), lambda: None), shop.deployment, shop.now())
    else:
        assert b"Our club" in Client().get(path).content
        assert b"Our club" in Client(enforce_csrf_checks=True).post(path).content
        Client().post(path)
    assert Choice.objects.count() == 1, "a stop again records nothing"
    assert decided(shop, (ANN, "club"), (ANN, "offers"), (BEN, "club")) == [
        (False, "objected"),
        (True, "nothing_recorded"),
        (True, "nothing_recorded"),
    ]


def test_the_link_of_a_purpose_that_is_declared_no_more_stops_all_marketing(shop: Publisher) -> None:
    [answer] = decisions([(ANN, "club")], shop.deployment)
    (shop.folder / "troth.yaml").write_text(DECLARATION, encoding="utf-8")
    Client().post(answer.stop.removeprefix(shop.deployment.site))
    assert decided(shop, (ANN, "offers")) == [(False, "objected")]


def test_all_marketing_is_stopped_also_where_every_newsletter_was_before(shop: Publisher) -> None:
    stop(shop, ANN, "offers")
    stop(shop, ANN, "monthly")
    assert decided(shop, (ANN, "club")) == [(True, "nothing_recorded")]
    stop(shop, ANN, "offers", StopScope.ALL)
    assert decided(shop, (ANN, "club")) == [(False, "objected")]
    count = Choice.objects.count()
    stop(shop, ANN, "offers", StopScope.ALL)
    assert Choice.objects.count() == count


# --- over the API ----------------------------------------------------------------------------------------------------


def test_the_api_answers_in_order_and_needs_its_scope(shop: Publisher) -> None:
    stop(shop, BEN, "offers")
    mails = [{"address": address, "purpose": "offers"} for address in (BEN, ANN)]
    answer = post({"mails": mails}, secret())
    assert [mail["reason"] for mail in answer.json()["mails"]] == ["objected", "nothing_recorded"]
    assert "ann@" not in answer.content.decode()
    assert post({"mails": mails}, secret("guard.read")).status_code == 403


def test_the_api_refuses_too_many_and_repeats_no_value(shop: Publisher) -> None:
    token = secret()
    wrong: list[Any] = [
        {"mails": []},
        {"mails": [{"address": ANN, "purpose": "offers"}] * (MAILS_MAX + 1)},
        {"mails": [{"address": "offers", "purpose": ANN}]},
        {"mails": [{"address": ANN}]},
        {"mails": [{"address": [ANN], "purpose": "offers"}]},
    ]
    answers = [post(body, token) for body in wrong]
    assert [answer.status_code for answer in answers] == [422] * 5
    assert not [answer for answer in answers if "ann@" in answer.content.decode()]


def test_while_the_store_is_away_nothing_that_depends_on_it_is_decided(shop: Publisher) -> None:
    (shop.folder / "shop.sqlite").rename(shop.folder / "away")
    asked = {"mails": [{"address": ANN, "purpose": "news"}]}
    token = secret()
    answer = post(asked, token)
    assert (answer.status_code, answer.json()["title"]) == (503, "This cannot be decided now")
    assert post({"mails": [{"address": ANN, "purpose": "offers"}]}, token).status_code == 200


# --- from the application to a mailbox -------------------------------------------------------------------------------


@pytest.fixture
def url(shop: Publisher) -> Iterator[str]:
    application = get_wsgi_application()

    def answered(environ: dict[str, Any], start: Any) -> list[bytes]:
        with contextlib.closing(application(environ, start)) as response:
            body = b"".join(response)
        connections.close_all()
        return [body]

    with served(answered) as url:
        yield url


def test_a_program_asks_a_running_service(shop: Publisher, url: str) -> None:
    guard = MailGuard(url, secret(), timeout_s=30)
    message = Mail()
    message["To"], message["Subject"] = f"Ann <{ANN}>", "Offers"
    message.set_content("New offers")
    prepared = guard.prepared(message, "offers")
    assert prepared["List-Id"] == "<offers.example.org>"
    assert message["List-Id"] is None
    stop(shop, ANN, "offers")
    with pytest.raises(NotWanted, match="objected"):
        guard.prepared(message, "offers")
    with pytest.raises(MailRefused, match=r"troth\.yaml declares no purpose ofers"):
        guard.prepared(message, "ofers")
    with pytest.raises(MailUndecided, match="status 401: the token"):
        MailGuard(url, "troth_x", timeout_s=30).ask([ANN], "offers")
    with pytest.raises(MailUndecided, match=r"status 403: .* lacks the scope"):
        MailGuard(url, secret("guard.read"), timeout_s=30).ask([ANN], "offers")


def test_a_thousand_recipients_are_asked_about_in_one_call_and_each_gets_their_own_link(
    shop: Publisher, url: str, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "troth.hook.django.mail.Backend"
    settings.TROTH_MAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.TROTH_MAIL_URL, settings.TROTH_MAIL_TOKEN, settings.TROTH_MAIL_TIMEOUT_S = url, secret(), 60
    stop(shop, "ann+7@example.org", "offers")
    people = [f"ann+{number}@example.org" for number in range(MAILS_MAX)]
    headers = {"X-Troth-Purpose": "offers"}
    assert EmailMessage("Offers", "Stop: {{troth_stop_link}}", "a@example.org", bcc=people, headers=headers).send() == 1
    links = {sent.extra_headers["List-Unsubscribe"].partition(">")[0][1:] for sent in mail.outbox}
    assert [sent.to for sent in mail.outbox] == [[who] for who in people if who != "ann+7@example.org"]
    assert len(links) == MAILS_MAX - 1
    assert {sent.body for sent in mail.outbox} == {f"Stop: {link}" for link in links}
    known = {tokens.read(link.rpartition("/")[2], shop.deployment.keyring) for link in links}
    assert len(known - {None}) == MAILS_MAX - 1
