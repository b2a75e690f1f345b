"""Mailboxes that are read: a folder of an IMAP server, or a maildir."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from troth.errors import TrothError
from troth.service.configuration import Mailbox
from troth.service.mail.inbox.parsing import MailRead, arrival, understood


@dataclass(frozen=True)
class MailboxMessage:
    """One raw message in the mailbox, and when it arrived. Its `repr` shows only its size."""

    raw: bytes
    at: dt.datetime
    done: Callable[[], None]
    """Marks the message as ingested; idempotent."""

    @cached_property
    def parsed(self) -> MailRead | None:
        """The message, parsed; None if it is too malformed."""
        return understood(self.raw)

    def __repr__(self) -> str:
        return f"MailboxMessage({len(self.raw)} bytes)"


class ImapMailbox(Protocol):
    """A mailbox, which yields messages that were not ingested yet, oldest first."""

    def messages(self, most: int) -> Iterator[MailboxMessage]: ...


@contextlib.contextmanager
def open_mailbox(where: Mailbox) -> Iterator[ImapMailbox]:
    """Context manager: the configured mailbox. Raises `MailboxAway` if it does not answer."""
    if where.folder is not None:
        yield _Maildir(where)
        return
    from imap_tools import MailBox, MailBoxUnencrypted

    try:
        kind = MailBox if where.is_encrypted else MailBoxUnencrypted
        with kind(where.host, port=where.port, timeout=30).login(where.user, where.password, where.box) as box:
            yield _Imap(box)
    except (OSError, TrothError):
        raise
    except Exception as error:  # noqa: BLE001 - the library's own errors may quote what was sent
        raise MailboxAway(type(error).__name__) from None


class MailboxAway(TrothError):
    """The mailbox refused or closed the connection. Messages wait there, and their clocks run from arrival."""

    def __init__(self, why: str) -> None:
        super().__init__(f"reading the mailbox failed ({why}); check TROTH_MAILBOX_URL and the account")


class _Maildir:
    """A maildir: ingested messages move from ``new`` to ``cur`` and are marked as seen. It does not parse messages."""

    def __init__(self, where: Mailbox) -> None:
        assert where.folder is not None, "a maildir has a folder"
        self._folder = where.folder
        if not all((self._folder / part).is_dir() for part in ("new", "cur")):
            raise MailboxAway("no maildir")

    def messages(self, most: int) -> Iterator[MailboxMessage]:
        found = [path for part in ("new", "cur") for path in (self._folder / part).iterdir() if path.is_file()]
        fresh = [path for path in found if not path.name.startswith(".") and "S" not in self._flags(path)]
        for path in sorted(fresh, key=lambda path: path.name)[:most]:
            with contextlib.suppress(FileNotFoundError):  # another process has moved it meanwhile
                at = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
                yield MailboxMessage(path.read_bytes(), at, lambda path=path: self._mark(path))  # type: ignore[misc]

    @staticmethod
    def _flags(path: Path) -> str:
        return path.name.partition(":2,")[2]

    def _mark(self, path: Path) -> None:
        name = path.name.partition(":")[0]
        with contextlib.suppress(FileNotFoundError):
            path.rename(self._folder / "cur" / f"{name}:2,{''.join(sorted({*self._flags(path), 'S'}))}")


class _Imap:
    """An IMAP folder: ingested messages are marked as seen. It parses only the ``Received`` header."""

    def __init__(self, box: object) -> None:
        self._box = box

    def messages(self, most: int) -> Iterator[MailboxMessage]:
        from imap_tools import AND, MailMessageFlags

        box = self._box
        for uid in list(box.uids(AND(seen=False)))[:most]:  # type: ignore[attr-defined]
            _, answer = box.client.uid("fetch", uid, "(BODY.PEEK[])")  # type: ignore[attr-defined]
            for raw in [part[1] for part in answer if isinstance(part, tuple)][:1]:
                yield MailboxMessage(
                    raw,
                    arrival(raw) or dt.datetime.now(dt.UTC),
                    lambda uid=uid: box.flag(uid, MailMessageFlags.SEEN, True),  # type: ignore[misc,attr-defined]
                )
