"""Rules and findings as values."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from troth.errors import TrothError
from troth.policy.text import Sentence

REGIMES = ("gdpr", "uk", "ca", "us", "pci")
"""The laws that a run may be limited to. A rule without any is about the text as such, and always looked at."""


class LintError(TrothError):
    """The catalogue of rules is wrong, or was asked for what it does not have; the message says what."""


class LintSeverity(enum.StrEnum):
    """How grave a finding is: mandatory content absent or a statement false; misleading, vague or risky; advice."""

    ERROR = "E"
    WARNING = "W"
    INFO = "I"


@dataclass(frozen=True, slots=True)
class Fires:
    """When a rule fires, said in concepts of the lexicon. A rule that needs more has a function (see `fires_when`).

    Looked at only where one of *given* is spoken of, if any are named, and none of *unless*. Then, with *each*, it
    fires on every sentence that speaks of one of these and of none of *but*; else once, if one of *all* is missing, or
    if none of *any* is there, or where neither is named. It fires on the first sentence that speaks of one of *at*, and
    on the whole document where there is none.
    """

    given: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LintRule:
    """One rule of the catalogue, as its file there states it."""

    id: str
    title: str
    """What is wrong, for any policy."""
    severity: LintSeverity
    citation: str
    regimes: tuple[str, ...]
    applies_from: dt.date
    applies_to: dt.date | None
    message: str
    """What is wrong, in a sentence that a person without law understands. ``{…}`` are filled by the hit."""
    mend: str
    searched: str
    """What was looked for, in words, where a finding is that something is absent."""
    fact: str
    """The fact that a conditional rule hangs on, by its name in `Facts`; empty for others."""
    evaluable: bool
    fires: Fires | None
    """None where a function decides."""

    def is_in_force(self, day: dt.date) -> bool:
        """Whether the rule counts on that day; one that belongs to no law always does."""
        if not self.regimes:
            return True
        return self.applies_from <= day and (self.applies_to is None or day <= self.applies_to)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a rule fires: on a *sentence*, or on the whole document. *quote* is the part of the sentence that is wrong
    (all of it where left out), *says* fills the message, *part* goes behind the rule's id (``S.empty-list.use``)."""

    sentence: Sentence | None = None
    quote: str = ""
    says: tuple[tuple[str, str], ...] = ()
    part: str = ""
    severity: LintSeverity | None = None
    is_settled: bool = False
    """Whether the text itself says that the condition of a conditional rule holds."""
    fix: str | None = None
    """What to write instead of *quote*, where that is mechanical."""
    at: int | None = None
    """Where in the sentence the quote begins; its first place where left out."""
    since: dt.date | None = None
    """Since when this is a fault, where that is later than the rule."""
    mend: str = ""
    """How to mend it, where the rule's own words are not enough."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One fault. *line* is None for the whole document, and *quote* then names what was looked for."""

    rule: str
    severity: LintSeverity
    line: int | None
    quote: str
    citation: str
    applies_from: dt.date
    conditional: bool
    evaluable: bool
    message: str
    mend: str = ""
    fix: str | None = None
    start: int | None = None
    """Where the quote begins in the policy's source, and *end* where it goes on after it; for those who mend."""
    end: int | None = None
    column: int | None = None
    part: str = ""
    """What stands behind the rule's id in the catalogue."""
    sentence: Sentence | None = None

    @property
    def of(self) -> str:
        """The rule's id in the catalogue."""
        return self.rule.removesuffix(f".{self.part}") if self.part else self.rule
