"""Calendar arithmetic. Each step takes a date, returns the next one and appends its explanation to *steps*."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from troth.law import sentences
from troth.law.model import Roll, Unit
from troth.law.months import months_after
from troth.law.sentences import said
from troth.law.working_days import WorkingDays

Span = tuple[dt.date, dt.date]
"""The first and the last day of a pause, both excluded from the count."""

_DAY = dt.timedelta(days=1)


def count(unit: Unit, first: dt.date, number: int, days: WorkingDays, steps: list[str]) -> dt.date:
    """*number* of *unit* after *first*, which is not counted itself."""
    if unit is Unit.BUSINESS_DAY:
        return _business_days_after(first, number, days, steps)
    on = months_after(first, number) if unit is Unit.MONTH else first + number * _DAY
    period = sentences.Counted(number, "month" if unit is Unit.MONTH else unit)
    if unit is Unit.MONTH and on.day < first.day:
        steps.append(
            said(
                "%(period)s from %(first)s is %(on)s, a %(weekday)s (the last day of %(month)s, which has no day "
                "%(missing)s).",
                period=period,
                first=first,
                on=on,
                weekday=sentences.Weekday(on),
                month=sentences.Month(on),
                missing=first.day,
            )
        )
    else:
        steps.append(
            said(
                "%(period)s from %(first)s is %(on)s, a %(weekday)s.",
                period=period,
                first=first,
                on=on,
                weekday=sentences.Weekday(on),
            )
        )
    return on


def _business_days_after(first: dt.date, number: int, days: WorkingDays, steps: list[str]) -> dt.date:
    on, left = first, number
    holidays = list[sentences.Fact]()
    while left:
        on += _DAY
        if days.is_working_day(on):
            left -= 1
        elif not days.is_weekend(on):
            holidays.append(said("%(day)s (%(holiday)s)", day=on, holiday=days.holiday(on) or ""))
    steps.append(
        said(
            "%(period)s from %(first)s end on %(weekday)s %(on)s; not counted: %(skipped)s.",
            period=sentences.Counted(number, "business day"),
            first=first,
            weekday=sentences.Weekday(on),
            on=on,
            skipped=(sentences.Term("weekends"), *holidays),
        )
    )
    return on


def merged(spans: Iterable[Span]) -> list[Span]:
    """*spans* in order, with overlapping and adjacent ones merged: no day is excluded twice."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + _DAY:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def pause(start: dt.date, on: dt.date, spans: Iterable[Span], days: WorkingDays | None, steps: list[str]) -> dt.date:
    """*on* moved later by the days of *spans*, both ends included.

    Days before *start* were never counted, and a pause that begins after the clock has run out (on the working day that
    *days* gives, if the clock waits for one) comes too late to move it.
    """
    for first, last in merged(spans):
        if first > (days.on_or_after(on) if days else on):
            steps.append(said("The pause from %(first)s began after the last day and moves nothing.", first=first))
            continue
        left_out = (last - max(first, start)).days + 1
        if left_out > 0:
            on += left_out * _DAY
            steps.append(
                said(
                    "Paused from %(first)s to %(last)s: %(days)s left out, both ends included, so the last day is "
                    "%(on)s, a %(weekday)s.",
                    first=first,
                    last=last,
                    days=sentences.Counted(left_out, "day"),
                    on=on,
                    weekday=sentences.Weekday(on),
                )
            )
    return on


def roll(rule: Roll, on: dt.date, days: WorkingDays, steps: list[str]) -> dt.date:
    """*on*, or the next working day if the clock waits for one."""
    if days.is_working_day(on):
        return on
    if rule is Roll.NONE:
        steps.append(said("This clock does not wait for a working day."))
        return on
    working = days.on_or_after(on)
    holidays = tuple(
        said("%(day)s is %(holiday)s", day=day, holiday=name)
        for day in _days(on, working)
        if (name := days.holiday(day))
    )
    when: dict[str, sentences.Fact] = {"weekday": sentences.Weekday(working), "on": working}
    steps.append(
        said("The next working day is %(weekday)s %(on)s (%(holidays)s).", holidays=holidays, **when)
        if holidays
        else said("The next working day is %(weekday)s %(on)s.", **when)
    )
    return working


def _days(first: dt.date, end: dt.date) -> Iterable[dt.date]:
    return (first + number * _DAY for number in range((end - first).days))
