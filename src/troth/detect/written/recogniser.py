"""A recogniser: how one kind of value is written, what proves it, and which words near it say what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Pattern", "Recogniser", "Scores"]


@dataclass(frozen=True, slots=True)
class Scores:
    """How sure each state of the evidence makes; None where it makes no finding at all.

    *alone* rests on the pattern, *checked* on check digits that agree, *told* on words near it, *both* on both.
    """

    alone: float | None = None
    checked: float | None = None
    told: float | None = None
    both: float | None = None

    def of(self, *, checked: bool, told: bool) -> float | None:
        """The score of a value whose check digits agree, and that is told of."""
        if told:
            return self.both if checked else self.told
        return self.checked if checked else self.alone


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way to write the value: an expression of RE2, whose first group, where it has one, is the value."""

    regex: str
    scores: Scores
    check: str | None = None


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Everything about one kind of value in one country, as one file of ``recognisers/`` says it."""

    name: str
    type: str
    about: str
    countries: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    before: tuple[str, ...] = ()
    """Words, in lower case, that say before the value what it is."""
    after: tuple[str, ...] = ()
    """Words that say it after the value."""
    examples: Mapping[str, tuple[str, ...]] | None = None
