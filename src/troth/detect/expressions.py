"""RE2 expressions without their Python wrapper, which creates an object per match and doubles the time.

This uses private names of google-re2. No other module does, and a test detects a release that removes them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import re2

from troth.detect.finding import Unscanned

ANYWHERE: Final = re2._re2.RE2.Anchor.UNANCHORED
FROM_START: Final = re2._re2.RE2.Anchor.ANCHOR_START

Match = Callable[[Any, bytes, int, int], list[tuple[int, int]]]
"""Takes an anchor, a text, and start and end; returns the ranges of the match and of each group, -1 if there is
none."""

_MEMORY_BYTES: Final = 8 << 20
"""Memory limit of RE2 for one prefilter, allocated on demand."""
_NOTHING: Final = ""
"""Matches every text."""


def matches(regex: str, *, memory_bytes: int = 8 << 20) -> Match:
    """A function that finds the first match of an expression, using at most *memory_bytes*."""
    options = re2.Options()
    options.max_mem = memory_bytes
    match: Match = re2.compile(regex.encode(), options)._regexp.Match
    return match


class Prefilter:
    """Numbers expressions and detects in one pass which of them occur in a text. Add all expressions before
    searching."""

    def __init__(self, *, ignores_case: bool = False, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._numbers: dict[str, int] = {_NOTHING: 0}
        self._ignores_case = ignores_case
        self._memory_bytes = memory_bytes

    def add(self, regex: str) -> int:
        """The number of an expression, starting at 1; equal expressions have the same number."""
        return self._numbers.setdefault(regex, len(self._numbers))

    def occurring(self, utf8: bytes) -> list[int]:
        """The numbers of the expressions that occur, and 0. Raises `Unscanned` if RE2 runs out of memory."""
        numbers = self._occurring(utf8)
        if not numbers:  # not even the expression that matches every text
            raise Unscanned("searching the text exceeded the memory limit: split it into pieces")
        return numbers

    @cached_property
    def _occurring(self) -> Callable[[bytes], list[int]]:
        options = re2.Options()
        options.max_mem = self._memory_bytes
        options.case_sensitive = not self._ignores_case
        which = re2.Set.SearchSet(options)
        for regex in self._numbers:
            which.Add(regex)
        which.Compile()
        occurring: Callable[[bytes], list[int]] = which._set.Match
        return occurring
