"""Webhooks: signed, sent until they are taken, and told nothing personal."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from tests.rig.jobs import run_due
from tests.service.requests.conftest import Office, office  # noqa: F401 - the fixture

from troth.service.api import webhooks
from troth.service.api.duty import API_MANAGE
from troth.service.api.models import Delivery, Webhook
from troth.service.api.webhooks import WebhookRefused, signature
from troth.service.duty import gathered

pytestmark = pytest.mark.sampled


def deliver_due(now: dt.datetime) -> None:
    """What a worker sends at this moment."""
    run_due(now, "api.webhook")


class Receiver(HTTPServer):
    """A program that takes messages, or says that it cannot."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.status, self.moved = 200, ""
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        if self.server.moved:
            self.send_header("location", self.server.moved)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def allow_this_machine(settings: Any) -> None:
    """Receivers of tests are here."""
    settings.TROTH = replace(settings.TROTH, webhook_networks=(ipaddress.ip_network("127.0.0.0/8"),))


@pytest.fixture
def receiver(office: Any, settings: Any) -> Iterator[Receiver]:  # noqa: F811
    allow_this_machine(settings)
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_case_is_told_signed_and_without_anything_personal(office: Office, receiver: Receiver) -> None:  # noqa: F811
    _, secret = webhooks.make(
        receiver.url, list(gathered("webhooks")), keys=office.deployment.keyring, now=office.now()
    )
    case = office.answered("erase")
    deliver_due(office.now())
    told = [json.loads(body) for _, body in receiver.taken]
    assert [one["type"] for one in told][:2] == ["case.received", "case.verified"]
    assert told[-1]["data"]["reference"] == case.reference
    assert b"ann@" not in b"".join(body for _, body in receiver.taken)
    headers, body = receiver.taken[0]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = signature(key, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == expected


def test_what_is_not_taken_is_sent_again_with_the_same_id(office: Office, receiver: Receiver) -> None:  # noqa: F811
    webhooks.make(receiver.url, ["case.received"], keys=office.deployment.keyring, now=office.now())
    receiver.status = 503
    office.ask("view")
    deliver_due(office.now())
    deliver_due(office.now())
    assert len(receiver.taken) == 1, "not before its time"
    receiver.status = 204
    deliver_due(office.now() + dt.timedelta(minutes=1))
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 1
    assert not Delivery.objects.filter(done_at=None).exists()


def test_a_receiver_that_is_gone_is_given_up_after_a_day(office: Office, settings: Any) -> None:  # noqa: F811
    allow_this_machine(settings)
    webhooks.make("http://127.0.0.1:9/", ["case.received"], keys=office.deployment.keyring, now=office.now())
    office.ask("view")
    now = office.now()
    for hours in range(0, 60, 1):
        deliver_due(now + dt.timedelta(hours=hours))
    [message] = Delivery.objects.all()
    assert message.done_at is not None
    assert message.why == "ConnectError"


@pytest.fixture
def silent(office: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: F811
    """The address of a receiver that takes calls and never says a word."""
    allow_this_machine(settings)
    monkeypatch.setattr(webhooks, "_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"


def test_a_silent_receiver_is_left_alone_and_holds_up_no_other(
    office: Office,  # noqa: F811
    receiver: Receiver,
    silent: str,
) -> None:
    for url in (silent, receiver.url):
        webhooks.make(url, ["case.received"], keys=office.deployment.keyring, now=office.now())
    for _ in range(3):
        office.ask("view")
    deliver_due(office.now())
    assert len(receiver.taken) == 3
    assert sorted(Delivery.objects.filter(done_at=None).values_list("why", flat=True)) == ["", "", "ReadTimeout"]


def test_a_pass_over_silent_receivers_is_short(
    office: Office,  # noqa: F811
    receiver: Receiver,
    silent: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = list[list[str]]()

    def deliver(jobs: Any, *, now: dt.datetime) -> None:
        real(jobs, now=now)
        tried.append(sorted(Delivery.objects.values_list("why", flat=True)))

    real = webhooks.deliver
    monkeypatch.setattr(webhooks, "deliver", deliver)
    monkeypatch.setattr(webhooks, "_PASS_S_MAX", 0.1)
    for number in range(2):
        webhooks.make(f"{silent}/{number}", ["case.received"], keys=office.deployment.keyring, now=office.now())
    webhooks.make(receiver.url, ["case.received"], keys=office.deployment.keyring, now=office.now())
    office.ask("view")
    deliver_due(office.now())
    assert tried == [["", "", "ReadTimeout"], ["", "ReadTimeout", "ReadTimeout"], ["", "ReadTimeout", "ReadTimeout"]]
    assert len(receiver.taken) == 1


def test_only_wanted_events_are_told(office: Office, receiver: Receiver) -> None:  # noqa: F811
    webhooks.make(receiver.url, ["case.closed"], keys=office.deployment.keyring, now=office.now())
    office.ask("view")
    assert not Delivery.objects.exists()


def test_an_ended_webhook_is_told_nothing_more(office: Office, receiver: Receiver) -> None:  # noqa: F811
    made, _ = webhooks.make(receiver.url, ["case.received"], keys=office.deployment.keyring, now=office.now())
    office.ask("view")
    assert webhooks.end(made.pk, now=office.now())
    deliver_due(office.now())
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("url", "events"),
    [
        ("http://shop.example.org/hook", ["case.closed"]),
        ("https://user:word@shop.example.org/", ["case.closed"]),
        ("ftp://shop.example.org/", ["case.closed"]),
        ("https://127.0.0.1/", ["case.closed"]),
        ("http://localhost:8000/", ["case.closed"]),
        ("https://[::ffff:127.0.0.1]/", ["case.closed"]),
        ("https://2130706433/", ["case.closed"]),
        ("https://169.254.169.254/latest/meta-data/", ["case.closed"]),
        ("https://10.0.0.5/", ["case.closed"]),
        ("https://shop.example.org:port/", ["case.closed"]),
        ("https://shop.example.org/", ["everything"]),
        ("https://shop.example.org/", []),
    ],
)
def test_messages_go_to_safe_addresses_only(office: Office, url: str, events: list[str]) -> None:  # noqa: F811
    with pytest.raises(WebhookRefused):
        webhooks.make(url, events, keys=office.deployment.keyring, now=office.now())
    assert not Webhook.objects.exists()


def test_what_turned_private_after_it_was_saved_is_not_called(
    office: Office,  # noqa: F811
    receiver: Receiver,
    settings: Any,
    staff_member: Any,
) -> None:
    webhooks.make(receiver.url, ["case.received"], keys=office.deployment.keyring, now=office.now())
    settings.TROTH = replace(settings.TROTH, webhook_networks=())
    office.ask("view")
    deliver_due(office.now())
    assert receiver.taken == []
    assert [one.why for one in Delivery.objects.all()] == ["not public"]
    page = staff_member(API_MANAGE).get("/console/tokens/").content.decode()
    assert "Its address is not public" in page
    settings.TROTH = replace(settings.TROTH, webhook_hosts=frozenset({"127.0.0.1"}))
    deliver_due(office.now() + dt.timedelta(minutes=1))
    assert len(receiver.taken) == 1


def test_no_redirect_is_followed(office: Office, receiver: Receiver) -> None:  # noqa: F811
    receiver.status, receiver.moved = 307, "http://127.0.0.1:9/"
    webhooks.make(receiver.url, ["case.received"], keys=office.deployment.keyring, now=office.now())
    office.ask("view")
    deliver_due(office.now())
    assert [one.why for one in Delivery.objects.all()] == ["status 307"]
