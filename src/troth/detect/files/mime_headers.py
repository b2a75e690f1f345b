"""Headers of e-mail: decodes them and determines how the part below is encoded."""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Final

from troth.detect.files.decoding import GUESSING

_TELLING: Final = frozenset({"content-type", "content-transfer-encoding", "content-disposition"})
_TELLING_MAX: Final = 4096
"""Maximum characters of a header that describes the part: the standard library takes superlinear time for it."""
_WORD: Final = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
"""Encoded words in a header (RFC 2047)."""
_ENCODINGS: Final = {"base64": "base64", "quoted-printable": "quoted-printable", "7bit": "", "8bit": "", "binary": ""}
_BASE64: Final = re.compile(rb"[^=]+")
_NOT_BASE64: Final = bytes(byte for byte in range(256) if not re.match(rb"[A-Za-z0-9+/=]", bytes([byte])))
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Python codecs that are not e-mail charsets; some are slow."""
_READ_AS: Final = {"ascii": "", "utf-8": "", "iso8859-1": "cp1252"}
"""Charsets that are read as a superset: declared ASCII often is not, and Latin-1 is read as browsers do."""


@dataclass(frozen=True, repr=False)
class Head:
    """Parsed headers. *text* has one decoded header per line, and *lines* the line of the file on which each starts.

    *type* and *charset* are in lower case, *encoding* is ``base64``, ``quoted-printable`` or empty, and *boundary*
    separates the parts. *wrong* says what could not be read in the headers or in the part.
    """

    text: str = ""
    lines: Sequence[int] = ()
    type: str = "text/plain"
    boundary: bytes = b""
    charset: str = ""
    encoding: str = ""
    file_name: str = ""
    wrong: Sequence[str] = ()

    @property
    def is_of_letter(self) -> bool:
        """True if the part is a message with headers of its own."""
        return self.type in {"message/rfc822", "message/global", "message/news", "text/rfc822-headers"}


_RANDOM = re.compile(r"=+\d{10,}==")
"""A boundary as Python and others make it."""


def read_head(lines: Iterable[tuple[int, bytes]], *, usually: str = "text/plain") -> Head:
    """Parses headers from *lines*, each with its number; *usually* is the default type."""
    told = Message()  # the legacy class: the newer one raises often, and is slow on long input
    told.set_default_type(usually)
    said, numbers, wrong = list[str](), list[int](), set[str]()
    named_on = 0
    for number, header in _unfolded(lines):
        name, value = _parted(header)
        named_on = number if name in _TELLING else named_on
        if name in _TELLING and len(value) <= _TELLING_MAX and name not in told:
            told[name] = value
        elif name in _TELLING:
            wrong.add("a header for its format is repeated or too long")
        if name != "content-transfer-encoding" or value.lower() not in _ENCODINGS:  # known values need no search
            said.append(_decoded(header, wrong))
            numbers.append(number)
    encoding = _ENCODINGS.get(told.get("content-transfer-encoding", "7bit").lower())
    if encoding is None:
        wrong.add("its encoding is unknown")
    try:
        type_, boundary = told.get_content_type(), told.get_boundary("")
        charset, file_name = told.get_content_charset(""), _decoded(told.get_filename(""), wrong)
    except (TypeError, ValueError):  # for continuations with invalid numbers (RFC 2231)
        wrong.add("it does not say how it is written so that it can be understood")
        type_, boundary, charset, file_name = usually, "", "", ""
    if file_name and not any(file_name in header for header in said):  # it is written as continuations
        said.append(f"file: {file_name}")
        numbers.append(named_on)
    if _RANDOM.fullmatch(boundary):  # its digits say nothing, and may look like a card number
        said = [header.replace(boundary, "=" * len(boundary)) for header in said]
    delimiter = boundary.encode("utf-8", "replace")
    return Head("\n".join(said), numbers, type_, delimiter, charset, encoding or "", file_name, sorted(wrong))


def known_charset(name: str) -> str:
    """The Python codec for the charset *name*; empty if text may well be in another one. Raises `LookupError` if it is
    not a text encoding."""
    try:
        codec = codecs.lookup(name.partition("*")[0])
        " ".encode(codec.name)  # raises for codecs that are not text encodings
    except ValueError:
        raise LookupError from None
    if codec.name in _NO_CHARSETS:
        raise LookupError
    return _READ_AS.get(codec.name, codec.name)


def from_base64(written: bytes) -> bytes:
    """Decodes base64, including what follows padding, where other decoders stop; other characters are skipped."""
    found = bytearray()
    for run in _BASE64.finditer(written.translate(None, _NOT_BASE64)):
        over = len(run[0]) % 4
        found += binascii.a2b_base64(run[0] if not over else run[0][:-1] if over == 1 else run[0] + b"==")
    return bytes(found)


def _unfolded(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, str]]:
    """Each unfolded header, with its first line number."""
    begins, parts = 0, list[bytes]()
    for number, line in lines:
        if parts and line[:1] not in b" \t":
            yield begins, _text(parts)
            parts = []
        begins = begins if parts else number
        parts.append(line.rstrip(b"\r\n"))
    if parts:
        yield begins, _text(parts)


def _text(parts: Iterable[bytes]) -> str:
    return b"".join(parts).decode("utf-8", GUESSING)


def _parted(header: str) -> tuple[str, str]:
    name, _, value = header.partition(":")
    return name.strip().lower(), value.strip()


def _decoded(header: str, wrong: set[str]) -> str:
    """An unfolded header with its encoded words decoded."""
    said: list[tuple[str, bytearray]] = []
    at = 0
    for word in _WORD.finditer(header):
        charset, is_next = word[1].lower(), at > 0 and not header[at : word.start()].strip()
        if not is_next:
            said.append(("", bytearray(header[at : word.start()].encode())))
        if not is_next or said[-1][0] != charset:
            said.append((charset, bytearray()))
        said[-1][1].extend(_unencoded(word))  # together, because a character may be split across two words
        at = word.end()
    said.append(("", bytearray(header[at:].encode())))
    return " ".join("".join(_in_charset(bytes(it), charset, wrong) for charset, it in said).splitlines())


def _unencoded(word: re.Match[str]) -> bytes:
    letters = word[3].encode()
    return from_base64(letters) if word[2] in "bB" else binascii.a2b_qp(letters, header=True)


def _in_charset(data: bytes, charset: str, wrong: set[str]) -> str:
    try:
        return data.decode(known_charset(charset or "utf-8") or "utf-8", "replace" if charset else GUESSING)
    except LookupError:
        wrong.add("a word in it has an unknown character set")
        return data.decode("utf-8", GUESSING)
