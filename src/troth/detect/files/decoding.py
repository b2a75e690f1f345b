"""Decodes bytes to text: detects the encoding, or that they are not text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from troth.detect.finding import Unscanned

_CHUNK: Final = 1 << 17
_HEAD: Final = 1 << 13
LINE_MAX: Final = 1 << 20
"""Longer lines are not buffered; they are returned in parts."""

_ALONE: Final = re.compile(r"\r(?!\n)")

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FORMATS: Final = {
    rb"PK\x03\x04": "a ZIP archive, or an office document",
    rb"\x1f\x8b": "compressed by gzip (zcat FILE | troth detect - --as KIND reads it)",
    rb"BZh[1-9]1AY&SY": "compressed by bzip2 (bzcat FILE | troth detect - --as KIND reads it)",
    rb"\xfd7zXZ\x00": "compressed by xz (xzcat FILE | troth detect - --as KIND reads it)",
    rb"\x28\xb5\x2f\xfd": "compressed by zstd (zstdcat FILE | troth detect - --as KIND reads it)",
    rb"%PDF-\d\.\d\s*[\r\n]": "a PDF",
    rb"PAR1\x15": "Parquet (--as parquet reads it)",
    rb"SQLite format 3\x00": "an SQLite database (troth audit --store reads it)",
    rb"\x89PNG": "a picture",
    rb"\xff\xd8\xff": "a picture",
    rb"GIF8[79]a": "a picture",
    rb"(?s:RIFF.{4})(WAVE|WEBP|AVI )": "sound or a picture",
    rb"ID3[\x02-\x04]\x00": "sound",
    rb"OggS\x00": "sound",
    rb"fLaC\x00": "sound",
    rb"\x7fELF": "a program",
    rb"\xd0\xcf\x11\xe0": "an old office document",
    rb"\s*-----BEGIN PGP MESSAGE-----": "encrypted by PGP",
}
"""Signatures of binary formats. Those consisting of letters are longer, because a table's first column may be
``ID3``."""
_CONTROLS: Final = re.compile("[\x01-\x07\x0e-\x1a\x1c-\x1f]")
"""Characters that never occur in text. Other control characters occur in terminal logs and database exports."""
_STRANGE: Final = re.compile("[\x01-\x07\x0e-\x1a\x1c-\x1f\x80-\x84\x86-\x9f\ufffd]")
"""Also characters that result from reading bytes in the wrong encoding."""
_STRANGE_MAX: Final = 0.02
_FEW: Final = 3
"""This many are accidental, however short the text."""
_HIGH: Final = "\x80-\xffŒœŠšŸŽžƒˆ˜€‚„†‡‰‹›™"
_OF_WINDOWS: Final = re.compile(f"[{_HIGH}]")
_SIDE_BY_SIDE: Final = re.compile(f"(?:(?![\xa0\xab\xbb])[{_HIGH}\u0100-\u07ff]){{2,}}")
"""Adjacent non-ASCII letters, which may be UTF-8 by accident; without French quotation marks and their space."""
_DOUBLED: Final = re.compile(r"([äöõü])\1", re.IGNORECASE)
"""Double letters, as in Finnish and Estonian."""
_ESCAPED: Final = ("\x1b$B", "\x1b$@", "\x1b$)C")
"""Escape sequences that switch the alphabet in ISO 2022."""
_NEIGHBOURS_MIN: Final = 16


class Readable(Protocol):
    """A stream of bytes: a file, a pipe, or a wrapper that counts them."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; empty at the end."""


def decoded(stream: Readable, remark: Callable[[str], None], encoding: str = "") -> Iterator[str]:
    """The text, in chunks of some hundred kilobytes. Raises `Unscanned` at the first part that is not text.

    Without *encoding*, UTF-8 is assumed unless a byte order mark or the pattern of zero bytes says otherwise. Bytes
    that are not UTF-8 are decoded individually as Windows-1252, and *remark* is called once: no byte is skipped.
    """
    chunk = stream.read(_HEAD)
    said, encoding = encoding.upper(), encoding or _encoding(chunk, remark)
    instead = "replace" if said or not encoding.startswith("utf-8") else GUESSING
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    while True:
        wrong = ""
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError:  # raised before anything is consumed, so the chunk can be decoded again
            wrong = f"not all of it is {said or encoding[:6].upper()}"
            decoder.errors = instead
            text = _again(decoder, chunk, wrong)
        is_utf8 = encoding.startswith("utf-8") and decoder.errors == "strict"
        if why := _no_text(text, _CONTROLS if is_utf8 else _STRANGE, is_guessed=decoder.errors == GUESSING):
            raise Unscanned(f"what follows byte {read:,} was not read: {why}" if read else why)
        if wrong:
            remark(wrong + ": that is read as Windows-1252" * (instead == GUESSING))
        if text:
            yield text
        if not chunk:
            return
        read += len(chunk)
        chunk = stream.read(_CHUNK)


