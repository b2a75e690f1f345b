"""Mail transports: a folder of ``.eml`` files, and one reused connection to a mail server.

`MailTransport.hand_over` calls *point_of_no_return* when nothing has taken effect yet and its very next step may.
Errors before that, and `MessageRefused`, mean that the e-mail was not sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from troth.service.configuration import ServiceError
from troth.service.mail.bounces import Judgement
from troth.service.mail.message import Message

ANSWER_S_MAX = 120
"""Seconds that a server may take to answer the end of a message."""


class MailError(ServiceError):
    """An e-mail could not be sent; *reason* is a code without personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"an e-mail could not be handed over: {reason}")
        self.reason = reason


class MessageRefused(MailError):
    """The server refused this e-mail; *for_good*, or waiting may help. *judged* is what its answer says about the
    recipient, if it answered."""

    def __init__(self, reason: str, *, for_good: bool, judged: Judgement | None = None) -> None:
        super().__init__(reason)
        self.for_good = for_good
        self.judged = judged


class ServerUnreachable(MailError):
    """The server is unreachable for all e-mail; this one was not sent."""


class Doubtful(MailError):
    """The server received the e-mail but did not answer: it may have been accepted, or not."""


class MailTransport(Protocol):
    """A transport for e-mail."""

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        """Send one e-mail. Raises `MessageRefused`, `ServerUnreachable` and `Doubtful`."""

    def close(self) -> None:
        """Close the connection. Idempotent."""


class FolderTransport:
    """A folder with one file per e-mail, named by Message-ID, so that repeated sending is harmless."""

    def __init__(self, folder: Path, *, maildir: bool = False) -> None:
        self._drafts = folder / "tmp" if maildir else folder
        self._folder = folder / "new" if maildir else folder
        self._suffix = "" if maildir else ".eml"
        self._folders = (folder, *(folder / name for name in ("tmp", "new", "cur") if maildir))

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        """Write the complete file, then rename it into place. Raises `ServerUnreachable`."""
        name = message.id.strip("<>").partition("@")[0]
        draft = self._drafts / f"{name}.draft"
        try:
            for folder in self._folders:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(message.content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ServerUnreachable(_trouble(error)) from None
        point_of_no_return()
        try:
            os.replace(draft, self._folder / f"{name}{self._suffix}")
        except OSError as error:
            raise ServerUnreachable(_trouble(error)) from None

    def close(self) -> None:
        """No connection to close."""


def _trouble(error: OSError) -> str:
    return f"folder: {(error.strerror or 'error').lower()}"[:40]
