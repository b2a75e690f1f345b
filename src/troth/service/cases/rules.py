"""Clocks of cases, by the law and the declaration. Pure."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from troth.declaration import Declaration, Organisation
from troth.law import Applies, ClockEvent, ClockPause, DueDate, Obligation, due, earliest, obligations, regimes_for
from troth.service.cases.handling import case_types


@dataclass(frozen=True, slots=True)
class ClockInputs:
    """Input for the clocks of a case."""

    kind: str
    right: str
    received_at: dt.datetime
    verified_at: dt.datetime | None = None
    residence: str = ""
    pauses: tuple[ClockPause, ...] = ()
    is_extended: bool = False


@dataclass(frozen=True, slots=True)
class Clocks:
    """All clocks of a case. *answer* is never empty: if no law sets a period, the policy's month applies."""

    answer: tuple[DueDate, ...]
    acknowledge: tuple[DueDate, ...]
    because: tuple[Applies, ...]
    """Rule sets that apply or may apply, and why."""

    @property
    def first(self) -> DueDate:
        """The deadline for the answer: the earliest of its clocks."""
        return earliest(self.answer)


def clocks(asked: ClockInputs, declaration: Declaration, *, now: dt.datetime) -> Clocks:
    """The clocks of a case, one per regime that applies or may apply (clause C47). Each follows its own rules, and the
    earliest is the deadline."""
    organisation, zone = declaration.organisation, zone_of(declaration.organisation)
    on = asked.received_at.astimezone(zone).date()
    applying = regimes(declaration, asked.residence, on)
    reckoned = [(name, _due(rule, asked, organisation, zone, now)) for name, rule in _obligations(asked, applying, on)]
    answers = [one for name, one in reckoned if name == "answer"]
    if not answers:  # no law sets a period: use what every such policy promises
        [rule] = [one for one in obligations("gdpr", on) if one.id == "gdpr.answer"]
        answers = [_due(rule, asked, organisation, zone, now)]
    return Clocks(
        answer=tuple(answers),
        acknowledge=tuple(one for name, one in reckoned if name == "acknowledge"),
        because=tuple(applying),
    )


def regimes(declaration: Declaration, residence: str, on: dt.date) -> list[Applies]:
    """Rule sets that apply or may apply to a person who lives in *residence*, which may be unknown."""
    serves, country = declaration.requests.serves or None, declaration.organisation.country
    return list(regimes_for(residence=residence or None, established=country, serves=serves, on=on))


def _obligations(asked: ClockInputs, applying: Sequence[Applies], on: dt.date) -> Iterable[tuple[str, Obligation]]:
    """The obligations that set its clocks, first those of our own standards."""
    what = case_types()[asked.right or asked.kind]
    for regime in (*({"standards"} & what.answer_by.keys()), *(one.regime.id for one in applying)):
        answer, confirm = (by.get(regime, by.get("*", "")) for by in (what.answer_by, what.confirm_by))
        for rule in obligations(regime, on):
            duty = rule.id.partition(".")[2]
            if rule.clock is not None and duty in (answer, confirm):
                yield "answer" if duty == answer else "acknowledge", rule


def _due(
    rule: Obligation, asked: ClockInputs, organisation: Organisation, zone: dt.tzinfo, now: dt.datetime
) -> DueDate:
    started: dict[ClockEvent, dt.datetime | None] = {ClockEvent.RECEIVED: asked.received_at}
    if asked.verified_at is not None:
        # Before identity is confirmed, the clock counts from arrival, so it is never too late under any law.
        started[ClockEvent.IDENTITY_CONFIRMED] = asked.verified_at
    extended = asked.is_extended and rule.clock is not None and bool(rule.clock.extension)
    place, pauses = _place(organisation), asked.pauses
    return due(rule, started, zone=zone, pauses=pauses, extended=extended, place=place, now=now)


def _place(organisation: Organisation) -> str:
    """The place whose public holidays count. The parts of the United Kingdom differ, so the rule's own default,
    England, is used for it."""
    return "" if organisation.country == "GB" else organisation.country


# --- time zones and dates -------------------------------------------------------------------------------------------


def zone_of(organisation: Organisation) -> zoneinfo.ZoneInfo:
    """The controller's time zone: the declared one, or the principal one of its country."""
    return zoneinfo.ZoneInfo(organisation.timezone or _zones().get(organisation.country, "UTC"))


@functools.cache
def _zones() -> dict[str, str]:
    """The first time zone of each country, from the table of the time zone database."""
    found: dict[str, str] = {}
    text = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, zone)
    return found
