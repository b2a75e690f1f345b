"""Runs all patterns over texts: detects which patterns and context words occur, and runs only promising searches."""

from __future__ import annotations

import bisect
import itertools
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from troth.detect.expressions import Prefilter
from troth.detect.finding import Finding
from troth.detect.patterns.context_words import ALWAYS, DIGIT, NEVER, Wordbook
from troth.detect.patterns.outline import outline
from troth.detect.patterns.recogniser import Recogniser
from troth.detect.patterns.search import Search
from troth.detect.text import FoldedText

_BETWEEN: Final = b"\n" + bytes(48) + b"\n"
"""Separates texts that are searched together: values do not extend across it, and context words are out of reach."""
_new: Final = tuple.__new__
"""Creates a `Finding` from a tuple without a Python-level call."""
_OPENING: Final = r"(?:\(\?[im]\)|\\b|\(\?:\^(?:\|(?:\[\^(?:\\.|[^\]])*\]|[ /]|\\s)+)+\)|\(\?:|[()|_]|-\?)*"
"""Flags, boundaries and brackets before the start of an expression."""
_BEGINS_WITH_WORD: Final = re.compile(_OPENING + "[A-Za-z]")
_BEGINS_WITH_DIGIT: Final = re.compile(_OPENING + r"(?:\\d|\[-?\d|\d|\\\(\??(?:\\d|\d)|\\\+)")
_NO_SPELLING: Final = re.compile(r"\\x\{[0-9A-Fa-f]+\}|\\.|\[(?:\\.|[^\]\\])*\]")
_SPELLED: Final = re.compile("[a-z]{4}")
"""Matches an expression that contains a literal word, once `_NO_SPELLING` is removed."""


_Heeding = tuple[Search, int, int, int]
"""A search, and the numbers of its words before, after and against."""
_Sought = tuple[Search, bool]
"""A search, and whether a text contains any of its words."""


class Matcher:
    """Finds written values. Time is linear in the text, whatever it contains (RE2 does not backtrack)."""

    def __init__(self, recognisers: Sequence[Recogniser]) -> None:
        self._searches = [Search(recogniser, pattern) for recogniser in recognisers for pattern in recogniser.patterns]

    def find(self, text: FoldedText) -> list[Finding]:
        """All values that a recogniser accepts; they may overlap."""
        return self.find_each([text])[0]

    def find_each(self, texts: Sequence[FoldedText]) -> list[list[Finding]]:
        """The same for many texts, 1.5 times as fast: an expression is run once over all texts that it occurs in."""
        wordbook, parts = self._parted
        found: list[list[Finding]] = [[] for _ in texts]
        saids = [wordbook.said(text.utf8) for text in texts]
        for part in parts:
            sought: dict[_Sought, list[int]] = defaultdict(list)
            for at, said in enumerate(saids):
                for search, before, after, against in part.worth_while(texts[at].utf8, said):
                    is_told = before in said or after in said
                    if is_told or not search.needs_words:
                        sought[search, is_told or against in said].append(at)
            for it, places in sought.items():
                _find(it, places, texts, found)
        return found

    @cached_property
    def _parted(self) -> tuple[Wordbook, list[_Told | _Occurring]]:
        """The searches, grouped by what shows that they are worthwhile. RE2's states multiply across different
        expressions, but hardly within groups of one kind. Searches that need words are in other groups if they contain
        a literal word, which is rarer than their context words."""
        wordbook = Wordbook()
        told, numbers, others = _Told(), _Occurring(DIGIT), _Occurring(ALWAYS)
        labels, checked_labels = _Occurring(ALWAYS), _Occurring(ALWAYS)  # two halves, because there are many words
        for it in self._searches:
            regex, heeding = it.pattern.regex, (it, *_words(it, wordbook))
            spells = _SPELLED.search(_NO_SPELLING.sub(" ", regex))
            if it.needs_words and not spells:
                told.add(heeding, DIGIT if _holds_digit(it) else ALWAYS)
            elif _BEGINS_WITH_WORD.match(regex):
                (checked_labels if it.pattern.check else labels).add(heeding, regex)
            elif _holds_digit(it) and not spells:
                numbers.add(heeding, outline(regex))
            else:
                others.add(heeding, regex)
        return wordbook, [told, labels, checked_labels, numbers, others]


