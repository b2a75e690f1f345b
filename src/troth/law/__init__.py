"""Law as dated data, and the arithmetic of its deadlines.

This package promises three things. Every regime, obligation and citation is data with dates (`data/*.toml`, one file
per rule set), so every query takes a date: `obligations("uk", as_of)`. `regimes_for` says which rule sets apply to a
person and a controller on a date, and why. `due` says when a clock runs out and explains each step; several clocks on
one case are independent, and `earliest` picks the first.

It is the lowest package: nothing here imports the rest of Troth. It is not legal advice, and each obligation says how
well its wording was checked.
"""

from troth.law.deadlines import ClockNotStarted, ClockPause, DueDate, Started, due, earliest
from troth.law.loader import BadRuleSet, read_regime
from troth.law.model import (
    ApplicabilityRule,
    Checked,
    Citation,
    Clock,
    ClockEvent,
    Figure,
    LawError,
    Obligation,
    Regime,
    RegulatedActivity,
    Roll,
    Unit,
)
from troth.law.rule_sets import (
    obligation,
    obligations,
    place_is_in,
    place_name,
    regime,
    regimes,
    reviewed_on,
    rules_digest,
    starting_soon,
)
from troth.law.scope import Applies, not_covered, regimes_for
from troth.law.working_days import WorkingDays, working_days

__all__ = [
    "ApplicabilityRule",
    "Applies",
    "BadRuleSet",
    "Checked",
    "Citation",
    "Clock",
    "ClockEvent",
    "ClockNotStarted",
    "ClockPause",
    "DueDate",
    "Figure",
    "LawError",
    "Obligation",
    "Regime",
    "RegulatedActivity",
    "Roll",
    "Started",
    "Unit",
    "WorkingDays",
    "due",
    "earliest",
    "not_covered",
    "obligation",
    "obligations",
    "place_is_in",
    "place_name",
    "read_regime",
    "regime",
    "regimes",
    "regimes_for",
    "reviewed_on",
    "rules_digest",
    "starting_soon",
    "working_days",
]
