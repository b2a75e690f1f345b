"""Rules and findings as values."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from troth.errors import TrothError
from troth.policy.text import Sentence

REGIMES = ("gdpr", "uk", "ca", "us", "pci")
"""The laws that a run can be limited to. Rules without any are about the text as such and always run."""


class LintError(TrothError):
    """The catalogue of rules is malformed, or something was requested that it does not have; the message says what."""


class LintSeverity(enum.StrEnum):
    """Severity of a finding: mandatory content missing or a false statement; misleading, vague or risky; advice."""

    ERROR = "E"
    WARNING = "W"
    INFO = "I"


@dataclass(frozen=True, slots=True)
class Fires:
    """When a rule fires, in terms of the lexicon's concepts. Rules that need more have a function (see `fires_when`).

    A rule is checked only if the text mentions one of *given* (if any are listed) and none of *unless*. With *each*, it
    fires on every sentence that mentions one of these and none of *but*. Otherwise it fires once: if one of *all* is
    missing, if none of *any* is mentioned, or if neither is listed. It then fires on the first sentence that mentions
    one of *at*, or on the whole document.
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
    """A rule of the catalogue, as its file defines it."""

    id: str
    title: str
    """What is wrong, for any policy."""
    severity: LintSeverity
    citation: str
    regimes: tuple[str, ...]
    applies_from: dt.date
    applies_to: dt.date | None
    message: str
    """What is wrong, in a sentence for readers without legal training. The hit fills in ``{…}``."""
    fix: str
    searched: str
    """What was searched for, in words, for findings that something is missing."""
    fact: str
    """The condition of a conditional rule, as the name of a fact in `LintFacts`; empty for others."""
    evaluable: bool
    fires: Fires | None
    """None if a function decides."""

    def is_in_force(self, day: dt.date) -> bool:
        """True if the rule is in force on that day; rules that belong to no law always are."""
        if not self.regimes:
            return True
        return self.applies_from <= day and (self.applies_to is None or day <= self.applies_to)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a rule fires: on a *sentence*, or on the whole document. *quote* is the part of the sentence that is wrong
    (all of it if empty), *says* fills the message, *part* is a suffix of the rule's id (``S.empty-list.use``)."""

    sentence: Sentence | None = None
    quote: str = ""
    says: tuple[tuple[str, str], ...] = ()
    part: str = ""
    severity: LintSeverity | None = None
    is_settled: bool = False
    """True if the text itself shows that the condition of a conditional rule holds."""
    replacement: str | None = None
    """The replacement for *quote*, if the fix is mechanical."""
    at: int | None = None
    """Offset of the quote in the sentence; by default its first occurrence."""
    since: dt.date | None = None
    """Since when this is a fault, if later than the rule."""
    fix: str = ""
    """How to fix it, if the rule's own text is not enough."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """A fault. *line* is None for the whole document, and *quote* then names what was searched for."""

    rule: str
    severity: LintSeverity
    line: int | None
    quote: str
    citation: str
    applies_from: dt.date
    conditional: bool
    evaluable: bool
    message: str
    fix: str = ""
    replacement: str | None = None
    start: int | None = None
    """Start of the quote in the policy's source, and *end* (exclusive); needed for fixing."""
    end: int | None = None
    column: int | None = None
    part: str = ""
    """The suffix after the rule's id in the catalogue."""
    sentence: Sentence | None = None

    @property
    def of(self) -> str:
        """The rule's id in the catalogue."""
        return self.rule.removesuffix(f".{self.part}") if self.part else self.rule
