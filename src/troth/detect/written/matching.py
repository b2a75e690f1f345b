"""One pass over a text: which patterns occur at all, which of their words, then only what can find something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Final

import re2

from troth.detect.finding import Finding
from troth.detect.text import Text
from troth.detect.written.prefilter import Prefilter
from troth.detect.written.recogniser import Recogniser
from troth.detect.written.search import Search
from troth.detect.written.wordbook import Wordbook

__all__ = ["Matcher"]

_DIGIT: Final = re.compile(rb"\d")
_OPENING: Final = r"(?:\(\?[im]\)|\\b|\(\?:\^\|\[\^(?:\\.|[^\]])*\]\)|\(\?:\^\|\\s\)|\(\?:|\()*"
"""Flags, boundaries and brackets before what an expression begins with."""
_BEGINS_WITH_DIGIT: Final = re2.compile(_OPENING + r"(?:\\d|\[-?\d|\d|\\\(\??\\d|\\\+)")
_WITH_DIGITS: Final = {"digits", "digits and a local word"}
_BEGINS_WITH_LETTER: Final = re2.compile(_OPENING + r"\[(?:A-|a-|\\w)")


class Matcher:
    """Finds values that are written down. Time is linear in the text, whatever the text (RE2 does not backtrack)."""

    def __init__(self, recognisers: Sequence[Recogniser]) -> None:
        self._searches = [Search(recogniser, pattern) for recogniser in recognisers for pattern in recogniser.patterns]

    def find(self, text: Text) -> list[Finding]:
        """Every place that a recogniser vouches for; places may overlap."""
        wordbook, parts = self._parted
        utf8 = text.utf8
        has_digit = _DIGIT.search(utf8) is not None
        said: set[int] | None = None
        found: list[Finding] = []
        for part in parts:
            if part.needs_digit and not has_digit:
                continue
            if part.needs_words:
                said = wordbook.said(utf8) if said is None else said
                sought = part.told(utf8, said)
            else:
                sought = part.occurring(utf8)
            for search, before, after, against in sought:
                text.check_clock()
                if search.heeds_words:
                    said = wordbook.said(utf8) if said is None else said
                    found += search.find(text, before in said, after in said, against in said)
                else:
                    found += search.find(text, False, False, False)
        return found

    @cached_property
    def _parted(self) -> tuple[Wordbook, list[_Part]]:
        """The searches, parted by how their expressions begin: the states that RE2 has to keep for many multiply, but
        hardly do for those that begin alike.
        """
        wordbook = Wordbook()
        parts: dict[str, _Part] = {}
        for it in self._searches:
            how = _beginning(it)
            parts.setdefault(how, _Part(wordbook, needs_digit=how in _WITH_DIGITS, needs_words=it.needs_words)).add(it)
        return wordbook, list(parts.values())


def _beginning(search: Search) -> str:
    """What the values begin with, or what they need. Numbers that one country gives out all hold digits."""
    regex, is_local = search.pattern.regex, bool(search.recogniser.countries)
    if search.needs_words:
        return "digits and a local word" if is_local else "a word"
    if is_local or _BEGINS_WITH_DIGIT.match(regex):
        return "digits"
    return "a letter" if _BEGINS_WITH_LETTER.match(regex) else "a label"


_Sought = tuple[Search, int, int, int]
"""A search, and the numbers of its words before, after and against."""


class _Part:
    """Searches, and the prefilter that tells which of them are worth while."""

    def __init__(self, wordbook: Wordbook, *, needs_digit: bool, needs_words: bool) -> None:
        self.needs_digit = needs_digit
        self.needs_words = needs_words
        self._wordbook = wordbook
        self._patterns = Prefilter()
        self._by_pattern: list[list[_Sought]] = [[]]
        self._by_word: dict[int, list[tuple[int, _Sought]]] = {}

    def add(self, search: Search) -> None:
        """To the searches of this part."""
        said, is_local = search.recogniser.words, bool(search.recogniser.countries)
        before = self._wordbook.add(said.before, is_local=is_local)
        after = self._wordbook.add(said.after, is_local=is_local)
        against = self._wordbook.add(said.against, is_local=is_local, is_told=False)
        sought = search, before, after, against
        number = self._patterns.add(search.pattern.regex)
        self._by_pattern += [[] for _ in range(number - len(self._by_pattern) + 1)]
        self._by_pattern[number].append(sought)
        for word in {before, after}:
            self._by_word.setdefault(word, []).append((number, sought))

    def occurring(self, utf8: bytes) -> list[_Sought]:
        """The searches whose pattern occurs."""
        return [sought for number in self._patterns.occurring(utf8) for sought in self._by_pattern[number]]

    def told(self, utf8: bytes, said: set[int]) -> list[_Sought]:
        """The searches whose pattern occurs, and of whose words one is *said*."""
        words = said & self._by_word.keys()
        if not words:
            return []
        numbers = set(self._patterns.occurring(utf8))
        return [
            sought
            for word in words
            for number, sought in self._by_word[word]
            if number in numbers and (word == sought[1] or sought[1] not in said)
        ]
