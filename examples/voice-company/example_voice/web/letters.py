"""Letters as files in a folder: one ``.eml`` each, written whole or not at all, and read again for the mailbox page.

A real company hands its mail to a server. The demonstration has none, so whoever tries it can read every letter that
would have gone out, those of the website and those of Troth alike.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from collections import Counter
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime, make_msgid
from html.parser import HTMLParser
from pathlib import Path

_SENDER = "Example Voice Ltd <support@example.org>"
_FOOT = "\n\n-- \nExample Voice Ltd, Tallowgate Mill, 4 Old Ropery Walk, Dunmarrow, FB4 7QD, United Kingdom\n"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.eml")
_SHOWN_MAX, _READ_MAX = 50, 1_000
_BYTES_MAX = 2 * 1024 * 1024
_BAD_MAIL = (MessageError, LookupError, ValueError, AttributeError, TypeError)
"""What the parser lets out on mail that breaks the standards; `email` has no single word for it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter as the mailbox shows it: plain text only, whatever was sent. *name* is its file's name; *mailing* says
    which letters are copies of one."""

    name: str
    at: dt.datetime
    sender: str
    to: str
    subject: str
    text: str
    mailing: str = ""


def post(folder: Path, to: str, subject: str, text: str, *, now: dt.datetime) -> None:
    """Put a letter into the folder."""
    message = EmailMessage()
    message["From"] = _SENDER
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain="example.org")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office notes do not answer it
    message.set_content(text + _FOOT)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(6)}.eml"
    draft = target.with_suffix(".draft")
    draft.write_bytes(message.as_bytes())
    os.replace(draft, target)


def letters(folder: Path) -> list[tuple[Letter, int]]:
    """The newest letters first, each with the number of its copies to other people; at most fifty, among the newest
    thousand."""
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file()]
    files.sort(key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
    shown, copies = dict[str, Letter](), Counter[str]()
    for each in map(_read, files[:_READ_MAX]):
        mailing = f"{each.mailing} {each.subject}" if each.mailing else each.name
        copies[mailing] += 1
        if len(shown) < _SHOWN_MAX:
            shown.setdefault(mailing, each)
    return [(letter, copies[mailing] - 1) for mailing, letter in shown.items()]


def letter(folder: Path, name: str) -> Letter | None:
    """The letter in that file, or None."""
    path = folder / name
    return _read(path) if _NAME.fullmatch(name) and path.is_file() else None


def _read(path: Path) -> Letter:
    at = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    with path.open("rb") as file:
        data = file.read(_BYTES_MAX)
    try:
        message = BytesParser(policy=policy.default).parsebytes(data)
        sender, to, subject = (str(message.get(name, "")) for name in ("From", "To", "Subject"))
        return Letter(path.name, at, sender, to, subject, _text(message), str(message.get("List-Id", "")))
    except _BAD_MAIL:
        return Letter(path.name, at, "", "", "A letter that cannot be read", "")


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    content = body.get_content()
    if not isinstance(content, str):
        return ""
    return _plain(content) if body.get_content_subtype() == "html" else content


class _Words(HTMLParser):
    """The words of an HTML letter, without its tags, scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style", "title")
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.words.append(f" {address} ")
        if tag in ("p", "br", "li", "tr", "h1", "h2"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "title") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _plain(source: str) -> str:
    words = _Words()
    words.feed(source)
    words.close()
    return "".join(words.words).strip()
