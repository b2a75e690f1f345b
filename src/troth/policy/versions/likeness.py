"""Similarity of clauses by their words, and detection of the parts of a split or merged sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from troth.policy.versions.clauses import ComparedClause

_OF_THE_WHOLE = 0.6
"""Minimum share of a clause's words that must occur in the clause that it is a part of."""
_MORE_TOGETHER = 0.05
"""Minimum gain in similarity of the parts together over the best of them alone."""
_PARTS_MAX = 4

_Words = frozenset[str]


class Likeness:
    """Weighted word similarity of the clauses of both versions: rarer words weigh more."""

    def __init__(self, clauses: Sequence[ComparedClause]) -> None:
        several = [clause.words for clause in clauses]
        counts = Counter(word for words in several for word in words)
        self._weights = {word: math.log(1 + len(several) / count) for word, count in counts.items()}
        self._sums = {words: self._sum(words) for words in several}

    def of(self, first: _Words, other: _Words) -> float:
        """Similarity from 0 (no common words) to 1 (the same words)."""
        total = self._whole(first) + self._whole(other)
        return 2 * self._sum(first & other) / total if total else 0.0

    def parts(self, whole: _Words, several: Mapping[int, _Words]) -> Iterator[tuple[float, tuple[int, ...]]]:
        """Consecutive clauses of *several*, by index, that together are more similar to *whole* than any of them alone;
        with their similarity."""
        alone = {at: self.of(whole, words) for at, words in several.items() if self._is_of(whole, words)}
        for first in alone:
            together, said = [first], several[first]
            while (following := together[-1] + 1) in alone and len(together) < _PARTS_MAX:
                together.append(following)
                said |= several[following]
                alike = self.of(whole, said)
                if alike >= max(alone[at] for at in together) + _MORE_TOGETHER:
                    yield alike, tuple(together)

    def _is_of(self, whole: _Words, part: _Words) -> bool:
        said = self._whole(part)
        return said > 0 and self._sum(part & whole) >= _OF_THE_WHOLE * said

    def _whole(self, words: _Words) -> float:
        return self._sums[words] if words in self._sums else self._sum(words)

    def _sum(self, words: Iterable[str]) -> float:
        return math.fsum(self._weights[word] for word in words)  # independent of the order