def _find(sought: _Sought, places: list[int], texts: Sequence[FoldedText], by_pattern: list[list[Finding]]) -> None:
    """Runs a search on the concatenation of the texts at *places*, and adds the values to the findings of each text. A
    single text is wrapped in separators too, so that its ends look the same."""
    search, any_said = sought
    kind, name = search.recogniser.type, search.recogniser.name
    parts = [texts[at].utf8 for at in places]
    laid = _BETWEEN.join([b"", *parts, b""])
    begins = [*itertools.accumulate(map(len, parts), _next, initial=len(_BETWEEN))]
    clock = texts[places[0]].check_clock
    begin = end = following = 0  # the range of the text with the last value, and the start of the next text
    nth = -1
    for first, past, score, checked, told in search.find(laid, any_said=any_said, check_clock=clock):
        if first >= following:
            nth += 1
            if first >= begins[nth + 1]:
                nth = bisect.bisect_right(begins, first) - 1
            text, its, begin, following = texts[places[nth]], by_pattern[places[nth]], begins[nth], begins[nth + 1]
            end, known, is_plain = begin + len(parts[nth]), len(its), text.is_plain
        start, stop = first - begin, past - begin
        if start < 0 or past > end:
            if len(places) > 1:  # it extends into the next text and hides values in both: search them separately
                del its[known:]
                for alone in places[nth:]:
                    _find(sought, [alone], texts, by_pattern)
                return
            start, stop = max(start, 0), min(stop, len(parts[nth]))
            if start >= stop:
                continue
        if not is_plain:
            start, stop = text.offset(start), text.end(stop)
        its.append(_new(Finding, (start, stop, kind, score, name, checked, told)))


def _next(begins: int, length: int) -> int:
    """The start of the next text."""
    return begins + length + len(_BETWEEN)


def _words(search: Search, wordbook: Wordbook) -> tuple[int, int, int]:
    """The numbers of its words before, after and against; `NEVER` if it does not use words."""
    if not search.heeds_words:
        return NEVER, NEVER, NEVER
    words, is_local = search.recogniser.words, bool(search.recogniser.countries)
    return (
        wordbook.add(words.before, is_local=is_local),
        wordbook.add(words.after, is_local=is_local),
        wordbook.add(words.against, is_local=is_local, is_told=False),
    )


def _holds_digit(search: Search) -> bool:
    """True if every value contains a digit, as all national numbers do."""
    return bool(search.recogniser.countries) or bool(_BEGINS_WITH_DIGIT.match(search.pattern.regex))


class _Occurring:
    """Searches that are worthwhile if their expression occurs; *needs* is the number of a further requirement."""

    def __init__(self, needs: int) -> None:
        self._needs = needs
        self._which = Prefilter()
        self._by_number: defaultdict[int, list[_Heeding]] = defaultdict(list)

    def add(self, search: _Heeding, regex: str) -> None:
        """Add a search with an expression that occurs wherever that of the search does."""
        self._by_number[self._which.add(regex)].append(search)

    def worth_while(self, utf8: bytes, words: set[int]) -> Sequence[_Heeding]:
        if self._needs not in words or len(numbers := self._which.occurring(utf8)) == 1:
            return ()
        return [it for number in numbers for it in self._by_number[number]]


class _Told:
    """Searches that find nothing without context words: worthwhile if one of them occurs."""

    def __init__(self) -> None:
        self._by_word: defaultdict[int, list[tuple[_Heeding, int]]] = defaultdict(list)

    def add(self, search: _Heeding, needs: int) -> None:
        """Add a search with the number of a further requirement."""
        _, before, after, _ = search
        for number in {before, after}:
            self._by_word[number].append((search, needs))

    def worth_while(self, utf8: bytes, words: set[int]) -> Sequence[_Heeding]:
        return [
            search
            for number in words & self._by_word.keys()
            for search, needs in self._by_word[number]
            if needs in words and (number == search[1] or search[1] not in words)
        ]
