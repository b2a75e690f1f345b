"""Finds phrases in many texts at once.

A concordance numbers the words of its texts consecutively. A set of word positions is an integer used as a bit set, so
advancing a match by one word takes two integer operations whatever the length of the texts, and nothing is compiled. An
empty position between texts keeps phrases from matching across them.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from troth.policy.phrases import Gap, One, Part, Phrase, Word

_WORDS_MAX = 16_000
"""Words per bit set: longer input is searched in parts, so that no integer grows too long."""


class Concordance:
    """An index of *texts* (in `plain` form); each comes with the number of lead-in words, in which no match may end."""

    def __init__(self, texts: Sequence[tuple[str, int]]) -> None:
        self._shelves: list[_Shelf] = []
        first, words = 0, 0
        for number, (text, _) in enumerate(texts):
            words += text.count(" ") + 1
            if words > _WORDS_MAX or number == len(texts) - 1:
                self._shelves.append(_Shelf(texts[first : number + 1], first))
                first, words = number + 1, 0

    def holding(self, phrase: Phrase) -> Iterator[int]:
        """Indexes of the texts in which *phrase* ends after the lead-in, in order."""
        for shelf in self._shelves:
            if shelf.may_hold(phrase):
                yield from shelf.holding(phrase)


class _Shelf:
    """Part of the texts, small enough for short bit sets."""

    def __init__(self, texts: Sequence[tuple[str, int]], first: int) -> None:
        self._first = first
        self._starts: list[int] = []
        at: dict[str, list[int]] = defaultdict(list)
        inside, counting = list[int](), list[int]()
        place = 0
        for text, leading in texts:
            self._starts.append(place)
            for number, word in enumerate(text.split()):
                at[word].append(place)
                inside.append(place)
                if number >= leading:
                    counting.append(place + 1)
                place += 1
            place += 1
        self._places = place + 1
        self._at = at
        self._words = sorted(at)
        self._masks: dict[str, int] = {}
        self._numbers = self._mask(one for word in self._words if word[0].isdigit() for one in at[word])
        self._inside = self._mask(inside)
        self._counting = self._mask(counting)
        self._all = (1 << self._places) - 1

    def may_hold(self, phrase: Phrase) -> bool:
        return not self._at.keys().isdisjoint(phrase.anchors) or any(map(self._of, phrase.open_anchors))

    def holding(self, phrase: Phrase) -> Iterator[int]:
        ends = self._after(phrase.parts, self._inside) & self._counting
        while ends:
            last = (ends & -ends).bit_length() - 2
            text = bisect.bisect_right(self._starts, last) - 1
            yield self._first + text
            beyond = self._starts[text + 1] if text + 1 < len(self._starts) else self._places
            ends = ends >> beyond << beyond

    def _after(self, parts: Sequence[Part], places: int) -> int:
        """Positions after matching *parts* forward from *places*."""
        for part in parts:
            if not places:
                return 0
            if isinstance(part, Word):
                places = (places & self._of(part.text)) << 1
            elif isinstance(part, Gap):
                reached = places
                for _ in range(part.most):
                    reached = (reached & self._inside) << 1
                    places |= reached
            elif isinstance(part, One):
                places = (places & (self._numbers if part.is_number else self._inside)) << 1
            elif part.is_barred:
                places &= ~self._before_any(part.branches, self._all)
            else:
                found = places if part.may_miss else 0
                for branch in part.branches:
                    found |= self._after(branch, places)
                places = found
        return places

    def _before_any(self, branches: Sequence[Sequence[Part]], places: int) -> int:
        found = 0
        for branch in branches:
            found |= self._before(branch, places)
        return found

    def _before(self, parts: Sequence[Part], places: int) -> int:
        """Positions from which *parts* match up to *places*."""
        for part in reversed(parts):
            if isinstance(part, Word):
                places = (places >> 1) & self._of(part.text)
            elif isinstance(part, Gap):
                reached = places
                for _ in range(part.most):
                    reached = (reached >> 1) & self._inside
                    places |= reached
            elif isinstance(part, One):
                places = (places >> 1) & (self._numbers if part.is_number else self._inside)
            elif part.is_barred:
                places &= ~self._before_any(part.branches, self._all)
            else:
                places = self._before_any(part.branches, places) | (places if part.may_miss else 0)
        return places

    def _of(self, word: str) -> int:
        """Positions of *word*; with ``*``, of every word with that prefix or suffix."""
        mask = self._masks.get(word)
        if mask is None:
            mask = self._masks[word] = self._mask(self._standing(word))
        return mask

    def _standing(self, word: str) -> Iterator[int]:
        if word.startswith("*"):
            for one in self._words:
                if one.endswith(word[1:]):
                    yield from self._at[one]
            return
        if not word.endswith("*"):
            yield from self._at.get(word, ())
            return
        beginning = word[:-1]
        for one in self._words[bisect.bisect_left(self._words, beginning) :]:
            if not one.startswith(beginning):
                break
            yield from self._at[one]

    def _mask(self, places: Iterable[int]) -> int:
        listed = list(places)
        if not listed:  # as most are
            return 0
        bits = bytearray(self._places // 8 + 1)
        for place in listed:
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")
