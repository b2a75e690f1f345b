"""One pass over a text: which patterns occur at all, which of their words, then only what can find something."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import re2

from troth.detect.finding import Finding
from troth.detect.text import Text
from troth.detect.written.prefilter import Prefilter
from troth.detect.written.recogniser import Recogniser
from troth.detect.written.search import Search
from troth.detect.written.wordbook import Said, Wordbook

__all__ = ["Matcher"]

_DIGIT: Final = re2.compile(rb"\d")
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
        wordbook, parts = self._compiled
        said = Said(wordbook, text.utf8)
        has_digit = _DIGIT.search(text.utf8) is not None
        found: list[Finding] = []
        for part in parts:
            if has_digit or not part.needs_digit:
                found += part.find(text, said)
        return found

    @cached_property
    def _compiled(self) -> tuple[Wordbook, list[_Part]]:
        """The searches, parted by how their expressions begin: the states that RE2 has to keep for many multiply, but
        hardly do for those that begin alike.
        """
        wordbook = Wordbook()
        parts: dict[str, _Part] = {}
        for it in self._searches:
            how = _beginning(it)
            parts.setdefault(how, _Part(wordbook, needs_digit=how in _WITH_DIGITS, needs_words=it.needs_words)).add(it)
        for part in parts.values():
            part.compile()
        wordbook.compile()
        return wordbook, list(parts.values())


def _beginning(search: Search) -> str:
    """What the values begin with, or what they need. Numbers that one country gives out all hold digits."""
    regex, is_local = search.pattern.regex, bool(search.recogniser.countries)
    if search.needs_words:
        return "digits and a local word" if is_local else "a word"
    if is_local or _BEGINS_WITH_DIGIT.match(regex):
        return "digits"
    return "a letter" if _BEGINS_WITH_LETTER.match(regex) else "a label"


class _Part:
    """Searches, and the prefilter that tells which of them are worth while."""

    def __init__(self, wordbook: Wordbook, *, needs_digit: bool, needs_words: bool) -> None:
        self.needs_digit = needs_digit
        self._needs_words = needs_words
        self._wordbook = wordbook
        self._patterns = Prefilter()
        self._words: set[int] = set()
        self._searches: dict[int, list[tuple[Search, int, int, int]]] = {}

    def add(self, search: Search) -> None:
        """To the searches of this part."""
        said, is_local = search.recogniser.words, bool(search.recogniser.countries)
        before, after, against = (
            self._wordbook.add(these, is_local=is_local) for these in (said.before, said.after, said.against)
        )
        self._words |= {before, after}
        number = self._patterns.add(search.pattern.regex)
        self._searches.setdefault(number, []).append((search, before, after, against))

    def compile(self) -> None:
        """Has to be called once, when everything is added."""
        self._patterns.compile()

    def find(self, text: Text, said: Said) -> list[Finding]:
        """What the searches find whose pattern occurs, and whose words do where it needs them."""
        found: list[Finding] = []
        if self._needs_words and said.numbers.isdisjoint(self._words):
            return found
        for number in self._patterns.occurring(text.utf8):
            for search, before, after, against in self._searches.get(number, ()):
                text.check_clock()
                if not search.heeds_words:
                    found += search.find(text, False, False, False)
                elif before in said.numbers or after in said.numbers or not search.needs_words:
                    found += search.find(text, before in said.numbers, after in said.numbers, against in said.numbers)
        return found
