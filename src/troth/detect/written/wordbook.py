"""The words of all recognisers, and which of them a text says."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from troth.detect.written import words
from troth.detect.written.prefilter import Prefilter
from troth.detect.written.vocabulary import Vocabulary

__all__ = ["Said", "Wordbook"]

_DIGIT: Final = re.compile(rb"\d")
_ALWAYS: Final = 0
_NEVER: Final = -(1 << 30)


class Wordbook:
    """Numbers lists of words. Those of single countries are many, and most texts say none of them: one expression tells
    so, and only where it does they are looked up. Add first, then ask.
    """

    def __init__(self) -> None:
        self._everywhere = Prefilter()
        self._local = Vocabulary()
        self._local_words: set[str] = set()

    def add(self, these: tuple[str, ...], *, is_local: bool, is_told: bool = True) -> int:
        """The number of a list of words; of the same one, the same number. Where they tell nothing but what a value is
        not (*is_told* is false), it is not worth while to ask for those of single countries.
        """
        if not these:
            return _NEVER
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
        return self._everywhere.add(words.regex(self._local_words)) if self._local_words else _NEVER


class Said:
    """What a text says, asked once, when it is first of interest."""

    __slots__ = ("_numbers", "_wordbook", "has_digit", "utf8")

    def __init__(self, wordbook: Wordbook, utf8: bytes) -> None:
        self.utf8 = utf8
        self.has_digit = _DIGIT.search(utf8) is not None
        self._wordbook = wordbook
        self._numbers: set[int] | None = None

    @property
    def numbers(self) -> set[int]:
        """The numbers of the lists of which the text says a word."""
        if self._numbers is None:
            self._numbers = self._wordbook.said(self.utf8)
        return self._numbers
