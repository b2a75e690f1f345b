"""Deadline arithmetic: when a clock runs out, with each step explained in words.

Dates are the controller's: an instant becomes a date in the controller's time zone, never in the server's. A period in
days or months excludes its first day and runs to the end of its last day. A period in hours is counted in instants.
Nothing is converted when it is stored: business days are counted on demand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from troth.law import counting, sentences
from troth.law.model import Citation, Clock, ClockEvent, LawError, Obligation, Roll, Unit
from troth.law.places import Containment
from troth.law.rule_sets import places
from troth.law.sentences import said
from troth.law.working_days import WorkingDays, working_days

Started: TypeAlias = dt.datetime | Mapping[ClockEvent, dt.datetime | None]
"""The time of the clock's event; or of several events of one case, ``None`` for one that is requested and pending."""

_YEARS = range(1970, 9000)


class ClockNotStarted(LawError):
    """The clock is waiting for an event that has not happened yet."""


@dataclass(frozen=True, slots=True)
class ClockPause:
    """A pause from *asked* to *answered*, for a clarification; ``None`` while it is pending. Aware instants."""

    asked: dt.datetime
    answered: dt.datetime | None = None

    def __post_init__(self) -> None:
        asked = _utc(self.asked)
        if self.answered is not None and _utc(self.answered) < asked:
            raise LawError("a pause was answered before it was asked for; check the two instants")


@dataclass(frozen=True, slots=True)
class DueDate:
    """The end of a clock: at the end of the date *on*, or for a clock of hours at the instant *ends*."""

    rule: str
    """The obligation's id and the first day of its wording (``uk.answer@2026-02-05``); empty for a mere clock."""
    citation: Citation | None
    started: dt.datetime
    on: dt.date
    """The last day, in the controller's time zone."""
    ends: dt.datetime
    """The end of that day, or the last instant of a clock of hours; in UTC."""
    unit: Unit
    steps: tuple[str, ...]
    """The calculation, one sentence per step."""
    is_paused: bool = False
    """The clock is paused: *on* is the last day if the answer came now, and moves later with every day."""

    @property
    def why(self) -> str:
        return " ".join(self.steps)

    def is_late(self, now: dt.datetime) -> bool:
        """Whether *now* is past the deadline; the last instant of a clock of hours is still on time."""
        return _utc(now) > self.ends if self.unit is Unit.HOUR else _utc(now) >= self.ends

    def left(self, now: dt.datetime) -> dt.timedelta:
        """Time left; negative once it is late."""
        return self.ends - _utc(now)


def due(
    rule: Obligation | Clock,
    started: Started,
    *,
    zone: dt.tzinfo,
    pauses: Sequence[ClockPause] = (),
    extended: bool = False,
    place: str = "",
    now: dt.datetime | None = None,
) -> DueDate:
    """The deadline of *rule*, with its explanation.

    *zone* is the controller's time zone and *place* where it is established, for the public holidays. *pauses* are all
    of the case's: a clock that the law does not pause ignores them, and says so. The clock ignores events in *started*
    that are not its own. *now* is required while a pause is open.

    Raises `ClockNotStarted` while an event is pending, and `LawError` for an obligation that has no clock or was not in
    force at the start, an extension that the law does not give, a naive instant, or an open pause without *now*.
    """
    clock = _clock_of(rule)
    events = started if isinstance(started, Mapping) else {clock.starts[0]: started}
    event, start = _start(clock, events)
    if isinstance(rule, Obligation):
        _refuse_not_in_force(rule, _utc(events[clock.starts[0]]).astimezone(zone).date())
    steps = [_start_in_words(event, start.astimezone(zone), [each for each in events if each not in clock.starts])]
    number = _number(clock, steps, extended=extended)
    if clock.unit is Unit.HOUR:
        on, ends = _hours(start, number, zone, steps)
    else:
        on = _last_day(clock, start.astimezone(zone).date(), number, _spans(clock, pauses, zone, now), place, steps)
        ends = _end_of(on, zone)
    is_open = clock.pausable and any(each.answered is None for each in pauses)
    is_paused = is_open and now is not None and _utc(now) < ends
    name, citation = (rule.version, rule.citation) if isinstance(rule, Obligation) else ("", None)
    return DueDate(name, citation, start, on, ends, clock.unit, tuple(steps), is_paused)


def earliest(dues: Iterable[DueDate]) -> DueDate:
    """The clock of one case that runs out first; of equals, the first given. Raises `LawError` if there is none."""
    first = min(dues, key=lambda each: each.ends, default=None)
    if first is None:
        raise LawError("no clock runs on this case, so none runs out first")
    return first


# --- the start ----------------------------------------------------------------------------------------------------


def _clock_of(rule: Obligation | Clock) -> Clock:
    if isinstance(rule, Clock):
        return rule
    if rule.clock is None:
        raise LawError(f"{rule.id} ({rule.citation}) sets no period, so nothing falls due")
    return rule.clock


