"""One pass over a text: which patterns occur at all, then only those, and what proves each place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import re2

from troth.detect.finding import Finding
from troth.detect.text import Text
from troth.detect.written.checks import CHECKS
from troth.detect.written.recogniser import Pattern, Recogniser

__all__ = ["Matcher"]

_BEFORE: Final = 60
_AFTER: Final = 30
"""How many bytes around a value are searched for words that say what it is."""


class Matcher:
    """Finds values that are written down. Time is linear in the text, whatever the text (RE2 does not backtrack)."""

    def __init__(self, recognisers: Sequence[Recogniser]) -> None:
        self._patterns = [(recogniser, pattern) for recogniser in recognisers for pattern in recogniser.patterns]
        self._which = re2.Set.SearchSet()
        for _, pattern in self._patterns:
            self._which.Add(pattern.regex)
        self._which.Compile()

    def find(self, text: Text) -> Iterator[Finding]:
        """Every place that a recogniser vouches for; places may overlap."""
        for at in self._which.Match(text.utf8) or ():
            yield from _found(text, *self._patterns[at])


def _found(text: Text, recogniser: Recogniser, pattern: Pattern) -> Iterator[Finding]:
    for match in re2.finditer(pattern.regex.encode(), text.utf8):
        start, end = match.span(match.re.groups and 1)
        checked = pattern.check is None or CHECKS[pattern.check](text.utf8[start:end].decode("utf-8", "replace"))
        told = _is_told(text.utf8, start, end, recogniser)
        score = pattern.scores.of(checked=checked and pattern.check is not None, told=told)
        if score is not None:
            proof = None if pattern.check is None else checked
            yield Finding(text.offset(start), text.offset(end), recogniser.type, score, recogniser.name, proof, told)


def _is_told(utf8: bytes, start: int, end: int, recogniser: Recogniser) -> bool:
    before = utf8[max(0, start - _BEFORE) : start].lower()
    after = utf8[end : end + _AFTER].lower()
    return any(word.encode() in before for word in recogniser.before) or any(
        word.encode() in after for word in recogniser.after
    )
