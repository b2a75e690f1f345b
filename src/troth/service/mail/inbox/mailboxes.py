"""Mailboxes that are read: a folder of an IMAP server, or a maildir.

The connection to a server stays open in the process, so that looking for new messages is one command. A message is
read up to `RAW_MAX`, and is only ever marked as read: nothing else in a mailbox changes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import imaplib
import logging
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from troth.service.configuration import Mailbox, ServiceError
from troth.service.mail.inbox.parsing import BAD_MAIL, MailRead, arrival, understood
from troth.service.mail.oauth import (
    FIXES,
    NO_ACCESS,
    PASSWORDS_OFF,
    SIGN_IN_REFUSED,
    THROTTLED,
    TOKEN_REFUSED,
    SignInRefused,
    signed_in,
    xoauth2,
)

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

_LOG = logging.getLogger("troth.mailbox")
RAW_MAX = 1024 * 1024
"""How many bytes of a message are read. The parts of a report may follow a long text."""
_COMMAND_S_MAX, _NOOP_S_MAX, _LOGOUT_S_MAX = 20, 10, 1
"""How long the server may take for a command, for one that only shows that it is there, and for a farewell."""
_LISTED_S_MAX = 30.0
"""How long a list of unread messages counts, unless the server says before that there are new ones."""
_SKEW_MAX = dt.timedelta(minutes=5)
_RETRY_S = 5.0
_FULL_FROM = 0.95
NO_FOLDER, FULL, BUSY = "no such folder", "mailbox is full", "server is too busy"


@dataclass(frozen=True)
class MailboxMessage:
    """One raw message in the mailbox, and when it arrived. Its `repr` shows only its size."""

    raw: bytes
    """At most `RAW_MAX` of it."""
    at: dt.datetime
    done: Callable[[], None]
    """Marks the message as read, if the mailbox allows that; idempotent."""

    @cached_property
    def parsed(self) -> MailRead | None:
        """The message, parsed; None if it is too malformed."""
        return understood(self.raw)

    def __repr__(self) -> str:
        return f"MailboxMessage({len(self.raw)} bytes)"


class MailboxAway(ServiceError):
    """A mailbox cannot be read now; *reason* says why, without personal data. Messages wait there, and their clocks run
    from arrival."""

    retryable = True

    def __init__(self, reason: str, *, retry_after: float = _RETRY_S) -> None:
        fix = FIXES.get(reason, "check TROTH_MAILBOX_URL and the account")
        super().__init__(f"reading the mailbox failed: {reason}; {fix}")
        self.reason, self.fix, self.retry_after = reason, fix, retry_after


class OpenMailbox(Protocol):
    """An open mailbox. Its methods raise `MailboxAway`."""

    def unread(self) -> Sequence[str]:
        """Keys of unread messages, oldest first. A key stays the same as long as the message is in the mailbox."""

    def message(self, key: str) -> MailboxMessage | None:
        """The message; None if it is gone, or cannot be read."""

    def examine(self) -> str:
        """What is wrong although it can be read, and its fix; empty if nothing is."""

    def is_alive(self) -> bool: ...

    def close(self) -> None: ...


_kept: dict[Mailbox, OpenMailbox] = {}


@contextlib.contextmanager
def open_mailbox(where: Mailbox, *, keep: bool = False, tls: ssl.SSLContext | None = None) -> Iterator[OpenMailbox]:
    """Context manager: the mailbox. With *keep* it stays open, for this process to read again. Raises `MailboxAway`."""
    box = _kept.pop(where, None) if keep else None
    if box is None or not box.is_alive():
        box = _Maildir(where) if where.folder is not None else _connected(where, tls)
    try:
        yield box
    except BaseException:
        box.close()
        raise
    other = _kept.setdefault(where, box) if keep else None
    if other is not box:
        box.close()


class _Maildir:
    """A maildir: read messages move from ``new`` to ``cur`` and are marked as seen."""

    def __init__(self, where: Mailbox) -> None:
        assert where.folder is not None, "a maildir has a folder"
        self._folder = where.folder
        self._paths: Mapping[str, Path] = {}
        self.unread()

    def unread(self) -> Sequence[str]:
        found: dict[str, Path] = {}
        try:
            for part in ("cur", "new"):
                with os.scandir(self._folder / part) as entries:
                    for entry in entries:
                        name, _, flags = entry.name.partition(":2,")
                        if "S" not in flags and not name.startswith(".") and entry.is_file():
                            found[name] = Path(entry.path)
        except OSError:
            raise MailboxAway("no maildir") from None
        self._paths = found
        return sorted(found)

    def message(self, key: str) -> MailboxMessage | None:
        path = self._paths[key]
        try:
            with path.open("rb") as file:
                at = dt.datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, dt.UTC)
                return MailboxMessage(file.read(RAW_MAX), _arrived(None, at), lambda: self._mark(key, path))
        except OSError:  # another process has moved it meanwhile, or its mode is wrong
            return None

    def _mark(self, key: str, path: Path) -> None:
        flags = {*path.name.partition(":2,")[2], "S"}
        with contextlib.suppress(FileNotFoundError):
            path.rename(self._folder / "cur" / f"{key}:2,{''.join(sorted(flags))}")

    def examine(self) -> str:
        return "" if os.access(self._folder / "cur", os.W_OK) else _UNMARKED

    def is_alive(self) -> bool:
        return self._folder.is_dir()

    def close(self) -> None:
        """Nothing is open."""


class _Imap:
    """An IMAP folder: read messages are marked as seen."""

    def __init__(self, client: imaplib.IMAP4, *, is_writable: bool) -> None:
        self._client = client
        self._epoch = (client.response("UIDVALIDITY")[1] or [None])[0] or b""
        """Changes when the server gives messages new numbers: then all keys are new."""
        self._uids: list[str] = []
        self._listed_at = float("-inf")
        self._marked: set[str] = set()
        self._is_writable = is_writable

    def examine(self) -> str:
        if not self._is_writable:
            return _UNMARKED
        with contextlib.suppress(OSError, imaplib.IMAP4.error):  # few servers know quotas (RFC 9208)
            answer = str(self._client.getquotaroot("INBOX"))
            if found := re.search(r"STORAGE (\d{1,18}) (\d{1,18})", answer):
                used, limit = int(found[1]), int(found[2])
                return _NEARLY_FULL if used > _FULL_FROM * limit else ""
        return ""

    def is_alive(self) -> bool:
        alive = False
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._client.sock.settimeout(_NOOP_S_MAX)
            alive = self._client.noop()[0] == "OK"
            self._client.sock.settimeout(_COMMAND_S_MAX)
        if not alive:
            self.close()
        return alive

    def unread(self) -> Sequence[str]:
        untagged = self._client.untagged_responses
        is_old = time.monotonic() - self._listed_at > _LISTED_S_MAX
        if "EXISTS" in untagged or is_old:
            untagged.clear()  # what the server has said unasked would pile up
            lists = self._asked("SEARCH", "UNSEEN")
            self._uids = b" ".join(part for part in lists if isinstance(part, bytes)).decode("ascii", "replace").split()
            self._listed_at = time.monotonic()
            self._marked.intersection_update(self._uids)
        return [f"{self._epoch.decode('ascii', 'replace')}:{uid}" for uid in self._uids if uid not in self._marked]

    def message(self, key: str) -> MailboxMessage | None:
        uid = key.rpartition(":")[2]
        try:
            answer = self._asked("FETCH", uid, f"(INTERNALDATE BODY.PEEK[]<0.{RAW_MAX}>)")
        except MailboxRefused:
            return None
        raw = next((part[1] for part in answer if isinstance(part, tuple)), None)
        if raw is None:
            return None
        rest = b" ".join(part[0] if isinstance(part, tuple) else part or b"" for part in answer)
        raw = raw[:RAW_MAX]
        return MailboxMessage(raw, _arrived(arrival(raw), _internal_date(rest)), lambda: self._mark(uid))

    def _mark(self, uid: str) -> None:
        """Mark a message as seen. A lost connection shows at the next command; then the message comes again, and takers
        know it."""
        if uid in self._marked:
            return
        self._marked.add(uid)
        with contextlib.suppress(MailboxAway):
            if self._is_writable:
                try:
                    self._asked("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")
                except MailboxRefused:
                    self._is_writable = False
                    _LOG.warning("a mailbox refuses to mark messages as read; this process remembers them")

    def _asked(self, command: str, *arguments: str) -> Sequence[Any]:
        """The server's answer to a command about messages. Raises `MailboxRefused` and `MailboxAway`."""
        try:
            status, answer = self._client.uid(command, *arguments)
        except (OSError, imaplib.IMAP4.error) as error:
            raise _away(error) from None
        if status != "OK":
            raise MailboxRefused("command refused")
        return answer

    def close(self) -> None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._client.sock.settimeout(_LOGOUT_S_MAX)
            self._client.logout()
        with contextlib.suppress(OSError):
            self._client.shutdown()


