"""How much strangers may have us do, and what of it is kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from tests.service.requests.conftest import Office
from tests.service.requests.test_centre import ANN, ask, link_in, text
from tests.service.requests.test_centre import letters as letters
from tests.service.requests.test_centre import quiet_networks as quiet_networks
from tests.service.requests.test_centre import visitor as visitor
from tests.tables import each_row

from troth.service.cases.intake.mail_allowance import MESSAGES_MAX
from troth.service.cases.models import Case, UnprovedAddress
from troth.service.networks import Networks, prefix_of
from troth.service.portal.models import MailedLink
from troth.service.requests.fulfilment.restriction import choices_in_force
from troth.service.requests.pages import views

pytestmark = pytest.mark.sampled


def test_one_address_gets_so_many_letters_a_day_and_the_answer_stays_the_same(
    office: Office, visitor: Client, letters: Any
) -> None:
    answers = {ask(visitor, "view")["Location"] for _ in range(MESSAGES_MAX + 2)}
    assert answers == {"/your-data/sent/?what=view"}
    assert Case.objects.count() == MESSAGES_MAX + 2
    office.work()
    assert len(letters(ANN)) == MESSAGES_MAX
    UnprovedAddress.objects.update(sent=[(office.now() - dt.timedelta(days=1, minutes=1)).isoformat()])
    ask(visitor, "view")
    office.work()
    assert len(letters(ANN)) == 1


def test_nobody_stops_an_objection_by_asking_in_the_name_of_somebody(office: Office, visitor: Client) -> None:
    for _ in range(views.ADDRESS_MAX):
        ask(visitor, "view")
    for _ in range(3):
        assert ask(visitor, "object", purposes="news")["Location"] == "/your-data/sent/?what=object&link=none"
        office.work()
    [objection] = Case.objects.filter(right="object")  # what has stopped does not stop again
    assert objection.outcome == "fulfilled"
    assert choices_in_force(objection).exists()
    visitor.post("/your-data/complain/", {"email": ANN, "message": "Enough."})
    assert Case.objects.filter(kind="complaint").exists()


def test_links_are_sent_again_to_those_who_have_some(office: Office, visitor: Client, letters: Any) -> None:
    case = office.answered("erase")
    letters(ANN)
    MailedLink.objects.update(made_at=office.now() - dt.timedelta(hours=1))
    for who in (ANN, ANN, "nobody@example.org"):
        response = visitor.post("/your-data/again/", {"email": who})
        assert response["Location"] == "/your-data/sent/?what=again"
    office.work()
    [letter] = letters(ANN)
    assert letters("nobody@example.org") == []
    assert visitor.post(link_in(letter)).status_code == 302
    assert case.reference in text(visitor, "/your-data/case/")


def test_networks_are_counted_by_prefix_and_forgotten_by_the_hour() -> None:
    counted, now = Networks(most=1), dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
    assert not counted.is_over("203.0.113.0/24", now=now)
    assert counted.is_over("203.0.113.0/24", now=now)
    assert not counted.is_over("198.51.100.0/24", now=now)
    assert not counted.is_over("203.0.113.0/24", now=now + dt.timedelta(minutes=20))
    assert not any(counted.is_over("", now=now) for _ in range(3))
    assert b"203.0.113" not in repr(vars(counted)).encode()


@each_row(
    ("meta", "prefix"),
    [
        ({"REMOTE_ADDR": "203.0.113.77"}, "203.0.113.0/24"),
        ({"REMOTE_ADDR": "203.0.113.77", "HTTP_X_FORWARDED_FOR": "198.51.100.1"}, "203.0.113.0/24"),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "10.0.0.1, 198.51.100.1"}, "198.51.100.0/24"),
        ({"REMOTE_ADDR": "10.0.0.2", "HTTP_X_FORWARDED_FOR": "2001:db8:1:2::3"}, "2001:db8:1::/48"),
        ({"REMOTE_ADDR": "::ffff:203.0.113.9"}, "203.0.113.0/24"),
        ({"REMOTE_ADDR": "127.0.0.1"}, ""),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "nonsense"}, ""),
        ({}, ""),
    ],
)
def test_the_network_is_that_of_the_visitor(meta: dict[str, str], prefix: str) -> None:
    assert prefix_of(meta) == prefix
