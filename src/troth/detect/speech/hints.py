"""Locates where a text may contain spoken values: adjacent words for digits and letters, dots, dates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from troth.detect.expressions import ANYWHERE, Match, Prefilter, matches
from troth.detect.speech.loader import shipped

_BEFORE: Final = 200
_AFTER: Final = 100
"""How many bytes of context are read around words that may express a value."""
_PLACE_BYTES_MAX: Final = 8 << 10
_AGAIN_BYTES: Final = 1 << 10
"""How much of a very long talk is read at once, and the overlap of consecutive parts: more than the exchange of one
value takes."""
_WORD_BYTES_MAX: Final = 64
_COUNTING_BYTES_MAX: Final = 48
"""``two hundred and fifty pounds``: longer hints are not counts, but values with other words after them."""
_MEMORY_BYTES: Final = 16 << 20
"""With less, RE2 discards states on varied talk that it soon needs again, and is several times as slow."""

LANGUAGES: Final = ("en", "es", "fr", "de")


class TextRange(NamedTuple):
    """Bytes *start* to *end* (exclusive) of a text in which values may be spoken in that language."""

    language: str
    start: int
    end: int


def places(utf8: bytes) -> Iterator[TextRange]:
    """The parts of a text in which values may be spoken, cut at word boundaries. Most texts have none."""
    for number in sorted(_which().occurring(utf8))[1:]:
        name = LANGUAGES[number - 1]
        for start, end in _in_parts(_near(_said(utf8, name))):
            yield TextRange(name, _cut(utf8, max(0, start - _BEFORE)), _cut(utf8, min(len(utf8), end + _AFTER)))


def _near(ranges: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Merges *ranges* that are close enough to be read together."""
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
    """The same, with long ranges split into overlapping parts, so that time and memory are bounded for each."""
    for start, end in talks:
        last = max(start + 1, end - _AGAIN_BYTES)  # anything that starts later is in the previous part
        for first in range(start, last, _PLACE_BYTES_MAX - _AGAIN_BYTES):
            yield first, min(first + _PLACE_BYTES_MAX, end)


def _said(utf8: bytes, name: str) -> Iterator[tuple[int, int]]:
    """Where words of a language may express a value rather than a count."""
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
    """The end of the word at *at*, or a character boundary near it."""
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
    """A matcher for the words of a language, and the words at the end and start of mere counts."""
    hints = shipped()["languages"][name]["hints"]
    counted, ranging = (tuple(it.encode() for it in hints[key]) for key in ("counted", "ranging"))
    return matches(f"(?i){shipped()['hints'][name]}", memory_bytes=_MEMORY_BYTES), counted, ranging
