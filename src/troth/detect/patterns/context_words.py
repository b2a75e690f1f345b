"""The words of all recognisers, and which of them a text says."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from troth.detect.expressions import Prefilter
from troth.detect.patterns import words
from troth.detect.patterns.vocabulary import WordIndex

ALWAYS: Final = 0
"""Said by every text."""
DIGIT: Final = 1
"""Said by every text that has a digit."""
NEVER: Final = -(1 << 30)
"""Said by none: the number of no words."""
_OFTEN: Final = frozenset(
    {"account", "account number", "id", "national insurance", "postcode", "social security", "sort code"}
)
"""Words of single countries that English texts often say."""


class Wordbook:
    """Numbers lists of words. Those of single countries are many, and most texts say none of them: one expression tells
    so, and only where it does they are looked up. Add first, then ask.
    """

    def __init__(self) -> None:
        self._asked = Prefilter()
        self._looked_up = WordIndex()
        self._seldom: set[str] = set()
        assert self._asked.add(r"\d") == DIGIT

    def add(self, these: tuple[str, ...], *, is_local: bool, is_told: bool = True) -> int:
        """The number of a list of words; of the same one, the same number. Where they tell nothing but what a value is
        not (*is_told* is false), it is not worth while to ask for those of single countries.
        """
        if not these:
            return NEVER
        if is_local and not is_told:
            return ALWAYS
        if not is_local or not _OFTEN.isdisjoint(these):
            return self._asked.add(words.sign(these))
        self._seldom.update(these)
        return self._looked_up.add(these)

    def said(self, utf8: bytes) -> set[int]:
        """The numbers of the lists of which a text says a word, or may say it."""
        any_seldom = self._any_seldom
        numbers = set(self._asked.occurring(utf8.replace(b"_", b" ")))
        if any_seldom in numbers:
            numbers |= self._looked_up.occurring(utf8)
        return numbers

    @cached_property
    def _any_seldom(self) -> int:
        """The number of one expression for all words that are looked up."""
        return self._asked.add(words.sign(tuple(self._seldom))) if self._seldom else NEVER
