"""The search for one pattern of one recogniser: each place it matches, its check digits, the words near it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, NamedTuple

import re2

from troth.detect.finding import Finding
from troth.detect.text import Text
from troth.detect.written import words
from troth.detect.written.checks import CHECKS
from troth.detect.written.recogniser import Pattern, Recogniser

__all__ = ["Search", "Told"]

_BEFORE: Final = 48
_AFTER: Final = 24
"""How many bytes before and after a value are searched for words that say what it is."""
_FARNESS: Final = 0.001
"""What each byte between a word and the value takes from the score: of two words, the nearer is the likelier."""
_NOWHERE: Final = (-1, -1)
_ANYWHERE: Final = re2._re2.RE2.Anchor.UNANCHORED


class Told(NamedTuple):
    """A word that says what a value is: where it stands, and how many bytes are between it and the value."""

    start: int
    end: int
    distance: int


class Search:
    """Looks for one pattern. Its expressions are compiled when they are first needed, since most never are."""

    def __init__(self, recogniser: Recogniser, pattern: Pattern) -> None:
        self.recogniser = recogniser
        self.pattern = pattern
        self.needs_words = pattern.scores.need_words
        self._needs_check = pattern.check is not None and pattern.scores.told is None
        self.heeds_words = pattern.scores.heed_words or bool(recogniser.words.against)
        self._scores = pattern.scores.alone, pattern.scores.checked, pattern.scores.told, pattern.scores.both
        self._once = recogniser.words.once
        self._check: Callable[[str], bool] | None = None if pattern.check is None else CHECKS[pattern.check]

    def find(self, text: Text, before: bool = True, after: bool = True, against: bool = True) -> list[Finding]:
        """Every place that the evidence is good enough for; *before*, *after* and *against* say which of its words
        occur in the text at all.
        """
        found: list[Finding] = []
        match, group = self._match
        check, scores, weigh = self._check, self._scores, self.heeds_words and (before or after or against)
        utf8, size, at = text.utf8, len(text.utf8), 0
        word: Told | None = None
        while True:
            spans = match(_ANYWHERE, utf8, at, size)
            if spans[0][0] < 0:
                return found
            start, end = place = spans[group] if spans[group] != _NOWHERE else spans[0]
            at = end  # not of the whole match: what bounds this value may bound the next one, too
            checked = None if check is None else check(utf8[start:end].decode("utf-8", "replace"))
            if self._needs_check and not checked:
                if not self.needs_words:
                    at = start + 1  # a value may stand in what looked like a longer one
                continue
            if weigh:
                last, word = word, self.told(utf8, start, end, before, after, against)
                if word is _DENIED or (self._once and word is not None and last is not None and word[:2] == last[:2]):
                    continue
            score = scores[(checked is True) + 2 * (word is not None)]
            if score is not None:
                found.append(self._finding(text, place, checked, score, word))

    def _finding(
        self, text: Text, at: tuple[int, int], checked: bool | None, score: float, word: Told | None
    ) -> Finding:
        start, end = at if text.is_plain else (text.offset(at[0]), text.offset(at[1]))
        if word is not None:
            score = round(score - word.distance * _FARNESS, 3)
        return Finding(start, end, self.recogniser.type, score, self.recogniser.name, checked, word is not None)

    def told(
        self, utf8: bytes, start: int, end: int, before: bool = True, after: bool = True, against: bool = True
    ) -> Told | None:
        """The nearest word that says what is at *start* to *end*; `_DENIED` where a nearer one says that it is not."""
        known = self.recogniser.words
        said = self._last(self._before, utf8, start) if before and known.before else None
        if after and known.after and (said is None or said.distance):
            later = self._first(self._after, utf8, end)
            if later is not None and (said is None or later.distance < said.distance):
                said = later
        if against and known.against and (said is not None or not self.needs_words):
            denied = self._last(self._against, utf8, start)
            if denied is not None and (said is None or denied.distance < said.distance):
                return _DENIED
        return said

    @cached_property
    def _match(self) -> tuple[Any, int]:
        return _searching(self.pattern.regex)

    @cached_property
    def _before(self) -> Any:
        return _searching(words.regex(self.recogniser.words.before))[0]

    @cached_property
    def _after(self) -> Any:
        return _searching(words.regex(self.recogniser.words.after))[0]

    @cached_property
    def _against(self) -> Any:
        return _searching(words.regex(self.recogniser.words.against))[0]

    @staticmethod
    def _last(match: Any, utf8: bytes, start: int) -> Told | None:
        """The last of the words before *start*, which may touch the value but not stand in it."""
        last = None
        at = start - _BEFORE if start > _BEFORE else 0
        while True:
            span = match(_ANYWHERE, utf8, at, start + 1)[0]
            if span[0] < 0:
                return last
            at = span[1]
            last = Told(span[0], at, start - at if at < start else 0)

    @staticmethod
    def _first(match: Any, utf8: bytes, end: int) -> Told | None:
        """The first of the words after *end*."""
        start, stop = match(_ANYWHERE, utf8, end - 1, min(len(utf8), end + _AFTER))[0]
        return None if start < 0 else Told(start, stop, max(0, start - end))


_DENIED: Final = Told(-1, -1, -1)


def _searching(regex: str) -> tuple[Any, int]:
    """RE2's own search, and which group is the value: its wrapper's match objects would cost most of the time."""
    compiled = re2.compile(regex.encode())
    return compiled._regexp.Match, min(compiled.groups, 1)
