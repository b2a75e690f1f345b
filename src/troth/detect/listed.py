"""Words of the caller's own: code names, employees, streets. Found whole, in upper or lower case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from troth.detect.finding import Finding
from troth.detect.text import Text

__all__ = ["Listed"]

_WORD: Final = re.compile(r"\w+")


class Listed:
    """Finds *words*, given by the type that they are found as. Time does not grow with how many there are."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self._types: dict[tuple[str, ...], str] = {}
        self._longest: dict[str, int] = {}
        for entity, these in words.items():
            for parts in (_parts(it) for it in these):
                if parts:
                    self._types[parts] = entity
                    self._longest[parts[0]] = max(len(parts), self._longest.get(parts[0], 0))

    def find(self, text: Text) -> Iterator[Finding]:
        """Every place where one of them stands; the longest of those that begin there."""
        found = list(_WORD.finditer(text.folded))
        parts = [it[0].casefold() for it in found]
        for at, part in enumerate(parts):
            for length in range(min(self._longest.get(part, 0), len(parts) - at), 0, -1):
                entity = self._types.get(tuple(parts[at : at + length]))
                if entity is not None:
                    start, end = found[at].start(), found[at + length - 1].end()
                    yield Finding(text.unfolded(start), text.unfolded(end), entity, 1.0, "listed")
                    break


def _parts(words: str) -> tuple[str, ...]:
    return tuple(it[0].casefold() for it in _WORD.finditer(Text(words).folded))
