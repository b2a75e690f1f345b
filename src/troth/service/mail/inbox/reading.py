"""Reads the mailbox and hands each message to the takers that duties registered (`Duty.inbox`), in order.

Messages are untrusted input: no message, however malformed, prevents later ones from being read. A message that nobody
takes stays unread in the mailbox.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from functools import cache

from django.conf import settings
from django.db import InterfaceError, OperationalError

from troth.service.configuration import Mailbox, Settings
from troth.service.core import timestamps
from troth.service.core.deployment import Deployment, current
from troth.service.duty import InboxTaker, listed, resolve
from troth.service.mail.inbox.mailboxes import MailboxMessage, open_mailbox

_LOG = logging.getLogger("troth.mailbox")
READ_AT = "mailbox:read"
"""When the mailbox was last read (`core.timestamps`)."""
UNREAD_MAX = dt.timedelta(minutes=30)
"""How long the mailbox may not answer, or nobody read it."""
_AT_ONCE = 100
_PASS_S_MAX = 30.0
"""Maximum duration of one pass; remaining messages are read in the next one."""

Take = Callable[[MailboxMessage, Deployment, dt.datetime], bool]


def read_due(now: dt.datetime) -> None:
    """Read new messages, if a mailbox is configured and declared."""
    configured: Settings = settings.TROTH
    deployment = current().without_own
    if configured.mailbox is not None and deployment.declaration.requests.by_mail:
        read_mailbox(configured.mailbox, deployment, now=now)
        timestamps.note(READ_AT, now)


def read_mailbox(where: Mailbox, deployment: Deployment, *, now: dt.datetime, most: int = _AT_ONCE) -> int:
    """Read up to *most* messages, for at most half a minute. Returns how many were taken."""
    taken, begun = 0, time.monotonic()
    with open_mailbox(where) as box:
        for message in box.messages(most):
            if any(_takes(name, take, message, deployment, now) for name, take in _takers()):
                message.done()
                taken += 1
            if time.monotonic() - begun > _PASS_S_MAX:
                break
    return taken


@cache
def _takers() -> Sequence[tuple[str, Take]]:
    registered: Sequence[InboxTaker] = listed("inbox")
    return [(taker.name, resolve(taker.take)) for taker in sorted(registered, key=lambda taker: taker.place)]


def _takes(name: str, take: Take, message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Whether the taker *name* has handled *message*. One that fails at it leaves it to the next."""
    try:
        return take(message, deployment, now)
    except (OperationalError, InterfaceError):
        raise  # our own database is unavailable: the message stays in the mailbox
    except Exception as error:  # noqa: BLE001 - whatever a message breaks, the messages after it are read
        _LOG.warning("an e-mail could not be processed by %s (%s)", name, type(error).__name__)
        return False
