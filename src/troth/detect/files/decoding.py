"""Bytes as text: which encoding they are in, or that they are no text at all."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from troth.detect.finding import Unscanned

__all__ = ["Readable", "decoded", "lines"]

_CHUNK: Final = 1 << 17
_HEAD: Final = 1 << 13
LINE_MAX: Final = 1 << 20
"""No longer line is held in memory: it comes in parts."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FORMATS: Final = {
    rb"PK\x03\x04": "a ZIP archive, or an office document",
    rb"\x1f\x8b": "compressed by gzip",
    rb"BZh[1-9]1AY&SY": "compressed by bzip2",
    rb"\xfd7zXZ\x00": "compressed by xz",
    rb"\x28\xb5\x2f\xfd": "compressed by zstd",
    rb"%PDF-\d\.\d\s*[\r\n]": "a PDF",
    rb"PAR1\x15": "Parquet",
    rb"SQLite format 3\x00": "an SQLite database",
    rb"\x89PNG": "a picture",
    rb"\xff\xd8\xff": "a picture",
    rb"GIF8[79]a": "a picture",
    rb"(?s:RIFF.{4})(WAVE|WEBP|AVI )": "sound or a picture",
    rb"ID3[\x02-\x04]\x00": "sound",
    rb"OggS\x00": "sound",
    rb"fLaC\x00": "sound",
    rb"\x7fELF": "a program",
    rb"\xd0\xcf\x11\xe0": "an old office document",
}
"""How files begin that are no text. Where that is letters only, more of it: a table's first column may be ``ID3``."""
_TYPED: Final = frozenset(b"\t\n\v\f\r\x1b\x00\x08")
"""Control characters that stand in texts: the last three in logs of terminals, and in what databases write out."""
_STRANGE_MAX: Final = 0.02


class Readable(Protocol):
    """Bytes that come one after another: a file, a pipe, or what counts them on their way."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end."""


def decoded(stream: Readable, remark: Callable[[str], None]) -> Iterator[str]:
    """The text, in pieces of some hundred kilobytes. Raises `Unscanned` for what is no text.

    It is UTF-8 unless a byte order mark, or the pattern of its noughts, says otherwise. Bytes that are not UTF-8 are
    read as Windows-1252, each by itself, and *remark* is told so once: no byte is skipped.
    """
    head = stream.read(_HEAD)
    encoding = _encoding(head, remark)
    decoder = codecs.getincrementaldecoder(encoding)()
    chunk = head
    while True:
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:  # it is raised before anything is taken, so the chunk can be read again
            is_utf8 = encoding.startswith("utf-8")
            remark(f"not all of it is {encoding[:6].upper()}{': that is read as Windows-1252' * is_utf8}")
            decoder.errors = "troth.windows-1252" if is_utf8 else "replace"
            text = decoder.decode(chunk, final=not chunk)
        if text:
            yield text
        if not chunk:
            return
        chunk = stream.read(_CHUNK)


def lines(chunks: Iterator[str]) -> Iterator[str]:
    """The lines of a text, each with its end. One longer than `LINE_MAX` comes in parts."""
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


def _encoding(head: bytes, remark: Callable[[str], None]) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    for beginning, what in _FORMATS.items():
        if re.match(beginning, head):
            raise Unscanned(f"it is no text, but {what}")
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) * 0.2 and min(even, odd) < len(head) * 0.05:
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        remark(f"it has no byte order mark, and is read as {encoding.upper()}")
        return encoding
    strange = sum(byte < 32 and byte not in _TYPED for byte in head) + head.count(0) // 4
    if strange > len(head) * _STRANGE_MAX:
        raise Unscanned("it is no text: too many of its bytes are no characters")
    return "utf-8"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8, in the encoding that most such files are in. Bytes that even that one leaves free stand
    for the control characters of Latin-1, so that nothing is lost."""
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    return "".join(_WINDOWS[byte] for byte in wrong), error.end


_WINDOWS: Final = [bytes([it]).decode("cp1252", "ignore") or chr(it) for it in range(256)]
codecs.register_error("troth.windows-1252", _as_windows)
