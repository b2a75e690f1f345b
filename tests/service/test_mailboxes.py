"""Mailboxes are read quickly, whatever they hold, and keep what they have."""

from __future__ import annotations

import datetime as dt
import imaplib
import os
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from tests.rig.jobs import run_due
from tests.rig.oauthmail import Provider

from troth.service.configuration import Mailbox
from troth.service.core import timestamps
from troth.service.core.jobs.models import Job
from troth.service.health_report import _mailboxes
from troth.service.mail.inbox import mailboxes, reading
from troth.service.mail.inbox.mailboxes import RAW_MAX, MailboxAway, MailboxMessage, open_mailbox
from troth.service.mail.inbox.reading import OfferedMessages, read_at, read_due

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
Taker = Callable[[MailboxMessage, Any, dt.datetime], bool]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(password="right") as provider:
        yield provider


@pytest.fixture
def where(provider: Provider) -> Iterator[Mailbox]:
    """Its mailbox, which this process has open afterwards at the most for the test."""
    where = provider.mailbox(password="right")
    yield where
    if (box := mailboxes._kept.pop(where, None)) is not None:
        box.close()


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Subjects of the messages that takers got. They take what says ``take``, and fail at what says ``fail``."""
    subjects: list[str] = []

    def take(message: MailboxMessage, deployment: Any, now: dt.datetime) -> bool:
        assert message.parsed is not None
        subjects.append(message.parsed.subject)
        if "fail" in message.parsed.text:
            raise RuntimeError
        return "take" in message.parsed.text

    monkeypatch.setattr(reading, "_takers", lambda: [("test", take)])
    return subjects


HERE: Any = SimpleNamespace(without_own=None)


def read(where: Mailbox, memory: OfferedMessages) -> tuple[int, bool]:
    with open_mailbox(where, keep=True) as box:
        return reading._read(box, HERE, NOW, memory, 100)


def test_a_look_at_a_mailbox_without_news_is_one_command_on_the_open_connection(
    provider: Provider, where: Mailbox, offered: list[str]
) -> None:
    memory = OfferedMessages()
    provider.add(1, "take")
    assert read(where, memory) == (1, False)
    provider.commands.clear()
    for _ in range(3):
        assert read(where, memory) == (0, False)
    assert (provider.commands, provider.connections) == (["NOOP"] * 3, 1)
    provider.add(2, "take")
    assert read(where, memory) == (1, False)
    assert (offered, provider.seen) == (["number 1", "number 2"], {1, 2})


def test_a_server_that_announces_nothing_is_asked_now_and_then(
    provider: Provider, where: Mailbox, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = OfferedMessages()
    provider.add(1, "take")
    read(where, memory)
    provider.letters[2] = provider.letters.pop(1)  # as many as before
    assert read(where, memory) == (0, False)
    monkeypatch.setattr(mailboxes, "_LISTED_S_MAX", -1.0)
    assert read(where, memory) == (1, False)


def test_a_lost_connection_is_replaced(provider: Provider, where: Mailbox, offered: list[str]) -> None:
    memory = OfferedMessages()
    read(where, memory)
    provider.breaks_at = "NOOP"
    provider.add(1, "take")
    assert (read(where, memory), provider.connections) == ((1, False), 2)


def test_a_server_that_falls_silent_is_connected_to_anew(
    provider: Provider, where: Mailbox, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "_NOOP_S_MAX", 0.1)
    monkeypatch.setattr(mailboxes, "_LOGOUT_S_MAX", 0.1)
    memory = OfferedMessages()
    read(where, memory)
    provider.silent_at = "NOOP"
    provider.add(1, "take")
    assert (read(where, memory), provider.connections) == ((1, False), 2)


def test_a_connection_that_breaks_off_within_a_message_loses_none(
    provider: Provider, where: Mailbox, offered: list[str]
) -> None:
    memory = OfferedMessages()
    provider.add(1, "take")
    provider.breaks_at = "UID FETCH"
    with pytest.raises(MailboxAway, match="connection lost"):
        read(where, memory)
    assert (read(where, memory), offered) == ((1, False), ["number 1"])


def test_messages_come_again_where_the_server_numbers_them_anew(
    provider: Provider, where: Mailbox, offered: list[str]
) -> None:
    memory = OfferedMessages()
    provider.add(1, "leave")
    read(where, memory)
    provider.epoch, provider.breaks_at = 2, "NOOP"
    read(where, memory)
    assert offered == ["number 1", "number 1"]


def test_what_nobody_takes_stays_unread_and_is_fetched_once(
    provider: Provider, where: Mailbox, offered: list[str]
) -> None:
    memory = OfferedMessages()
    for uid in range(1, 6):
        provider.add(uid, "leave")
    for later in (6, 7):
        provider.add(later, "take")
        assert read(where, memory) == (1, False)
    assert offered == [f"number {uid}" for uid in range(1, 8)]
    assert (provider.seen, provider.commands.count("UID FETCH")) == ({6, 7}, 7)


def test_what_a_taker_failed_at_is_offered_again_after_a_pause(
    provider: Provider, where: Mailbox, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, now = OfferedMessages(), time.monotonic()
    provider.add(1, "fail")
    provider.add(2, "take")
    assert (read(where, memory), read(where, memory)) == ((1, False), (0, False))
    for later, times in [(61, 2), (100, 2), (61 + 121, 3)]:
        clock = SimpleNamespace(monotonic=lambda later=later: now + later)
        monkeypatch.setattr(reading, "time", clock)
        read(where, memory)
        assert offered.count("number 1") == times
    assert provider.seen == {2}


def test_our_own_database_away_is_not_held_against_a_message(
    provider: Provider, where: Mailbox, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise OperationalError

    memory = OfferedMessages()
    provider.add(1, "take")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_takers", lambda: [("test", away)])
        with pytest.raises(OperationalError):
            read(where, memory)
    assert read(where, memory) == (1, False)


def test_a_large_message_is_fetched_in_part(provider: Provider, where: Mailbox) -> None:
    whole = provider.add(1, size=3 * RAW_MAX)
    with open_mailbox(where) as box:
        message = box.message("1:1")
    assert message is not None
    assert message.raw == whole[:RAW_MAX]


def test_many_messages_are_read_in_several_passes(
    provider: Provider, where: Mailbox, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, raw = OfferedMessages(), provider.add(1, "take")
    provider.letters = dict.fromkeys(range(1, 10_001), raw)
    assert read(where, memory) == (100, True)
    assert read(where, memory) == (100, True)
    assert provider.commands.count("UID SEARCH") == 1
    assert provider.seen == set(range(1, 201)), "oldest first"


@pytest.mark.parametrize("whole", [True, False])
def test_a_message_that_cannot_be_marked_is_offered_once(
    provider: Provider, where: Mailbox, offered: list[str], whole: bool
) -> None:
    memory = OfferedMessages()
    provider.is_read_only = whole
    if not whole:
        provider.says["UID STORE"] = "NO [NOPERM] You may not write"
    provider.add(1, "take")
    provider.add(2, "take")
    assert read(where, memory) == (2, False)
    provider.breaks_at = "NOOP"  # it is remembered beyond the connection
    assert (read(where, memory), provider.connections) == ((0, False), 2)
    assert (provider.seen, provider.commands.count("UID STORE")) == (set(), 0 if whole else 1)


def test_nothing_in_a_mailbox_changes_but_that_messages_are_read(
    provider: Provider, where: Mailbox, offered: list[str]
) -> None:
    provider.add(1, "take")
    provider.add(2, "leave")
    read(where, OfferedMessages())
    asked = set(provider.commands) - {"CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH"}
    assert asked == {"UID STORE"}
    assert provider.seen == {1}


def test_a_message_that_the_server_cannot_give_holds_up_no_other(
    provider: Provider, where: Mailbox, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = provider._fetch
    provider.add(1, "take")
    provider.add(2, "take")
    monkeypatch.setattr(provider, "_fetch", lambda talk, uid, command: None if uid == 1 else fetch(talk, uid, command))
    assert (read(where, OfferedMessages()), offered) == ((1, False), ["number 2"])


RECEIVED = {
    "Thu, 1 Jan 2026 09:00:00 +0000": dt.datetime(2026, 1, 1, 9, tzinfo=dt.UTC),
    "Fri, 1 Jan 2100 09:00:00 +0000": dt.datetime(2026, 1, 1, 10, tzinfo=dt.UTC),  # when the server stored it
    "yesterday": dt.datetime(2026, 1, 1, 10, tzinfo=dt.UTC),
}


@pytest.mark.parametrize(("received", "at"), RECEIVED.items())
def test_a_clock_starts_when_our_server_got_the_message_and_not_in_the_future(
    provider: Provider, where: Mailbox, received: str, at: dt.datetime
) -> None:
    provider.letters[1] = f"Received: by mx.example.org; {received}\r\n".encode() + provider.add(1)
    with open_mailbox(where) as box:
        message = box.message("1:1")
    assert message is not None
    assert message.at == at


def test_a_server_without_a_known_certificate_gets_no_password(secured: ssl.SSLContext, certificate: Path) -> None:
    with Provider(password="right", tls=secured) as provider:
        where = provider.mailbox(password="right")
        with pytest.raises(MailboxAway, match="TLS failed"), open_mailbox(where):
            pass
        assert provider.commands == []
        with open_mailbox(where, tls=ssl.create_default_context(cafile=certificate)) as box:
            assert box.unread() == []


@pytest.fixture
def maildir(tmp_path: Path) -> Mailbox:
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    return Mailbox(folder=tmp_path / "box")


def put(where: Mailbox, name: str, text: str, *, size: int = 0) -> Path:
    assert where.folder is not None
    file = where.folder / "new" / name
    file.write_bytes(f"From: ann@example.org\nSubject: {name}\n\n{text}\n".encode() + b"a" * size)
    return file


def test_a_maildir_is_read_in_part_and_from_its_oldest_message(maildir: Mailbox, offered: list[str]) -> None:
    memory = OfferedMessages()
    put(maildir, "2", "take")
    os.utime(put(maildir, "1", "leave", size=3 * RAW_MAX), (2**33, 2**33))
    put(maildir, "3", "take").chmod(0)
    with open_mailbox(maildir) as box:
        message = box.message("1")
        assert message is not None
        assert (len(message.raw), message.at <= dt.datetime.now(dt.UTC)) == (RAW_MAX, True)
    assert (read(maildir, memory), read(maildir, memory)) == ((1 + (os.geteuid() == 0), False), (0, False))
    assert offered[:2] == ["1", "2"]


# --- in the service ---------------------------------------------------------------------------------------------------


@pytest.fixture
def configured(database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SimpleNamespace]:
    """``configured(*mailboxes)``: these are read. The declaration is that of what is returned."""

    def configure(*boxes: Mailbox) -> SimpleNamespace:
        here = SimpleNamespace(declaration=SimpleNamespace(), without_own=None)
        monkeypatch.setattr(django_settings, "TROTH", SimpleNamespace(mailboxes=boxes, mail=None))
        monkeypatch.setattr(reading, "current", lambda: here)
        return here

    return configure


def test_a_mailbox_that_is_away_holds_up_no_other(
    configured: Callable[..., Any], maildir: Mailbox, offered: list[str]
) -> None:
    configured(Mailbox(host="127.0.0.1", port=9, is_encrypted=False), maildir)
    put(maildir, "1", "take")
    run_due(NOW, "mail.inbox", "mail.mailbox")
    assert offered == ["1"]
    away, read_one = Job.objects.filter(kind="mail.mailbox").order_by("key")
    assert (away.state, away.attempts, away.reason) == ("queued", 1, "away:no_connection")
    assert (read_one.state, read_one.attempts, read_one.due_at) == ("queued", 0, NOW + dt.timedelta(seconds=3))
    assert [timestamps.noted(read_at(number)) for number in (0, 1)] == [None, NOW]
    put(maildir, "2", "take")
    run_due(NOW + dt.timedelta(seconds=3), "mail.inbox", "mail.mailbox")
    assert offered == ["1", "2"]


def test_a_mailbox_that_is_not_configured_any_more_is_not_read(
    configured: Callable[..., Any], maildir: Mailbox, offered: list[str]
) -> None:
    configured(maildir)
    run_due(NOW, "mail.inbox", "mail.mailbox")
    configured()
    run_due(NOW + dt.timedelta(minutes=1), "mail.inbox", "mail.mailbox")
    assert not Job.objects.filter(kind="mail.mailbox").exists()


def test_another_declaration_has_what_is_unread_offered_again(
    configured: Callable[..., Any], maildir: Mailbox, offered: list[str]
) -> None:
    here = configured(maildir)
    put(maildir, "1", "leave")
    read_due(0, NOW)
    read_due(0, NOW)
    assert offered == ["1"]
    here.declaration = SimpleNamespace()
    read_due(0, NOW)
    assert offered == ["1", "1"]


# --- findings ---------------------------------------------------------------------------------------------------------


def findings(*boxes: Mailbox, **more: Any) -> dict[str, tuple[str, str]]:
    told: Any = SimpleNamespace(mailboxes=boxes, mail=None, **more)
    return {subject: (state, result) for state, subject, result in _mailboxes(told)}


def test_a_mailbox_is_examined_without_reading_messages(provider: Provider, where: Mailbox) -> None:
    provider.add(1)
    assert findings(where) == {"mailbox": ("ok", "opened, 1 message unread")}
    assert "UID FETCH" not in provider.commands
    assert provider.commands[-1] == "LOGOUT"


def test_a_mailbox_that_is_nearly_full_is_found(provider: Provider, where: Mailbox) -> None:
    provider.says["quota"] = "96 100"
    assert "nearly full" in findings(where)["mailbox"][1]


def test_a_mailbox_that_cannot_be_marked_is_found(provider: Provider, where: Mailbox) -> None:
    provider.is_read_only = True
    assert "let the account write" in findings(where)["mailbox"][1]


def test_each_of_several_mailboxes_is_examined(provider: Provider, where: Mailbox, monkeypatch: Any) -> None:
    monkeypatch.setattr("troth.service.health_report._MAILBOX_S_MAX", 0.0)
    gone = Mailbox(host="127.0.0.1", port=9, is_encrypted=False)
    told = findings(gone, where, provider.mailbox(password="wrong"))
    assert {subject: state for subject, (state, _) in told.items()} == dict.fromkeys(
        ["mailbox 1", "mailbox 2", "mailbox 3"], "wrong"
    )
    for subject, part in [("mailbox 1", "no connection"), ("mailbox 2", "to answer"), ("mailbox 3", "sign-in refused")]:
        assert part in told[subject][1]


def test_what_was_never_run_against_the_real_services_says_so(provider: Provider) -> None:
    app = provider.oauth(scope="https://outlook.office365.com/.default")
    told = findings(provider.mailbox(app))
    assert told["mailbox"][0] == "ok"
    assert "never run against the real services" in told["mail sign-in"][1]


def test_refusals_are_errors_of_the_protocol() -> None:
    error = imaplib.IMAP4.error("LOGIN command error: BAD [b'ann@example.org']")
    assert "ann" not in str(mailboxes._away(error))