def _again(decoder: codecs.IncrementalDecoder, chunk: bytes, wrong: str) -> str:
    try:
        return decoder.decode(chunk, final=not chunk)
    except UnicodeError:  # some encodings require a byte order mark
        raise Unscanned(f"{wrong}: give its --encoding") from None


def lines(chunks: Iterator[str]) -> Iterator[str]:
    """The lines of a text including their ends. Lines longer than `LINE_MAX` are returned in parts."""
    rest = ""
    for chunk in chunks:
        first, *others = chunk.split("\n")
        rest += first
        for line in others:
            yield rest + "\n"
            rest = line
        while len(rest) > LINE_MAX:
            yield rest[:LINE_MAX]
            rest = rest[LINE_MAX:]
    if rest:
        yield rest


def lines_of_bytes(stream: Readable) -> Iterator[bytes]:
    """The same for undecoded bytes, with any line ends."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        found = (rest + chunk).splitlines(keepends=True)
        rest = b"" if found[-1].endswith(b"\n") else found.pop()  # it may continue, or have half of its line end
        yield from found
        if len(rest) > LINE_MAX:
            yield rest
            rest = b""
    if rest:
        yield rest


def universal(chunks: Iterator[str]) -> Iterator[str]:
    """The text with ``\\n`` for each ``\\r`` that ends a line by itself: offsets do not change."""
    held = ""
    for chunk in chunks:
        text = held + chunk
        held = "\r" * text.endswith("\r")  # its line feed may follow
        yield _ALONE.sub("\n", text[: len(text) - len(held)])
    yield "\n" * len(held)


def _encoding(head: bytes, remark: Callable[[str], None]) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    for beginning, what in _FORMATS.items():
        if re.match(beginning, head):
            raise Unscanned(f"it is not text, but {what}")
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) * 0.2 and min(even, odd) < len(head) * 0.05:
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        remark(f"it has no byte order mark, and is read as {encoding.upper()}")
        return encoding
    return "utf-8"


def _no_text(text: str, wrong: re.Pattern[str], *, is_guessed: bool) -> str:
    """Why some part of *text* is not text, or is in another encoding; empty if all of it may be text.

    *wrong* matches characters that occur only by accident. Each part is judged separately, because binary data may
    follow a long text; the last part is extended backwards.
    """
    for at in range(0, len(text), _HEAD):
        part = text[max(min(at, len(text) - _HEAD), 0) :][:_HEAD]
        strange = len(wrong.findall(part))
        if strange + part.count("\0") // 4 > max(len(part) * _STRANGE_MAX, _FEW):
            return "it is not text: too many bytes are not characters; if it is text, give its --encoding"
        is_other = is_guessed and not part.isascii() and _is_other(part, strange)
        if is_other or any(it in part for it in _ESCAPED):
            return "it is neither UTF-8 nor Windows-1252: give its --encoding, or save it as UTF-8"
    return ""


def _is_other(text: str, strange: int) -> bool:
    """True if text decoded as Windows-1252 is in another encoding. In languages written in it, accented letters are
    surrounded by unaccented ones; letters of other alphabets are adjacent. A few are accidental: a truncated
    character."""
    high = len(text) - len(text.encode("ascii", "ignore"))
    neighbours = sum(map(len, _SIDE_BY_SIDE.findall(_DOUBLED.sub(r"\1", text))))
    is_many = neighbours >= min(_NEIGHBOURS_MIN, len(text) // 4)
    is_most = neighbours > high / 2 and len(_OF_WINDOWS.findall(text)) > high / 2
    return (is_many and is_most) or strange > max(high * _STRANGE_MAX, _FEW)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Decodes bytes that are not UTF-8 in the most common other encoding. Bytes that it leaves undefined become Latin-1
    control characters, so that nothing is lost."""
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    return "".join(_WINDOWS[byte] for byte in wrong), error.end


_WINDOWS: Final = [bytes([it]).decode("cp1252", "ignore") or chr(it) for it in range(256)]
GUESSING: Final = "troth.windows-1252"
"""Error handler for bytes that are not UTF-8."""
codecs.register_error(GUESSING, _as_windows)
