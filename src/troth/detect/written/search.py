"""The search for one pattern of one recogniser: each place it matches, its check digits, the words near it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final

from troth.detect.expressions import ANYWHERE, FROM_START, Match, matches
from troth.detect.written import words
from troth.detect.written.checks import CHECKS
from troth.detect.written.recogniser import Pattern, Recogniser

__all__ = ["Hit", "Search"]

_BEFORE: Final = 48
_AFTER: Final = 24
"""How many bytes before and after a value are searched for words that say what it is."""
_FARNESS: Final = 0.001
"""What each byte between a word and the value takes from the score: of two words, the nearer is the likelier."""
_DENIED: Final = -1

Hit = tuple[int, int, float, bool | None, bool]
"""Where a value is, in bytes; its score; whether its check agrees; whether words told of it."""


class Search:
    """Looks for one pattern. Its expressions are compiled when they are first needed, since most never are.

    This is where the time goes, so RE2 is asked directly: its Python wrapper makes an object of each match.
    """

    def __init__(self, recogniser: Recogniser, pattern: Pattern) -> None:
        self.recogniser = recogniser
        self.pattern = pattern
        self.needs_words = pattern.scores.need_words
        self.heeds_words = pattern.scores.heed_words or bool(recogniser.words.against)

    def find(self, utf8: bytes, before: bool = True, after: bool = True, against: bool = True) -> Iterator[Hit]:
        """Every place that the evidence is good enough for; *before*, *after* and *against* say which of its words
        occur in the text at all.
        """
        match, group, check, needs_check, scores, once = self._ready
        heeds = self.heeds_words and (before or after or against)
        size, at, told, last = len(utf8), 0, None, None
        while True:
            spans = match(ANYWHERE, utf8, at, size)
            start, end = spans[group]
            if start < 0:
                start, end = spans[0]
                if start < 0:
                    return
            at = end if end > at else at + 1  # not the whole match's: what bounds this value may bound the next, too
            checked = None if check is None else check(utf8[start:end].decode("utf-8", "replace"))
            if needs_check and not checked:
                if not self.needs_words:
                    at = start + 1  # a value may stand in what looked like a longer one
                continue
            if heeds:
                told = self.told(utf8, start, end, before, after, against)
                if told is not None:
                    word = start - told
                    if told == _DENIED or (once and word == last):
                        continue
                    last = word
            score = scores[(checked is True) + 2 * (told is not None)]
            if score is not None and start < end:
                if told:
                    score = round(score - told * _FARNESS, 3)
                yield start, end, score, checked, told is not None

    def told(
        self, utf8: bytes, start: int, end: int, before: bool = True, after: bool = True, against: bool = True
    ) -> int | None:
        """How many bytes from the value at *start* to *end* the nearest word is that says what it is.

        None where there is none, -1 where a nearer one says that it is something else.
        """
        known = self.recogniser.words
        near = None
        if before and known.before:
            near = _before(self._before, utf8, start)
            if near == 0:
                return near
        if after and known.after:
            later = _after(self._after, utf8, end)
            if later is not None and (near is None or later < near):
                near = later
        if against and known.against and (near is not None or not self.needs_words):
            denied = _before(self._against, utf8, start)
            if denied is not None and (near is None or denied < near):
                return _DENIED
        return near

    @cached_property
    def _ready(self) -> tuple[Match, int, Callable[[str], bool] | None, bool, tuple[float | None, ...], bool]:
        check = None if self.pattern.check is None else CHECKS[self.pattern.check]
        of = self.pattern.scores
        needs_check = check is not None and of.told is None
        scores = of.alone, of.checked, of.told, of.both
        match = matches(self.pattern.regex)
        group = min(len(match(FROM_START, b"", 0, 0)) - 1, 1)
        return match, group, check, needs_check, scores, self.recogniser.words.once

    @cached_property
    def _before(self) -> Match:
        return _last_of(self.recogniser.words.before)

    @cached_property
    def _against(self) -> Match:
        return _last_of(self.recogniser.words.against)

    @cached_property
    def _after(self) -> Match:
        return matches(words.regex(self.recogniser.words.after))


def _last_of(these: tuple[str, ...]) -> Match:
    """A search for the last of the words, which a star that takes all it can get leads to in one step."""
    return matches(rf"\C*(?:{words.regex(these)})")


def _before(match: Match, utf8: bytes, start: int) -> int | None:
    """How far before *start* the last of the words ends; it may touch the value but not stand in it."""
    farthest = start - _BEFORE - 1  # where what bounds a word stands
    _, end = match(FROM_START, utf8, farthest if farthest > 0 else 0, start + 1)[0]
    if end < 0:
        return None
    return start - end if end < start else 0


def _after(match: Match, utf8: bytes, end: int) -> int | None:
    """How far after *end* the first of the words begins."""
    start, _ = match(ANYWHERE, utf8, end - 1, min(len(utf8), end + _AFTER + 1))[0]
    if start < 0:
        return None
    return start - end if start > end else 0
