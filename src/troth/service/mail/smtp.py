"""A mail server, spoken to over one connection that many letters share (RFC 5321).

`smtplib` connects, secures and signs in. The transaction is spoken here, because its last line has to wait until it is
on record that the line is about to be said: a server that has not read the end of a message must not deliver it
(RFC 5321 §4.1.1.4, §4.2.5).
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from troth.service.configuration import MailServer, MailTls
from troth.service.mail.message import Message
from troth.service.mail.transports import ANSWER_S_MAX, Doubtful, MessageRefused, ServerUnreachable

_COMMAND_S_MAX = 30
_IDLE_S_MAX = 20.0
"""How long a connection that nobody uses is trusted; servers end theirs after some minutes."""
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")
_STUFFED = re.compile(rb"(?m)^\.")
T = TypeVar("T")


class Smtp:
    """One connection at a time to *server*, opened when it is first needed and again when it was lost."""

    def __init__(self, server: MailServer, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._tls = tls
        self._open: smtplib.SMTP | None = None
        self._used_at = 0.0

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        """Hand one letter over. Raises `MessageRefused`, `ServerUnreachable` and `Doubtful`, and what
        *point_of_no_return* raises: the server gets no end of the message then."""
        connection = self._begun(message)
        try:
            self._address(connection, message)
            _say(lambda: connection.send(_STUFFED.sub(b"..", message.content)))
            point_of_no_return()
        except MessageRefused:
            self._start_over(connection)
            raise
        except BaseException:
            self._drop()  # in the middle of a message: closing is the only way not to send it
            raise
        try:
            connection.send(b".\r\n")
            code, said = connection.getreply()
        except (OSError, smtplib.SMTPException):
            self._drop()
            raise Doubtful("no answer to the message") from None
        self._used_at = time.monotonic()
        if 200 <= code < 300:
            return
        if code == 421 or not 400 <= code < 600:
            self._drop()
        if not 400 <= code < 600:
            raise Doubtful("no sense in the answer")
        raise _refused(code, said)

    def greet(self) -> None:
        """Connect, secure the way and sign in, and send nothing. Raises `ServerUnreachable`."""
        self._drop()
        self._open = self._connected()

    def close(self) -> None:
        """Take leave, if there is anybody to take leave of."""
        if self._open is not None:
            connection, self._open = self._open, None
            try:
                connection.quit()
            except (OSError, smtplib.SMTPException):
                connection.close()

    def _begun(self, message: Message) -> smtplib.SMTP:
        """A connection on which the transaction has begun. One that was open before may be gone, or have had enough: in
        its place another is opened, once."""
        was_open = self._open is not None and time.monotonic() - self._used_at < _IDLE_S_MAX
        if was_open:
            try:
                return self._mail(message)
            except ServerUnreachable:
                pass
        self._drop()
        return self._mail(message)

    def _mail(self, message: Message) -> smtplib.SMTP:
        if self._open is None:
            self._open = self._connected()
        connection = self._open
        options = []
        if not (message.to.isascii() and message.sender.isascii()):
            if not connection.has_extn("smtputf8"):
                raise MessageRefused("server has no SMTPUTF8", for_good=True)
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        if connection.has_extn("size"):
            options.append(f"SIZE={len(message.content)}")
        try:
            self._command(connection, " ".join([f"MAIL FROM:<{message.sender}>", *options]), 250)
        except MessageRefused as refused:
            self._start_over(connection)
            # What is wrong with the sender is wrong with our settings, and nothing that this letter could fail by; only
            # its size is.
            raise MessageRefused(
                refused.reason, for_good=refused.for_good and refused.reason.startswith("552")
            ) from None
        except ServerUnreachable:
            self._drop()
            raise
        return connection

    def _address(self, connection: smtplib.SMTP, message: Message) -> None:
        self._command(connection, f"RCPT TO:<{message.to}>", 250, 251)
        self._command(connection, "DATA", 354)

    def _command(self, connection: smtplib.SMTP, line: str, *good: int) -> None:
        def speak() -> tuple[int, bytes]:
            connection.send(line.encode() + b"\r\n")
            return connection.getreply()

        code, said = _say(speak)
        if code == 421:
            raise ServerUnreachable(_reason(code, said))
        if code not in good:
            raise _refused(code, said)

    def _start_over(self, connection: smtplib.SMTP) -> None:
        """Be ready for the next letter on the same connection, or let it go."""
        self._used_at = time.monotonic()
        try:
            if connection.sock is None or connection.rset()[0] != 250:
                self._drop()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        connection: smtplib.SMTP | None = None
        tls = self._tls or ssl.create_default_context()
        try:
            if server.tls is MailTls.WRAPPED:
                connection = smtplib.SMTP_SSL(
                    server.host, server.port, local_hostname=_own_name(), timeout=_COMMAND_S_MAX, context=tls
                )
            else:
                connection = smtplib.SMTP(server.host, server.port, local_hostname=_own_name(), timeout=_COMMAND_S_MAX)
            if server.tls is MailTls.STARTTLS:
                connection.starttls(context=tls)
            connection.ehlo_or_helo_if_needed()
            if server.user:
                _sign_in(connection, server)
            assert connection.sock is not None, "it is connected"
            # The last line of a message is a small packet of its own, and must not wait for the ones before it.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sock.settimeout(ANSWER_S_MAX)
        except (OSError, smtplib.SMTPException) as error:
            if connection is not None:
                connection.close()
            raise ServerUnreachable(_trouble(error)) from None
        self._used_at = time.monotonic()
        return connection


def _sign_in(connection: smtplib.SMTP, server: MailServer) -> None:
    try:
        connection.login(server.user, server.password)
    except smtplib.SMTPServerDisconnected:  # what some servers do instead of saying no
        raise smtplib.SMTPAuthenticationError(535, b"") from None


def _say(speak: Callable[[], T]) -> T:
    """Do *speak*; what goes wrong with the connection is `ServerUnreachable`."""
    try:
        return speak()
    except (OSError, smtplib.SMTPException) as error:
        raise ServerUnreachable(_trouble(error)) from None


def _own_name() -> str:
    """How we introduce ourselves. Asking DNS for more can take half a minute."""
    return socket.gethostname() or "localhost"


def _refused(code: int, reply: bytes) -> MessageRefused:
    return MessageRefused(_reason(code, reply), for_good=500 <= code < 600)


def _reason(code: int, reply: bytes) -> str:
    """The codes without the text, which may quote an address."""
    found = _ENHANCED.search(reply[:200])
    return f"{code} {found[0].decode()}" if found else str(code)


def _trouble(error: BaseException) -> str:
    """What went wrong with a connection, as a code."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "sign-in refused"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "no STARTTLS or no sign-in offered"
    if isinstance(error, smtplib.SMTPResponseException):
        return _reason(error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else b"")
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "no connection"
