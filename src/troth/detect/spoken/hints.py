"""Where in a text values may be said: words that say digits and letters side by side, dots, dates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import re2

from troth.detect.spoken.language import Language, language

__all__ = ["languages", "windows"]

_BEFORE: Final = 200
_AFTER: Final = 100
"""How many bytes of a talk are read around words that may say a value."""
_NEVER: Final = r"\A\z\A"
_WORD_BYTES_MAX: Final = 64


LANGUAGES: Final = ("en", "es", "fr", "de")


def languages(utf8: bytes) -> list[Language]:
    """The languages in which a text may say values; none in most texts."""
    return [language(LANGUAGES[at]) for at in sorted(_which().Match(utf8) or ())]


def windows(utf8: bytes, spoken: Language) -> Iterator[tuple[int, int]]:
    """The parts of a text in which values may be said: whole words at both ends, none overlapping."""
    start = end = -1
    counted, ranging = (tuple(it.encode() for it in words) for words in (spoken.hints.counted, spoken.hints.ranging))
    for match in _hints(spoken.name).finditer(utf8):
        first, last = match.span()
        hint = utf8[first:last].lower()
        if hint.endswith(counted) or hint.startswith(ranging):
            continue
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
def _which() -> re2.Set:
    options = re2.Options()
    options.case_sensitive = False
    which = re2.Set.SearchSet(options)
    for name in LANGUAGES:
        which.Add("|".join(_patterns(language(name))))
    which.Compile()
    return which


@cache
def _hints(name: str) -> re2._Regexp:
    options = re2.Options()
    options.case_sensitive = False
    return re2.compile("|".join(_patterns(language(name))).encode(), options)


def _patterns(spoken: Language) -> Iterator[str]:
    hints = spoken.hints
    number, alphabet = _words(spoken, "dotTm"), _words(spoken, "n")
    after = rf"(?:{number}|{_words(spoken, 'hk')}|{alphabet}|[b-hj-z])\b|\d"
    between = rf"[ ,-]+(?:(?:{_any(hints.fillers)}) ){{0,2}}"
    of = rf"(?: (?:{_any(hints.counted)})\b)?" if hints.counted else ""
    since = rf"(?:(?:{_any(hints.ranging)}) )?" if hints.ranging else ""
    before = rf"\b{since}(?:{number})" + rf"{between}(?:{number})" * (hints.in_a_row - 2)
    yield rf"{before}{between}(?:{after}){of}"
    if hints.letters:
        yield r"\b\w[ -]\w[ -]\w[ -]\w\b"
        letter = rf"[b-hj-z]|{_any(word for word, kind in spoken.kinds.items() if kind == 'l' and len(word) > 1)}"
        yield rf"[^'\w](?:{letter})[ -](?:{number}|{alphabet}|[ai]|{letter})\b"
        yield rf"\b(?:{number})[ -](?:{letter})\b"
        yield rf"\b(?:{alphabet})[ ,-]+(?:{alphabet}|{number}|[b-z])\b"
        yield rf"\b(?:{_words(spoken, '@')}) (?:{_any(spoken.providers)})\b"
    if spoken.months:
        month, ordinal = _any(spoken.months), _words(spoken, "O")
        yield rf"\b(?:{ordinal}) (?:of )?(?:the )?(?:{month}|{ordinal})\b"
        yield rf"\b(?:{month}) (?:the )?(?:{ordinal}|{number})\b"
    said = rf"(?:(?:{_any(hints.fillers)}) ){{0,2}}(?:[a-z] [a-z]|{_any(spoken.domains)})\b"
    yield rf"\b(?:{_words(spoken, '.')}) {said}"
    if hints.words:
        yield rf"\b(?:{_any(hints.words)})\W+(?:\w+\W+){{0,5}}(?:{number})\b{of}"
    yield from (pattern.format(number=number) for pattern in hints.patterns)


def _words(spoken: Language, kinds: str) -> str:
    return _any(word for word, kind in spoken.kinds.items() if kind in kinds and word[-1].isalpha()) or _NEVER


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re2.escape, sorted(words)))
