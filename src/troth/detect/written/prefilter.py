"""What tells in one pass which of many expressions occur in a text at all."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import re2

from troth.detect.finding import Unscanned

__all__ = ["Prefilter"]

_MEMORY_BYTES: Final = 6 << 20
"""What RE2 may use for one; it takes it as texts ask for it."""
_NOTHING: Final = ""
"""Occurs in every text."""


class Prefilter:
    """Numbers expressions, and tells those that occur. Add first, then ask."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {_NOTHING: 0}

    def add(self, regex: str) -> int:
        """The number of an expression, from 1; of the same one, the same number."""
        return self._numbers.setdefault(regex, len(self._numbers))

    def occurring(self, utf8: bytes) -> list[int]:
        """The numbers of those that occur, and 0. Raises `Unscanned` when RE2 cannot tell in the memory it has."""
        numbers: list[int] | None = self._occurring(utf8)
        if not numbers:  # not even what occurs in every text
            raise Unscanned("the text could not be searched in the memory that is allowed: cut it into pieces")
        return numbers

    @cached_property
    def _occurring(self) -> Any:
        """RE2's own search, which its Python wrapper would call with half as much time again."""
        options = re2.Options()
        options.max_mem = _MEMORY_BYTES
        which = re2.Set.SearchSet(options)
        for regex in self._numbers:
            which.Add(regex)
        which.Compile()
        return which._set.Match
