"""One pass over a text: which words and patterns occur at all, then only the searches that can find something."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from troth.detect.finding import Finding
from troth.detect.text import Text
from troth.detect.written import words
from troth.detect.written.prefilter import Prefilter
from troth.detect.written.recogniser import Recogniser
from troth.detect.written.search import Search

__all__ = ["Matcher"]

_NEVER: Final = -1


class Matcher:
    """Finds values that are written down. Time is linear in the text, whatever the text (RE2 does not backtrack)."""

    def __init__(self, recognisers: Sequence[Recogniser]) -> None:
        self._searches = [Search(recogniser, pattern) for recogniser in recognisers for pattern in recogniser.patterns]

    def find(self, text: Text) -> list[Finding]:
        """Every place that a recogniser vouches for; places may overlap."""
        words_there, free, bound = self._prefilters
        said = set(words_there.occurring(text.utf8))
        found = free.find(text, said)
        if not said.isdisjoint(bound.words):
            found += bound.find(text, said)
        return found

    @cached_property
    def _prefilters(self) -> tuple[Prefilter, _Part, _Part]:
        """Three prefilters, since the states that RE2 has to keep multiply in one: for words, for patterns that need
        none, and for those that are nothing without them, which most texts are not asked about.
        """
        words_there = Prefilter()
        free, bound = _Part(words_there), _Part(words_there)
        for it in self._searches:
            (bound if it.pattern.scores.need_words else free).add(it)
        for it in words_there, free.patterns, bound.patterns:
            it.compile()
        return words_there, free, bound


class _Part:
    """Searches, and the prefilter that tells which of them are worth while."""

    def __init__(self, words_there: Prefilter) -> None:
        self.patterns = Prefilter()
        self.words: set[int] = set()
        """Of which one has to be said for a search of this part, where all of it need words."""
        self._words_there = words_there
        self._by_number: dict[int, list[tuple[Search, int, int, int]]] = {}

    def add(self, search: Search) -> None:
        """To the searches of this part."""
        said = search.recogniser.words
        before, after, against = self._number(said.before), self._number(said.after), self._number(said.against)
        self.words |= {before, after}
        sought = search, before, after, against
        self._by_number.setdefault(self.patterns.add(search.pattern.regex), []).append(sought)

    def find(self, text: Text, said: set[int]) -> list[Finding]:
        """What the searches find whose pattern occurs, and whose words do where it needs them."""
        found: list[Finding] = []
        for number in self.patterns.occurring(text.utf8):
            for search, before, after, against in self._by_number.get(number, ()):
                if before in said or after in said or not search.needs_words:
                    text.check_clock()
                    found += search.find(text, before in said, after in said, against in said)
        return found

    def _number(self, these: tuple[str, ...]) -> int:
        return self._words_there.add(words.regex(these)) if these else _NEVER
