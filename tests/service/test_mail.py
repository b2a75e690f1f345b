"""Letters are queued with the change that asks for them, in nobody's plain sight, and sent once."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope
from django.db import connection, connections, transaction
from django.db.models import F
from tests import forks
from tests.rig.databases import as_default
from tests.rig.jobs import run_due
from tests.service.conftest import ROOT
from tests.service.mail_processes import KEYS, NOW
from tests.service.mailing import Sink, read, send_due
from tests.tables import each_row

from troth.declaration import Organisation
from troth.ledger import Entry
from troth.protect import Keyring, create_home
from troth.service.configuration import MailServer
from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.key_lifecycle import rotate_field
from troth.service.core.models import EntryRow
from troth.service.mail import actions, sending
from troth.service.mail.actions import again, post
from troth.service.mail.message import Address, Message
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Attachment, Letter, LetterRefused
from troth.service.mail.smtp import Smtp
from troth.service.mail.transports import FolderTransport, MailTransport, MessageRefused

pytestmark = pytest.mark.sampled

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
COMPANY = Organisation(
    name="Example Ltd", country="GB", address="1 Example Street", email="privacy@example.org", regulator="ICO"
)
ANN = "ann@example.org"
ONCE = "case:R-2026-0187/acknowledged"


def letter(once: str = ONCE, *, to: str = ANN, language: str = "en", **more: Any) -> Letter:
    facts = {"right": "erase", "received": NOW.date(), "due": dt.date(2026, 12, 24), "laws": ["GDPR Art. 12(3)"]}
    return Letter("acknowledged", to, language, "case:R-2026-0187", facts, once, **more)


def posted(one: Letter | None = None, *, keyring: Keyring = KEYS) -> LetterRow:
    return post(one or letter(), keyring=keyring, organisation=COMPANY, now=NOW)


@pytest.fixture
def rows(migrated: Path, tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    """A database of its own, for what does not depend on which one it is."""
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    with django_db_blocker.unblock(), as_default(f"sqlite:///{tmp_path}/troth.sqlite3"):
        yield


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def smtp(sink: Sink) -> Iterator[Smtp]:
    smtp = Smtp(sink.server)
    yield smtp
    smtp.close()


@pytest.fixture
def send(smtp: Smtp) -> Callable[..., int]:
    """Sends what is due so long after the beginning."""

    def send(after: dt.timedelta = dt.timedelta(0), transport: MailTransport = smtp) -> int:
        return send_due(NOW + after, keyring=KEYS, transport=transport)

    return send


Send = Callable[..., int]


def failed(about: str = "") -> list[LetterRow]:
    """The letters that could not be sent, about one thing or all of them, the oldest first."""
    rows = LetterRow.objects.filter(state=LetterRow.State.FAILED)
    return list((rows.filter(about=about) if about else rows).order_by("ended_at", "id"))


def entries() -> list[Entry]:
    return [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("id")]


# --- queuing --------------------------------------------------------------------------------------------------------


def test_a_letter_commits_with_what_asks_for_it(database: str) -> None:
    def change_that_fails() -> None:
        with transaction.atomic():
            posted()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_that_fails()
    assert not LetterRow.objects.exists()


def test_the_same_key_is_queued_once_ever(database: str, sink: Sink, send: Send) -> None:
    assert posted().pk == posted(letter(language="de")).pk
    assert send() == 1
    assert posted().state == "sent"
    assert (send(DAY), len(sink.taken)) == (0, 1)


def test_nothing_personal_stands_in_the_table(database: str, send: Send) -> None:
    def row() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM mail_letter")
            return str([bytes(cell) if isinstance(cell, memoryview) else cell for cell in cursor.fetchall()[0]])

    queued = posted()
    for word in (ANN, "ann", "deletion", "received your request", queued.message_id.upper()):
        assert word not in row()
    assert send() == 1
    assert ANN not in row()
    assert LetterRow.objects.get().sealed is None


def test_a_letter_opens_after_the_field_keys_are_rotated(database: str, tmp_path: Path, smtp: Smtp) -> None:
    create_home(tmp_path / "keys")
    keyring = Keyring.open(tmp_path / "keys")
    posted(keyring=keyring)
    before = bytes(LetterRow.objects.get().sealed or b"")
    rotate_field(keyring, now=NOW, progress=lambda done, of: None)
    assert bytes(LetterRow.objects.get().sealed or b"") != before
    assert send_due(NOW, keyring=keyring, transport=smtp) == 1


@each_row(
    "address",
    [
        "nora",
        "nora@",
        "@example.net",
        "nora@example.org, ben@example.org",
        "nora@example.org\r\nBcc: ben@example.org",
        "Ann <nora@example.org>",
        "nora@example.org> SIZE=1",
        ".nora@example.org",
        "a..n@example.org",
        '"nora"@example.org',
        "nora@exa mple.org",
        "nora@" + "x" * 70 + ".ä",
        "x" * 65 + "@example.org",
    ],
)
def test_what_is_not_one_address_is_refused_and_not_quoted(address: str) -> None:
    with pytest.raises(LetterRefused) as refusal:
        Address.read(address)
    assert address not in str(refusal.value)


def test_a_letter_comes_from_the_address_that_is_set(rows: None, settings: Any, sink: Sink, send: Send) -> None:
    settings.TROTH = replace(settings.TROTH, mail_from="letters@example.org")
    posted()
    assert send() == 1
    assert read(sink.taken[0].content)["From"] == "Example Ltd <letters@example.org>"
    settings.TROTH = replace(settings.TROTH, mail_from="letters")
    with pytest.raises(LetterRefused, match="TROTH_MAIL_FROM"):
        posted(letter("other"))


# --- what arrives ---------------------------------------------------------------------------------------------------


def test_a_letter_arrives_as_it_should(rows: None, sink: Sink, send: Send) -> None:
    row = posted(letter(attachments=[Attachment("receipt.json", "application/json", b'{"leaf": 7}')]))
    assert send() == 1
    (envelope,) = sink.taken
    message = read(envelope.content)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("privacy@example.org", [ANN])
    assert message["From"] == "Example Ltd <privacy@example.org>"
    assert (message["To"], message["Message-ID"]) == (ANN, row.message_id)
    assert message["Message-ID"].endswith("@example.org>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "We will answer by: 24 December 2026" in plain.get_content()
    assert "We will answer by: 24 December 2026" in html.get_content()
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("receipt.json", b'{"leaf": 7}')


def test_that_it_was_sent_is_on_record_without_saying_to_whom(rows: None, send: Send) -> None:
    row = posted()
    assert send() == 1
    (entry,) = entries()
    assert (entry.kind, str(entry.fields["letter"])) == ("letter.sent", "acknowledged")
    assert entry.fields["case"] == KEYS.pseudonym("case", "R-2026-0187")
    assert str(entry.fields["to"]) == row.to


def test_names_and_addresses_of_the_whole_world_arrive(rows: None) -> None:
    name = 'Übersetzer "Große Straße" & Söhne; Łódź, s.r.o. und Partner 株式会社'
    company = COMPANY.model_copy(update={"name": name})
    with Sink(enable_SMTPUTF8=True) as sink:
        post(letter(to="zoë@bücher.example"), keyring=KEYS, organisation=company, now=NOW)
        smtp = Smtp(sink.server)
        assert send_due(NOW, keyring=KEYS, transport=smtp) == 1
        smtp.close()
    (envelope,) = sink.taken
    assert envelope.rcpt_tos == ["zoë@xn--bcher-kva.example"]
    assert isinstance(envelope.content, bytes)
    message, raw = read(envelope.content), message_from_bytes(envelope.content)
    shown = str(make_header(decode_header(raw["From"])))  # the newer parser puts spaces between encoded words
    assert shown == f"{name} <privacy@example.org>"
    assert message["To"] == "zoë@xn--bcher-kva.example"


def test_an_address_that_the_server_cannot_write_to_fails_and_says_why(rows: None) -> None:
    posted(letter("a", to="zoë@example.org"))
    posted(letter("b", to="ann@bücher.example"))  # its domain is plain in DNS
    with Sink(enable_SMTPUTF8=False) as sink:
        smtp = Smtp(sink.server)
        assert send_due(NOW, keyring=KEYS, transport=smtp) == 1
        smtp.close()
    assert [(row.once, row.reason) for row in failed()] == [("a", "server has no SMTPUTF8")]


def test_an_answer_names_the_letter_that_it_answers(rows: None) -> None:
    mine = posted().message_id

    def about(*message_ids: str, to: str = "Ann@example.org") -> str:
        return actions.about_of(message_ids, to=to, keyring=KEYS)

    assert about("<other@example.org>", mine, "<later@example.org>") == "case:R-2026-0187"
    assert about("<other@example.org>") == about() == ""
    assert about(mine, to="ben@example.org") == "", "nobody answers somebody else's letter"


def test_the_mailbox_of_the_demonstration_shows_letters(rows: None, tmp_path: Path, send: Send) -> None:
    from example_voice.web import letters

    posted(letter(language="fr"))
    send(transport=FolderTransport(tmp_path / "mail"))
    ((shown, copies),) = letters.letters(tmp_path / "mail")
    assert (shown.to, shown.subject, copies) == (ANN, "Nous avons reçu votre demande", 0)
    assert "24 décembre 2026" in shown.text


# --- refusals and trouble ---------------------------------------------------------------------------------------------


def test_many_letters_share_a_connection(rows: None, sink: Sink, send: Send) -> None:
    sink.to = lambda envelope: "550 5.1.1 No such mailbox" if "3" in envelope.rcpt_tos[-1] else None
    for number in range(70):
        posted(letter(f"k{number}", to=f"ann{number}@example.org"))
    assert send() == 54
    assert sink.connections == 1
    assert len({read(envelope.content)["Message-ID"] for envelope in sink.taken}) == 54
    assert len(failed()) == 16


def test_a_refusal_for_good_stays_in_sight(rows: None, sink: Sink, send: Send) -> None:
    sink.to = lambda envelope: "550 5.1.1 <ann@example.org>: no such mailbox"
    posted()
    assert send() == 0
    (row,) = failed("case:R-2026-0187")
    assert (row.reason, row.state, failed("case:R-1")) == ("550 5.1.1", "failed", [])
    sink.to = lambda envelope: None
    assert send(DAY) == 0
    again(ONCE, now=NOW + DAY)
    assert (send(DAY), failed(), len(entries())) == (1, [], 1)


def test_the_message_of_a_failed_letter_does_not_stay_for_ever(rows: None, sink: Sink, send: Send) -> None:
    sink.data = lambda envelope: "554 5.7.1 Spam"
    posted()
    send()
    send(31 * DAY)
    assert failed()[0].sealed is None
    with pytest.raises(LetterRefused, match="write a new one"):
        again(ONCE, now=NOW)


@pytest.mark.parametrize("where", ["to", "data"])
def test_what_may_go_better_later_is_tried_again_with_the_same_bytes(
    rows: None, sink: Sink, send: Send, where: str
) -> None:
    seen: list[object] = []

    def busy(envelope: Envelope) -> str | None:
        seen.append(envelope.content)
        return "451 4.3.0 Try again" if len(seen) < 3 else None

    setattr(sink, where, busy)
    posted()
    assert [send(), send(), send(2 * MINUTE), send(3 * MINUTE)] == [0, 0, 0, 0]
    row = LetterRow.objects.get()
    assert (row.state, Job.objects.get(kind="mail.send").attempts, row.reason, len(seen)) == (
        "queued",
        2,
        "451 4.3.0",
        2,
    )
    assert send(8 * MINUTE) == 1
    assert len(set(seen)) == 1
    assert not LetterRow.objects.get().repeated


def test_trying_ends(rows: None, sink: Sink, send: Send) -> None:
    tried = []

    def greylist(envelope: Envelope) -> str:
        tried.append(envelope)
        return "450 4.2.1 Greylisted"

    sink.to = greylist
    posted()
    for hours in range(24 * 5):
        send(dt.timedelta(hours=hours))
    (row,) = failed()
    assert row.reason == "450 4.2.1"
    assert 20 < len(tried) < 30


def test_a_letter_that_is_too_late_is_not_sent(rows: None, sink: Sink, send: Send) -> None:
    link = {"link": "https://example.org/x", "until": NOW + DAY}
    posted(Letter("link", ANN, "en", "case:R-1", link, "k"))
    assert send(2 * DAY) == 0
    assert (failed()[0].reason, sink.taken) == ("too late", [])


def test_a_refusal_of_the_sender_is_no_letters_fault(rows: None, sink: Sink, send: Send) -> None:
    sink.sender = lambda envelope: "550 5.7.1 Sender refused"
    posted()
    assert (send(), failed()) == (0, [])
    assert LetterRow.objects.get().reason == "550 5.7.1"


def test_letters_wait_while_there_is_no_server(rows: None, send: Send) -> None:
    for number in range(60):
        posted(letter(f"k{number}"))
    with Sink() as gone:
        pass
    assert send(transport=Smtp(gone.server)) == 0
    assert set(LetterRow.objects.values_list("state", flat=True)) == {"queued"}
    assert set(Job.objects.filter(kind="mail.send").values_list("state", "attempts")) == {("queued", 0)}
    assert send() == 0
    assert send(2 * MINUTE) == 60


def test_a_doubt_that_a_dead_worker_left_survives_a_server_that_is_away(rows: None, sink: Sink, send: Send) -> None:
    for number in range(2):
        posted(replace(letter(), once=f"letter-{number}"))
    LetterRow.objects.filter(once="letter-1").update(state=LetterRow.State.HANDING_OVER)
    with Sink() as gone:
        pass
    assert send(transport=Smtp(gone.server)) == 0
    assert set(LetterRow.objects.values_list("once", "state", "repeated")) == {
        ("letter-0", "queued", False),
        ("letter-1", "queued", True),
    }


def test_a_lost_answer_is_no_lost_letter(rows: None, sink: Sink, send: Send) -> None:
    sink.at_end = lambda server: server.transport.abort()
    posted()
    assert send() == 0
    row = LetterRow.objects.get()
    assert (row.state, row.repeated, row.reason) == ("queued", True, "no answer to the message")
    sink.at_end = lambda server: None
    assert send(2 * MINUTE) == 1
    first, second = sink.taken
    assert first.content == second.content


def test_a_damaged_letter_holds_nobody_up(rows: None, send: Send) -> None:
    posted(letter("a"))
    posted(letter("b"))
    LetterRow.objects.filter(once="a").update(sealed=b"rubbish")
    assert send() == 1
    assert [(row.once, row.reason) for row in failed()] == [("a", "message cannot be opened")]


# --- once ------------------------------------------------------------------------------------------------------------


class Takeover:
    """A way out that is slow: another process takes the letter over in the meantime."""

    def __init__(self, inner: MailTransport, *, before: bool) -> None:
        self._inner, self._before = inner, before

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        def point() -> None:
            if self._before:
                self._take()
            point_of_no_return()

        self._inner.hand_over(message, point)
        if not self._before:
            self._take()

    def _take(self) -> None:
        assert Job.objects.filter(kind="mail.send").update(worker="another", claims=F("claims") + 1) == 1
        WorkerRow.objects.create(name="another", begun_at=NOW, lease_until=NOW + DAY)

    def close(self) -> None: ...


def test_who_has_lost_the_lease_sends_nothing(database: str, sink: Sink, smtp: Smtp, send: Send) -> None:
    posted()
    assert send(transport=Takeover(smtp, before=True)) == 0
    assert sink.taken == []
    assert send(2 * DAY) == 1


def test_a_letter_that_has_gone_is_done_whoever_holds_it(database: str, sink: Sink, smtp: Smtp, send: Send) -> None:
    posted()
    assert send(transport=Takeover(smtp, before=False)) == 1
    assert (send(2 * DAY), len(sink.taken), len(entries())) == (0, 1, 1)


def test_two_threads_do_not_share_a_connection(rows: None, sink: Sink) -> None:
    mine = sending.way_out(sink.server)
    theirs: list[MailTransport] = []
    other = threading.Thread(target=lambda: theirs.append(sending.way_out(sink.server)))
    other.start()
    other.join()
    assert theirs[0] is not mine
    assert sending.way_out(sink.server) is mine


def test_letters_go_out_by_themselves(
    rows: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "open_keyring", lambda home: KEYS)
    settings.TROTH = replace(settings.TROTH, mail=None)
    posted()
    run_due(NOW, "mail")
    assert LetterRow.objects.get().state == "queued"
    settings.TROTH = replace(settings.TROTH, mail=MailServer(folder=tmp_path / "mail"))
    run_due(NOW + MINUTE, "mail")
    assert len(list((tmp_path / "mail").iterdir())) == 1


@pytest.mark.parametrize("maildir", [False, True])
def test_a_folder_gets_a_file_for_each_letter(rows: None, tmp_path: Path, send: Send, maildir: bool) -> None:
    row = posted()
    assert send(transport=FolderTransport(tmp_path / "mail", maildir=maildir)) == 1
    (file,) = (path for path in (tmp_path / "mail").rglob("*") if path.is_file())
    assert read(file.read_bytes())["Message-ID"] == row.message_id
    assert (file.parent.name, file.suffix) == (("new", "") if maildir else ("mail", ".eml"))
    assert file.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_makes_letters_wait(rows: None, tmp_path: Path, send: Send) -> None:
    (tmp_path / "mail").write_text("not a folder")
    posted()
    assert send(transport=FolderTransport(tmp_path / "mail")) == 0
    assert LetterRow.objects.get().state == "queued"


def process(database: str, sink: Sink, *arguments: int) -> forks.Process:
    command = ["python", "-m", "tests.service.mail_processes", str(sink.port), *map(str, arguments)]
    return forks.start(command, env={**os.environ, "TROTH_DATABASE_URL": database}, cwd=ROOT)


def send_and_kill(database: str, sink: Sink, send: Send, step: int) -> tuple[bool, int, int]:
    """Kill a sender of two letters before its *step*-th step, and send what is left: whether it came that far, and how
    many letters were in doubt, and how many came twice."""
    LetterRow.objects.all().delete()
    EntryRow.objects.all().delete()
    sink.taken.clear()
    for number in range(2):
        posted(letter(f"k{number}"))
    killed = process(database, sink, step).wait(60) != 0
    send(6 * MINUTE)
    assert set(LetterRow.objects.values_list("state", flat=True)) == {"sent"}, step
    assert len(entries()) == 2, step
    repeated = set(LetterRow.objects.filter(repeated=True).values_list("message_id", flat=True))
    arrived = Counter(read(envelope.content)["Message-ID"] for envelope in sink.taken)
    twice = {id_ for id_, count in arrived.items() if count > 1}
    assert (len(arrived), max(arrived.values()) <= 2, len(repeated) <= 1, twice <= repeated) == (2, True, True, True), (
        step
    )
    assert len({envelope.content for envelope in sink.taken}) == 2, step
    return killed, len(repeated), len(twice)


def test_a_killed_sender_loses_nothing_and_leaves_one_letter_in_doubt(database: str, sink: Sink, send: Send) -> None:
    ended = [send_and_kill(database, sink, send, step) for step in range(8, 60, 11)]
    assert sum(killed for killed, _, _ in ended) > 2


@pytest.mark.soak
def test_wherever_a_sender_is_killed_few_letters_are_in_doubt(database: str, sink: Sink, send: Send) -> None:
    doubts = twice = steps = 0
    while (ended := send_and_kill(database, sink, send, steps))[0]:
        steps, doubts, twice = steps + 1, doubts + ended[1], twice + ended[2]
    assert steps > 40
    assert 0 < twice <= doubts <= steps / 3


@pytest.mark.soak
def test_a_thousand_letters_go_in_seconds(database: str, sink: Sink, smtp: Smtp) -> None:
    begun = time.process_time()
    for number in range(1_000):
        posted(letter(f"k{number}", to=f"ann{number}@example.org"))
    queued = time.process_time()
    assert send_due(NOW, keyring=KEYS, transport=smtp) == 1_000
    assert queued - begun < 10
    assert time.process_time() - queued < 15
    assert (len(sink.taken), sink.connections) == (1_000, 1)


@pytest.mark.few(1)
def test_eight_processes_send_each_letter_once(database: str, sink: Sink) -> None:
    count = 100 if database.startswith("sqlite") else 500
    for number in range(count):
        posted(letter(f"k{number}", to=f"ann{number}@example.org"))
    senders = [process(database, sink) for _ in range(8)]
    assert [sender.wait(120) for sender in senders] == [0] * 8
    assert Counter(read(envelope.content)["To"] for envelope in sink.taken).most_common(1)[0][1] == 1
    assert (len(sink.taken), len(entries())) == (count, count)
    assert set(LetterRow.objects.values_list("state", "repeated")) == {("sent", False)}


def test_a_refusal_says_codes_and_nothing_else() -> None:
    assert "ann" not in str(MessageRefused("550 5.1.1", for_good=True))


# --- our own database goes away -------------------------------------------------------------------------------------


def test_what_a_server_took_is_not_sent_again_when_the_database_goes_away(
    database: str, sink: Sink, send: Send, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes away between the server's answer and our note of it."""
    monkeypatch.setattr(sending, "_AWAY_S", 0.2)
    posted()
    with going_away(database, request, monkeypatch) as go_away:
        sink.at_end = lambda _: go_away()
        assert send() == 1
    assert send(DAY) == 0
    assert len(sink.taken) == 1
    row = LetterRow.objects.get()
    assert (row.state, row.repeated) == (LetterRow.State.SENT, False)
    assert [entry.kind for entry in entries()] == ["letter.sent"]


def test_what_was_claimed_when_the_database_went_away_is_sent_at_once(
    database: str, sink: Sink, send: Send, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes away before the server has got the end of the letter."""
    posted()
    posted(letter("case:R-2026-0188/acknowledged"))
    with going_away(database, request, monkeypatch) as go_away:
        gone = list[bool]()

        def once(_: Envelope) -> None:
            if not gone:
                gone.append(True)
                go_away()

        sink.to = once
        send()
    connection.close()
    send(MINUTE / 6)
    assert LetterRow.objects.filter(state="sent").count() == 2
    assert len(sink.taken) == 2
    assert not LetterRow.objects.filter(repeated=True).exists()


@contextlib.contextmanager
def going_away(
    database: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """What makes our own database go away for a moment: PostgreSQL ends our connections, SQLite is locked."""
    if connection.vendor == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        yield lambda: server.cut(database.rpartition("/")[2])
        return
    connection.close()
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.2)
    with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:///"), check_same_thread=False)) as other:
        other.isolation_level = None

        def lock() -> None:
            other.execute("BEGIN EXCLUSIVE")
            threading.Timer(1.0, lambda: other.execute("ROLLBACK")).start()

        yield lock
        time.sleep(1.2)
