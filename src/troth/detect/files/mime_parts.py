"""Splits e-mail messages line by line into headers and bodies, however they are nested.

The parser is iterative and buffers one part at a time, so time and memory are bounded for any message.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from troth.detect.files.mime_headers import Head, read_head
from troth.detect.files.results import Remark

_HEAD_MAX: Final = 1 << 18
_PART_MAX: Final = 1 << 25
"""Maximum bytes of headers, and of a part in encoded form."""
_PARTS_MAX: Final = 1_000
_DEPTH_MAX: Final = 20
"""Maximum number of parts of a message, and of nesting levels."""

_HEADER: Final = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]|>?From ")
_ENVELOPE: Final = re.compile(rb"From .{1,150}\d:\d\d.{1,50}$", re.S)
"""The line before each message in an mbox file."""


class MimePart(NamedTuple):
    """Headers or a body: *number* as in IMAP (``1.2``, ``2.HEADER``; RFC 3501, 6.4.5), first line, the *head* itself or
    the one above, and the encoded *body*."""

    number: str
    line: int
    head: Head
    body: bytes = b""
    is_head: bool = False

    def __repr__(self) -> str:
        return f"Part(number={self.number!r}, line={self.line})"  # not the content: errors and logs print this


@dataclass(slots=True, repr=False)
class _Entity:
    """A message or a part. *number* is that of its text, *around* that of the text around its parts, *title* that of
    its headers, and *inside* the prefix of the numbers of its parts."""

    number: str
    title: str
    around: str
    inside: str
    line: int
    usually: str = "text/plain"
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    head: Head | None = None
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    parts: int = 0


def _letter(inside: str, line: int) -> _Entity:
    return _Entity(f"{inside}1", f"{inside}HEADER", f"{inside}TEXT", inside, line)


def _part(number: str, line: int, usually: str) -> _Entity:
    return _Entity(number, f"{number}.MIME", number, f"{number}.", line, usually)


def letters(lines: Iterable[bytes]) -> Iterator[MimePart | Remark]:
    """The headers and bodies of one or more consecutive messages, in order. A message that exceeds the limits or cannot
    be parsed gives a remark."""
    reader = _Reader()
    for line in lines:
        yield from reader.read(line)
    yield from reader.end()


class _Reader:
    """The parser state: the current part *now*, inside the parts *around* it, outermost first."""

    def __init__(self) -> None:
        self._now = _letter("", 1)
        self._around: list[_Entity] = []
        self._parts = 0
        self._line = 0
        self._is_box = self._is_full = False
        self._begins = self._is_after_blank = True

    def read(self, line: bytes) -> Iterator[MimePart | Remark]:
        """Process the next line including its end, or a piece of one."""
        begins, self._begins = self._begins, line.endswith((b"\n", b"\r"))
        self._line += begins
        if begins and self._line == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
            self._is_box = line.startswith(b"From ")
        elif begins and self._is_box and self._is_after_blank and _ENVELOPE.match(line):
            yield from self.end()
            self._now, self._around, self._parts, self._is_full = _letter("", self._line), [], 0, False
        elif begins and (divided := self._divided(line)):
            yield from self.end()
            yield from self._next(*divided)
            return
        self._is_after_blank = begins and not line.strip()
        if self._now.head is not None:
            self._hold(line)
        elif not begins or _HEADER.match(line):
            self._hold_head(line)
        else:
            yield from self._head_ended(self._line + self._is_after_blank)
            self._hold(line if line.strip() else b"")

    def end(self) -> Iterator[MimePart | Remark]:
        """Return what is buffered at the end of a message or part."""
        if self._now.head is None:
            yield from self._head_ended(self._line + 1)
        now = self._now
        if now.size > _PART_MAX and not self._is_full:
            yield _unread(now.line, now.number, "it is too long: not all of it was read")
        body, now.body = bytes(now.body), bytearray()
        if body.strip() and now.head is not None:
            yield MimePart(now.number, now.line, now.head, body)

    def _hold_head(self, line: bytes) -> None:
        self._now.size += len(line)
        if self._now.size <= _HEAD_MAX:
            self._now.lines.append((self._line, line))

    def _hold(self, line: bytes) -> None:
        self._now.size += len(line)
        if self._now.size <= _PART_MAX and not self._is_full:
            self._now.body += line

    def _divided(self, line: bytes) -> tuple[int, bool] | None:
        """The index of the enclosing part that *line* delimits, and whether it closes that part."""
        if line.startswith(b"--"):
            said = line.strip()[2:]
            for at, it in reversed([*enumerate(self._around)]):
                if it.head and said in (it.head.boundary, it.head.boundary + b"--"):
                    return at, said != it.head.boundary
        return None

    def _next(self, at: int, is_end: bool) -> Iterator[Remark]:
        """Start the next part of the enclosing part *at*, or the epilogue after its last part."""
        del self._around[at + 1 :]
        outer = self._around[at]
        if is_end:
            self._around.pop()
            self._begin_text(outer, self._line + 1)
            return
        outer.parts += 1
        self._parts += 1
        is_digest = outer.head is not None and outer.head.type == "multipart/digest"
        usually = "message/rfc822" if is_digest else "text/plain"
        self._now = _part(f"{outer.inside}{outer.parts}", self._line + 1, usually)
        if self._parts > _PARTS_MAX:
            yield _unread(self._line, self._now.number, f"after {_PARTS_MAX:,} parts, the others were not read")
            self._begin_text(outer, self._line)
            self._around, self._is_full = [], True

    def _begin_text(self, outer: _Entity, line: int) -> None:
        """Start the preamble, epilogue or other text around the parts of *outer*, which most mail readers ignore."""
        self._now = _Entity(outer.around, "", "", "", line, head=Head())

    def _head_ended(self, line: int) -> Iterator[MimePart | Remark]:
        """The headers of the current part, whose body starts on *line*."""
        now = self._now
        head = now.head = read_head(now.lines, usually=now.usually)
        if now.lines:
            yield MimePart(now.title, now.line, head, is_head=True)
        if now.size > _HEAD_MAX:
            yield _unread(now.line, now.title, "it is too long: not all of it was read")
        now.lines, now.line, now.size = [], line, 0
        is_multipart = head.type.startswith("multipart/")
        if head.encoding or not (is_multipart or head.is_of_letter):
            return
        if max(len(self._around), now.number.count(".")) >= _DEPTH_MAX:
            yield _unread(line, now.number, "it is nested too deeply to be split")
        elif not is_multipart:
            self._now = _letter(f"{now.number}.", line)
        elif head.boundary:
            self._around.append(now)
            self._begin_text(now, line)
        else:
            yield _unread(line, now.number, "it has no boundary between its parts")


def _unread(line: int, part: str, says: str) -> Remark:
    return Remark(line, says, unscanned=True, part=part)
