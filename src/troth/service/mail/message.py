"""An e-mail as bytes: a message for any server (RFC 5322), built once for one person, or prepared for many.

The parts are assembled here, not by `email.message`, which takes ten times as long for the same bytes; the tests parse
them with the standard library.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from email.header import Header
from email.utils import format_datetime
from html import escape
from types import MappingProxyType
from typing import Protocol

from troth.service.mail.rules import Attachment, LetterRefused, MessageText

_CRLF = "\r\n"
_ADDRESS = re.compile(
    r"([^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f]{1,64})@([^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f]{1,255})"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,70}")
_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
_FROM = re.compile(rb"(?im)^From:(?:[^\r]|\r\n[ \t])*@([^\s@>]+)>?\r$")
_LINE_MAX = 990  # RFC 5322 §2.1.1: 998
_OWN = frozenset(
    [
        *("from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "auto-submitted", "mime-version"),
        *("return-path", "received", "dkim-signature"),
    ]
)
_NONE: Mapping[str, str] = MappingProxyType({})
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
    """A message for the server: *sender* and *to* of the envelope, and bytes. *sender* is where bounces go, which need
    not be the address in From. *is_counted*: an image or links in it count how it is read."""

    id: str
    sender: str
    to: str
    content: bytes
    is_counted: bool = False

    def signed(self, signer: MessageSigner) -> Message:
        """The same message, signed by *signer*. Raises what that raises."""
        return replace(self, content=signer.sign(self.content))


class MessageSigner(Protocol):
    """Signs messages."""

    def sign(self, content: bytes) -> bytes:
        """*content* with signatures in front of it."""


def message(
    text: MessageText,
    *,
    name: str,
    sender: Address,
    to: Address,
    language: str,
    now: dt.datetime,
    attachments: Sequence[Attachment] = (),
    headers: Mapping[str, str] = _NONE,
    envelope: Address | None = None,
) -> Message:
    """Build the message with *text*, from *name* at *sender*; see `PreparedMessage.message`."""
    prepared = PreparedMessage(text, name=name, sender=sender, language=language, attachments=attachments)
    return prepared.message(to=to, now=now, headers=headers, envelope=envelope)


class PreparedMessage:
    """What is the same in every copy of an e-mail, encoded once. *placeholders* are names: ``{{name}}`` in the subject
    and the texts is replaced in each copy, by a value that is escaped in HTML. Nothing else in braces is. *headers* are
    those of every copy, such as List-Id.

    Raises `LetterRefused`.
    """

    def __init__(
        self,
        text: MessageText,
        *,
        name: str,
        sender: Address,
        language: str,
        placeholders: Collection[str] = (),
        headers: Mapping[str, str] = _NONE,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        self.sender = sender
        self.placeholders = frozenset(placeholders)
        self._names = frozenset(name.lower() for name in headers)
        names = "|".join(map(re.escape, sorted(self.placeholders)))
        mark = re.compile(rf"\{{\{{({names})\}}\}}" if names else "(?!)")
        subject, plain, html = (mark.split(part) for part in (text.subject, text.plain, text.html))
        self._subject = subject if len(subject) > 1 else [_words(text.subject, "Subject")]
        self._head = _CRLF.join(
            [
                f"From: {_named(name, sender)}",
                f"Content-Language: {language}",
                "Auto-Submitted: auto-generated",  # RFC 3834: prevents out-of-office replies
                "MIME-Version: 1.0",
                *map(_header, headers.items()),
            ]
        )
        self._places = [*((name, False) for name in plain[1::2]), *((name, True) for name in html[1::2])]
        # The same in every copy and process, so that no copy can be told apart; "=_" never stands in encoded texts.
        made_of = "\0".join((text.subject, text.plain, text.html))
        boundary = f"=_{hashlib.sha256(made_of.encode()).hexdigest()[:28]}"
        before, between, after = (
            f"--{boundary}{_CRLF}",
            f"{_CRLF}--{boundary}{_CRLF}",
            f"{_CRLF}--{boundary}--{_CRLF}",
        )
        before = _opening("alternative", boundary) + before
        if attachments:
            outer = f"{boundary}-mixed"
            before = f"{_opening('mixed', outer)}--{outer}{_CRLF}{before}"
            after += "".join(f"{_CRLF}--{outer}{_CRLF}{_attached(file)}" for file in attachments)
            after += f"{_CRLF}--{outer}--{_CRLF}"
        texts, pages = _constant(plain[::2]), _constant(html[::2])
        texts[0] = f"{before}{_text_head('plain')}{texts[0]}"
        pages[0] = f"{texts.pop()}{between}{_text_head('html')}{pages[0]}"
        pages[-1] += after
        self._constant = [*texts, *pages]

    def message(
        self,
        *,
        to: Address,
        now: dt.datetime,
        headers: Mapping[str, str] = _NONE,
        values: Mapping[str, str] = _NONE,
        envelope: Address | None = None,
        id_: str = "",
    ) -> Message:
        """The copy for *to*, with *headers* of its own and *values* for its placeholders. Bounces go to *envelope*, by
        default the sender. *id_* is the left part of its Message-ID, by default a random one. Raises `LetterRefused`,
        which names headers and placeholders but shows no value."""
        if values.keys() != self.placeholders:
            wrong = ", ".join(sorted(values.keys() ^ self.placeholders))
            raise LetterRefused(f"each placeholder has one value, and nothing else has any; look at: {wrong}")
        if self._names and not self._names.isdisjoint(name.lower() for name in headers):
            raise LetterRefused("a header that every copy of the e-mail has cannot be added to one copy")
        id_ = f"<{id_ or secrets.token_hex(16)}@{self.sender.domain}>"
        head = [
            self._head,
            f"To: {to.text}",
            f"Subject: {self._subject_with(values)}",
            f"Date: {format_datetime(now)}",
            f"Message-ID: {id_}",
            *map(_header, headers.items()),
            "",
        ]
        pieces = [_CRLF.join(head), self._constant[0]]
        for (name, is_html), constant in zip(self._places, self._constant[1:], strict=True):
            value = escape(values[name]) if is_html else values[name]
            pieces += (_quoted(value, is_inside=True), constant)
        return Message(id_, (envelope or self.sender).text, to.text, "".join(pieces).encode())

    def _subject_with(self, values: Mapping[str, str]) -> str:
        if len(self._subject) == 1:
            return self._subject[0]
        return _words("".join(values[part] if at % 2 else part for at, part in enumerate(self._subject)), "Subject")


def author_domain(content: bytes) -> str:
    """Domain of the address in From, of a message that was built here."""
    found = _FROM.search(content, 0, content.index(b"\r\n\r\n") + 1)
    assert found is not None, "every message built here has a From"
    return found[1].decode().lower()


def _header(field: tuple[str, str]) -> str:
    """A header of the caller's. It is folded at spaces only, never inside an address (RFC 2369 §2)."""
    name, value = field
    if not _NAME.fullmatch(name) or name.lower() in _OWN or name.lower().startswith(("content-", "resent-")):
        raise LetterRefused(f"the header {name[:40]!r} is not one that can be added to an e-mail")
    if not _VALUE.fullmatch(value) or max(map(len, value.split(" "))) > _LINE_MAX - len(name):
        raise LetterRefused(
            f"the value of the header {name} is not one line of printable ASCII, or has no space to fold"
        )
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + len(word) > 76 and lines[-1].strip() != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    return _CRLF.join(lines)


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


