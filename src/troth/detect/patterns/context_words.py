"""Detects which context words of all recognisers occur in a text."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from troth.detect.expressions import Prefilter
from troth.detect.patterns import words
from troth.detect.patterns.vocabulary import WordIndex

ALWAYS: Final = 0
"""Occurs in every text."""
DIGIT: Final = 1
"""Occurs in every text with a digit."""
NEVER: Final = -(1 << 30)
"""Occurs in no text: the number of an empty list."""
_OFTEN: Final = frozenset(
    {"account", "account number", "id", "national insurance", "postcode", "social security", "sort code"}
)
"""Words of single countries that are common in English texts."""


class Wordbook:
    """Numbers lists of words. Those of single countries are many and rare in most texts: one expression detects whether
    any occurs, and only then they are looked up. Add all lists before searching."""

    def __init__(self) -> None:
        self._asked = Prefilter()
        self._looked_up = WordIndex()
        self._seldom: set[str] = set()
        assert self._asked.add(r"\d") == DIGIT

    def add(self, these: tuple[str, ...], *, is_local: bool, is_told: bool = True) -> int:
        """The number of a list of words; equal lists have the same number. If words only count against a value
        (*is_told* is false), searching for those of single countries is not worthwhile."""
        if not these:
            return NEVER
        if is_local and not is_told:
            return ALWAYS
        if not is_local or not _OFTEN.isdisjoint(these):
            return self._asked.add(words.sign(these))
        self._seldom.update(these)
        return self._looked_up.add(these)

    def said(self, utf8: bytes) -> set[int]:
        """The numbers of the lists of which the text contains, or may contain, a word."""
        any_seldom = self._any_seldom
        numbers = set(self._asked.occurring(utf8.replace(b"_", b" ")))
        if any_seldom in numbers:
            numbers |= self._looked_up.occurring(utf8)
        return numbers

    @cached_property
    def _any_seldom(self) -> int:
        """The number of a single expression for all words that are looked up."""
        return self._asked.add(words.sign(tuple(self._seldom))) if self._seldom else NEVER
