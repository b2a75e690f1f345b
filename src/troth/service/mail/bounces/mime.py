"""Takes apart an e-mail that may be malformed, cut short or hostile: in linear time, with limits, without exceptions.

The parser of the standard library takes quadratic time for some messages, and raises errors for others. This one reads
5 MB in a few milliseconds, and whatever it cannot make sense of is text.
"""

from __future__ import annotations

import binascii
import email.errors
import email.header
import functools
import html
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_BYTES_MAX, _HEADERS_MAX, _HEADER_MAX, _PARTS_MAX, _DEPTH_MAX = 8 * 1024 * 1024, 128 * 1024, 8_000, 120, 8
TEXT_BYTES_MAX = 64 * 1024
"""How much of a part is read as text; what a report says precedes what it returns."""
_FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_PARAMETER = re.compile(r';\s{0,200}([\w*-]{1,60})\s{0,20}=\s{0,20}(?:"((?:[^"\\]|\\.){0,500})"?|([^;\s]{0,500}))')
_CHARSET = re.compile(r"(ascii|us|utf|iso|latin|windows|cp|koi8|gb|big5|euc|shift|sjis|ms|mac|tis|hz|ks)[\w-]{0,20}")
"""Other codecs of Python are no charsets, or take quadratic time."""
_SURROGATES = re.compile("[\ud800-\udfff]")  # UTF-7 can hold halves of a character
_HTML_BREAK = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h\d|/?pre)\b[^<>]{0,300}>", re.IGNORECASE)
_HTML_UNSEEN = re.compile(r"<(?:style|script|title)\b[^<>]{0,300}>[^<]{0,20000}", re.IGNORECASE)
_HTML_TAG = re.compile(r"<[/!a-zA-Z][^<>]{0,2000}>")
RETURNED = frozenset({"message/rfc822", "message/global", "message/news"})
RETURNED_HEADERS = frozenset({"text/rfc822-headers", "message/global-headers", "message/rfc822-headers"})


@dataclass(frozen=True, repr=False)
class Part:
    """A message, or a part of it, with the beginning of its *body*; it is *inside* of so many other messages."""

    fields: tuple[tuple[str, str], ...]
    type: str
    parameters: Mapping[str, str]
    body: bytes
    inside: int

    def all(self, name: str) -> list[str]:
        """The values of the header *name* (in lower case), decoded."""
        return [_decoded(value) for known, value in self.fields if known == name]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def encoding(self) -> str:
        return self.first("content-transfer-encoding").lower().strip()

    @functools.cached_property
    def text(self) -> str:
        """The beginning of its text; what is HTML as lines of text."""
        text = _read(_transferred(self.body, self.encoding), self.parameters.get("charset", ""))
        if self.type == "text/html":
            text = html.unescape(_HTML_TAG.sub(" ", _HTML_BREAK.sub("\n", _HTML_UNSEEN.sub(" ", text))))
        return text.replace("\r\n", "\n").replace("\r", "\n")


def take_apart(raw: bytes) -> list[Part]:
    """The message and its parts, each before what is in it; at most `_PARTS_MAX`. There is at least the message."""
    raw = raw[:_BYTES_MAX].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    parts: list[Part] = []
    waiting = [(raw, 0, 0, True)]
    while waiting and len(parts) < _PARTS_MAX:
        content, inside, depth, is_message = waiting.pop()
        part, body = _part(content, inside, is_message=is_message)
        parts.append(part)
        if depth >= _DEPTH_MAX:
            continue
        if part.type in RETURNED:
            body = _transferred(body, part.encoding)
            waiting.append((body.replace(b"\r\n", b"\n"), inside + 1, depth + 1, True))
        elif part.type.startswith("multipart/"):
            pieces = _pieces(body, part.parameters.get("boundary", ""))
            waiting += reversed([(piece, inside, depth + 1, False) for piece in pieces])
    return parts


def fields_in(text: bytes | str) -> tuple[tuple[str, str], ...]:
    """Header fields at the start of *text*, unfolded, their names in lower case; lines that are none are left out."""
    if isinstance(text, bytes):
        text = _read(text, "")
    known: list[tuple[str, str]] = []
    for line in text.split("\n"):
        if line[:1] in (" ", "\t") and known:
            name, value = known[-1]
            known[-1] = (name, f"{value} {line.strip()}" if len(value) < _HEADER_MAX else value)
        elif field := _FIELD.fullmatch(line[:_HEADER_MAX]):
            known.append((field[1].lower(), field[2].strip()))
    return tuple(known)


def _part(content: bytes, inside: int, *, is_message: bool) -> tuple[Part, bytes]:
    if is_message:
        content = content.lstrip(b" \t\n")
        if content[:6].lstrip(b">").startswith(b"From "):  # the first line of an mbox file
            content = content.partition(b"\n")[2]
    end = content.find(b"\n\n", 0, _HEADERS_MAX)
    head = content[: end if end >= 0 else _HEADERS_MAX]
    fields = fields_in(head) if _FIELD.match(_read(head.partition(b"\n")[0], "")) else ()
    body = content if not fields else content[end + 2 :] if end >= 0 else b""
    kind = next((value for name, value in fields if name == "content-type"), "")
    parameters = {
        found[1].lower(): re.sub(r"\\(.)", r"\1", found[2] or found[3] or "") for found in _PARAMETER.finditer(kind)
    }
    type_ = kind.partition(";")[0].strip().lower()
    part = Part(fields, type_ if "/" in type_ else "text/plain", parameters, body[:TEXT_BYTES_MAX], inside)
    return part, body


def _pieces(body: bytes, boundary: str) -> Iterator[bytes]:
    """The parts of a multipart body. What is cut short ends with it."""
    body = b"\n" + body
    mark = re.compile(
        rb"\n--" + re.escape(boundary.rstrip().encode("utf-8", "replace")) + rb"(--)?[ \t]{0,100}(?:\n|\Z)"
    )
    starts: list[tuple[int, int]] = []
    at = mark.search(body) if boundary else None
    while at and len(starts) <= _PARTS_MAX:
        starts.append((at.start(), len(body) if at[1] else at.end() - 1))
        at = mark.search(body, at.end() - 1) if not at[1] else None
    if not starts:
        yield body
    ends = [start for start, _ in starts[1:]]
    for (_, start), end in zip(starts, [*ends, len(body)], strict=False):
        if start < len(body):
            yield body[start + 1 : end]


def _transferred(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        signs = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
        signs = signs[: len(signs) - (len(signs) % 4 == 1)]
        return binascii.a2b_base64(signs + b"=" * (-len(signs) % 4))
    return quopri.decodestring(content) if encoding == "quoted-printable" else content


def _read(content: bytes, charset: str) -> str:
    charset = charset.strip().lower().removeprefix("unicode-1-1-").removeprefix("x-")
    if _CHARSET.fullmatch(charset) and "ascii" not in charset:
        try:
            return _SURROGATES.sub("\ufffd", content.decode(charset, "replace"))
        except (LookupError, ValueError):
            pass
    text = content.decode("utf-8", "replace")
    return text if text.count("\ufffd") < 2 else content.decode("latin-1")


def _decoded(value: str) -> str:
    if "=?" not in value:
        return value
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (email.errors.MessageError, LookupError, ValueError):
        return value
