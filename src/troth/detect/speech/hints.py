"""Where in a text values may be said: words that say digits and letters side by side, dots, dates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from troth.detect.expressions import ANYWHERE, Match, Prefilter, matches
from troth.detect.speech.loader import shipped

_BEFORE: Final = 200
_AFTER: Final = 100
"""How many bytes of a talk are read around words that may say a value."""
_PLACE_BYTES_MAX: Final = 8 << 10
_AGAIN_BYTES: Final = 1 << 10
"""How much of an endless talk is read at a time, and how much of that once more with what follows: more than one value
takes that two people exchange."""
_WORD_BYTES_MAX: Final = 64
_COUNTING_BYTES_MAX: Final = 48
"""``two hundred and fifty pounds``: what is longer counts nothing, but is a value with something said after it."""
_MEMORY_BYTES: Final = 16 << 20
"""With less, RE2 forgets on varied talk what it needs again soon, and takes several times as long."""

LANGUAGES: Final = ("en", "es", "fr", "de")


class TextRange(NamedTuple):
    """Bytes *start* to *end* (not included) of a text, where values may be said in a language."""

    language: str
    start: int
    end: int


def places(utf8: bytes) -> Iterator[TextRange]:
    """The parts of a text in which values may be said, whole words at both ends. Most texts have none."""
    for number in sorted(_which().occurring(utf8))[1:]:
        name = LANGUAGES[number - 1]
        for start, end in _in_parts(_near(_said(utf8, name))):
            yield TextRange(name, _cut(utf8, max(0, start - _BEFORE)), _cut(utf8, min(len(utf8), end + _AFTER)))


def _near(ranges: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """From where to where that goes which is *said* so near to each other that it is read together."""
    start, end = next(ranges, (-1, -1))
    if end < 0:
        return
    for first, last in ranges:
        if first - _BEFORE > end + _AFTER:
            yield start, end
            start = first
        end = last
    yield start, end


def _in_parts(talks: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same, the long ones in parts that overlap, so that time and memory are bounded for each."""
    for start, end in talks:
        last = max(start + 1, end - _AGAIN_BYTES)  # what begins later was read with what comes before it
        for first in range(start, last, _PLACE_BYTES_MAX - _AGAIN_BYTES):
            yield first, min(first + _PLACE_BYTES_MAX, end)


def _said(utf8: bytes, name: str) -> Iterator[tuple[int, int]]:
    """Where words of one language may say a value, and do not only count."""
    match, counted, ranging = _hints(name)
    end, size = 0, len(utf8)
    while True:
        start, end = match(ANYWHERE, utf8, end, size)[0]
        if start < 0:
            return
        if end - start <= _COUNTING_BYTES_MAX:
            hint = utf8[start:end].lower()
            if hint.endswith(counted) or hint.startswith(ranging):
                continue
        yield start, end


def _cut(utf8: bytes, at: int) -> int:
    """The end of the word at *at*, or a place near it between two characters."""
    if at in (0, len(utf8)):
        return at
    space = utf8.find(b" ", at, at + _WORD_BYTES_MAX)
    if space >= 0:
        return space
    while at < len(utf8) and utf8[at] & 0xC0 == 0x80:
        at += 1
    return at


@cache
def _which() -> Prefilter:
    which = Prefilter(ignores_case=True, memory_bytes=_MEMORY_BYTES)
    for name in LANGUAGES:
        which.add(shipped()["hints"][name])
    return which


@cache
def _hints(name: str) -> tuple[Match, tuple[bytes, ...], tuple[bytes, ...]]:
    """What looks for the words of a language; words at the end, and at the beginning, of what only counts something."""
    hints = shipped()["languages"][name]["hints"]
    counted, ranging = (tuple(it.encode() for it in hints[key]) for key in ("counted", "ranging"))
    return matches(f"(?i){shipped()['hints'][name]}", memory_bytes=_MEMORY_BYTES), counted, ranging
