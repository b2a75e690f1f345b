"""Controls, checks and statuses as values.

A *control* asks one question about the running company. A *check* is one run of it: what it found, and what it looked
at to find it. A *status* is what a promise's checks add up to. The catalogue of controls is data (``catalogue.toml``);
how a control finds its answer is a plain function in the room that can know (``<room>/controls.py``), registered with
`answers`.
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


EVENTS = ("case.closed", "disclosures.changed", "erasure.done", "restriction.changed")
"""What may happen after which a control would answer otherwise than the last time."""


class CheckOutcome(enum.StrEnum):
    """How a check ended. A check that broke is an error, which is not a pass."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


class Status(enum.StrEnum):
    """What a promise's checks add up to, from the best to the worst."""

    KEPT = "kept"
    STATED = "stated"
    WAIVED = "waived"
    UNPROVEN = "unproven"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Control:
    """One question, as the catalogue states it."""

    id: str
    """``<room>.<what must be true>``."""
    version: int
    question: str
    """In words that a customer understands."""
    citation: str
    clauses: tuple[str, ...]
    every: dt.timedelta
    """How often the keep loop runs it."""
    fresh_for: dt.timedelta
    """How long a pass may be shown; always longer than *every*."""
    remedy: str
    """What to do when it fails."""
    cannot_see: str
    """What a pass does not show."""
    audience: Audience = Audience.PUBLIC
    """The widest audience that may ever see its results; network, key and incident controls stop at STAFF."""
    severity: Literal["low", "medium", "high"] = "medium"
    failures_to_break: int = 1
    """Failures in a row before a promise is ``broken``."""
    principles: tuple[str, ...] = ()
    """The principles that it serves (`troth.controls.principles`)."""
    owner: str = ""
    """Who mends it, where that is not for the owners of the promises."""
    is_own: bool = False
    """Whether it is a company's own, of its declaration."""
    must: Must | None = None
    """What the figure of a company's own control must be."""
    on: tuple[str, ...] = ()
    """After which of `EVENTS` the keep loop runs it at once, and not only when it is due: once a minute at most."""
    limit: dt.timedelta = dt.timedelta(minutes=5)
    """How long it may take; what takes longer is an error, which is not a pass."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What a check saw in one place, such as a table: the figures of it alone, how many there were to look at, and how
    many of them were left out."""

    place: str
    figures: Mapping[str, int] = field(default_factory=dict)
    population: int = 0
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check looked at. *in_scope* and *observed* name systems (or ``site``, ``ledger``, ``declaration``);
    what is in scope and was not observed makes a pass impossible. *query* is a hash of what was asked. A
    *period* of no length is the moment at which it was looked at. *places* are the
    parts of systems that were looked at, such as tables, where the control chooses among them; *portions* are what was
    seen in each, where it tells them apart."""

    in_scope: frozenset[str] = frozenset()
    observed: frozenset[str] = frozenset()
    population: int = 0
    tested: int = 0
    excluded: int = 0
    period: tuple[dt.datetime, dt.datetime] | None = None
    query: str = ""
    places: frozenset[str] = frozenset()
    portions: tuple[Portion, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlFinding:
    """One fault: where, what, and how to mend it. Places are systems, tables, columns, pages: never persons."""

    place: str
    message: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One run of a control. *summary* is one sentence with the figures in it, for people; *figures* are the same for
    machines. *collector* is the program that ran it: Troth's version and what it was doing, never which machine."""

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
    """Evidence that a program of the company has sent: its own verdict, the figures, and when it looked."""

    source: str
    """The program, as its token is called."""
    outcome: CheckOutcome
    at: dt.datetime
    figures: Mapping[str, int | float] = field(default_factory=dict)
    population: int = 0
    tested: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether the program looked at something, and at all there was."""
        return 1 <= self.tested == self.population
