"""Where in a text values may be said: words that say digits and letters side by side, dots, dates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

import re2

from troth.detect.expressions import Prefilter
from troth.detect.spoken.reading import shipped

__all__ = ["LANGUAGES", "Place", "places"]

_BEFORE: Final = 200
_AFTER: Final = 100
"""How many bytes of a talk are read around words that may say a value."""
_WORD_BYTES_MAX: Final = 64
_COUNTING_BYTES_MAX: Final = 48
"""``two hundred and fifty pounds``: what is longer counts nothing, but is a value with something said after it."""

LANGUAGES: Final = ("en", "es", "fr", "de")


class Place(NamedTuple):
    """Bytes *start* to *end* (not included) of a text, where values may be said in a language."""

    language: str
    start: int
    end: int


def places(utf8: bytes) -> Iterator[Place]:
    """The parts of a text in which values may be said, whole words at both ends. Most texts have none."""
    for number in sorted(_which().occurring(utf8))[1:]:
        name = LANGUAGES[number - 1]
        for start, end in _windows(utf8, name):
            yield Place(name, start, end)


def _windows(utf8: bytes, name: str) -> Iterator[tuple[int, int]]:
    """The parts for one language, none overlapping."""
    start = end = -1
    counted, ranging = _counting(name)
    for match in _hints(name).finditer(utf8):
        first, last = match.span()
        if last - first <= _COUNTING_BYTES_MAX:
            hint = utf8[first:last].lower()
            if hint.endswith(counted) or hint.startswith(ranging):
                continue
        if end < 0:
            start = first
        elif first - _BEFORE > end + _AFTER:
            yield _cut(utf8, max(0, start - _BEFORE)), _cut(utf8, min(len(utf8), end + _AFTER))
            start = first
        end = last
    if end >= 0:
        yield _cut(utf8, max(0, start - _BEFORE)), _cut(utf8, min(len(utf8), end + _AFTER))


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
    which = Prefilter(ignores_case=True)
    for name in LANGUAGES:
        which.add(shipped()["hints"][name])
    return which


@cache
def _counting(name: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Words at the end, and at the beginning, of what only counts something."""
    hints = shipped()["languages"][name]["hints"]
    counted, ranging = (tuple(it.encode() for it in hints[key]) for key in ("counted", "ranging"))
    return counted, ranging


@cache
def _hints(name: str) -> re2._Regexp:
    options = re2.Options()
    options.case_sensitive = False
    return re2.compile(shipped()["hints"][name].encode(), options)
