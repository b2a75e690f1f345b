"""Letters in a mailbox become cases: each once, with the clock at arrival, and none that no person wrote."""

from __future__ import annotations

import datetime as dt
import mailbox
import os
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.db import OperationalError
from tests.service.requests.conftest import Office

from troth.service.cases import actions as case_actions
from troth.service.cases import lifecycle, messages
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.intake import receive
from troth.service.cases.intake.mailbox import take_in
from troth.service.cases.models import Case, CaseKind, CaseState, Channel, IngestedMessage, WaitReason
from troth.service.complaints import actions as complaint_actions
from troth.service.configuration import Mailbox
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.inbox.parsing import understood
from troth.service.mail.inbox.reading import read_mailbox
from troth.service.mail.models import LetterRow
from troth.service.requests import actions

pytestmark = pytest.mark.sampled

DAY = dt.timedelta(days=1)


def letter(text: str, *, subject: str = "", sender: str = "Ann <ann@example.org>", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "privacy@example.org", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def all_arrived(office: Office, raw: bytes, *, ago: dt.timedelta = DAY) -> list[Case]:
    return take_in(MailboxMessage(raw, office.now() - ago, lambda: None), office.deployment, now=office.now())


def arrived(office: Office, raw: bytes, *, ago: dt.timedelta = DAY) -> Case | None:
    return next(iter(all_arrived(office, raw, ago=ago)), None)


def test_a_letter_opens_a_case_and_its_clock_starts_at_arrival(office: Office) -> None:
    case = arrived(office, letter("Please delete all my data."), ago=3 * DAY)
    assert case is not None
    assert (case.kind, case.right, case.state) == ("request", "erase", CaseState.VERIFYING)
    assert office.now() - case.received_at >= 3 * DAY
    assert office.letters(case) == ["link"], "a sender's address is easily forged"


def test_the_same_letter_opens_one_case(office: Office) -> None:
    raw = letter("Please delete all my data.")
    assert arrived(office, raw) is not None
    assert arrived(office, raw) is None
    assert (Case.objects.count(), IngestedMessage.objects.count()) == (1, 1)


def test_an_opt_out_by_mail_takes_effect_at_once(office: Office) -> None:
    case = arrived(office, letter("please stop", subject="unsubscribe"))
    assert case is not None
    office.work()
    assert office.rows("select mailing from customer where id = 1") == [("stopped",)]


def test_what_is_not_understood_is_put_to_a_person(office: Office) -> None:
    case = arrived(office, letter("I have been wondering about things."))
    assert case is not None
    assert (case.kind, case.needs) == ("question", WaitReason.ANSWER)


def test_a_letter_that_asks_for_several_things_opens_a_case_for_each(office: Office) -> None:
    text = "Send me a copy of my data, delete everything, and unsubscribe me."
    cases = {case.right: case for case in all_arrived(office, letter(text))}
    assert list(cases) == ["view", "object", "erase"]
    for right in ("erase", "view"):
        office.prove(cases[right])
    office.work()
    for case in cases.values():
        case.refresh_from_db()
    assert cases["view"].outcome == cases["object"].outcome == "fulfilled"
    assert cases["erase"].needs == WaitReason.REVIEW, "somebody reads first what the person wants in which order"
    assert office.rows("select count(*) from customer where id = 1") == [(1,)]
    actions.try_again(cases["erase"].pk, office.deployment, who=lifecycle.Actor("staff"), now=office.now())
    office.work()
    assert office.rows("select count(*) from customer where id = 1") == [(0,)]


def test_what_is_not_plain_is_read_before_anything_is_done(office: Office) -> None:
    case = arrived(office, letter("I would like to get rid of my account"))
    assert case is not None
    assert (case.right, case.state) == ("erase", CaseState.VERIFYING)
    office.prove(case)
    office.work()
    case.refresh_from_db()
    assert case.needs == WaitReason.REVIEW
    assert case.events.get(what="needs_review").facts == {"why": "not_sure"}


def test_who_forbids_it_asks_for_nothing_of_the_kind(office: Office) -> None:
    [case] = all_arrived(office, letter("Do not delete my data. I want a copy of my data."))
    assert (case.right, case.needs) == ("view", "")
    assert arrived(office, letter("Please do not delete my account!")) is not None
    assert not Case.objects.filter(right="erase").exists()


def test_what_a_letter_may_want_besides_is_read_by_somebody(office: Office) -> None:
    stopped, besides = all_arrived(office, letter("unsubscribe me. And get rid of my account"))
    assert (stopped.right, besides.kind, besides.needs) == ("object", "question", WaitReason.ANSWER)
    assert office.letters(besides) == []


def test_the_answer_comes_in_the_language_of_the_letter(office: Office) -> None:
    case = arrived(office, letter("Bitte löschen Sie alle meine Daten."))
    assert case is not None
    assert case.language == "de"


@pytest.mark.parametrize(
    "raw",
    [
        letter("I am away", Auto_Submitted="auto-replied"),
        letter("issue 7", Precedence="bulk"),
        letter("hello all", List_Id="<list.example.org>"),
        letter("delete my data", Return_Path="<>"),
        letter("delete my data", sender="privacy@example.org"),
    ],
)
def test_what_no_person_wrote_opens_no_case(office: Office, raw: bytes) -> None:
    assert arrived(office, raw) is None
    assert not Case.objects.exists()


def of_depth(depth: int) -> bytes:
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return f"From: ann@example.org\n{parts}".encode()


HOSTILE = {
    "no sender": b"Subject: my data\n\ndelete my data",
    "a sender that is none": letter("delete my data", sender="not an address"),
    "two dots": b"From: x..y@spam.example\n\ndelete my data",
    "quoted": b'From: "a b"@example.org\n\ndelete my data',
    "a number for a domain": b"From: ann@[127.0.0.1]\n\ndelete my data",
    "a long local part": b"From: " + b"a" * 65 + b"@example.org\n\ndelete my data",
    "nothing": b"",
    "no letter": b"\x00\xff" * 500,
    "a broken word": b"From: =?utf-8?b?/////?=\n\n",
    "deep": of_depth(2_000),
    "many parts": b"From: ann@example.org\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\na\n" * 100_000,
    "nobody named": letter("delete my data", sender="Ann <>"),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_letter_that_nobody_can_be_answered_for_is_a_question_for_a_handler(office: Office, raw: bytes) -> None:
    case = arrived(office, raw)
    assert case is not None
    assert (case.kind, case.state, case.needs) == ("question", CaseState.IN_PROGRESS, WaitReason.ANSWER)
    assert office.letters(case) == []
    content = SealedContent(office.deployment.keyring).content(case)
    assert content.address == ""
    if b"delete my data" in raw:
        assert "delete my data" in content.message
    assert arrived(office, raw) is None, "once"


STRANGE = {
    "charset": b"From: ben@example.org\nContent-Type: text/plain; charset=nonsense\n\nWhat do you know about me?",
    "noughts": b"From: ben@example.org\nSubject: \x00\x00\n\nWhat do you \x00 know about me?\x00",
    "turned": "From: ben@example.org\nSubject: \u202eatad ym\n\nWhat do you know about me?".encode(),
    "huge": b"From: ben@example.org\n\nWhat do you know about me?\n" + b"a" * 10_000_000,
    "a long header": b"Content-Type: text/plain; " + b"a=b; " * 100_000 + b"\nFrom: ben@example.org\n\nWhat?",
    "many senders": b"From: " + b"ben@example.org, " * 50_000 + b"\n\nWhat do you know about me?",
    "a time long ago": b"Received: by us; Mon, 1 Jan 0001 00:00:00 +1400\nFrom: ben@example.org\n\nWhat?",
}


def test_no_letter_keeps_those_after_it_from_being_read(office: Office, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for part in ("new", "cur", "tmp"):
        (tmp_path / "in" / part).mkdir()
    several = [*HOSTILE.values(), *STRANGE.values(), letter("What do you know about me?")]
    for number, raw in enumerate(several):
        (tmp_path / "in" / "new" / f"{number:03}.example").write_bytes(raw)
    where = Mailbox(folder=tmp_path / "in")
    assert read_mailbox(where, office.deployment, now=office.now()) == len(several)
    assert read_mailbox(where, office.deployment, now=office.now()) == 0
    assert not list((tmp_path / "in" / "new").iterdir())
    case = Case.objects.latest("id")
    assert (case.right, office.letters(case)) == ("view", ["link"])
    for kept in Case.objects.filter(kind="question"):
        complaint_actions.answer(
            kept.pk, "We wrote to you.", office.deployment, who=lifecycle.Actor("staff"), now=office.now()
        )


def test_what_breaks_on_our_side_leaves_the_letter_where_it_is(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> Case:
        raise OperationalError

    raw, done = letter("delete my data"), list[str]()
    with monkeypatch.context() as patched:
        patched.setattr(receive, "receive_all", away)
        with pytest.raises(OperationalError):
            take_in(MailboxMessage(raw, office.now(), lambda: done.append("done")), office.deployment, now=office.now())
    assert not done
    assert arrived(office, raw) is not None


def test_of_a_flood_from_one_address_nothing_is_lost_and_no_letter_goes_back(office: Office) -> None:
    for number in range(20):
        arrived(office, letter(f"delete my data {number}"), ago=dt.timedelta(minutes=1))
    sent = LetterRow.objects.count()
    kept = arrived(office, letter("I really am Ann: delete my data"), ago=dt.timedelta(minutes=1))
    assert kept is not None
    assert (kept.kind, kept.needs) == ("question", WaitReason.ANSWER)
    assert "I really am Ann" in SealedContent(office.deployment.keyring).content(kept).message
    stopped = arrived(office, letter("please stop", subject="unsubscribe"), ago=dt.timedelta(minutes=1))
    assert stopped is not None
    office.work()
    assert office.rows("select mailing from customer where id = 1") == [("stopped",)]
    stopped.refresh_from_db()
    assert (stopped.outcome, LetterRow.objects.count()) == ("fulfilled", sent)


def asked(office: Office) -> Case:
    """A case of Ann's, in which we asked her something."""
    content = CaseContent(address="ann@example.org", message="about my account")
    intake = receive.Intake(CaseKind.REQUEST, content, Channel.STAFF, right="erase", tier=1)
    case = receive.receive(intake, office.deployment, now=office.now())
    return case_actions.pause(
        case.pk, "Which account?", office.deployment, who=lifecycle.Actor("staff"), now=office.now()
    )


def test_an_answer_to_our_question_goes_to_its_case(office: Office) -> None:
    case = asked(office)
    sent = LetterRow.objects.get(about=case.about, kind="more_information")
    assert arrived(office, letter("The old one.", In_Reply_To=sent.message_id)) == case
    case.refresh_from_db()
    assert case.state == CaseState.IN_PROGRESS
    assert "The old one." in SealedContent(office.deployment.keyring).content(case).message


@pytest.mark.parametrize("knows", ["the reference", "a letter to somebody else"])
def test_who_forges_a_sender_does_not_answer_our_question(office: Office, knows: str) -> None:
    case = asked(office)
    facts = {"task": "look", "due": office.now().date(), "link": "https://troth.example.org/"}
    to_staff = messages.write_to("chloe@example.org", case, "staff_task", office.deployment, facts, now=office.now())
    assert to_staff is not None
    headers = {"In_Reply_To": to_staff.message_id} if knows == "a letter to somebody else" else {}
    forged = letter("All of them, at once.", subject=f"Re: {case.reference}", **headers)
    assert arrived(office, forged) == case
    case.refresh_from_db()
    assert case.state == CaseState.PAUSED
    assert "at once" not in SealedContent(office.deployment.keyring).content(case).message
    kept = case.events.get(what="wrote")
    assert kept.is_internal
    assert SealedContent(office.deployment.keyring).note(case, bytes(kept.note or b"")) == "All of them, at once."
    assert office.letters(case)[-1] == "staff_alert", "somebody is told to look"


def test_a_reply_to_a_letter_of_ours_goes_to_its_case(office: Office) -> None:
    case = arrived(office, letter("delete my data"))
    assert case is not None
    sent = LetterRow.objects.get(about=case.about)
    again = arrived(office, letter("and hurry please", In_Reply_To=sent.message_id))
    assert again == case
    assert case.events.filter(what="wrote").exists()


def test_somebody_else_answers_no_case_of_ours(office: Office) -> None:
    case = arrived(office, letter("delete my data"))
    assert case is not None
    other = arrived(office, letter("yes, do it", subject=case.reference, sender="ben@example.org"))
    assert other is not None
    assert other.pk != case.pk


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"From: a@example.org\nContent-Type: text/html\n\n<p>Delete <b>it</b></p><script>x()</script>", "Delete"),
        (b"From: a@example.org\nContent-Type: text/plain; charset=nonsense\n\nhello", "hello"),
        (b"From: a@example.org\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nplain part\n--x--", "plain part"),
    ],
)
def test_letters_of_every_make_are_read(raw: bytes, text: str) -> None:
    read = understood(raw)
    assert read is not None
    assert text in read.text
    assert "x()" not in read.text


def test_a_maildir_is_taken_in_and_marked(office: Office, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "in", create=True)
    key = box.add(letter("What do you know about me?"))
    then = (office.now() - 2 * DAY).timestamp()
    os.utime(tmp_path / "in" / "new" / key, (then, then))
    where = Mailbox(folder=tmp_path / "in")
    assert read_mailbox(where, office.deployment, now=office.now()) == 1
    assert read_mailbox(where, office.deployment, now=office.now()) == 0
    [case] = Case.objects.all()
    assert case.right == "view"
    assert office.now() - case.received_at > DAY


# --- a small IMAP server: what the protocol needs for our commands, over a real socket --------------------------------


class _Imap(socketserver.StreamRequestHandler):
    letters: list[bytes]
    seen: set[int]

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        for line in self.rfile:
            tag, _, command = line.strip().partition(b" ")
            verb = command.upper()
            if verb.startswith(b"UID SEARCH"):
                fresh = [n for n in range(1, len(self.letters) + 1) if n not in self.seen]
                if b"UID 1" in verb or b"UID " in verb.removeprefix(b"UID SEARCH"):
                    fresh = [int(verb.rpartition(b"UID ")[2].strip(b"() "))]
                self.wfile.write(b"* SEARCH " + b" ".join(b"%d" % n for n in fresh) + b"\r\n")
            elif verb.startswith(b"UID FETCH"):
                number = int(verb.split()[2])
                raw = self.letters[number - 1]
                head = b"* %d FETCH (UID %d FLAGS () BODY[] {%d}\r\n" % (number, number, len(raw))
                self.wfile.write(head + raw + b")\r\n")
            elif verb.startswith(b"UID STORE"):
                self.seen.add(int(verb.split()[2]))
            elif verb.startswith(b"CAPABILITY"):
                self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n")
            elif verb.startswith(b"SELECT"):
                self.wfile.write(b"* %d EXISTS\r\n" % len(self.letters))
            elif verb.startswith(b"LOGOUT"):
                self.wfile.write(b"* BYE\r\n" + tag + b" OK\r\n")
                return
            self.wfile.write(tag + b" OK done\r\n")


@pytest.fixture
def imap() -> Iterator[tuple[Mailbox, type[_Imap]]]:
    class Handler(_Imap):
        letters = [letter("What do you know about me?"), letter("please delete my data")]  # noqa: RUF012
        seen = set()  # noqa: RUF012

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        yield Mailbox(host="127.0.0.1", port=port, user="u", password="p", is_encrypted=False), Handler
        server.shutdown()


def test_an_imap_mailbox_is_taken_in_and_marked(office: Office, imap: tuple[Mailbox, type[_Imap]]) -> None:
    where, server = imap
    assert read_mailbox(where, office.deployment, now=office.now()) == 2
    assert server.seen == {1, 2}
    assert read_mailbox(where, office.deployment, now=office.now()) == 0
    assert {case.right for case in Case.objects.all()} == {"view", "erase"}
