"""The e-mails that ask whether a person reads a declared mailbox: once a week, answered by a button alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from tests.service import team

from troth.service.assurance import contact_checks
from troth.service.assurance.contact_checks import ask_due, contacts, take_own
from troth.service.assurance.models import ContactCheckRow
from troth.service.configuration import MailServer
from troth.service.core.deployment import current
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.models import LetterRow
from troth.site.mailboxes import MailboxCheck

pytestmark = pytest.mark.sampled

NOW = timezone.now()
DAY = dt.timedelta(days=1)
QUOTE = "We keep our word."
DECLARED = (
    team.DECLARED.replace("email: privacy@example.org", "email: privacy@example.org, officer: {email: dpo@example.org}")
    + f"promises:\n  - {{quote: {QUOTE}, owner: dpo@example.org, controls: [site.contact_reachable]}}\n"
)


@pytest.fixture
def company(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    laid = team.lay(tmp_path)
    (tmp_path / "mail").mkdir()
    monkeypatch.setattr(settings, "TROTH", replace(laid, mail=MailServer(folder=tmp_path / "mail")))
    (tmp_path / "troth.yaml").write_text(DECLARED)
    return tmp_path


def asked(at: dt.datetime = NOW, *, sent: bool = True) -> list[str]:
    links = ask_due(current(), now=at)
    if sent:
        LetterRow.objects.filter(ended_at=None).update(state="sent", sealed=None, ended_at=at)
    return links


def state(at: dt.datetime = NOW) -> dict[str, MailboxCheck]:
    return {check.place.removeprefix("organisation."): check for check in contacts(current(), at)}


def path_of(link: str) -> str:
    return link.removeprefix("http://localhost:8000")


def test_each_mailbox_is_asked_once_a_week(company: Path) -> None:
    assert len(asked()) == 2
    assert asked(NOW + 6 * DAY) == []
    assert len(asked(NOW + 7 * DAY)) == 2
    assert set(LetterRow.objects.values_list("kind", flat=True)) == {"contact_check"}
    assert "@" not in str(list(ContactCheckRow.objects.values()))


def test_a_press_of_the_button_answers_and_a_scanner_that_follows_the_link_does_not(company: Path) -> None:
    link = path_of(asked()[0])
    page = Client().get(link)
    assert (page.status_code, b"Do you read this mailbox?" in page.content) == (200, True)
    assert Client().head(link).status_code == 200
    assert state()["email"].answered_at is None

    assert b"Thank you" in Client().post(link).content
    assert state()["email"].answered_at is not None
    assert state()["officer.email"].answered_at is None, "one mailbox does not answer for another"


def test_silence_fails_after_a_week_also_if_the_e_mail_is_sent_again(company: Path) -> None:
    for week in range(3):
        asked(NOW + week * 7 * DAY)
    later = NOW + 15 * DAY
    assert state(later)["email"].waiting_since == NOW
    assert state(later)["email"].is_silent(later)


def test_an_answer_counts_for_all_e_mails_so_far(company: Path) -> None:
    first = asked(NOW - 8 * DAY)[0]
    asked(NOW - DAY)
    Client().post(path_of(first))
    assert state()["email"].waiting_since is None
    assert not state()["email"].why_not(timezone.now())


def test_another_address_needs_an_answer_of_its_own(company: Path) -> None:
    Client().post(path_of(asked()[0]))
    (company / "troth.yaml").write_text(DECLARED.replace("privacy@", "hello@"))
    assert state()["email"] == MailboxCheck("organisation.email")
    assert len(asked()) == 1


def test_one_address_in_two_places_is_asked_once_and_answers_for_both(company: Path) -> None:
    (company / "troth.yaml").write_text(DECLARED.replace("dpo@example.org}", "Privacy@example.org}"))
    [link] = asked()
    Client().post(path_of(link))
    assert all(check.answered_at is not None for check in state().values())


def test_without_a_mail_server_or_a_promise_nobody_is_asked(company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(settings, "TROTH", replace(settings.TROTH, mail=None))
        assert asked() == []
        assert "no mail server" in state()["email"].unasked
    (company / "troth.yaml").write_text(DECLARED.partition("promises:")[0])
    assert asked() == []


@pytest.mark.parametrize(("end", "why"), [({}, "waits to be sent"), ({"state": "failed"}, "did not take")])
def test_an_e_mail_that_did_not_leave_is_no_silence(company: Path, end: dict[str, Any], why: str) -> None:
    asked(sent=False)
    if end:
        LetterRow.objects.update(ended_at=NOW, **end)
    later = NOW + 30 * DAY
    assert not state(later)["email"].is_silent(later)
    assert why in state(later)["email"].why_not(later)


def test_an_e_mail_to_the_mailbox_that_troth_reads_opens_no_case_and_its_silence_fails_nothing(company: Path) -> None:
    asked()
    letter = LetterRow.objects.order_by("pk")[0]
    raw = f"Subject: x\r\nMessage-ID: {letter.message_id}\r\n\r\nhello".encode()
    assert take_own(MailboxMessage(raw, NOW, lambda: None), current(), NOW)
    assert not take_own(MailboxMessage(b"Message-ID: <x@example.org>\r\n\r\nhello", NOW, lambda: None), current(), NOW)
    later = NOW + 30 * DAY
    assert (state(later)["email"].is_reader, state(later)["email"].is_silent(later)) == (True, False)
    assert state(later)["officer.email"].is_silent(later)


def test_a_link_that_is_too_old_or_was_used_hours_ago_answers_nothing(company: Path) -> None:
    link = path_of(asked(NOW - 31 * DAY)[0])
    assert Client().post(link).status_code == 410
    assert state()["email"].answered_at is None


def test_answering_twice_is_one_answer(company: Path) -> None:
    asked()
    row = ContactCheckRow.objects.order_by("pk")[0]
    for at in (NOW, NOW + DAY):
        contact_checks.answer(row.pk, now=at)
    assert ContactCheckRow.objects.get(pk=row.pk).answered_at == NOW
