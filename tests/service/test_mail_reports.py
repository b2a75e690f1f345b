"""Bounces, complaints and automatic replies: read in the shapes of many servers, and in none that is not one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.scale import scaled
from tests.service import mail_reports as made

from troth.service.mail.bounces import Outcome, Report, envelope_sender, judge, read_report, token_in


def normal(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode().lower()}" if address else ""


def token_of(report: Report) -> str | None:
    return next((token for address in report.sent_to if (token := token_in(address))), None)


def problem(sample: made.Sample) -> str:
    """What is wrong with the reading of *sample*; empty if nothing is."""
    report = read_report(sample.raw)
    if (report.kind, report.is_unsure) != (sample.kind, sample.is_unsure):
        return f"{sample.shape}: {sample.kind} is read as {report.kind}"
    if token_of(report) != (sample.token or None):
        return f"{sample.shape}: another token"
    if sample.address and [outcome.address for outcome in report.outcomes] != [normal(sample.address)]:
        return f"{sample.shape}: another person"
    return "" if report.message_id == sample.message_id else f"{sample.shape}: another message"


@pytest.mark.scaled
def test_the_class_the_person_and_the_message_are_read_in_the_shapes_of_44_servers() -> None:
    samples = list(made.bounces())[:: scaled(5, 1)]
    assert len(samples) > 300
    assert len({sample.shape for sample in samples}) == len(made.SHAPES) == 44
    assert list(filter(None, map(problem, samples))) == []


@pytest.mark.scaled
def test_an_email_about_bounces_is_no_bounce() -> None:
    samples = list(made.others())
    assert len(samples) > 150
    kinds = {sample.shape: read_report(sample.raw).kind for sample in samples[:: scaled(2, 1)]}
    assert {shape: kind for shape, kind in kinds.items() if kind != "none"} == {}


def test_a_holiday_note_is_an_automatic_reply_even_if_it_says_that_the_address_is_gone() -> None:
    assert list(filter(None, map(problem, made.automatic_replies()))) == []


@pytest.mark.parametrize(
    ("feedback_type", "kind", "is_unsure"),
    [
        ("abuse", "complaint", False),
        ("ABUSE", "complaint", False),
        ("opt-out", "complaint", False),
        ("not-spam", "none", False),
        ("auth-failure", "none", False),
        ("fraud", "ours", True),
        ("virus", "ours", True),
        ("something-new", "none", True),
    ],
)
def test_the_type_of_feedback_decides(feedback_type: str, kind: str, is_unsure: bool) -> None:
    assert problem(replace(made.complaint(feedback_type, kind), is_unsure=is_unsure)) == ""


def test_a_complaint_is_about_the_original_recipient() -> None:
    sample = made.complaint("abuse", "complaint", fields="Original-Rcpt-To: <ben@example.org>\n")
    assert [outcome.address for outcome in read_report(sample.raw).outcomes] == ["ben@example.org"]


def test_a_report_about_ten_recipients_has_ten_outcomes() -> None:
    report = read_report(made.ten_recipients().raw)
    kinds = [str(outcome.kind) for outcome in report.outcomes]
    assert kinds == ["gone"] * 3 + ["later"] * 3 + ["ours"] * 3 + ["none"]
    assert [outcome.address for outcome in report.outcomes] == [f"ann{number}@example.org" for number in range(10)]


def test_a_delay_is_no_failure() -> None:
    assert problem(replace(made.delayed(), message_id="<late0@shop.example.org>")) == ""


def test_a_report_within_a_forwarded_message_within_a_report_is_read_once() -> None:
    sample = next(made.bounces())
    twice = made.wrapped(replace(sample, raw=made.wrapped(sample)))
    report = read_report(twice)
    assert [(str(outcome.kind), outcome.address) for outcome in report.outcomes] == [("gone", sample.address)]


# --- contradictions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "kind", "is_unsure"),
    [
        ("550 User unknown", "5.7.1", "ours", True),
        ("550-5.7.1 User unknown", "5.0.0", "ours", True),
        ("550 5.1.1 rejected by spam policy", "5.1.1", "ours", True),
        ("550 5.1.1 message size exceeds limit", "", "ours", True),
        ("550 5.1.1 mailbox is full", "5.1.1", "later", False),
        ("450 4.1.1 user unknown", "4.1.1", "later", False),
        ("550 no such user", "4.4.7", "later", False),
        ("550 5.1.1 connection timed out", "5.1.1", "later", True),
        ("550 said so", "5.0.0", "later", True),
        ("554 rejected (in reply to end of DATA command)", "5.0.0", "ours", True),
        ("550 5.2.1 mailbox blocked for inactivity", "", "gone", False),
        ("550 account temporarily suspended", "", "later", False),
        ("553 5.1.8 sender address rejected: domain not found", "", "ours", False),
        ("550 5.4.4 Host or domain name not found", "5.4.4", "gone", False),
        ("550 5.1.0 Address rejected", "", "gone", False),
        ("550 5.1.0 said so", "", "gone", False),
        ("550 recipient refused", "", "gone", False),
        ("550 the recipient server refused it", "", "later", True),
        ("550 the e-mail was refused", "", "later", True),
        ("553 5.1.0 no such domain (in reply to MAIL FROM command)", "", "ours", False),
        ("after MAIL FROM:<shop@example.org>: 550 account suspended", "", "ours", False),
        ("after EHLO: connection timed out", "", "later", False),
        (">>> MAIL FROM:<shop@example.org>\n<<< 550 unknown user", "", "ours", False),
        (">>> RCPT TO:<ann@example.org>\n<<< 550 unknown user", "", "gone", False),
        ("553 http://www.spamhaus.org/query/bl?ip=192.0.2.1", "5.1.3", "ours", True),
        ("553 https://www.example.org/help", "5.1.3", "gone", False),
        ("550 backscatter: unknown user", "", "ours", True),
        ("550 Konto gesperrt wegen Inaktivität", "", "gone", False),
        ("550 Cuenta desactivada", "", "gone", False),
        ("550 Usuário desconhecido", "", "gone", False),
        ("550 Nie ma takiego konta", "", "gone", False),
        ("550 対方拒绝 No such user", "", "gone", False),
        ("550 unknown user (in reply to end of DATA command)", "5.0.0", "later", True),
        ("550 5.1.1 unknown user (in reply to end of DATA command)", "5.0.0", "gone", False),
        ("550 unknown user (in reply to RCPT TO command)", "5.0.0", "gone", False),
        ("550 quota disk used up", "", "later", False),
        ("host spam.example.org said: 550 no such user", "", "gone", False),
        ("", "5.1.1", "gone", False),
        ("", "5.2.2", "later", False),
        ("", "", "later", True),
    ],
)
def test_the_less_harmful_class_is_read_in_a_contradiction(
    answer: str, status: str, kind: str, is_unsure: bool
) -> None:
    judgement = judge(answer, status)
    assert (judgement.kind, judgement.is_unsure) == (kind, is_unsure)


def test_nobody_is_stopped_by_5_7() -> None:
    for reply in made.REPLIES:
        for status in ("5.7.0", "5.7.1", "5.7.26", "5.7.515"):
            assert judge(reply.line("ann@example.org"), status).kind == "ours", reply.text
            assert judge(f"550-{status} {reply.text}").kind == "ours", reply.text


def test_words_about_the_policy_of_a_server_count_more_than_the_fields_of_the_report() -> None:
    sample = made.postfix(made.Reply("gone", "550", "5.1.1", "User unknown"), "ann@example.org", "t0")
    assert read_report(sample).kind == "gone"
    said = sample.replace(b"said: 550 5.1.1", b"said: 550 5.7.1")
    assert read_report(said).kind == "ours"


def _sendmail(answer: str, status: str, transcript: str) -> bytes:
    return f"""From: MAILER-DAEMON@mx.example.org