def _start(clock: Clock, events: Mapping[ClockEvent, dt.datetime | None]) -> tuple[ClockEvent, dt.datetime]:
    """The latest of the clock's own events: confirming an identity does not move a clock that starts at receipt."""
    own = {event: events.get(event) for event in clock.starts if event in events or event is clock.starts[0]}
    awaited = [event.replace("_", " ") for event, at in own.items() if at is None]
    if awaited:
        raise ClockNotStarted(f"the clock has not started; awaited: {sentences.listed(awaited)}")
    at, event = max((_utc(at), event) for event, at in own.items())
    return event, at


def _refuse_not_in_force(rule: Obligation, on: dt.date) -> None:
    """The wording in force on the day of the first event applies; savings provisions keep the old one for it."""
    if not rule.is_in_force(on):
        raise LawError(f"{rule.version} is not in force on {on}; ask for obligation({rule.id!r}, as_of={on})")


def _start_in_words(event: ClockEvent, local: dt.datetime, others: Sequence[ClockEvent]) -> str:
    when: dict[str, sentences.Fact] = {"weekday": sentences.Weekday(local.date()), "on": local.date()}
    when |= {"time": f"{local:%H:%M}", "zone": str(local.tzinfo), "event": sentences.Term(plain(event))}
    if not others:
        return said("The clock starts on %(weekday)s %(on)s at %(time)s (%(zone)s): %(event)s.", **when)
    return said(
        "The clock starts on %(weekday)s %(on)s at %(time)s (%(zone)s): %(event)s; not moved by %(others)s.",
        others=tuple(sentences.Term(plain(each)) for each in others),
        **when,
    )


def plain(event: ClockEvent) -> str:
    """The event in the words of a sentence."""
    return "became aware" if event is ClockEvent.AWARE else event.replace("_", " ")


def _number(clock: Clock, steps: list[str], *, extended: bool) -> int:
    if not extended:
        return clock.number
    if not clock.extension:
        raise LawError(f"a period of {clock} allows no extension; ask without one")
    # GDPR Art. 12(3): two *further* months, so three from the start, not two from the end of the first.
    steps.append(
        said(
            "Extended by %(period)s, counted from the same start.",
            period=sentences.Counted(clock.extension, clock.unit),
        )
    )
    return clock.number + clock.extension


# --- the end ------------------------------------------------------------------------------------------------------


def _hours(start: dt.datetime, number: int, zone: dt.tzinfo, steps: list[str]) -> tuple[dt.date, dt.datetime]:
    ends = start + dt.timedelta(hours=number)  # in UTC, where clock changes have no effect
    local = ends.astimezone(zone)
    steps.append(
        said(
            "%(number)s clock hours, nights, weekends and holidays included, end on %(weekday)s %(on)s at %(time)s.",
            number=number,
            weekday=sentences.Weekday(local.date()),
            on=local.date(),
            time=f"{local:%H:%M}",
        )
    )
    return local.date(), ends


def _last_day(
    clock: Clock, first: dt.date, number: int, spans: Sequence[counting.Span] | None, place: str, steps: list[str]
) -> dt.date:
    days = _working_days(clock, place, first)
    on = counting.count(clock.unit, first, number, days, steps)
    if clock.holidays_within and not days.place:
        steps.append(
            said(
                "No place in %(within)s was given, so only weekends count as days that are no working days.",
                within=places().name(clock.holidays_within),
            )
        )
    if spans is None:
        steps.append(said("This clock never pauses."))
    else:
        on = counting.pause(first, on, spans, days if clock.roll is Roll.NEXT_WORKING_DAY else None, steps)
    return on if clock.unit is Unit.BUSINESS_DAY else counting.roll(clock.roll, on, days, steps)


def _working_days(clock: Clock, place: str, on: dt.date) -> WorkingDays:
    """The calendar of *place* if the rule lets the place decide, otherwise the rule's own."""
    if place and clock.holidays_within:
        within = places().is_in(places().check(place), [clock.holidays_within], on)
        return working_days(place if within is Containment.YES else clock.holidays)
    return working_days(clock.holidays)


def _spans(
    clock: Clock, pauses: Sequence[ClockPause], zone: dt.tzinfo, now: dt.datetime | None
) -> list[counting.Span] | None:
    """The days that the pauses exclude; ``None`` if there are pauses but the law has none."""
    if pauses and not clock.pausable:
        return None
    return [_span(each, zone, now) for each in pauses]


def _span(pause: ClockPause, zone: dt.tzinfo, now: dt.datetime | None) -> counting.Span:
    until = pause.answered or now
    if until is None:
        raise LawError("a pause is still open; pass now, so that its days up to now can be counted")
    # UK GDPR Art. 12A: from the day of asking to the day of the answer, both included.
    return pause.asked.astimezone(zone).date(), max(_utc(until), _utc(pause.asked)).astimezone(zone).date()


def _end_of(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, tzinfo=zone).astimezone(dt.UTC)


def _utc(at: dt.datetime | None) -> dt.datetime:
    if at is None or at.utcoffset() is None:
        raise LawError("an instant needs a time zone; a naive datetime does not say which day it is for the controller")
    if at.year not in _YEARS:
        raise LawError(f"an instant in the year {at.year} is a mistake; check what it was read from")
    return at.astimezone(dt.UTC)
