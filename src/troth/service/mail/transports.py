"""Ways out: a folder of ``.eml`` files, and one reused connection to a mail server.

`MailTransport.hand_over` calls *point_of_no_return* when nothing of the letter has taken effect yet and the very next
thing that it does may make it take effect. What it raises before that, or as `MessageRefused`, means that the letter
has not gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from troth.service.configuration import ServiceError
from troth.service.mail.message import Message

ANSWER_S_MAX = 120
"""How long a server may take to answer the end of a message, in seconds."""


class MailError(ServiceError):
    """A letter could not be handed over; *reason* is a code without anything personal in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a letter could not be handed over: {reason}")
        self.reason = reason


class MessageRefused(MailError):
    """The server refused this letter; *for_good*, or waiting may help."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


class ServerUnreachable(MailError):
    """There is no way to the server at the moment, for no letter; this one has not gone."""


class Doubtful(MailError):
    """The whole letter was given to the server, and its answer did not come: it may have gone, or not."""


class MailTransport(Protocol):
    """A way out for letters."""

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        """Hand one letter over. Raises `MessageRefused`, `ServerUnreachable` and `Doubtful`."""

    def close(self) -> None:
        """End what is open. Harmless twice."""


class FolderTransport:
    """A folder that gets a file for each letter, named by its Message-ID, so that handing over twice is harmless."""

    def __init__(self, folder: Path, *, maildir: bool = False) -> None:
        self._drafts = folder / "tmp" if maildir else folder
        self._folder = folder / "new" if maildir else folder
        self._suffix = "" if maildir else ".eml"
        self._folders = (folder, *(folder / name for name in ("tmp", "new", "cur") if maildir))

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        """Write the file whole, and let it appear under its name. Raises `ServerUnreachable`."""
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
        """Nothing is open."""


def _trouble(error: OSError) -> str:
    return f"folder: {(error.strerror or 'error').lower()}"[:40]
