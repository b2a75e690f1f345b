"""Where in a text values may be said: words that say digits and letters side by side, dots, dates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import re2

from troth.detect.spoken.language import Language, language

__all__ = ["windows"]

_BEFORE: Final = 200
_AFTER: Final = 160
"""How many bytes of a talk are read around words that may say a value."""
_WORD_BYTES_MAX: Final = 64


def windows(utf8: bytes, spoken: Language) -> Iterator[tuple[int, int]]:
    """The parts of a text in which values may be said: whole words at both ends, none overlapping."""
    start = end = -1
    for match in _hints(spoken.name).finditer(utf8):
        first, last = match.span()
        if end < 0 or first - _BEFORE > end:
            if end >= 0:
                yield start, end
            start = _cut(utf8, max(0, first - _BEFORE))
        end = _cut(utf8, min(len(utf8), last + _AFTER))
    if end >= 0:
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
def _hints(name: str) -> re2._Regexp:
    spoken = language(name)
    number = _words(spoken, "dotTm")
    after = f"{number}|{_words(spoken, 'hk')}"
    alphabet = _words(spoken, "n")
    month, ordinal = _words(spoken, "M"), _words(spoken, "O")
    filler = _any(spoken.fillers)
    patterns = (
        rf"\b(?:{number})[ ,-]+(?:(?:{filler}) ){{0,2}}(?:{after}|{alphabet}|[b-hj-z]\b|\d)",
        rf"[^'\w](?:[b-hj-z])[ -](?:{number}|{alphabet}|[b-z]\b)",
        rf"\b(?:{alphabet})[ ,-]+(?:{alphabet}|{number}|[b-z]\b)",
        r"[^'\w][b-hj-z] (?:as in |(?:for|like) [a-z]+ [a-z]\b)",
        r"\b\w[ -]\w[ -]\w[ -]\w\b",
        rf"\b(?:{ordinal}) (?:of )?(?:the )?(?:{month}|{ordinal})\b",
        rf"\b(?:{month}) (?:the )?(?:{ordinal}|{number})\b",
        rf"\bdot (?:[a-z] [a-z]\b|{_any(spoken.domains)})",
        rf"\bat (?:{_any(spoken.providers)})\b",
        rf"\b(?:{_any(spoken.hints)})",
        rf"\b(?:i'm|he's|she's|i am|he is|she is|aged|turned) (?:[a-z]+ )?(?:{number})\b",
    )
    options = re2.Options()
    options.case_sensitive = False
    return re2.compile("|".join(patterns).encode(), options)


def _words(spoken: Language, kinds: str) -> str:
    return _any(word for word, kind in spoken.kinds.items() if kind in kinds)


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re2.escape, sorted(words)))
