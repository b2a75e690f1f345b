"""The words of all recognisers, and which of them a text says."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from troth.detect.written import words
from troth.detect.written.prefilter import Prefilter
from troth.detect.written.vocabulary import Vocabulary

__all__ = ["Said", "Wordbook"]

_NEVER: Final = 0


class Wordbook:
    """Numbers lists of words. Those of single countries are many, and most texts say none of them: one expression tells
    so, and only where it does they are looked up.
    """

    def __init__(self) -> None:
        self._everywhere = Prefilter()
        self._local = Vocabulary()
        self._local_words: set[str] = set()
        self._any_local = _NEVER

    def add(self, these: tuple[str, ...], *, is_local: bool) -> int:
        """The number of a list of words; of the same one, the same number."""
        if not these:
            return _NEVER
        if not is_local:
            return self._everywhere.add(words.regex(these))
        self._local_words.update(these)
        return -self._local.add(these)

    def compile(self) -> None:
        """Has to be called once, when everything is added."""
        self._any_local = self._everywhere.add(words.regex(self._local_words)) if self._local_words else _NEVER
        self._everywhere.compile()

    def said(self, utf8: bytes) -> set[int]:
        """The numbers of the lists of which a text says a word, or may say it."""
        numbers = set(self._everywhere.occurring(utf8)) - {_NEVER}
        if self._any_local in numbers:
            numbers |= {-it for it in self._local.occurring(utf8)}
        return numbers


class Said:
    """What a text says, asked when it is first of interest."""

    def __init__(self, wordbook: Wordbook, utf8: bytes) -> None:
        self._wordbook = wordbook
        self._utf8 = utf8

    @cached_property
    def numbers(self) -> set[int]:
        """The numbers of the lists of which the text says a word."""
        return self._wordbook.said(self._utf8)