class MailboxRefused(MailboxAway):
    """The server refused one command; the connection is still good."""


_UNMARKED = "messages cannot be marked as read; let the account write to the folder"
_NEARLY_FULL = "it is nearly full, and will refuse e-mails; delete old ones, or enlarge it"
_ANSWERS = (
    ("authenticated but not connected", NO_ACCESS),
    ("throttled", THROTTLED),
    ("too many simultaneous connections", THROTTLED),
    ("maximum number of connections", THROTTLED),
    ("overquota", FULL),
    ("nonexistent", NO_FOLDER),
    ("doesn't exist", NO_FOLDER),
    ("does not exist", NO_FOLDER),
    ("unavailable", BUSY),
    ("application-specific password", PASSWORDS_OFF),
)
"""Parts of what servers answer, in lower case, and the reason that each means."""


def _connected(where: Mailbox, tls: ssl.SSLContext | None) -> _Imap:
    """A new connection, signed in, with the folder selected. Raises `MailboxAway`."""
    opened: list[BaseMailBox] = []

    def sign_in(token: str) -> BaseMailBox:
        opened.append(box := _greeted(where, tls))
        try:
            if token:
                box.client.authenticate("XOAUTH2", xoauth2(where.user, token))  # type: ignore[arg-type]
            else:
                box.login(where.user, where.password, None)
        except (OSError, imaplib.IMAP4.abort):
            raise
        except Exception as error:  # noqa: BLE001 - as below
            away = _away(error)
            if not isinstance(away, MailboxRefused):
                raise away from None
            raise SignInRefused(TOKEN_REFUSED if token else SIGN_IN_REFUSED) from None
        return box

    try:
        box = signed_in(where.oauth, sign_in) if where.oauth is not None else sign_in("")
        is_writable = True
        try:
            box.folder.set(where.box)
        except imaplib.IMAP4.readonly:
            box.folder.set(where.box, readonly=True)
            is_writable = False
        opened.remove(box)
        return _Imap(box.client, is_writable=is_writable)
    except SignInRefused as refused:
        raise MailboxAway(refused.reason, retry_after=refused.retry_after) from None
    except MailboxAway:
        raise
    except Exception as error:  # noqa: BLE001 - the library's own errors may quote what was sent
        away = _away(error)
        raise (MailboxAway(NO_FOLDER) if isinstance(away, MailboxRefused) else away) from None
    finally:
        for box in opened:
            with contextlib.suppress(OSError):
                box.client.shutdown()


