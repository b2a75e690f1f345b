"""The search for one pattern of one recogniser: each place it matches, its check digits, the words near it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        self._check: Callable[[str], bool] | None = None if pattern.check is None else CHECKS[pattern.check]

    def find(self, text: Text) -> Iterator[Finding]:
        """Every place that the evidence is good enough for."""
        name, entity, scores = self.recogniser.name, self.recogniser.type, self.pattern.scores
        utf8, group, check = text.utf8, self._group, self._check
        for match in self._regex.finditer(utf8):
            start, end = match.span(group)
            checked = None if check is None else check(utf8[start:end].decode("utf-8", "replace"))
            told, denied = self.told(utf8, start, end) if scores.heed_words or self._against else (None, False)
            score = None if denied else scores.of(checked=bool(checked), told=told is not None)
            if score is not None and start < end:
                far = 0.0 if told is None else told.distance * _FARNESS
                yield Finding(
                    text.offset(start), text.offset(end), entity, round(score - far, 3), name, checked, told is not None
                )

    def told(self, utf8: bytes, start: int, end: int) -> tuple[Told | None, bool]:
        """The nearest word that says what is at *start* to *end*, and whether a nearer one says that it is not."""
        before = _last(self._before, utf8, start)
        after = _first(self._after, utf8, end)
        against = _last(self._against, utf8, start)
        if against is not None and (before is None or against.distance < before.distance):
            return after, after is None
        if before is None or (after is not None and after.distance < before.distance):
            return after, False
        return before, False

    @cached_property
    def _regex(self) -> Any:
        return re2.compile(self.pattern.regex.encode())

    @cached_property
    def _group(self) -> int:
        return min(self._regex.groups, 1)

    @cached_property
    def _before(self) -> Any:
        return _compiled(self.recogniser.words.before)

    @cached_property
    def _after(self) -> Any:
        return _compiled(self.recogniser.words.after)

    @cached_property
    def _against(self) -> Any:
        return _compiled(self.recogniser.words.against)


def _compiled(these: tuple[str, ...]) -> Any:
    return re2.compile(words.regex(these).encode()) if these else None


def _last(these: Any, utf8: bytes, start: int) -> Told | None:
    """The last of *these* words before *start*, which may touch the value but not stand in it."""
    last = None
    for match in these.finditer(utf8, start - _BEFORE, start + 1) if these is not None else ():
        last = match
    return None if last is None else Told(*last.span(), max(0, start - last.end()))


def _first(these: Any, utf8: bytes, end: int) -> Told | None:
    """The first of *these* words after *end*."""
    match = None if these is None else these.search(utf8, end - 1, end + _AFTER)
    return None if match is None else Told(*match.span(), max(0, match.start() - end))
