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

_NO_WORDS: Final = (False, False, False)
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
        return self.find_each([text])[0]

    def find_each(self, texts: Sequence[Text]) -> list[list[Finding]]:
        """The same for many texts, half as fast again: an expression that has just been asked is still at hand."""
        wordbook, parts = self._parted
        found: list[list[Finding]] = [[] for _ in texts]
        saids = [Said(wordbook, text.utf8) for text in texts]
        for part in parts:
            wanted: dict[Search, list[tuple[int, tuple[bool, bool, bool]]]] = {}
            for at, said in enumerate(saids):
                for search, before, after, against in part.sought(said):
                    words = _NO_WORDS
                    if search.heeds_words:
                        words = before in said.numbers, after in said.numbers, against in said.numbers
                    wanted.setdefault(search, []).append((at, words))
            for search, places in wanted.items():
                for at, words in places:
                    texts[at].check_clock()
                    found[at] += search.find(texts[at], *words)
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
        self._needs_digit = needs_digit
        self._needs_words = needs_words
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

    def sought(self, said: Said) -> list[_Sought]:
        """The searches whose pattern occurs in a text, and of whose words one is said where they need one."""
        if self._needs_digit and not said.has_digit:
            return []
        if not self._needs_words:
            return [it for number in self._patterns.occurring(said.utf8) for it in self._by_pattern[number]]
        words = said.numbers & self._by_word.keys()
        numbers = set(self._patterns.occurring(said.utf8)) if words else set()
        return [
            sought
            for word in words
            for number, sought in self._by_word[word]
            if number in numbers and (word == sought[1] or sought[1] not in words)
        ]