def _greeted(where: Mailbox, tls: ssl.SSLContext | None) -> BaseMailBox:
    from imap_tools import MailBox, MailBoxUnencrypted

    if not where.is_encrypted:
        return MailBoxUnencrypted(where.host, port=where.port, timeout=_COMMAND_S_MAX)
    # The library's default would take any certificate.
    return MailBox(where.host, port=where.port, timeout=_COMMAND_S_MAX, ssl_context=tls or ssl.create_default_context())


def _away(error: Exception) -> MailboxAway:
    """*error* as a reason, without its text, which may quote what was sent."""
    text = str(error).lower()
    for part, reason in _ANSWERS:
        if part in text:
            wait = re.search(r"backoff time: (\d{1,9}) milliseconds", text)
            wait_s = int(wait[1]) / 1000 if wait else _RETRY_S
            return MailboxAway(reason, retry_after=min(wait_s, 3600.0))
    if isinstance(error, ssl.SSLError):
        return MailboxAway("TLS failed")
    if isinstance(error, TimeoutError):
        return MailboxAway("timeout")
    if isinstance(error, OSError):
        return MailboxAway("no connection")
    return (
        MailboxAway("connection lost") if isinstance(error, imaplib.IMAP4.abort) else MailboxRefused("command refused")
    )


def _internal_date(answer: bytes) -> dt.datetime | None:
    found = re.search(rb'INTERNALDATE "([^"]{1,40})"', answer)
    with contextlib.suppress(*BAD_MAIL):
        if found is not None:
            return email.utils.parsedate_to_datetime(found[1].decode()).astimezone(dt.UTC)
    return None


def _arrived(received: dt.datetime | None, stored: dt.datetime | None) -> dt.datetime:
    """When a message arrived: when our server *received* it or else *stored* it, if its clock was not ahead of ours."""
    now = dt.datetime.now(dt.UTC)
    for at in (received, stored):
        if at is not None and at <= now + _SKEW_MAX:
            return min(at, now)
    return now
