"""The search for one pattern of one recogniser: matches, check digits, context words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from typing import Final

from troth.detect.expressions import ANYWHERE, FROM_START, Match, matches
from troth.detect.patterns import words
from troth.detect.patterns.checks import CHECKS
from troth.detect.patterns.recogniser import Pattern, Recogniser

_BEFORE: Final = 48
_AFTER: Final = 24
"""How many bytes before and after a value are searched for context words."""
_FARNESS: Final = 0.001
"""Score penalty per byte between a word and the value: the nearer of two words is the more likely one."""
_DENIED: Final = -1
_TURNS: Final = 256
"""Number of matches between checks of the clock."""
_LISTS_KEPT: Final = 512
"""Cache size for the expressions of word lists, which many patterns share."""

Hit = tuple[int, int, float, bool | None, bool]
"""Byte range of a value, its score, whether its check passes, and whether context words apply."""


class Search:
    """Searches for one pattern. Its expressions are compiled lazily, since most are never needed.

    This is the hot path.
    """

    def __init__(self, recogniser: Recogniser, pattern: Pattern) -> None:
        self.recogniser = recogniser
        self.pattern = pattern
        self.needs_words = pattern.scores.need_words
        self.heeds_words = pattern.scores.heed_words or bool(recogniser.words.against)

    def find(
        self, utf8: bytes, *, any_said: bool = True, check_clock: Callable[[], None] = lambda: None
    ) -> Iterator[Hit]:
        """All matches with sufficient evidence; *any_said* is whether the text contains any of its words. *check_clock*
        is called often and may raise."""
        match, group, check, needs_check, scores, once = self._ready
        heeds, needs_words = any_said and self.heeds_words, self.needs_words
        size, at, told, last = len(utf8), 0, None, None
        for turn in itertools.count():
            if not turn % _TURNS:
                check_clock()
            spans = match(ANYWHERE, utf8, at, size)
            start, end = spans[group]
            if start < 0:
                _, past = spans[0]
                if past < 0:
                    return
                at = max(past, at + 1)  # skip what has no value, and everything inside it
                continue
            at = end if end > at else at + 1  # not the match's end: its boundary may also bound the next value
            checked = None if check is None else check(utf8[start:end].decode("utf-8", "replace"))
            if needs_check and not checked:
                if not needs_words:
                    at = start + 1  # a value may be inside what looked like a longer one
                continue
            if heeds:
                told = self.told(utf8, start, end)
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

    def told(self, utf8: bytes, start: int, end: int) -> int | None:
        """Distance in bytes from the value at *start* to *end* to the nearest word that identifies it.

        None if there is none, -1 if a nearer word identifies something else. A word before the value may adjoin it, but
        not overlap it.
        """
        before, after, against = self._words
        near = None
        farthest = start - _BEFORE - 1 if start > _BEFORE else 0  # position of a word's boundary
        if before is not None:
            _, past = before(FROM_START, utf8, farthest, start + 1)[0]
            if past >= start:
                return 0
            if past >= 0:
                near = start - past
        if after is not None:
            begin, _ = after(ANYWHERE, utf8, end - 1, min(len(utf8), end + _AFTER + 1))[0]
            if begin >= 0 and (near is None or begin - end < near):
                near = begin - end if begin > end else 0
        if against is not None and (near is not None or not self.needs_words):
            _, past = against(FROM_START, utf8, farthest, start + 1)[0]
            if past >= 0 and (near is None or max(0, start - past) < near):
                return _DENIED
        return near

    @cached_property
    def _words(self) -> tuple[Match | None, Match | None, Match | None]:
        """Searches for words before a value, after it, and against it."""
        known = self.recogniser.words
        return (
            _last_of(known.before) if known.before else None,
            _first_of(known.after) if known.after else None,
            _last_of(known.against) if known.against else None,
        )

    @cached_property
    def _ready(self) -> tuple[Match, int, Callable[[str], bool] | None, bool, tuple[float | None, ...], bool]:
        check = None if self.pattern.check is None else CHECKS[self.pattern.check]
        of = self.pattern.scores
        needs_check = check is not None and of.told is None
        scores = of.alone, of.checked, of.told, of.both
        match = matches(self.pattern.regex)
        group = min(len(match(FROM_START, b"", 0, 0)) - 1, 1)
        return match, group, check, needs_check, scores, self.recogniser.words.once


@lru_cache(_LISTS_KEPT)
def _last_of(these: tuple[str, ...]) -> Match:
    """A search for the last of the words, which a greedy star reaches in one step."""
    return matches(rf"\C*(?:{words.regex(these)})")


@lru_cache(_LISTS_KEPT)
def _first_of(these: tuple[str, ...]) -> Match:
    return matches(words.regex(these))
