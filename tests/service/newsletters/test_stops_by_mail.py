"""Mails that ask to stop in somebody's own words: whom they stop, what, how soon, and who reads the rest."""

from __future__ import annotations

import dataclasses
import datetime as dt
import mailbox
import threading
import time
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connections
from tests.service.newsletters.conftest import ANN, BEN, CHLOE, DECLARATION, Publisher
from tests.service.newsletters.test_coming_back import to

from troth.declaration import IdentityKind
from troth.service.cases.models import Case, CaseEvent
from troth.service.configuration import Mailbox
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.inbox.reading import offer
from troth.service.mail.models import LetterRow
from troth.service.mail.stops.inbox import take_own_words
from troth.service.preferences.actions import record_named
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.preferences.rules import OWN_ACT, Scope, Source, fingerprints

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

STOP = "Please unsubscribe me from your newsletter."
SYSTEM_WITH_FLAG = "        ignore: [confirmed_at, state]\n        marks: {news: {column: state, value: stopped}}\n"


def mail(text: str, subject: str = "", sender: str = ANN, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "privacy@example.org", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def arrives(publisher: Publisher, raw: bytes, *, ago: dt.timedelta = dt.timedelta()) -> bool | None:
    """Whether somebody took the mail, which arrived *ago*."""
    message = MailboxMessage(raw, publisher.now() - ago, lambda: None)
    return offer(message, publisher.deployment, publisher.now())


def taken(publisher: Publisher, raw: bytes) -> bool:
    """Whether it was taken as nothing but a stop."""
    return take_own_words(MailboxMessage(raw, publisher.now(), lambda: None), publisher.deployment, publisher.now())


def mark(publisher: Publisher, address: str) -> str:
    [fingerprint] = fingerprints([(IdentityKind.EMAIL, address)], publisher.deployment.keyring)
    return fingerprint


def stopped(publisher: Publisher) -> dict[str, set[str]]:
    """What is stopped, for whom: the purposes, and ``all`` for marketing of any kind."""
    people = {mark(publisher, address): address for address in (ANN, BEN, CHLOE, "other@example.net")}
    found: dict[str, set[str]] = {}
    for row in Choice.objects.exclude(state=ChoiceState.GIVEN):
        found.setdefault(people[row.fingerprint], set()).add(row.purpose or "all")
    return found


def test_a_mail_that_names_no_list_stops_all_marketing_and_gets_no_reply(publisher: Publisher) -> None:
    assert taken(publisher, mail(STOP))
    assert stopped(publisher) == {ANN: {"news", "offers", "all"}}
    publisher.send()
    assert publisher.got == [BEN]
    assert (LetterRow.objects.count(), Case.objects.count()) == (0, 0)


def test_a_reply_to_an_edition_stops_that_list_for_its_reader_and_for_its_sender(publisher: Publisher) -> None:
    publisher.send()
    _, message_id = to(publisher, ANN)
    assert taken(publisher, mail("no thanks", "Re: News in June", "other@example.net", In_Reply_To=message_id))
    assert stopped(publisher) == {ANN: {"news"}, "other@example.net": {"news"}}
    publisher.send("# The next one\n\ntext")
    assert publisher.got[2:] == [BEN]
    assert publisher.plan("# Offers\n\ntext", "offers").people == 3


def test_a_reply_that_wants_no_marketing_at_all_stops_more_than_the_list(publisher: Publisher) -> None:
    publisher.send()
    text = "I do not want any advertising any more."
    assert taken(publisher, mail(text, In_Reply_To=to(publisher, ANN)[1]))
    assert stopped(publisher) == {ANN: {"news", "offers", "all"}}


def test_few_words_are_no_stop_where_others_took_part_in_the_conversation(publisher: Publisher) -> None:
    publisher.send()
    references = f"{to(publisher, ANN)[1]} <1@example.net>"
    assert not taken(publisher, mail("no thanks", "Re: News in June", BEN, References=references))
    assert not taken(
        publisher, mail("no thanks", "Re: News", BEN, In_Reply_To="<daaaaaaaaaaaaaaaaaaaaaaa@example.org>")
    )
    assert stopped(publisher) == {}


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ({"Auto_Submitted": "auto-replied"}, ANN),
        ({"Precedence": "bulk"}, ANN),
        ({"List_Id": "<list.example.net>"}, ANN),
        ({"Return_Path": "<>"}, ANN),
        ({}, "privacy@example.org"),
        ({}, "PRIVACY@example.org"),
        ({}, "not an address"),
        ({"Message_ID": "ours"}, ANN),
    ],
)
def test_what_no_person_outside_wrote_stops_nobody_and_opens_no_case(
    publisher: Publisher, headers: dict[str, str], sender: str
) -> None:
    publisher.send()
    headers = {name: to(publisher, ANN)[1] if value == "ours" else value for name, value in headers.items()}
    assert not taken(publisher, mail(STOP, sender=sender, **headers))
    assert stopped(publisher) == {}


