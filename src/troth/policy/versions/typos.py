"""Recognises misspelt words: one letter too many, too few or different, or two transposed letters.

A changed letter can make another word: *never* and *ever*, *consent* and *content*. So a word that carries a mark is
not treated as a typo, except for transposed letters: *shrae* is not a word and means *share*.
"""

from __future__ import annotations

from troth.policy.versions.clauses import ComparedClause, told_by
from troth.policy.versions.strength import weighed_as

_LETTERS_MIN = 5
"""Too many shorter words are similar to each other: *sell* and *tell*."""


def differ_by_typos(first: ComparedClause, other: ComparedClause) -> bool:
    """True if two clauses are equal except for misspelt words, and the differing words do not have different
    meanings."""
    words, others = told_by(first.whole), told_by(other.whole)
    differing = [pair for pair in zip(words, others, strict=False) if len(set(pair)) > 1]
    return len(words) == len(others) and bool(differing) and all(_is_typo(*pair) for pair in differing)


def _is_typo(first: str, other: str) -> bool:
    if max(len(first), len(other)) < _LETTERS_MIN or not (first + other).isalpha():
        return False
    start = next(
        (at for at, (a, b) in enumerate(zip(first, other, strict=False)) if a != b), min(len(first), len(other))
    )
    rest, its = first[start:], other[start:]
    says, others = weighed_as(first), weighed_as(other)
    if rest[:2] == its[1::-1] and rest[2:] == its[2:]:
        return says <= others or others <= says
    return says == others and (rest[1:] == its[1:] or rest[1:] == its or rest == its[1:])
