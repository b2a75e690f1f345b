"""One pass over a text: which patterns and words occur at all, then only the searches that can find something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import re2

from troth.detect.finding import Finding, Unscanned
from troth.detect.text import Text
from troth.detect.written import words
from troth.detect.written.recogniser import Recogniser
from troth.detect.written.search import Search

__all__ = ["Matcher"]

_WHATEVER: Final = ""
"""Occurs in every text."""
_MEMORY_BYTES: Final = 32 << 20
"""What RE2 may use to know which patterns occur; it is used as texts ask for it."""


class Matcher:
    """Finds values that are written down. Time is linear in the text, whatever the text (RE2 does not backtrack)."""

    def __init__(self, recognisers: Sequence[Recogniser]) -> None:
        self._searches = [Search(recogniser, pattern) for recogniser in recognisers for pattern in recogniser.patterns]

    def find(self, text: Text) -> Iterator[Finding]:
        """Every place that a recogniser vouches for; places may overlap."""
        which, needs = self._prefilter
        occurring = which.Match(text.utf8)
        if not occurring:  # not even what occurs in every text: RE2 had to give up
            raise Unscanned("the text could not be searched in the memory that is allowed: cut it into pieces")
        occurs = set(occurring)
        for search, pattern, words_of_it in needs:
            if pattern in occurs and words_of_it in occurs:
                text.check_clock()
                yield from search.find(text)

    @cached_property
    def _prefilter(self) -> tuple[Any, list[tuple[Search, int, int]]]:
        """What tells in one pass which patterns and words occur, and for each search the two that it needs."""
        options = re2.Options()
        options.max_mem = _MEMORY_BYTES
        which = re2.Set.SearchSet(options)
        numbers: dict[str, int] = {}

        def number(regex: str) -> int:
            if regex not in numbers:
                numbers[regex] = which.Add(regex)
            return numbers[regex]

        needs = [(it, number(it.pattern.regex), number(_needed(it))) for it in self._searches]
        number(_WHATEVER)
        which.Compile()
        return which, needs


def _needed(search: Search) -> str:
    """What has to occur beside the pattern: words that say what it is, where it is nothing without them."""
    if not search.pattern.scores.need_words:
        return _WHATEVER
    return words.regex((*search.recogniser.words.before, *search.recogniser.words.after))
