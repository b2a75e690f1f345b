"""One pass over a text: which patterns occur at all, which of their words, then only what can find something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Final

import re2

from troth.detect.finding import Finding
from troth.detect.text import Text
from troth.detect.written.prefilter import Prefilter
from troth.detect.written.recogniser import Recogniser
from troth.detect.written.search import Search
from troth.detect.written.wordbook import DIGIT, NEVER, Wordbook

__all__ = ["Matcher"]

_BETWEEN: Final = b"\n" + bytes(48) + b"\n"
"""Stands around texts that are searched together: no value goes across it, and no word is near enough beyond it."""
_made: Final = partial(tuple.__new__, Finding)
"""`Finding` of a tuple, without a call of Python for each."""
_OPENING: Final = r"(?:\(\?[im]\)|\\b|\(\?:\^\|\[\^(?:\\.|[^\]])*\]\)|\(\?:\^\|\\s\)|\(\?:|\()*"
"""Flags, boundaries and brackets before what an expression begins with."""
_BEGINS_WITH_DIGIT: Final = re2.compile(_OPENING + r"(?:\\d|\[-?\d|\d|\\\(\??\\d|\\\+)")
_WITH_DIGITS: Final = {"digits", "digits and a local word"}
_BEGINS_WITH_LETTER: Final = re2.compile(_OPENING + r"\[(?:A-|a-|\\w)")


_Sought = tuple[Search, bool, bool, bool]
"""A search, and whether a text says any of its words before, after and against."""


class Matcher:
    """Finds values that are written down. Time is linear in the text, whatever the text (RE2 does not backtrack)."""

    def __init__(self, recognisers: Sequence[Recogniser]) -> None:
        self._searches = [Search(recogniser, pattern) for recogniser in recognisers for pattern in recogniser.patterns]

    def find(self, text: Text) -> list[Finding]:
        """Every place that a recogniser vouches for; places may overlap."""
        return self.find_each([text])[0]

    def find_each(self, texts: Sequence[Text]) -> list[list[Finding]]:
        """The same for many texts, half as fast again: an expression is asked once for all texts that it occurs in."""
        wordbook, parts = self._parted
        found: list[list[Finding]] = [[] for _ in texts]
        saids = [wordbook.said(text.utf8) for text in texts]
        for part in parts:
            for sought, places in part.sought(texts, saids).items():
                _find(sought, [(texts[at], found[at]) for at in places])
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


def _find(sought: _Sought, places: Sequence[tuple[Text, list[Finding]]]) -> None:
    """Adds what is sought in texts, which are laid end to end, to the findings of each. One alone is laid like many, or
    its ends would be others.
    """
    search, *said = sought
    kind, name = search.recogniser.type, search.recogniser.name
    for text, _ in places:
        text.check_clock()
    laid = _BETWEEN.join([b"", *(text.utf8 for text, _ in places), b""])
    at, begins, ends, past, before = -1, 0, 0, len(_BETWEEN), 0
    for start, end, score, checked, told in search.find(laid, *said):
        while at < 0 or start >= past:
            at += 1
            text, found = places[at]
            begins, ends, before = past, past + len(text.utf8), len(found)
            past = ends + len(_BETWEEN)
        first, last = start - begins, end - begins
        if first < 0 or end > ends:
            if len(places) > 1:  # it goes on in the next text, and hides what is in either: they are asked one by one
                del found[before:]
                for alone in places[at:]:
                    _find(sought, [alone])
                return
            first, last = max(first, 0), min(last, len(text.utf8))
            if first >= last:
                continue
        if not text.is_plain:
            first, last = text.offset(first), text.offset(last)
        found.append(_made((first, last, kind, score, name, checked, told)))


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
        self._needs_digit = needs_digit
        self._needs_words = needs_words
        self._wordbook = wordbook
        self._patterns = Prefilter()
        self._words: set[int] = set()
        self._by_pattern: list[list[tuple[Search, int, int, int]]] = [[]]

    def add(self, search: Search) -> None:
        """To the searches of this part."""
        words, is_local = search.recogniser.words, bool(search.recogniser.countries)
        before = self._wordbook.add(words.before, is_local=is_local)
        after = self._wordbook.add(words.after, is_local=is_local)
        against = self._wordbook.add(words.against, is_local=is_local, is_told=False)
        self._words |= {before, after}
        number = self._patterns.add(search.pattern.regex)
        self._by_pattern += [[] for _ in range(number - len(self._by_pattern) + 1)]
        heeded = (before, after, against) if search.heeds_words else (NEVER, NEVER, NEVER)
        self._by_pattern[number].append((search, *heeded))

    def sought(self, texts: Sequence[Text], saids: Sequence[set[int]]) -> dict[_Sought, list[int]]:
        """The searches whose pattern occurs in a text, and of whose words one is said where they need one; each with
        the places of those texts.
        """
        sought: dict[_Sought, list[int]] = defaultdict(list)
        for at, said in enumerate(saids):
            if (self._needs_digit and DIGIT not in said) or (self._needs_words and said.isdisjoint(self._words)):
                continue
            for number in self._patterns.occurring(texts[at].utf8):
                for search, before, after, against in self._by_pattern[number]:
                    is_before, is_after = before in said, after in said
                    if is_before or is_after or not self._needs_words:
                        sought[search, is_before, is_after, against in said].append(at)
        return sought
