"""Expressions of RE2, asked without its Python wrapper, which makes an object of each match and doubles the time.

They are private names of google-re2. No other module knows them, and a test tells when a release takes them away.
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
"""Of an anchor, a text, and where to begin and end: the places of the match and of each group, -1 where it has none."""

_MEMORY_BYTES: Final = 8 << 20
"""What RE2 may use for one prefilter; it takes it as texts ask for it."""
_NOTHING: Final = ""
"""Occurs in every text."""


def matches(regex: str, *, memory_bytes: int = 8 << 20) -> Match:
    """What tells the first place at which an expression matches, in *memory_bytes* at most."""
    options = re2.Options()
    options.max_mem = memory_bytes
    match: Match = re2.compile(regex.encode(), options)._regexp.Match
    return match


class Prefilter:
    """Numbers expressions, and tells in one pass those that occur in a text at all. Add first, then ask."""

    def __init__(self, *, ignores_case: bool = False, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._numbers: dict[str, int] = {_NOTHING: 0}
        self._ignores_case = ignores_case
        self._memory_bytes = memory_bytes

    def add(self, regex: str) -> int:
        """The number of an expression, from 1; of the same one, the same number."""
        return self._numbers.setdefault(regex, len(self._numbers))

    def occurring(self, utf8: bytes) -> list[int]:
        """The numbers of those that occur, and 0. Raises `Unscanned` when RE2 cannot tell in the memory it has."""
        numbers = self._occurring(utf8)
        if not numbers:  # not even what occurs in every text
            raise Unscanned("the text could not be searched in the memory that is allowed: cut it into pieces")
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
