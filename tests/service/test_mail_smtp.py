"""One connection to a mail server: what is safe to say again, what is not, and who is on the other side."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from tests.service.mailing import Sink, read
from tests.tables import each_row

from troth.service.configuration import MailServer, MailTls, Settings, SettingsError
from troth.service.mail.message import Message
from troth.service.mail.smtp import Smtp
from troth.service.mail.transports import Doubtful, MessageRefused, ServerUnreachable


class Stolen(Exception):
    """What a test raises at the point of no return."""


def message(number: int = 1, content: bytes = b"Subject: x\r\n\r\nText\r\n") -> Message:
    return Message(f"<{number}@example.org>", "privacy@example.org", f"ann{number}@example.org", content)


def nothing() -> None:
    """At the point of no return."""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def smtp(sink: Sink) -> Iterator[Smtp]:
    smtp = Smtp(sink.server)
    yield smtp
    smtp.close()


def test_dots_at_the_beginning_of_lines_stay(sink: Sink, smtp: Smtp) -> None:
    text = b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\nb.\r\n"
    smtp.hand_over(message(content=text), nothing)
    assert sink.taken[0].content == text


def test_the_end_is_not_said_where_that_is_not_on_record(sink: Sink, smtp: Smtp) -> None:
    def stolen() -> None:
        raise Stolen

    with pytest.raises(Stolen):
        smtp.hand_over(message(), stolen)
    smtp.hand_over(message(2), nothing)
    assert [envelope.rcpt_tos for envelope in sink.taken] == [["ann2@example.org"]]


def test_nothing_has_gone_when_the_point_of_no_return_is_reached(sink: Sink, smtp: Smtp) -> None:
    taken: list[int] = []
    smtp.hand_over(message(), lambda: taken.append(len(sink.taken)))
    assert (taken, len(sink.taken)) == ([0], 1)


@pytest.mark.parametrize(
    ("said", "for_good"),
    [("550 5.1.1 <ann1@example.org> no", True), ("452 4.2.2 full", False), ("503 ann1@example.org", True)],
)
@pytest.mark.parametrize("where", ["to", "data"])
def test_a_refusal_is_for_good_or_not_and_the_next_letter_goes(
    sink: Sink, smtp: Smtp, said: str, for_good: bool, where: str
) -> None:
    setattr(sink, where, lambda envelope: said if "ann1@example.org" in envelope.rcpt_tos else None)
    with pytest.raises(MessageRefused) as refusal:
        smtp.hand_over(message(), nothing)
    assert refusal.value.for_good is for_good
    assert "example.org" not in str(refusal.value)
    assert "example.org" not in refusal.value.reason
    smtp.hand_over(message(2), nothing)
    assert (len(sink.taken), sink.connections) == (1, 1)


def test_a_server_that_has_had_enough_gets_another_connection(sink: Sink, smtp: Smtp) -> None:
    smtp.hand_over(message(), nothing)
    said = iter(["421 4.7.0 Too many on this connection"])
    sink.sender = lambda envelope: next(said, None)
    smtp.hand_over(message(2), nothing)
    assert (len(sink.taken), sink.connections) == (2, 2)


def test_a_connection_that_nobody_used_is_not_trusted(sink: Sink, smtp: Smtp, monkeypatch: pytest.MonkeyPatch) -> None:
    smtp.hand_over(message(), nothing)
    monkeypatch.setattr("troth.service.mail.smtp._IDLE_S_MAX", -1.0)
    smtp.hand_over(message(2), nothing)
    assert (len(sink.taken), sink.connections) == (2, 2)


def test_a_server_that_is_not_there_is_told() -> None:
    with Sink() as gone:
        pass
    with pytest.raises(ServerUnreachable, match="no connection"):
        Smtp(gone.server).hand_over(message(), nothing)


# --- servers that break off -----------------------------------------------------------------------------------------


@pytest.fixture
def scripted() -> Iterator[Callable[..., Smtp]]:
    """A way to a server that says what a test wants it to say, once for each line or end of a message that it reads,
    and then breaks off."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(replies: list[bytes]) -> None:
        peer, _ = listening.accept()
        with peer, peer.makefile("rwb") as file:
            for reply in replies:
                file.write(reply + b"\r\n")
                file.flush()
                if reply.startswith(b"354"):
                    while file.readline() not in (b".\r\n", b""):
                        pass
                elif not file.readline():
                    return

    def begin(*replies: bytes) -> Smtp:
        threads.append(threading.Thread(target=serve, args=(list(replies),), daemon=True))
        threads[-1].start()
        return Smtp(MailServer(host="127.0.0.1", port=listening.getsockname()[1], tls=MailTls.NONE))

    yield begin
    listening.close()
    for thread in threads:
        thread.join(10)


HELLO = (b"220 hello", b"250 example.org")