Subject: Returned mail: see transcript for details
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b

   ----- Transcript of session follows -----
{transcript}

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: RFC822; ann@example.org
Action: failed
Status: {status}
Diagnostic-Code: SMTP; {answer}

--b--
""".encode()


@pytest.mark.parametrize(
    ("answer", "also", "kind"),
    [
        ("550-Verification failed", "<<< 550 Sender verify failed", "ours"),
        ("550-Sorry", "<<< 550 Your message looks like spam", "ours"),
        ("550-Sorry", "<<< 550 mailbox is full", "later"),
        ("550-Sorry", "<<< 550 ask somebody else", "gone"),
        ("550 5.1.1 Sorry", "<<< 550 Your message looks like spam", "gone"),
    ],
)
def test_a_status_derived_from_a_code_of_smtp_counts_less_than_the_words(answer: str, also: str, kind: str) -> None:
    transcript = f">>> DATA\n<<< {answer}\n{also}\n550 5.1.1 <ann@example.org>... User unknown"
    assert read_report(_sendmail(answer, "5.1.1", transcript)).kind == kind


@pytest.mark.parametrize(
    ("answer", "added", "kind"),
    [
        ("550 Unknown user", "554 5.0.0 Service unavailable", "later"),
        ("550 Unknown user", "550 5.1.1 <ann@example.org>... User unknown", "gone"),
        ("550 5.1.1 Unknown user", "554 5.0.0 Service unavailable", "gone"),
        ("550 This user has no account here", "554 5.0.0 Service unavailable", "gone"),
    ],
)
def test_an_unknown_user_whose_address_had_been_accepted_is_unsure(answer: str, added: str, kind: str) -> None:
    # Japanese carriers answer so at the end of a message that a reader's own filter refuses.
    report = read_report(_sendmail(answer, "5.0.0", f">>> DATA\n<<< {answer}\n{added}"))
    assert (report.kind, report.is_unsure) == (kind, kind == "later")


_FIELDS = "Action: failed\nFinal-Recipient: rfc822; ann@example.org\nStatus: 5.1.1\n"


@pytest.mark.parametrize(
    ("author", "text", "expected"),
    [
        ("MAILER-DAEMON@mx.example.org", f"A report:\n\n{_FIELDS}", [("gone", "ann@example.org")]),
        ("Ben <ben@example.org>", f"What is this?\n\n{_FIELDS}", []),
        ("post_master@example.org", "550 no such user\n  RCPT TO: ann@example.org", [("gone", "ann@example.org")]),
        ("post_master@example.org", "> 550 no such user\n> RCPT TO: ann@example.org\nMended.", []),
        ("Ben <ben@example.org>", "550 no such user\n  RCPT TO: ann@example.org", []),
    ],
)
def test_fields_and_commands_in_the_text_of_a_server_are_a_report(
    author: str, text: str, expected: list[tuple[str, str]]
) -> None:
    raw = f"From: {author}\nTo: shop@example.net\nSubject: Re: news\n\n{text}\n".encode()
    assert [(str(outcome.kind), outcome.address) for outcome in read_report(raw).outcomes] == expected


def _notice(message: object) -> bytes:
    notice = json.dumps({"Type": "Notification", "Message": json.dumps(message)})
    return f"From: no-reply@sns.example.org\nX-Amz-Sns-Message-Id: 1\n\n{notice}\n".encode()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"status": "5.1.1"}]}}, ["gone"]),
        ({"bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"status": "5.7.1"}, 5]}}, ["ours", "later"]),
        ({"bounce": {"bounceType": "Transient", "bouncedRecipients": [{"status": "5.1.1"}]}}, ["later"]),
        ({"complaint": {"complainedRecipients": [{}]}}, ["complaint"]),
        ({"complaint": {"complainedRecipients": "x"}}, []),
        ({"bounce": []}, []),
        ([1], []),
        ("{", []),
    ],
)
def test_a_notice_of_ses_is_read(message: object, expected: list[str]) -> None:
    text = json.dumps(message).replace('"status"', '"emailAddress": "ann@example.org", "status"')
    outcomes = read_report(_notice(json.loads(text))).outcomes
    assert [str(outcome.kind) for outcome in outcomes] == expected
    assert {outcome.address for outcome in outcomes if outcome.kind == "gone"} <= {"ann@example.org"}


# --- addresses, tokens -----------------------------------------------------------------------------------------------


def test_the_address_that_was_written_to_is_preferred_to_where_it_was_passed_on() -> None:
    raw = made.postfix_expanded(made.REPLIES[0], "ann@example.org", "t0")
    assert read_report(raw).outcomes[0].address == "ann@example.org"
    assert read_report(raw).outcomes[0].final_address == "inner@host.example.org"


def test_an_address_that_only_the_returned_message_names_is_not_the_one_that_failed() -> None:
    returned = "Content-Type: message/rfc822\n\nFrom: shop@example.net\nTo: ann@example.org\n"
    raw = _sendmail("550 user unknown", "5.1.1", "").replace(b"RFC822; ann@example.org", b"RFC822; ben@example.com")
    [outcome] = read_report(raw.replace(b"\n--b--", f"\n--b\n{returned}\n--b--".encode())).outcomes
    assert (outcome.address, outcome.header_address) == ("ben@example.com", "ann@example.org")


def test_signs_of_other_scripts_end_an_address() -> None:
    raw = "From: MAILER-DAEMON@mx.example.org\nSubject: failure notice\n\n收件人：ann@example.org\n550 unknown user\n"
    assert read_report(raw.encode()).outcomes[0].address == "ann@example.org"


def test_each_line_with_an_address_and_an_answer_is_about_this_recipient() -> None:
    lines = "ann@example.org: 550 5.2.2 <ann@example.org>... mailbox is full\nben@example.org: 550 5.1.1 user unknown\n"
    raw = f"From: MAILER-DAEMON@mx.example.org\nSubject: failure notice\n\n{lines}".encode()
    kinds = [(str(outcome.kind), outcome.address) for outcome in read_report(raw).outcomes]
    assert kinds == [("later", "ann@example.org"), ("gone", "ben@example.org")]


def test_two_recipients_are_told_apart_after_a_long_line() -> None:
    answer = "host mx.example.org [192.0.2.1]: 550 5.1.1 <{0}>... User unknown"
    text = "".join(f"  {name}\n    {answer.format(name)}\n" for name in ("ann@example.org", "ben@example.org"))
    raw = f"From: MAILER-DAEMON@mx.example.net\nSubject: Mail delivery failed\n\n{text}".encode()
    assert [outcome.address for outcome in read_report(raw).outcomes] == ["ann@example.org", "ben@example.org"]


def test_a_line_that_answers_for_one_recipient_is_about_no_other() -> None:
    lines = """While talking to example.net:
