"""SMTP client that sends many e-mails over one connection (RFC 5321).

`smtplib` connects, secures and signs in. The transaction is implemented here, because its last line must wait until it
is recorded that the line is about to be sent: a server that has not read the end of a message must not deliver it (RFC
5321 §4.1.1.4, §4.2.5).
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from troth.service.configuration import MailServer, MailTls
from troth.service.mail.bounces import ReportKind, judge
from troth.service.mail.message import Message
from troth.service.mail.oauth import (
    PASSWORDS_OFF,
    SIGN_IN_REFUSED,
    SMTP_OFF,
    TOKEN_REFUSED,
    SignInRefused,
    signed_in,
    xoauth2,
)
from troth.service.mail.transports import ANSWER_S_MAX, Doubtful, MessageRefused, ServerUnreachable

_COMMAND_S_MAX = 30
_IDLE_S_MAX = 20.0
"""How long an idle connection is trusted; servers close theirs after some minutes."""
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")
_STUFFED = re.compile(rb"(?m)^\.")
T = TypeVar("T")


class Smtp:
    """One connection at a time to *server*, opened when first needed and reopened when lost."""

    def __init__(self, server: MailServer, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._tls = tls
        self._open: smtplib.SMTP | None = None
        self._used_at = 0.0

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        """Send one e-mail. Raises `MessageRefused`, `ServerUnreachable` and `Doubtful`, and anything that
        *point_of_no_return* raises: then the server gets no end of the message."""
        connection = self._begun(message)
        try:
            self._address(connection, message)
            _say(lambda: connection.send(_STUFFED.sub(b"..", message.content)))
            point_of_no_return()
        except MessageRefused:
            self._start_over(connection)
            raise
        except BaseException:
            self._drop()  # mid-message: only closing prevents sending it
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
            raise Doubtful("invalid answer")
        raise _refused(code, said)

    def greet(self) -> None:
        """Connect, secure the connection and sign in, without sending. Raises `ServerUnreachable`."""
        self._drop()
        self._open = self._connected()

    def close(self) -> None:
        """Quit the connection, if there is one."""
        if self._open is not None:
            connection, self._open = self._open, None
            try:
                connection.quit()
            except (OSError, smtplib.SMTPException):
                connection.close()

    def _begun(self, message: Message) -> smtplib.SMTP:
        """A connection with the transaction started. A connection that was open before may be lost or refused: it is
        replaced once."""
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
        # An address in a header counts too, also where the envelope has others.
        if not (message.to.isascii() and message.sender.isascii() and message.content.isascii()):
            if not connection.has_extn("smtputf8"):
                raise MessageRefused("server has no SMTPUTF8", for_good=True)
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        if connection.has_extn("size"):
            options.append(f"SIZE={len(message.content)}")
        try:
            self._command(connection, " ".join([f"MAIL FROM:<{message.sender}>", *options]), 250)
        except MessageRefused as refused:
            self._start_over(connection)
            # A refused sender means wrong settings or a block list, and must not fail this e-mail; its size may.
            is_size = refused.reason.startswith("552")
            judged = refused.judged
            if judged is not None and refused.for_good and not is_size:
                judged = replace(judged, kind=ReportKind.OURS)
            raise MessageRefused(refused.reason, for_good=refused.for_good and is_size, judged=judged) from None
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
        """Reset the connection for the next e-mail, or drop it."""
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
        try:
            oauth = self._server.oauth
            return self._signed_in("") if oauth is None else signed_in(oauth, self._signed_in)
        except SignInRefused as refused:
            raise ServerUnreachable(refused.reason) from None

    def _signed_in(self, token: str) -> smtplib.SMTP:
        """A new connection, signed in with *token* or the password. Raises `SignInRefused` and `ServerUnreachable`."""
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
                _sign_in(connection, server, token)
            assert connection.sock is not None, "it is connected"
            # The last line of a message is a small packet of its own, and must not wait for earlier ones.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sock.settimeout(ANSWER_S_MAX)
        except (OSError, smtplib.SMTPException, SignInRefused) as error:
            if connection is not None:
                connection.close()
            if isinstance(error, SignInRefused):
                raise
            raise ServerUnreachable(_trouble(error)) from None
        self._used_at = time.monotonic()
        return connection


def _sign_in(connection: smtplib.SMTP, server: MailServer, token: str) -> None:
    try:
        if not token:
            connection.login(server.user, server.password)
        elif "XOAUTH2" in connection.esmtp_features.get("auth", "").upper().split():
            connection.auth("XOAUTH2", xoauth2(server.user, token))
        else:
            raise smtplib.SMTPNotSupportedError
    except (smtplib.SMTPServerDisconnected, ValueError):  # some servers do this instead of refusing
        raise SignInRefused(SIGN_IN_REFUSED) from None
    except smtplib.SMTPAuthenticationError as refused:
        if 500 <= refused.smtp_code < 600:
            raise SignInRefused(_why_refused(refused.smtp_error, by_token=bool(token))) from None
        raise


def _why_refused(reply: object, *, by_token: bool) -> str:
    """Reason for the refusal of a sign-in, from what Microsoft 365 and Google answer. Its text may hold an address."""
    text = reply.lower() if isinstance(reply, bytes) else b""
    if b"smtpclientauthentication is disabled" in text:
        return SMTP_OFF
    if b"basic authentication is disabled" in text or b"application-specific password" in text:
        return PASSWORDS_OFF
    return TOKEN_REFUSED if by_token and b"5.7.139" not in text else SIGN_IN_REFUSED


def _say(speak: Callable[[], T]) -> T:
    """Run *speak*; connection errors become `ServerUnreachable`."""
    try:
        return speak()
    except (OSError, smtplib.SMTPException) as error:
        raise ServerUnreachable(_trouble(error)) from None


def _own_name() -> str:
    """Our host name for EHLO. Asking DNS for more can take half a minute."""
    return socket.gethostname() or "localhost"


def _refused(code: int, reply: bytes) -> MessageRefused:
    answer = f"{code} {reply[:2_000].decode('utf-8', 'replace')}"
    return MessageRefused(_reason(code, reply), for_good=500 <= code < 600, judged=judge(answer))


def _reason(code: int, reply: bytes) -> str:
    """Status codes without the text, which may quote an address."""
    found = _ENHANCED.search(reply[:200])
    return f"{code} {found[0].decode()}" if found else str(code)


def _trouble(error: BaseException) -> str:
    """Code for a connection error."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "no STARTTLS or no sign-in offered"
    if isinstance(error, smtplib.SMTPResponseException):
        return _reason(error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else b"")
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "no connection"
