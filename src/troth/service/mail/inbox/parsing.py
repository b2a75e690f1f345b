"""Parses incoming e-mails, which are untrusted input: bounded, and without exceptions for malformed ones."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.policy
import email.utils
import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser

from troth.service.mail.message import Address
from troth.service.mail.rules import LetterRefused

_READ_MAX, _HEADER_MAX, _PARTS_MAX = 512 * 1024, 4_000, 200
"""Limits on the part of a message that is read. Parsing time is quadratic in the length of headers and the number of
parts, and the text precedes attachments."""
TEXT_MAX = 20_000
"""Maximum length of a message's text, in characters."""
_REFERENCE = re.compile(r"\b[A-Z]-\d{4}-\d{4,12}\b")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
BAD_MAIL = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Errors that the standard library's parser raises for malformed messages."""


@dataclass(frozen=True, slots=True)
class MailRead:
    """A parsed message. Its `repr` shows nothing."""

    sender: str
    """The address for replies; empty if it contains no valid one."""
    author: str
    """Its ``From`` header."""
    name: str
    subject: str
    text: str
    message_id: str
    is_automatic: bool
    references: tuple[str, ...] = field(default=())
    """Case references in its subject and text."""
    replies_to: tuple[str, ...] = field(default=())
    """Message-IDs to which it replies."""

    def __repr__(self) -> str:
        return "MailRead(…)"


class BoundedPolicy(email.policy.EmailPolicy):
    """The standard policy, with limited header length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        return super().header_source_parse(["".join(sourcelines)[:_HEADER_MAX]])


def understood(raw: bytes) -> MailRead | None:
    """Parse a message; None if it is too malformed."""
    if raw.count(b"\n--", 0, _READ_MAX) > _PARTS_MAX:
        return None
    try:
        message = BytesParser(policy=BoundedPolicy()).parsebytes(raw[:_READ_MAX])
        assert isinstance(message, EmailMessage), "that is what the policy makes"
        author = _header(message, "From")
        name, sender = email.utils.parseaddr(author)
        subject = _header(message, "Subject")[:300]
        answers = _header(message, "References") + _header(message, "In-Reply-To")
        text = _text(message)
        return MailRead(
            sender=_address(sender),
            author=author[:300],
            name=name[:200],
            subject=subject,
            text=text,
            message_id=_header(message, "Message-ID")[:300],
            is_automatic=_is_automatic(message),
            references=tuple(dict.fromkeys(_REFERENCE.findall(f"{subject}\n{text}")))[:5],
            replies_to=tuple(_MESSAGE_ID.findall(answers))[-20:],
        )
    except BAD_MAIL:
        return None


def _address(sender: str) -> str:
    """Normalised *sender*; empty if no e-mail can be sent to it."""
    try:
        return Address.read(sender).text if len(sender) <= 254 else ""
    except LetterRefused:
        return ""


def without_invisible(text: str) -> str:
    """*text* without invisible characters: control characters and direction marks."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return without_invisible(" ".join(str(message.get(name, "")).split()))
    except BAD_MAIL:
        return ""


def _is_automatic(message: EmailMessage) -> bool:
    """True for automatic messages (RFC 3834), which must not be answered, so that no mail loop occurs."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return True
    if _header(message, "Precedence").lower() in ("bulk", "list", "junk") or _header(message, "List-Id"):
        return True
    if _header(message, "Return-Path") == "<>" or _header(message, "X-Auto-Response-Suppress"):
        return True
    return message.get_content_type() in ("multipart/report", "message/delivery-status")


def _text(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except BAD_MAIL:
        payload = part.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    if part.get_content_type() == "text/html":
        from selectolax.lexbor import LexborHTMLParser

        tree = LexborHTMLParser(text)
        tree.strip_tags(["script", "style"], recursive=True)
        text = tree.body.text(separator="\n") if tree.body else ""
    return re.sub(r"\n{3,}", "\n\n", without_invisible(text)).strip()[:TEXT_MAX]


def arrival(raw: bytes) -> dt.datetime | None:
    """When our own server received the message: the topmost ``Received`` header, which the sender cannot forge."""
    with contextlib.suppress(*BAD_MAIL):
        headers = BytesHeaderParser(policy=BoundedPolicy()).parsebytes(raw[:_READ_MAX])
        at = email.utils.parsedate_to_datetime(str(headers.get("Received", "")).rpartition(";")[2].strip())
        return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return None