@pytest.mark.parametrize(
    "text",
    [
        f"{STOP} Where did you get my address?",
        f"{STOP} And send me a copy of my data.",
        f"{STOP} Please confirm this in writing.",
        "I object to the use of my data for direct marketing, under Art. 21(2) GDPR.",
    ],
)
def test_the_rest_of_a_mail_is_answered_and_the_stop_does_not_wait_for_that(publisher: Publisher, text: str) -> None:
    raw = mail(text)
    assert not taken(publisher, raw)
    assert stopped(publisher) == {ANN: {"news", "offers", "all"}}
    before = Choice.objects.count()
    assert arrives(publisher, raw)
    assert Case.objects.exists()
    assert stopped(publisher) == {ANN: {"news", "offers", "all"}}
    assert Choice.objects.filter(source="newsletters").count() == before


def test_a_question_beside_a_stop_comes_before_somebody(publisher: Publisher) -> None:
    assert arrives(publisher, mail(f"{STOP} Where did you get my address?"))
    assert (
        CaseEvent.objects.filter(facts__why="asks_for_more").exists() or Case.objects.filter(kind="question").exists()
    )


def test_a_doubtful_mail_is_read_by_somebody_and_stops_nobody(publisher: Publisher) -> None:
    raw = mail("I am away until Monday. Please unsubscribe me", "Out of the office")
    assert not taken(publisher, raw)
    raw = mail("please stop this", "Re: Your order")
    assert arrives(publisher, raw)
    case = Case.objects.get()
    assert (case.kind, case.needs) == ("question", "answer")
    assert case.events.get(what="needs_answer").facts == {"why": "may_stop"}
    assert stopped(publisher) == {}


def test_without_requests_by_mail_what_is_left_stays_in_the_mailbox(publisher: Publisher) -> None:
    path = publisher.folder / "troth.yaml"
    path.write_text(f"{DECLARATION}requests: {{by_mail: false}}\n", encoding="utf-8")
    assert arrives(publisher, mail("please stop this", "Re: Your order")) is False
    assert arrives(publisher, mail(f"{STOP} Where did you get my address?")) is False
    assert stopped(publisher) == {ANN: {"news", "offers", "all"}}


def test_where_a_system_obeys_a_flag_column_a_stop_is_also_a_case(publisher: Publisher) -> None:
    path, raw = publisher.folder / "troth.yaml", mail("Bitte nehmen Sie mich aus dem Verteiler.")
    path.write_text(DECLARATION.replace("        ignore: [confirmed_at, state]\n", SYSTEM_WITH_FLAG), encoding="utf-8")
    assert not taken(publisher, raw)
    assert arrives(publisher, raw)
    assert Case.objects.get().right == "object"
    assert stopped(publisher)[ANN] >= {"news", "offers", "all"}


def test_stop_in_reply_to_an_email_about_a_case_is_for_the_case(publisher: Publisher) -> None:
    assert arrives(publisher, mail("Please delete all my data."))
    reply = LetterRow.objects.get()
    assert not taken(publisher, mail("stop", "Re: Your request", In_Reply_To=reply.message_id))
    assert stopped(publisher) == {}
    assert not taken(publisher, mail(f"Thanks. {STOP}", "Re: Your request", In_Reply_To=reply.message_id))
    assert stopped(publisher) == {ANN: {"news", "offers", "all"}}


def test_a_mail_that_is_read_late_or_again_does_not_undo_a_later_consent(publisher: Publisher) -> None:
    source = Source("newsletters", "signup:1", OWN_ACT)
    keyring, then = publisher.deployment.keyring, publisher.now() - dt.timedelta(hours=2)
    record_named([mark(publisher, ANN)], ChoiceState.GIVEN, [Scope.of("news")], source, keyring, now=then)
    assert arrives(publisher, mail(STOP), ago=dt.timedelta(hours=6))
    assert stopped(publisher) == {ANN: {"offers"}}
    assert arrives(publisher, mail(STOP), ago=dt.timedelta(hours=2, minutes=30)), "the clocks may differ"
    assert stopped(publisher) == {ANN: {"news", "offers", "all"}}


def test_a_consent_that_a_fast_clock_dated_ahead_does_not_outlive_a_stop(publisher: Publisher) -> None:
    source = Source("newsletters", "signup:1", OWN_ACT)
    keyring, then = publisher.deployment.keyring, publisher.now() + dt.timedelta(hours=5)
    record_named([mark(publisher, ANN)], ChoiceState.GIVEN, [Scope.of("news")], source, keyring, now=then)
    assert arrives(publisher, mail(STOP))
    publisher.clock[0] += dt.timedelta(hours=6)
    publisher.send()
    assert publisher.got == [BEN]


def test_an_email_in_the_maildir_counts_within_five_seconds(publisher: Publisher, settings: Any) -> None:
    box = mailbox.Maildir(publisher.folder / "box")
    settings.TROTH = dataclasses.replace(settings.TROTH, mailboxes=(Mailbox(folder=publisher.folder / "box"),))
    end = threading.Event()

    def work() -> None:
        run_jobs(end, pace=Pace(look_s=0.1), only=["mail"])
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        time.sleep(1)
        began = time.monotonic()
        box.add(mail(STOP))
        while not Choice.objects.exists() and time.monotonic() - began < 20:
            time.sleep(0.05)
        assert time.monotonic() - began <= 5
    finally:
        end.set()
        worker.join()
