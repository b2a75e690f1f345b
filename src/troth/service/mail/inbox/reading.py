"""Reads mailboxes and hands each message to the takers that duties registered (`Duty.inbox`), in order.

Messages are untrusted input: no message, however malformed, prevents later ones from being read. A message that nobody
takes stays unread in the mailbox, and this process does not read it again while the declaration stays the same; one at
which a taker failed is offered again after a pause.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.db import InterfaceError, OperationalError

from troth.declaration import Declaration
from troth.service.configuration import Mailbox, Settings
from troth.service.core import timestamps
from troth.service.core.deployment import Deployment, current
from troth.service.duty import InboxTaker, listed, resolve
from troth.service.mail.inbox.mailboxes import MailboxAway, MailboxMessage, OpenMailbox, open_mailbox

_LOG = logging.getLogger("troth.mailbox")
READ_AT = "mailbox:read"
"""When the first mailbox was last read (`core.timestamps`); the others have a number behind it (`read_at`)."""
UNREAD_MAX = dt.timedelta(minutes=30)
"""How long the mailbox may not answer, or nobody read it."""
_NOTED_EVERY = dt.timedelta(minutes=1)
_AT_ONCE = 100
_PASS_S_MAX = 30.0
"""Maximum duration of one pass; remaining messages are read in the next one."""
_AGAIN_S, _AGAIN_S_MAX = 60.0, 3600.0
"""Pause until a message is offered again at which a taker failed: doubled from the first up to the last."""

Take = Callable[[MailboxMessage, Deployment, dt.datetime], bool]


@dataclass
class OfferedMessages:
    """What this process has offered of a mailbox, under *declaration*: keys of messages, each with the time at which it
    is offered again and the pause before that."""

    declaration: Declaration | None = None
    offered: dict[str, tuple[float, float]] = field(default_factory=dict)

    def chosen(self, keys: Sequence[str]) -> list[str]:
        """Those of *keys* to offer now, in their order. Forgets messages that are not there any more."""
        self.offered = {key: self.offered[key] for key in keys if key in self.offered}
        now = time.monotonic()
        return [key for key in keys if self.offered.get(key, (now, 0))[0] <= now]

    def note(self, key: str, *, failed: bool) -> None:
        """Note that a message was offered, and whether a taker *failed* at it."""
        pause = min(2 * self.offered.get(key, (0, _AGAIN_S / 2))[1], _AGAIN_S_MAX) if failed else float("inf")
        self.offered[key] = (time.monotonic() + pause, pause)


_memories: dict[Mailbox, OfferedMessages] = {}
_faults: dict[Mailbox, str] = {}


def read_due(number: int, now: dt.datetime) -> bool | None:
    """Read new messages of the mailbox with this number. True if there are more, None if there is no such mailbox.
    Raises `MailboxAway`."""
    configured: Settings = settings.TROTH
    if number >= len(configured.mailboxes):
        return None
    here, where = current(), configured.mailboxes[number]
    memory = _memories.setdefault(where, OfferedMessages())
    if memory.declaration is not here.declaration:
        memory = _memories[where] = OfferedMessages(here.declaration)
    try:
        with open_mailbox(where, keep=True) as box:
            _, is_more = _read(box, here, now, memory, _AT_ONCE)
    except MailboxAway as away:
        if _faults.get(where) != away.reason:
            _faults[where] = away.reason
            _LOG.warning("mailbox %d is not read: %s", number + 1, away)
        raise
    if _faults.pop(where, ""):
        _LOG.warning("mailbox %d is read again", number + 1)
    noted = timestamps.noted(read_at(number))
    if noted is None or not noted <= now < noted + _NOTED_EVERY:
        timestamps.note(read_at(number), now)
    return is_more


def read_at(number: int) -> str:
    """Name of the timestamp of when the mailbox with this number was last read."""
    return f"{READ_AT}:{number}" if number else READ_AT


def read_mailbox(where: Mailbox, deployment: Deployment, *, now: dt.datetime, most: int = _AT_ONCE) -> int:
    """Read up to *most* messages, for at most half a minute. Returns how many were taken. Raises `MailboxAway`."""
    with open_mailbox(where) as box:
        return _read(box, deployment, now, OfferedMessages(), most)[0]


def _read(box: OpenMailbox, here: Deployment, now: dt.datetime, memory: OfferedMessages, most: int) -> tuple[int, bool]:
    """Offer up to *most* messages. Returns how many were taken, and whether there are more."""
    taken, begun = 0, time.monotonic()
    keys = memory.chosen(box.unread())
    deployment = here.without_own if keys else here
    for number, key in enumerate(keys):
        if number == most or time.monotonic() - begun > _PASS_S_MAX:
            return taken, True
        message = box.message(key)
        outcome = None if message is None else offer(message, deployment, now)
        if message is not None and outcome:
            message.done()
            taken += 1
        memory.note(key, failed=outcome is None)
    return taken, False


@cache
def _takers() -> Sequence[tuple[str, Take]]:
    registered: Sequence[InboxTaker] = listed("inbox")
    return [(taker.name, resolve(taker.take)) for taker in sorted(registered, key=lambda taker: taker.place)]


def offer(message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool | None:
    """Whether a taker has handled *message*; None if one failed at it and no later one took it."""
    failed = False
    for name, take in _takers():
        try:
            if take(message, deployment, now):
                return True
        except (OperationalError, InterfaceError):
            raise  # our own database is unavailable: the message stays in the mailbox
        except Exception as error:  # noqa: BLE001 - whatever a message breaks, the messages after it are read
            failed = True
            _LOG.warning("an e-mail could not be processed by %s (%s)", name, type(error).__name__)
    return None if failed else False
