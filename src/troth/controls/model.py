"""Controls, checks and statuses as values.

A *control* asks one question about the running company. A *check* is one run of it: its result, and the evidence for
it. A *status* is the sum of a promise's checks. The catalogue of controls is data (``catalogue.toml``); the function
that answers a control is in the package that can observe it (``<package>/controls.py``), registered with `answers`.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from troth.declaration import Audience, Must

Figure = int | float | str | bool
"""A count, a share, a date in ISO form, a version: never a personal value."""


class CheckOutcome(enum.StrEnum):
    """The outcome of a check. A check that broke is an error, which is not a pass."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


class Status(enum.StrEnum):
    """The status of a promise, from the best to the worst."""

    KEPT = "kept"
    STATED = "stated"
    WAIVED = "waived"
    UNPROVEN = "unproven"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Control:
    """One question, as the catalogue states it."""

    id: str
    """``<package>.<what must be true>``."""
    version: int
    question: str
    """In words that a customer understands."""
    citation: str
    clauses: tuple[str, ...]
    every: dt.timedelta
    """How often `troth keep` runs it."""
    fresh_for: dt.timedelta
    """How long a pass may be shown; always longer than *every*."""
    remedy: str
    """What to do when it fails."""
    cannot_see: str
    """What a pass does not prove."""
    looks_at: str = "what it was written to check"
    """The population that it looks at, as words after “looks at”."""
    whole: bool | tuple[str, ...] = False
    """Whether that is the whole of what a promise with an absolute word (“all”, “never”) can claim; or the phrases, one
    of which such a promise has to say for it to be the whole, or may not say if “-” is before it (`looking_at_less`): a
    look at all pages shows what “our pages load”, and not who receives data. Only one of the company's own controls is
    the whole whatever the promise says."""
    audience: Audience = Audience.PUBLIC
    """The widest audience that may ever see its results; network, key and incident controls stop at STAFF."""
    severity: Literal["low", "medium", "high"] = "medium"
    failures_to_break: int = 1
    """Failures in a row before a promise is ``broken``."""
    principles: tuple[str, ...] = ()
    """The principles that it serves (`troth.controls.principles`)."""
    owner: str = ""
    """Who fixes it, if not the owners of the promises."""
    is_own: bool = False
    """Whether it is a custom control of the declaration."""
    must: Must | None = None
    """The condition on the figure of a custom control."""
    limit: dt.timedelta = dt.timedelta(minutes=5)
    """Time limit; exceeding it is an error, which is not a pass."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What a check observed in one place, such as a table: its own figures, the population, and how many of it were
    excluded. *rule* is what was compared there, in words."""

    place: str
    figures: Mapping[str, int] = field(default_factory=dict)
    population: int = 0
    excluded: int = 0
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check examined. *in_scope* and *observed* name systems (or ``site``, ``ledger``, ``declaration``);
    anything in scope but not observed makes a pass impossible. *query* is a hash of the query. A *period* of no length
    is the time of the observation. *places* are the parts of systems that were examined, such as tables, if the control
    chooses among them; *portions* are the observations in each, if it distinguishes them."""

    in_scope: frozenset[str] = frozenset()
    observed: frozenset[str] = frozenset()
    population: int = 0
    tested: int = 0
    excluded: int = 0
    period: tuple[dt.datetime, dt.datetime] | None = None
    query: str = ""
    places: frozenset[str] = frozenset()
    portions: tuple[Portion, ...] = ()

    @property
    def is_sample(self) -> bool:
        """Whether part of the population was neither tested nor excluded."""
        return self.tested + self.excluded < self.population

    @property
    def unobserved(self) -> frozenset[str]:
        """What is in scope and was not observed."""
        return self.in_scope - self.observed


@dataclass(frozen=True, slots=True)
class ControlFinding:
    """One fault: where, what, and how to fix it. Places are systems, tables, columns, pages: never persons."""

    place: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One run of a control. *summary* is one sentence with the figures in it, for people; *figures* are the same for
    machines. *collector* is the program that ran it: Troth's version and task, never which machine."""

    control: str
    control_version: int
    outcome: CheckOutcome
    summary: str
    at: dt.datetime
    valid_until: dt.datetime
    declaration_hash: str
    evidence: Evidence = Evidence()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    findings: tuple[ControlFinding, ...] = ()
    collector: str = ""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Evidence sent by a program of the company: its own verdict, the figures, and when it looked."""

    source: str
    """The program, by the name of its token."""
    outcome: CheckOutcome
    at: dt.datetime
    figures: Mapping[str, int | float] = field(default_factory=dict)
    population: int = 0
    tested: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether the program examined a population that is not empty, and all of it."""
        return 1 <= self.tested == self.population
