"""Finds the caller's own words: code names, employees, streets. Whole words, case-insensitive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from troth.detect.finding import Finding
from troth.detect.text import FoldedText
from troth.text import without_accents

_WORD: Final = re.compile(r"\w+")
_AROUND: Final = " \t\r\n,;:!?'\"()[]"
"""Punctuation that may surround any word without being part of it; a full stop may follow it too."""


class _Meant(NamedTuple):
    """Signs directly before and after a listed word, such as ``++`` after a C, and its type."""

    before: str
    after: str
    entity: str


class CustomWords:
    """Finds *words*, given by the type that they are reported as. The time does not depend on how many there are.

    Accents are ignored, and signs matter only at the start or end of a listed word: ``C++`` does not match ``C``.
    Raises ``ValueError`` for words without a letter or digit, and ``TypeError`` for a string instead of a collection.
    """

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self._types: dict[tuple[str, ...], list[_Meant]] = {}
        self._longest: dict[str, int] = {}
        for entity, these in words.items():
            if isinstance(these, str):
                raise TypeError(f"the words listed as {entity} are one string: put it into a list")
            for it in these:
                if it.strip():
                    self._list(entity, FoldedText(it).folded)

    def _list(self, entity: str, words: str) -> None:
        found = list(_WORD.finditer(words))
        if not found:
            raise ValueError(f"one of the words listed as {entity} has no letter or digit, so it would never be found")
        parts = tuple(_plain(it[0]) for it in found)
        before = words[: found[0].start()].strip(_AROUND)
        after = words[found[-1].end() :].strip(_AROUND + ".")
        meant, it = self._types.setdefault(parts, []), _Meant(before, after, entity)
        if it not in meant:
            meant.append(it)
            meant.sort(key=lambda it: -len(it.before) - len(it.after))  # the most specific is tried first
        self._longest[parts[0]] = max(len(parts), self._longest.get(parts[0], 0))

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """All matches; of those with the same start, the longest."""
        found = list(_WORD.finditer(text.folded))
        parts = [_plain(it[0]) for it in found]
        for at, part in enumerate(parts):
            for length in range(min(self._longest.get(part, 0), len(parts) - at), 0, -1):
                meant = self._types.get(tuple(parts[at : at + length]), ())
                start, end = found[at].start(), found[at + length - 1].end()
                it = next((it for it in meant if _stands(text.folded, start, end, it)), None)
                if it is not None:
                    start, end = start - len(it.before), end + len(it.after)
                    yield Finding(text.unfolded(start), text.unfolded_end(end), it.entity, 1.0, "listed")
                    break


def _stands(text: str, start: int, end: int, it: _Meant) -> bool:
    return text.endswith(it.before, 0, start) and text.startswith(it.after, end)


def _plain(word: str) -> str:
    """A word in lower case without accents, which folding removes from some texts and not from others."""
    return without_accents(word.casefold())