def _text_head(subtype: str) -> str:
    return _part([f"Content-Type: text/{subtype}; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"], "")


def _constant(texts: Sequence[str]) -> list[str]:
    """*texts* between the values of placeholders, encoded. The last is not empty: no part ends with a soft break."""
    return [*(_quoted(text, is_inside=True) for text in texts[:-1]), _quoted(texts[-1] or "\n")]


def _quoted(text: str, *, is_inside: bool = False) -> str:
    """*text* as quoted-printable. What *is_inside* ends with a soft line break, so that what follows may begin a line,
    and every piece can be encoded by itself."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if not is_inside:
        return binascii.b2a_qp(lines.encode(), istext=True).decode("ascii").replace("\n", _CRLF)
    # One sign more keeps room for the "=" of the break, and a space before it as it is.
    return binascii.b2a_qp(f"{lines}x".encode(), istext=True).decode("ascii")[:-1].replace("\n", _CRLF) + f"={_CRLF}"


def _attached(file: Attachment) -> str:
    headers = [
        f"Content-Type: {file.type}",
        f'Content-Disposition: attachment; filename="{file.name}"',
        "Content-Transfer-Encoding: base64",
    ]
    return _part(headers, base64.encodebytes(file.content).decode("ascii").replace("\n", _CRLF))


def _opening(subtype: str, boundary: str) -> str:
    return _part([f'Content-Type: multipart/{subtype}; boundary="{boundary}"'], "")


def _part(headers: Sequence[str], body: str) -> str:
    return _CRLF.join(headers) + _CRLF + _CRLF + body
