"""Regimes, obligations, citations and clocks as values. They are read from `data/*.toml` and are immutable."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

from troth.errors import TrothError

Figure: TypeAlias = int | Decimal | str
"""A number or word of a rule that is not a clock: an age, a share, a count, a version."""


class LawError(TrothError):
    """The requested rule does not exist, or the query is invalid."""


class Checked(enum.StrEnum):
    """How well a rule's wording and numbers were checked."""

    READ = "read"
    """Read in a source, sometimes a secondary copy of the official text."""
    MEMORY = "memory"
    """Written from memory: check it before relying on it."""
    TROTH = "troth"
    """A decision of Troth, not law."""


class ClockEvent(enum.StrEnum):
    """Events that may start a clock. A rule names those that start its own; the others do not move it."""

    RECEIVED = "received"
    IDENTITY_CONFIRMED = "identity_confirmed"
    FEE_RECEIVED = "fee_received"
    AWARE = "aware"
    SENT = "sent"
    OBTAINED = "obtained"
    NOTIFIED = "notified"
    DONE = "done"
    """The last time that a recurring task was done."""


class RegulatedActivity(enum.StrEnum):
    """Activities that bring a company under a rule set wherever it and its people are."""

    CARDS = "cards"
    COMMERCIAL_MAIL = "commercial_mail"
    BULK_MAIL = "bulk_mail"
    DEVICES = "devices"
    """Storing or reading anything on a person's device: cookies, pixels, local storage, fingerprints."""
    HEALTH_RECORDS = "health_records"


class Unit(enum.StrEnum):
    """The unit of a clock. A calendar month is never a number of days, a business day never a calendar day."""

    MONTH = "calendar month"
    DAY = "calendar day"
    BUSINESS_DAY = "business day"
    HOUR = "clock hour"


class Roll(enum.StrEnum):
    """What happens if the last day is not a working day."""

    NONE = "none"
    NEXT_WORKING_DAY = "next working day"


@dataclass(frozen=True, slots=True)
class Citation:
    """The place of a rule in the law: ``UK GDPR Art. 12(3)``."""

    law: str
    at: str = ""
    url: str = ""

    def __str__(self) -> str:
        return f"{self.law} {self.at}".strip()


@dataclass(frozen=True, slots=True)
class Clock:
    """*number* of *unit* after the latest of *starts*; *extension* more of the same, from the same start.

    *holidays* is the calendar of working days (``GB-ENG``, ``US``; empty: weekends only). If the controller's place is
    within *holidays_within*, its own calendar applies instead.

    Raises `LawError` for an invalid clock.
    """

    number: int
    unit: Unit
    starts: tuple[ClockEvent, ...]
    roll: Roll = Roll.NONE
    extension: int = 0
    pausable: bool = False
    holidays: str = ""
    holidays_within: str = ""

    def __post_init__(self) -> None:
        counts_days = self.unit in (Unit.MONTH, Unit.DAY)
        if self.number < 1 or self.extension < 0 or not self.starts:
            raise LawError("a clock needs a number of 1 or more and an event that starts it")
        if self.pausable and not counts_days:
            raise LawError(f"a clock of {self.unit}s does not pause; leave out pausable")
        if self.roll is not Roll.NONE and not counts_days:
            raise LawError(f"a clock of {self.unit}s does not roll; leave out roll")

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"


def _no_figures() -> Mapping[str, Figure]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Obligation:
    """One duty, in one wording, for the days on which that wording is in force (both ends included)."""

    id: str
    """``<regime>.<duty>``; the duty has the same name in every regime: ``uk.answer``, ``ccpa.answer``."""
    what: str
    citation: Citation
    jurisdiction: str
    checked: Checked
    applies_from: dt.date | None
    """``None`` only in a pending regime, which is never in force."""
    applies_to: dt.date | None = None
    clock: Clock | None = None
    figures: Mapping[str, Figure] = field(default_factory=_no_figures, hash=False)
    note: str = ""

    @property
    def version(self) -> str:
        """The id and the first day of this wording, to be stored with results computed from it."""
        return f"{self.id}@{self.applies_from or 'pending'}"

    def is_in_force(self, on: dt.date) -> bool:
        return in_force(self, on)


@dataclass(frozen=True, slots=True)
class ApplicabilityRule:
    """A condition under which a regime applies. All its parts must hold; an empty part always does."""

    because: str
    """The reason in words, with ``{residence}``, ``{established}`` and ``{activity}`` filled in."""
    citation: Citation
    established: tuple[str, ...] = ()
    residence: tuple[str, ...] = ()
    must_serve: bool = False
    """Only if the controller offers itself to people there; being reachable from there is not enough."""
    activity: RegulatedActivity | None = None
    provided: str = ""
    """A further condition that places cannot decide: ``yearly revenue exceeds …``."""
    applies_from: dt.date | None = None
    applies_to: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Regime:
    """One rule set: a law, or a group of laws with the same reach, with every dated wording of its obligations."""

    id: str
    name: str
    citation: Citation
    jurisdiction: str
    reviewed: dt.date
    """When a person last compared this file with the law."""
    applies_from: dt.date | None
    applies_to: dt.date | None = None
    is_pending: bool = False
    reach: tuple[ApplicabilityRule, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    note: str = ""

    def is_in_force(self, on: dt.date) -> bool:
        return in_force(self, on)  # a pending regime has no first day


def in_force(rule: Obligation | Regime, on: dt.date) -> bool:
    """Whether *on* is between the rule's first and last day; a rule without a first day is never in force."""
    return rule.applies_from is not None and rule.applies_from <= on <= (rule.applies_to or dt.date.max)
