"""An e-mail as bytes: a message for any server (RFC 5322), built once.

The parts are assembled here, not by `email.message`, which takes ten times as long for the same bytes; the tests parse
them with the standard library.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime

from troth.service.mail.rules import Attachment, LetterRefused, MessageText

_CRLF = "\r\n"
_ADDRESS = re.compile(
    r"([^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f]{1,64})@([^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f]{1,255})"
)
_ATOM = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """An e-mail address, its domain in DNS form. Every server accepts *is_plain* ones; others need SMTPUTF8.

    Raises `LetterRefused` if it is invalid, or could inject a second line or address.
    """

    text: str

    @classmethod
    def read(cls, text: str) -> Address:
        found = _ADDRESS.fullmatch(text.strip())
        if found is None or found[1].startswith(".") or found[1].endswith(".") or ".." in text:
            raise LetterRefused("this is not one e-mail address, such as ann@example.org")
        try:
            domain = found[2] if found[2].isascii() else found[2].encode("idna").decode("ascii")
        except UnicodeError:
            raise LetterRefused("this is not one e-mail address, such as ann@example.org") from None
        return cls(f"{found[1]}@{domain}")

    @property
    def is_plain(self) -> bool:
        return self.text.isascii()

    @property
    def domain(self) -> str:
        return self.text.rpartition("@")[2]


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """A message for the server: sender, recipient, and bytes."""

    id: str
    sender: str
    to: str
    content: bytes


def message(
    text: MessageText,
    *,
    name: str,
    sender: Address,
    to: Address,
    language: str,
    now: dt.datetime,
    attachments: Sequence[Attachment] = (),
) -> Message:
    """Build the message with *text*, from *name* at *sender*."""
    id_ = f"<{secrets.token_hex(16)}@{sender.domain}>"
    boundary = secrets.token_hex(16)
    headers = [
        f"From: {_named(name, sender)}",
        f"To: {to.text}",
        f"Subject: {_words(text.subject, 'Subject')}",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {id_}",
        f"Content-Language: {language}",
        "Auto-Submitted: auto-generated",  # RFC 3834: prevents out-of-office replies
        "MIME-Version: 1.0",
    ]
    both = _multipart("alternative", boundary, [_text("plain", text.plain), _text("html", text.html)])
    if attachments:
        both = _multipart("mixed", f"{boundary}-mixed", [both, *map(_attached, attachments)])
    return Message(id_, sender.text, to.text, (_CRLF.join(headers) + _CRLF + both).encode())


def _words(value: str, header: str) -> str:
    if any(character in value for character in "\r\n\0"):
        raise LetterRefused(f"the {header} of an e-mail is one line")
    if value.isascii() and len(value) <= 60:
        return value
    return Header(value, "utf-8", header_name=header).encode(linesep=_CRLF)


def _named(name: str, address: Address) -> str:
    if not name:
        return address.text
    if name.isascii() and len(name) <= 40:
        shown = name if _ATOM.fullmatch(name) else '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    else:
        shown = name
    return f"{_words(shown, 'From')} <{address.text}>"


def _text(subtype: str, text: str) -> str:
    quoted = binascii.b2a_qp(text.encode(), istext=True).decode("ascii").replace("\n", _CRLF)
    return _part(
        [f"Content-Type: text/{subtype}; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"], quoted
    )


def _attached(file: Attachment) -> str:
    headers = [
        f"Content-Type: {file.type}",
        f'Content-Disposition: attachment; filename="{file.name}"',
        "Content-Transfer-Encoding: base64",
    ]
    return _part(headers, base64.encodebytes(file.content).decode("ascii").replace("\n", _CRLF))


def _multipart(subtype: str, boundary: str, parts: Sequence[str]) -> str:
    body = "".join(f"--{boundary}{_CRLF}{part}{_CRLF}" for part in parts)
    return _part([f'Content-Type: multipart/{subtype}; boundary="{boundary}"'], f"{body}--{boundary}--{_CRLF}")


def _part(headers: Sequence[str], body: str) -> str:
    return _CRLF.join(headers) + _CRLF + _CRLF + body
