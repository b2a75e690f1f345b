"""A real mail server on this machine, which takes letters, refuses them, or breaks off, as a test tells it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import partial
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.rig.jobs import run_due

from troth.protect import Keyring
from troth.service.configuration import MailServer, MailTls
from troth.service.mail import jobs as mail_jobs
from troth.service.mail.models import LetterRow
from troth.service.mail.sending import send
from troth.service.mail.transports import MailTransport

Answer = Callable[[Envelope], str | None]


class _AnyPort(Controller):
    """Listens at a port that the system chose."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class Sink:
    """Takes every letter and keeps it, unless *sender*, *to* or *data* answers something else than None. *at_end* is
    called when the whole of a letter has come and before it is answered: what it raises breaks the connection off."""

    def __init__(self, **more: Any) -> None:
        self.taken: list[Envelope] = []
        self.connections = 0
        self.sender: Answer = lambda envelope: None
        self.to: Answer = lambda envelope: None
        self.data: Answer = lambda envelope: None
        self.at_end: Callable[[Any], None] = lambda server: None
        self._more = more

    def __enter__(self) -> Sink:
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0, **self._more)
        self._controller.start()
        return self

    def __exit__(self, *of: object) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        port: int = self._controller.port
        return port

    @property
    def server(self) -> MailServer:
        """The same as our settings describe it."""
        return MailServer(host="127.0.0.1", port=self.port, tls=MailTls.NONE)

    # --- what aiosmtpd calls ----------------------------------------------------------------------------------------

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.sender(envelope)
        if said is None:
            envelope.mail_from, envelope.mail_options = address, options
        return said or "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        said = self.to(envelope)
        if said is not None:
            envelope.rcpt_tos.pop()
        return said or "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = self.data(envelope)
        if said is None:
            self.taken.append(envelope)
        self.at_end(server)
        return said or "250 2.0.0 Taken"


def read(content: object) -> EmailMessage:
    """A letter as a mail program reads it."""
    assert isinstance(content, bytes)
    message = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def send_due(now: dt.datetime, *, keyring: Keyring, transport: MailTransport) -> int:
    """Send what is due at *now* over *transport*, as a worker does. Returns how many were sent."""
    ended = LetterRow.objects.filter(state=LetterRow.State.SENT)
    before = ended.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mail_jobs, "send_letters", partial(send, keyring=keyring, transport=transport))
        run_due(now, "mail")
    return ended.count() - before
