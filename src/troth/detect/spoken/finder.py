"""Finds values that are said in words: most texts hold none, which one pass of RE2 tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import re2

from troth.detect.finding import Finding
from troth.detect.spoken.addresses import addresses
from troth.detect.spoken.dates import ages, dates
from troth.detect.spoken.language import Language, language
from troth.detect.spoken.runs import digits_and_letters
from troth.detect.spoken.said import Said
from troth.detect.spoken.talk import Talk, hear
from troth.detect.text import Text

__all__ = ["Speech"]

_BEFORE: Final = 240
_AFTER: Final = 400
"""How many characters of a talk are read around words that may say a value."""

_GRAMMARS: Final = (addresses, dates, ages, digits_and_letters)


class Speech:
    """Finds values that are said in words. Time is linear in the text: each place is read once."""

    def find(self, text: Text) -> Iterator[Finding]:
        """Every value that is said; values may overlap."""
        english = language("en")
        for start, end in _windows(text, english):
            talk = hear(text.folded, start, end, english)
            for grammar in _GRAMMARS:
                found = list(grammar(talk, english))
                talk = talk.without(found)
                for said in found:
                    yield _finding(text, talk, said)


def _finding(text: Text, talk: Talk, said: Said) -> Finding:
    start, end = talk.starts[said.start], talk.ends[said.end - 1]
    return Finding(text.unfolded(start), text.unfolded(end - 1) + 1, said.type, said.score, "spoken", None, said.told)


def _windows(text: Text, language: Language) -> Iterator[tuple[int, int]]:
    """The parts of the text around words that may say a value, whole words at both ends, none overlapping."""
    start = end = -1
    for match in _hints(language.name).finditer(text.folded):
        first, last = match.span()
        if first > end:
            if end >= 0:
                yield start, end
            start = _word_start(text.folded, max(0, first - _BEFORE, end))
        end = _word_end(text.folded, max(end, last + _AFTER))
    if end >= 0:
        yield start, end


def _word_start(text: str, at: int) -> int:
    while 0 < at < len(text) and not text[at - 1].isspace():
        at -= 1
    return at


def _word_end(text: str, at: int) -> int:
    at = min(at, len(text))
    while at < len(text) and not text[at].isspace():
        at += 1
    return at


@cache
def _hints(name: str) -> re2._Regexp:  # type: ignore[name-defined]
    known = language(name)
    sure = _any(word for word, kind in known.kinds.items() if kind in "dotTmnhkOM")
    asking = _any(known.hints)
    options = re2.Options()
    options.case_sensitive = False
    pairs = (
        rf"(?:{sure}|\d+(?:st|nd|rd|th))[ ,-]+(?:[a-z]{{1,4}} ){{0,3}}(?:{sure}|[b-hj-z]|\d+)",
        rf"[b-hj-z][ ,-]+(?:{sure}|[b-z])",
        r"[a-z\d](?:[ -][a-z\d]){2}",
        r"[a-z] (?:as in [a-z]+|(?:for|like) [a-z]+ [a-z])",
        r"\d+, \d+",
        "dot [a-z]+",
    )
    return re2.compile(rf"\b(?:{'|'.join(pairs)}|{asking})\b", options)


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re2.escape, words))