554 <ann@example.net>... Connection reset by peer during result wait
550 example.org (smtp)... 550 Host unknown
554 <ben@example.org>... 550 Host unknown
554 <shop@example.com>... 550 Host unknown
"""
    raw = f"From: MAILER-DAEMON@mx.example.com\nTo: shop@example.com\nSubject: Returned mail\n\n{lines}".encode()
    kinds = [(str(outcome.kind), outcome.address) for outcome in read_report(raw).outcomes]
    assert kinds == [("later", "ann@example.net"), ("gone", "ben@example.org")]


def test_several_addresses_within_sentences_are_nobody() -> None:
    text = "No such user. If you tried ann@example.org, try ben@example.org or chloe@example.org instead."
    raw = f"From: MAILER-DAEMON@mx.example.org\nSubject: failure notice\n\n{text}\n".encode()
    assert [(str(o.kind), o.address) for o in read_report(raw).outcomes] == [("gone", "")]


@pytest.mark.parametrize("token", ["a", "0", "abc123", "z" * 48])
def test_a_token_survives_servers_that_change_the_case(token: str) -> None:
    sender = envelope_sender("bounces@example.org", token)
    assert sender == f"bounces+{token}@example.org"
    for address in (sender, sender.upper(), f"<{sender}>", sender.title()):
        assert token_in(address) == token


@pytest.mark.parametrize(
    ("base", "token", "error"),
    [
        ("bounces", "a", "is like bounces@example.org"),
        ("bounces+x@example.org", "a", "without a plus"),
        ("bounces@example.org", "", "1 to 48 letters"),
        ("bounces@example.org", "a-b", "1 to 48 letters"),
        ("bounces@example.org", "z" * 49, "1 to 48 letters"),
        ("b" * 60 + "@example.org", "abcd", "at most 59 characters"),
    ],
)
def test_an_address_for_reports_that_servers_would_refuse_is_refused(base: str, token: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        envelope_sender(base, token)


@pytest.mark.parametrize("address", ["", "ann", "ann@example.org", "ann+@example.org", "+a@example.org", "a+b-c@d.org"])
def test_an_address_without_a_token_has_none(address: str) -> None:
    assert token_in(address) is None


# --- bad input -------------------------------------------------------------------------------------------------------

_SPLICED = (
    b"\n--=_b/1\n",
    b"=?utf-8?q?=",
    b"=?x?b?A?=",
    b"\x00\xff\xfe",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: multipart/report; boundary=\n",
    b"charset=utf-7\n\n+2AA-",
    b"Content-Transfer-Encoding: base64\n\n",
    b"\\x{110000}@example.org",
    b'"' * 70,
    b"\r\r\n",
)


def _damaged(count: int) -> Iterator[bytes]:
    """Samples that were cut, spliced and overwritten, the same in each run."""
    chance = random.Random(17)
    whole = [sample.raw for made_of in (made.bounces, made.automatic_replies, made.others) for sample in made_of()]
    for _ in range(count):
        raw = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 9)):
            at, other = chance.randrange(len(raw) + 1), chance.choice(whole)
            match chance.randrange(5):
                case 0:
                    del raw[at : at + chance.randint(1, 500)]
                case 1:
                    raw[at:at] = chance.choice(_SPLICED) * chance.randint(1, 3)
                case 2:
                    raw[at : at + 3] = chance.randbytes(3)
                case 3:
                    raw[at:at] = other[at : at + 2_000]
                case _:
                    raw = raw[: at or 1]
            raw = raw or bytearray(b"x")
        yield bytes(raw)


@pytest.mark.scaled
def test_a_damaged_report_raises_nothing_and_holds_text_only() -> None:
    for raw in _damaged(scaled(300, 30_000)):
        report = read_report(raw)
        texts = [report.message_id, *report.sent_to, *(outcome.address for outcome in report.outcomes)]
        "".join(texts).encode()


@pytest.mark.scaled
def test_a_report_that_is_cut_short_stops_nobody_else() -> None:
    for sample in list(made.bounces())[:: scaled(97, 7)]:
        for end in range(0, len(sample.raw), scaled(150, 20)):
            people = {o.address for o in read_report(sample.raw[:end]).outcomes if o.kind == "gone"}
            assert people <= {"", normal(sample.address), "inner@host.example.org"}


_LARGE = 5 * 1024 * 1024
_START = b"From: MAILER-DAEMON@mx.example.org\nSubject: failure notice\n"


@pytest.mark.parametrize(
    ("start", "repeated"),
    [
        (_START + b"\n", b"<ann@example.org>: user unknown\n"),
        (_START + b"\n", b"a@"),
        (_START + b"\n", b"your message to user is over "),
        (_START + b'Content-Type: multipart/mixed; boundary="b"\n\n', b"\n--b\nContent-Type: text/plain\n\nx\n"),
        (_START + b'Content-Type: multipart/mixed; boundary="b"\n\n', b"\n--bX"),
        (_START + b"Content-Type: text/html\n\n", b"<p <"),
        (b"", b"Content-Type: message/rfc822\n\n"),
        (b"To: ", b"=?utf-8?q?a?= "),
        (b"", b"\xff\x00\n"),
        (_START + b"X-Amz-Sns-Message-Id: 1\n\n", b"["),
        (_START + b"\n", b"Final-Recipient: rfc822; ann@example.org\n"),
        (_START + b"\n", b">>> MAIL FROM:<ann@example.org>\n"),
        (_START + b"\n>>> DATA\n", b"<<< 550 unknown user\n"),
    ],
)
def test_five_megabytes_take_less_than_a_second(start: bytes, repeated: bytes) -> None:
    raw = (start + repeated * (_LARGE // len(repeated)))[:_LARGE]
    began = time.process_time()
    read_report(raw)
    assert time.process_time() - began < 1


def test_a_report_with_a_large_returned_message_is_read() -> None:
    sample = next(made.bounces())
    raw = sample.raw.replace(b"We have new things", b"QUJD" * (_LARGE // 4) + b"\nWe have new things")
    assert problem(replace(sample, raw=raw)) == ""


def test_a_report_shows_no_value() -> None:
    report = read_report(next(made.bounces()).raw)
    assert "ann" not in repr(report) + repr(report.outcomes) + repr(Outcome(report.kind, "ann@example.org"))


def test_reports_are_read_without_django() -> None:
    asked = "import sys, troth.cli.mail.read, troth.service.mail.bounces; print('django' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", asked], text=True).strip() == "False"
