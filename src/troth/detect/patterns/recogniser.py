"""A recogniser: how one kind of value is written, what validates it, and which words near it identify it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scores:
    """The score for each combination of evidence; None if it is not sufficient for a finding.

    *alone* is for the pattern only, *checked* with valid check digits, *told* with context words, *both* with both.
    More evidence never lowers the score: a missing score is that of the next weaker combination.
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
        """True if a value is never reported without context words."""
        return self.alone is None and self.checked is None

    @property
    def heed_words(self) -> bool:
        """True if context words affect the score."""
        return (self.told, self.both) != (self.alone, self.checked)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way to write the value: an RE2 expression whose first group, if any, is the value.

    A match without that group is skipped, so that nothing inside it is taken for a value.
    """

    regex: str
    scores: Scores
    check: str | None = None


@dataclass(frozen=True, slots=True)
class ContextWords:
    """Words, in lower case, that identify a value: *before* it or *after* it; or *against* it, identifying something
    else."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    once: bool = False
    """True if each word applies to one value only, the first."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """All data about one kind of value in one country, from one file of ``recognisers/``."""

    name: str
    type: str
    about: str
    source: str
    countries: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    words: ContextWords = ContextWords()
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Texts by verdict (``yes``, ``no``), with the values in ⟦ and ⟧. Not included in the shipped file."""

    def is_for(self, countries: frozenset[str]) -> bool:
        """True if it may occur in one of *countries*."""
        return not self.countries or not countries.isdisjoint(self.countries)
