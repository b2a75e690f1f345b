"""What comes back to an edition: addresses that are gone, complaints, holiday notes, and mails that stop it."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage

import pytest
from tests.service.newsletters.conftest import ANN, BEN, Publisher

from troth.service.mail.bounces.actions import FAILURES_MAX
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.inbox.reading import offer
from troth.service.mail.models import EditionDelivery, LetterRow
from troth.service.preferences.models import Choice

REASONS = {
    "gone": ("5.1.1", "550 5.1.1 No such user here"),
    "later": ("4.2.2", "452 4.2.2 Mailbox full"),
    "ours": ("5.7.1", "554 5.7.1 Blocked, see https://blocklist.example.org"),
    "ours as well": ("5.7.26", "550 5.7.26 Unauthenticated email is not accepted"),
    "unsure": ("5.0.0", "550 said so"),
}


@pytest.fixture(autouse=True)
def returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_MAIL_RETURN", "bounces@example.org")


def to(publisher: Publisher, address: str) -> tuple[str, str]:
    """The envelope sender and Message-ID of the latest message to *address*."""
    [envelope] = [it for it in publisher.sink.taken if it.rcpt_tos == [address]][-1:]
    assert isinstance(envelope.content, bytes)
    assert envelope.mail_from is not None
    line = next(it for it in envelope.content.decode().splitlines() if it.lower().startswith("message-id:"))
    return envelope.mail_from, line.partition(":")[2].strip()


def bounce(kind: str, *, sent_to: str, about: str, message_id: str = "") -> bytes:
    status, diagnostic = REASONS[kind]
    return (
        f"From: MAILER-DAEMON@mx.example.org\r\nTo: {sent_to}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n"
        f"Final-Recipient: rfc822; {about}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {diagnostic}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


def complaint(sent_to: str, message_id: str) -> bytes:
    return (
        f"From: fbl@mx.example.org\r\nTo: {sent_to}\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\n"
        "Subject: News in June\r\n\r\nx\r\n--b--\r\n"
    ).encode()


def arrives(publisher: Publisher, raw: bytes) -> bool:
    message = MailboxMessage(raw, publisher.now(), lambda: None)
    return bool(offer(message, publisher.deployment, publisher.now()))


def people(publisher: Publisher) -> int:
    return publisher.plan("# The next one\n\ntext").people


def test_an_address_that_is_gone_gets_no_further_edition(publisher: Publisher) -> None:
    publisher.send()
    returned, _ = to(publisher, ANN)
    assert returned.startswith("bounces+")
    assert arrives(publisher, bounce("gone", sent_to=returned.upper(), about="somebody.else@example.org"))
    assert EditionDelivery.objects.get(report="gone").fingerprint == Choice.objects.first().fingerprint  # type: ignore[union-attr]
    publisher.send("# The next one\n\ntext")
    assert publisher.got[2:] == [BEN]


@pytest.mark.parametrize("kind", ["later", "ours"])
def test_what_may_pass_or_is_our_own_fault_stops_nobody(publisher: Publisher, kind: str) -> None:
    publisher.send()
    for _ in range(6):
        arrives(publisher, bounce(kind, sent_to=to(publisher, ANN)[0], about=ANN))
    assert (people(publisher), Choice.objects.count()) == (2, 0)


def test_editions_that_all_fail_stop_an_address_and_one_that_arrives_resets_the_count(publisher: Publisher) -> None:
    for number in range(6):
        publisher.clock[0] += dt.timedelta(days=1)
        publisher.send(f"# Number {number}\n\ntext")
        if number != 0:
            assert Choice.objects.count() == 0
            arrives(publisher, bounce("later", sent_to=to(publisher, ANN)[0], about=ANN))
        if number != 3:
            arrives(publisher, bounce("later", sent_to=to(publisher, BEN)[0], about=BEN))
    assert people(publisher) == 1
    fingerprints = set(Choice.objects.values_list("fingerprint", flat=True))
    assert len(fingerprints) == 1, "Ben got the fourth one"


def test_a_delay_is_no_failure(publisher: Publisher) -> None:
    for number in range(6):
        publisher.clock[0] += dt.timedelta(days=7)
        publisher.send(f"# Number {number}\n\ntext")
        raw = bounce("later", sent_to=to(publisher, ANN)[0], about=ANN).replace(b"Action: failed", b"Action: delayed")
        assert b"Action: delayed" in raw
        assert arrives(publisher, raw)
    assert not Choice.objects.exists()


def test_editions_that_fail_days_after_the_next_one_left_count_as_well(publisher: Publisher) -> None:
    returns = list[str]()
    for number in range(12):
        publisher.clock[0] += dt.timedelta(days=1)
        publisher.send(f"# Number {number}\n\ntext")
        if ANN not in publisher.got[-2:]:
            break
        returns.append(to(publisher, ANN)[0])
        if number >= 5:
            arrives(publisher, bounce("later", sent_to=returns[number - 5], about=ANN))
    assert Choice.objects.filter(state="undeliverable").exists()


def test_a_report_without_our_envelope_counts_by_its_message_id_then_by_its_address(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.send()
    _, message_id = to(publisher, ANN)
    arrives(publisher, bounce("gone", sent_to="privacy@example.org", about="alias@example.net", message_id=message_id))
    assert people(publisher) == 1
    arrives(publisher, bounce("gone", sent_to="privacy@example.org", about=BEN.upper()))
    assert people(publisher) == 1, "anybody can write this report, and servers write to our envelope sender"
    assert EditionDelivery.objects.filter(report="gone?").count() == 1
    monkeypatch.delenv("TROTH_MAIL_RETURN")
    arrives(publisher, bounce("gone", sent_to="privacy@example.org", about=BEN.upper()))
    with pytest.raises(Exception, match="nobody would get"):
        people(publisher)


def test_a_report_about_several_recipients_counts_for_the_one_of_its_envelope(publisher: Publisher) -> None:
    publisher.send()
    returned, _ = to(publisher, ANN)
    block = b"Final-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    raw = bounce("gone", sent_to=returned, about=ANN)
    arrives(publisher, raw.replace(b"Final-Recipient", block % BEN.encode() + b"Final-Recipient", 1))
    reports = EditionDelivery.objects.exclude(report="").values_list("report", flat=True)
    assert sorted(reports) == ["gone", "gone?"]
    assert people(publisher) == 1


def test_a_server_that_put_an_edition_off_until_its_end_counts_as_later(publisher: Publisher) -> None:
    publisher.sink.to = lambda envelope: "452 4.2.2 mailbox full" if envelope.rcpt_tos == [ANN] else None
    for number in range(FAILURES_MAX):
        assert people(publisher) == 2
        publisher.clock[0] += dt.timedelta(days=7)
        edition = publisher.start(f"# Number {number}\n\ntext")
        publisher.work()
        publisher.clock[0] += dt.timedelta(days=5)
        publisher.work()
        assert publisher.outcomes(edition) == {"refused": 1, "sent": 1}
    assert people(publisher) == 1


@pytest.mark.parametrize("at", ["sender", "to"])
@pytest.mark.parametrize(
    ("answer", "days", "is_alarm"),
    [
        ("550 5.7.1 blocked using zen.spamhaus.org", 0, True),
        ("451 4.7.1 your address is on our block list", 0, True),
        ("451 4.7.1 greylisted, try again", 0, False),
        ("451 4.7.1 greylisted, try again", 5, True),
        ("452 4.2.2 mailbox full", 5, False),
    ],
)
def test_a_refusal_that_is_our_own_fault_alarms_staff_and_stops_nobody(
    publisher: Publisher, at: str, answer: str, days: int, is_alarm: bool
) -> None:
    setattr(publisher.sink, at, lambda envelope: answer)
    publisher.start()
    publisher.work()
    publisher.clock[0] += dt.timedelta(days=days)
    publisher.work()
    assert LetterRow.objects.filter(kind="staff_alert").exists() is is_alarm
    assert not Choice.objects.exists()


@pytest.mark.parametrize("sent_to", ["bounces+aaaaaaaaaaaaaaaaaaaaaaa@example.org", "bounces@example.org"])
def test_a_forged_report_about_mail_that_we_never_sent_changes_nothing(publisher: Publisher, sent_to: str) -> None:
    assert arrives(publisher, bounce("gone", sent_to=sent_to, about=ANN, message_id="<daaaa@example.org>"))
    assert (Choice.objects.count(), people(publisher)) == (0, 2)


def test_a_complaint_about_mail_that_we_never_sent_leaves_a_line_in_the_log(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "troth.mail"):
        assert arrives(publisher, complaint("fbl@example.org", "<daaaa@example.org>"))
    assert [it.getMessage() for it in caplog.records if it.name == "troth.mail"] == [
        "a complaint arrived that is about no e-mail which we sent"
    ]
    assert (Choice.objects.count(), people(publisher)) == (0, 2)


def test_a_complaint_is_an_objection_to_all_marketing(publisher: Publisher) -> None:
    publisher.send()
    returned, message_id = to(publisher, ANN)
    assert arrives(publisher, complaint("fbl@example.org", message_id))
    assert people(publisher) == 1
    assert publisher.plan("# Offers\n\ntext", "offers").people == 2, "Ben and Chloe"
    before = Choice.objects.count()
    arrives(publisher, complaint(returned, message_id))
    assert Choice.objects.count() == before


def test_a_holiday_note_is_nothing_and_no_request(publisher: Publisher) -> None:
    publisher.send()
    note = EmailMessage()
    note["From"], note["To"], note["Subject"] = ANN, to(publisher, ANN)[0], "Out of office: News in June"
    note["Auto-Submitted"] = "auto-replied"
    note.set_content("I am away until Monday. Please stop worrying and unsubscribe from work.")
    assert arrives(publisher, note.as_bytes())
    assert (Choice.objects.count(), people(publisher)) == (0, 2)


def test_a_refusal_by_the_server_counts_like_a_report(publisher: Publisher) -> None:
    publisher.sink.to = lambda envelope: {ANN: "550 5.1.1 no such user", BEN: "550 5.7.1 listed"}.get(
        envelope.rcpt_tos[-1] if envelope.rcpt_tos else ""
    )
    publisher.sink.data = publisher.sink.to
    publisher.sink.to = lambda envelope: None
    publisher.send()
    assert sorted(EditionDelivery.objects.values_list("report", flat=True)) == ["gone", "ours"]
    assert people(publisher) == 1


def test_a_mail_with_the_token_stops_from_any_sender(publisher: Publisher) -> None:
    publisher.send()
    content = publisher.sink.taken[0].content
    assert isinstance(content, bytes)
    text = content.decode().replace("\r\n ", " ")
    subject = text.partition("mailto:privacy@example.org?subject=")[2].partition(">")[0].replace("%20", " ")
    first = publisher.got[0]
    asked = EmailMessage()
    asked["From"], asked["To"], asked["Subject"] = "another@example.net", "privacy@example.org", subject.upper()
    asked.set_content("x")
    assert arrives(publisher, asked.as_bytes())
    publisher.send("# The next one\n\ntext")
    assert publisher.got[2:] == [address for address in (ANN, BEN) if address != first]
    assert not LetterRow.objects.exists(), "nobody is answered"
