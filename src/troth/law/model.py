"""Regimes, obligations, citations and clocks as values. They are read from `data/*.toml` and never change."""

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
"""One number or word of a rule that is not a clock: an age, a share, a count, a version."""


class LawError(TrothError):
    """A rule was asked for that is not there, or a question about it makes no sense."""


class Checked(enum.StrEnum):
    """How well a rule's wording and numbers were checked."""

    READ = "read"
    """Read in a source, sometimes a secondary copy of the official text."""
    MEMORY = "memory"
    """Written from memory: check it before anything hard depends on it."""
    TROTH = "troth"
    """A choice of Troth's, not law."""


class ClockEvent(enum.StrEnum):
    """What may start a clock. A rule names those that start its own; the others do not move it."""

    RECEIVED = "received"
    IDENTITY_CONFIRMED = "identity_confirmed"
    FEE_RECEIVED = "fee_received"
    AWARE = "aware"
    SENT = "sent"
    OBTAINED = "obtained"
    NOTIFIED = "notified"
    DONE = "done"
    """The last time that a recurring act was done."""


class RegulatedActivity(enum.StrEnum):
    """What brings a company under a rule set wherever it and its people live."""

    CARDS = "cards"
    COMMERCIAL_MAIL = "commercial_mail"
    BULK_MAIL = "bulk_mail"
    DEVICES = "devices"
    """Storing or reading anything on a person's device: cookies, pixels, local storage, fingerprints."""
    HEALTH_RECORDS = "health_records"


class Unit(enum.StrEnum):
    """What a clock counts. A calendar month is never a number of days, a business day never a calendar day."""

    MONTH = "calendar month"
    DAY = "calendar day"
    BUSINESS_DAY = "business day"
    HOUR = "clock hour"


class Roll(enum.StrEnum):
    """What happens when the last day is no working day."""

    NONE = "none"
    NEXT_WORKING_DAY = "next working day"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule is written: ``UK GDPR Art. 12(3)``."""

    law: str
    at: str = ""
    url: str = ""

    def __str__(self) -> str:
        return f"{self.law} {self.at}".strip()


@dataclass(frozen=True, slots=True)
class Clock:
    """*number* of *unit* after the latest of *starts*; *extension* more of the same, from the same start.

    *holidays* is the calendar that says what a working day is (``GB-ENG``, ``US``; empty: weekends only). Where the
    controller's place lies within *holidays_within*, its own calendar counts instead.

    Raises `LawError` for a clock that cannot run.
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
    """One duty, in one wording, for the days on which that wording is law (both ends included)."""

    id: str
    """``<regime>.<duty>``; the same duty has the same last word in every regime: ``uk.answer``, ``ccpa.answer``."""
    what: str
    citation: Citation
    jurisdiction: str
    checked: Checked
    applies_from: dt.date | None
    """``None`` only in a pending regime, which is in force on no day."""
    applies_to: dt.date | None = None
    clock: Clock | None = None
    figures: Mapping[str, Figure] = field(default_factory=_no_figures, hash=False)
    note: str = ""

    @property
    def version(self) -> str:
        """The id and the first day of this wording, to be kept beside whatever was computed with it."""
        return f"{self.id}@{self.applies_from or 'pending'}"

    def is_in_force(self, on: dt.date) -> bool:
        return in_force(self, on)


@dataclass(frozen=True, slots=True)
class ApplicabilityRule:
    """One way in which a regime comes to apply. All of its conditions have to hold; an empty one always does."""

    because: str
    """In words, with ``{residence}``, ``{established}`` and ``{activity}`` filled in."""
    citation: Citation
    established: tuple[str, ...] = ()
    residence: tuple[str, ...] = ()
    must_serve: bool = False
    """Only where the controller offers itself to people there; being reachable from there is not enough."""
    activity: RegulatedActivity | None = None
    provided: str = ""
    """What else has to be true, which nobody can tell from places: ``yearly revenue exceeds …``."""
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
        return in_force(self, on)  # a pending one has no first day


def in_force(rule: Obligation | Regime, on: dt.date) -> bool:
    """Whether *on* lies between the rule's first and last day; a rule without a first day is never in force."""
    return rule.applies_from is not None and rule.applies_from <= on <= (rule.applies_to or dt.date.max)
