"""A recogniser: how one kind of value is written, what proves it, and which words near it say what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scores:
    """How sure each state of the evidence makes; None where it makes no finding at all.

    *alone* rests on the pattern, *checked* on check digits that agree, *told* on words near it, *both* on both. More
    evidence never makes a value less sure: a state that is left out is worth what the one below it is.
    """

    alone: float | None = None
    checked: float | None = None
    told: float | None = None
    both: float | None = None

    def __post_init__(self) -> None:
        for state, below in (("checked", ["alone"]), ("told", ["alone"]), ("both", ["checked", "told"])):
            if getattr(self, state) is None:
                less = [score for it in below if (score := getattr(self, it)) is not None]
                object.__setattr__(self, state, max(less, default=None))

    @property
    def need_words(self) -> bool:
        """Whether a value is nothing without words that say what it is."""
        return self.alone is None and self.checked is None

    @property
    def heed_words(self) -> bool:
        """Whether words near a value make any difference."""
        return (self.told, self.both) != (self.alone, self.checked)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way to write the value: an expression of RE2, whose first group, where it has one, is the value.

    What matches without that group is passed over, so that nothing in it is taken for a value.
    """

    regex: str
    scores: Scores
    check: str | None = None


@dataclass(frozen=True, slots=True)
class ContextWords:
    """Words, in lower case, that say what a value is: *before* it or *after* it; or *against*, that it is another."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    once: bool = False
    """Whether each word tells of one value only, the first."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Everything about one kind of value in one country, as one file of ``recognisers/`` says it."""

    name: str
    type: str
    about: str
    source: str
    countries: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    words: ContextWords = ContextWords()
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Texts by verdict (``yes``, ``no``), the values in them between ⟦ and ⟧. Left out of what is shipped."""

    def is_for(self, countries: frozenset[str]) -> bool:
        """Whether it may be met in one of *countries*."""
        return not self.countries or not countries.isdisjoint(self.countries)
