"""What tells in one pass which of many expressions occur in a text at all."""

from __future__ import annotations

from typing import Final

import re2

from troth.detect.finding import Unscanned

__all__ = ["Prefilter"]

_MEMORY_BYTES: Final = 16 << 20
"""What RE2 may use for one; it takes it as texts ask for it."""
_NOTHING: Final = ""
"""Occurs in every text."""


class Prefilter:
    """Numbers expressions, and tells those that occur. Add first, then ask."""

    def __init__(self) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY_BYTES
        self._set = re2.Set.SearchSet(options)
        self._numbers: dict[str, int] = {}
        self.add(_NOTHING)

    def add(self, regex: str) -> int:
        """The number of an expression, from 1; of the same one, the same number."""
        if regex not in self._numbers:
            self._numbers[regex] = self._set.Add(regex)
        return self._numbers[regex]

    def compile(self) -> None:
        """Has to be called once, when everything is added."""
        self._set.Compile()

    def occurring(self, utf8: bytes) -> list[int]:
        """The numbers of those that occur. Raises `Unscanned` when RE2 cannot tell in the memory it has."""
        numbers: list[int] | None = self._set.Match(utf8)
        if not numbers:  # not even what occurs in every text
            raise Unscanned("the text could not be searched in the memory that is allowed: cut it into pieces")
        return numbers
