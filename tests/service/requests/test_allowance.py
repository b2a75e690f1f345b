"""However often and by whatever way somebody types an address, its owner gets three messages a day."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import Any

import pytest
from django.test import Client
from tests.service.requests.conftest import Office
from tests.service.requests.test_centre import ANN, ask, link_in
from tests.service.requests.test_centre import letters as letters
from tests.service.requests.test_centre import quiet_networks as quiet_networks
from tests.service.requests.test_centre import visitor as visitor

from troth.service.api import tokens
from troth.service.cases import deadlines
from troth.service.cases.content import CaseContent
from troth.service.cases.intake import mail_allowance, mailbox, receive
from troth.service.cases.intake.mail_allowance import MESSAGES_MAX, folded
from troth.service.cases.models import Case, CaseKind, Channel, UnprovedAddress
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.models import LetterRow
from troth.service.portal.models import MailedLink

pytestmark = pytest.mark.sampled


def queued() -> Counter[str]:
    return Counter(LetterRow.objects.values_list("kind", flat=True))


def test_many_objections_mail_an_address_three_times(office: Office, visitor: Client) -> None:
    answers = set()
    for number in range(10):
        who = ANN if number % 2 else f"ann+{number}@example.org"
        answers.add(ask(visitor, "object", who, purposes="news")["Location"])
        office.work()
    assert len(answers) == 1, "the page says the same to everybody"
    assert queued().total() == MESSAGES_MAX
    assert Case.objects.filter(right="object").count() == 10, "they are received and carried out all the same"
    assert set(Case.objects.values_list("outcome", flat=True)) == {"fulfilled"}
    assert "ann" not in repr(list(UnprovedAddress.objects.values()))


def test_forms_api_and_mail_count_together(office: Office, visitor: Client) -> None:
    office.declare(requests="{by_mail: true}")
    now = office.now()
    secret = tokens.make("shop", ["cases.write"], until=now + dt.timedelta(days=1), now=now)
    for number in range(3):
        assert ask(visitor, "view", f"ann+a{number}@example.org").status_code == 302
        who = f"Ann+b{number}@example.org"
        body = {"right": "erase", "subject": {"email": who}, "reply_to": who}
        sent = Client().post(
            "/api/v1/requests", json.dumps(body), "application/json", headers={"Authorization": f"Bearer {secret}"}
        )
        assert sent.status_code == 201
        raw = f"From: ann+c{number}@example.org\nSubject: Delete my data\n\nPlease delete all my data.\n"
        mailbox.take_in(MailboxMessage(raw.encode(), now, lambda: None), office.deployment, now=now)
        complaint = visitor.post("/your-data/complain/", {"email": ANN, "message": f"Why {number}?"})
        assert complaint.status_code == 302
    office.work()
    assert Case.objects.count() == 12
    assert queued().total() == MESSAGES_MAX


def test_a_batch_of_a_program_mails_an_address_three_times(office: Office) -> None:
    content = CaseContent(address=ANN, identifiers=(("email", ANN),))
    intakes = [receive.Intake(CaseKind.REQUEST, content, Channel.API, right="view") for _ in range(20)]
    receive.receive_all(intakes, office.deployment, now=office.now())
    assert (Case.objects.count(), queued().total(), MailedLink.objects.count()) == (20, MESSAGES_MAX, MESSAGES_MAX)


def test_links_that_are_asked_for_again_count(office: Office, visitor: Client) -> None:
    for _ in range(2):
        ask(visitor, "view")
    for hour in range(1, 6):
        MailedLink.objects.update(made_at=office.now() - dt.timedelta(hours=hour))
        assert visitor.post("/your-data/again/", {"email": ANN})["Location"] == "/your-data/sent/?what=again"
        office.work()
    assert queued().total() == MESSAGES_MAX


def test_who_has_shown_that_the_address_is_theirs_is_told_everything(
    office: Office, visitor: Client, letters: Any
) -> None:
    ask(visitor, "view")
    [letter] = letters(ANN)
    for _ in range(5):
        ask(Client(headers={"host": "localhost"}), "object", purposes="news")
    before = queued().total()
    assert before == MESSAGES_MAX
    visitor.post(link_in(letter))
    office.work()
    assert queued()["package_ready"] == 1
    assert queued()["acknowledged"] >= 1


def test_a_case_that_was_not_acknowledged_says_so_to_staff(office: Office) -> None:
    for _ in range(2):
        office.ask("object", purposes=("news",))
    office.work()
    case = office.ask("object", purposes=("news",))
    assert case.acknowledged_at is None
    assert case.events.filter(what="not_mailed", is_internal=True).exists()
    assert not case.events.filter(what="acknowledged").exists()


def test_what_was_mailed_counts_for_a_day_and_is_forgotten(office: Office, visitor: Client) -> None:
    now = office.now()
    assert [mail_allowance.take(ANN, office.deployment, now=now) for _ in range(5)] == [True, True, True, False, False]
    assert not mail_allowance.take("Ann+x@Example.org", office.deployment, now=now + dt.timedelta(hours=23))
    assert mail_allowance.take("a.nn@example.org", office.deployment, now=now), "dots are another's"
    assert mail_allowance.take(ANN, office.deployment, now=now + dt.timedelta(hours=24, seconds=1))
    deadlines.watch(now + dt.timedelta(days=3))
    assert not UnprovedAddress.objects.exists()


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Ann+shop@Example.org", "ann@example.org"),
        ("ann+a+b@example.org", "ann@example.org"),
        ("+@example.org", "+@example.org"),
        ("ann.b@example.org", "ann.b@example.org"),
    ],
)
def test_a_mark_of_the_owner_is_folded(address: str, mailbox: str) -> None:
    assert folded(address) == mailbox