@pytest.mark.parametrize(
    ("replies", "raises"),
    [
        ((), ServerUnreachable),
        ((b"554 5.3.2 closed for today",), ServerUnreachable),
        (HELLO, ServerUnreachable),
        ((*HELLO, b"250 ok"), ServerUnreachable),
        ((*HELLO, b"250 ok", b"250 ok"), ServerUnreachable),
        ((*HELLO, b"250 ok", b"421 4.3.2 going down"), ServerUnreachable),
        ((*HELLO, b"250 ok", b"250 ok", b"451 no"), MessageRefused),
        ((*HELLO, b"250 ok", b"250 ok", b"354 go on"), Doubtful),
        ((*HELLO, b"250 ok", b"250 ok", b"354 go on", b"gibberish"), Doubtful),
        ((*HELLO, b"250 ok", b"250 ok", b"354 go on", b"421 4.3.2 going down"), MessageRefused),
    ],
)
def test_where_a_server_breaks_off_decides_what_is_known(
    scripted: Callable[..., Smtp], replies: tuple[bytes, ...], raises: type[Exception]
) -> None:
    reached: list[bool] = []
    smtp = scripted(*replies)
    with pytest.raises(raises):
        smtp.hand_over(message(), lambda: reached.append(True))
    smtp.close()
    assert bool(reached) == (b"354 go on" in replies)


def test_a_connection_lost_in_the_middle_of_a_message_has_sent_nothing(sink: Sink, smtp: Smtp) -> None:
    def lose() -> None:
        assert smtp._open is not None
        assert smtp._open.sock is not None
        smtp._open.sock.shutdown(socket.SHUT_RDWR)

    with pytest.raises(Doubtful):
        smtp.hand_over(message(), lose)
    smtp.hand_over(message(2), nothing)
    assert len(sink.taken) == 1


# --- who is on the other side -----------------------------------------------------------------------------------------


def known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"troth", b"p@ss"), handled=False)


def test_a_remote_server_needs_tls_and_gets_no_letter_without(sink: Sink) -> None:
    server = MailServer(host="127.0.0.1", port=sink.port, tls=MailTls.STARTTLS)
    with pytest.raises(ServerUnreachable, match="no STARTTLS"):
        Smtp(server).hand_over(message(), nothing)
    assert sink.taken == []


def test_a_server_that_cannot_prove_its_name_gets_nothing(secured: ssl.SSLContext) -> None:
    with Sink(tls_context=secured) as sink, pytest.raises(ServerUnreachable, match="TLS failed"):
        Smtp(MailServer(host="127.0.0.1", port=sink.port)).hand_over(message(), nothing)
    assert sink.taken == []


def test_signing_in_is_done_behind_tls(secured: ssl.SSLContext, certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    with Sink(tls_context=secured, authenticator=known, auth_required=True, auth_exclude_mechanism=["LOGIN"]) as sink:
        server = MailServer(host="127.0.0.1", port=sink.port, user="troth", password="p@ss")
        smtp = Smtp(server, tls=trusted)
        smtp.hand_over(message(), nothing)
        smtp.close()
        with pytest.raises(ServerUnreachable, match="sign-in refused"):
            Smtp(replace(server, password="wrong"), tls=trusted).hand_over(message(), nothing)
    assert len(sink.taken) == 1


def test_a_message_is_read_as_it_was_written(sink: Sink, smtp: Smtp) -> None:
    smtp.hand_over(message(content=b"From: a@example.org\r\nSubject: =?utf-8?q?Z=C3=BCrich?=\r\n\r\nx\r\n"), nothing)
    assert read(sink.taken[0].content)["Subject"] == "Zürich"


# --- as the settings describe it --------------------------------------------------------------------------------------


def mail(url: str, **more: str) -> MailServer | None:
    return Settings.read({"TROTH_MAIL_URL": url, **more}).mail


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", MailServer(host="mail.example.org", port=587)),
        ("smtp://a%40b:p%2Fs@mail.example.org:2525", MailServer("mail.example.org", 2525, "a@b", "p/s")),
        ("smtps://mail.example.org", MailServer(host="mail.example.org", port=465, tls=MailTls.WRAPPED)),
        ("smtp://localhost", MailServer(host="localhost", port=25, tls=MailTls.NONE)),
        ("smtp://[::1]:1025", MailServer(host="::1", port=1025, tls=MailTls.NONE)),
        ("folder:///srv/my%20mail", MailServer(folder=Path("/srv/my mail"))),
        ("maildir:///srv/mail", MailServer(folder=Path("/srv/mail"), maildir=True)),
    ],
)
def test_where_letters_go_is_one_address(url: str, server: MailServer) -> None:
    assert mail(url) == server


@each_row(
    "url",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://hunter2@mail.example.org",
        "smtp://:hunter2@mail.example.org",
        "smtp://mail.example.org:hunter2",
        "smtp://mail.example.org/hunter2",
        "smtp://mail.example.org?tls=hunter2",
        "folder://hunter2/x",
        "folder:///",
    ],
)
def test_a_wrong_address_is_told_and_not_quoted(url: str) -> None:
    with pytest.raises(SettingsError, match="TROTH_MAIL_URL") as refusal:
        mail(url)
    assert "hunter2" not in str(refusal.value)


def test_development_writes_into_a_folder_and_production_has_to_say() -> None:
    assert Settings.read({"TROTH_HOME": "/srv/troth"}).mail == MailServer(folder=Path("/srv/troth/mail"))
    assert Settings.read({"TROTH_PROFILE": "production"}).mail is None
    assert "p/s" not in repr(mail("smtp://a:p%2Fs@mail.example.org"))
