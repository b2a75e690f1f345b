"""The words of all recognisers, and which of them a text says."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from troth.detect.written import words
from troth.detect.written.prefilter import Prefilter
from troth.detect.written.vocabulary import Vocabulary

__all__ = ["DIGIT", "NEVER", "Wordbook"]

DIGIT: Final = 1
"""Said by every text that has a digit."""
NEVER: Final = -(1 << 30)
"""Said by none: the number of a list without words."""
_ALWAYS: Final = 0


class Wordbook:
    """Numbers lists of words. Those of single countries are many, and most texts say none of them: one expression tells
    so, and only where it does they are looked up. Add first, then ask.
    """

    def __init__(self) -> None:
        self._everywhere = Prefilter()
        assert self._everywhere.add(r"\d") == DIGIT
        self._local = Vocabulary()
        self._local_words: set[str] = set()

    def add(self, these: tuple[str, ...], *, is_local: bool, is_told: bool = True) -> int:
        """The number of a list of words; of the same one, the same number. Where they tell nothing but what a value is
        not (*is_told* is false), it is not worth while to ask for those of single countries.
        """
        if not these:
            return NEVER
        if is_local and not is_told:
            return _ALWAYS
        if not is_local:
            return self._everywhere.add(words.regex(these))
        self._local_words.update(these)
        return -self._local.add(these)

    def said(self, utf8: bytes) -> set[int]:
        """The numbers of the lists of which a text says a word, or may say it."""
        any_local = self._any_local
        numbers = set(self._everywhere.occurring(utf8))
        if any_local in numbers:
            numbers.update(-it for it in self._local.occurring(utf8))
        return numbers

    @cached_property
    def _any_local(self) -> int:
        """The number of one expression for all words of single countries."""
        return self._everywhere.add(words.regex(self._local_words)) if self._local_words else NEVER
