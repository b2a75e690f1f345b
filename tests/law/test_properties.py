"""What holds for every clock that is shipped, whatever the start."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled

from troth.law import Clock, ClockPause, Roll, Unit, due, regimes, working_days

ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC",
            "Europe/London",
            "Pacific/Auckland",
            "America/Los_Angeles",
            "Pacific/Kiritimati",
            "Africa/Cairo",
        )
    ]
)
CLOCKS = sorted({each.clock for rules in regimes().values() for each in rules.obligations if each.clock}, key=repr)
clocks = st.sampled_from(CLOCKS)
of_hours = st.sampled_from([each for each in CLOCKS if each.unit is Unit.HOUR])
of_days = st.sampled_from([each for each in CLOCKS if each.unit is not Unit.HOUR])
of_business_days = st.sampled_from([each for each in CLOCKS if each.unit is Unit.BUSINESS_DAY])
rolling = st.sampled_from([each for each in CLOCKS if each.roll is Roll.NEXT_WORKING_DAY])
extensible = st.sampled_from([each for each in CLOCKS if each.extension])
instants = st.datetimes(dt.datetime(2018, 1, 1), dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
spans = st.timedeltas(dt.timedelta(), dt.timedelta(days=400))
quickly = settings(deadline=None, max_examples=scaled(37, 150))


@quickly
@given(clocks, instants, spans, ZONES)
def test_a_later_start_never_falls_due_earlier(
    clock: Clock, start: dt.datetime, wait: dt.timedelta, zone: ZoneInfo
) -> None:
    assert due(clock, start, zone=zone).ends <= due(clock, start + wait, zone=zone).ends


@quickly
@given(clocks, instants, ZONES)
def test_what_is_due_is_ahead(clock: Clock, start: dt.datetime, zone: ZoneInfo) -> None:
    found = due(clock, start, zone=zone)
    assert found.ends > start
    assert not found.is_late(start)


@quickly
@given(extensible, instants, ZONES)
def test_an_extension_is_never_earlier(clock: Clock, start: dt.datetime, zone: ZoneInfo) -> None:
    assert due(clock, start, zone=zone).ends < due(clock, start, zone=zone, extended=True).ends


@quickly
@given(clocks, instants, st.lists(st.tuples(spans, spans), max_size=4), ZONES)
def test_a_pause_never_shortens(
    clock: Clock, start: dt.datetime, asked: list[tuple[dt.timedelta, dt.timedelta]], zone: ZoneInfo
) -> None:
    pauses = [ClockPause(start + after, start + after + lasting) for after, lasting in asked]
    paused, plain = due(clock, start, zone=zone, pauses=pauses), due(clock, start, zone=zone)
    assert paused.ends >= plain.ends
    assert clock.pausable or paused.ends == plain.ends


@quickly
@given(instants, spans, st.integers(0, 60))
def test_a_longer_pause_never_falls_due_earlier(start: dt.datetime, after: dt.timedelta, days: int) -> None:
    clock = next(each for each in CLOCKS if each.pausable)
    ends = [
        due(
            clock, start, zone=dt.UTC, pauses=[ClockPause(start + after, start + after + dt.timedelta(days=lasting))]
        ).ends
        for lasting in (days, days + 1)
    ]
    assert ends[0] <= ends[1]


@quickly
@given(of_business_days | rolling, instants, ZONES)
def test_business_days_and_rolled_days_are_working_days(clock: Clock, start: dt.datetime, zone: ZoneInfo) -> None:
    assert working_days(clock.holidays).is_working_day(due(clock, start, zone=zone).on)


@quickly
@given(of_business_days, instants, ZONES)
def test_as_many_business_days_pass_as_the_law_says(clock: Clock, start: dt.datetime, zone: ZoneInfo) -> None:
    first, last = start.astimezone(zone).date(), due(clock, start, zone=zone).on
    days = [first + dt.timedelta(days=number) for number in range(1, (last - first).days + 1)]
    assert clock.number == sum(map(working_days(clock.holidays).is_working_day, days))


@quickly
@given(instants, st.integers(1, 36), ZONES)
def test_a_month_ends_on_the_same_day_or_on_the_months_last(start: dt.datetime, number: int, zone: ZoneInfo) -> None:
    clock = Clock(number, Unit.MONTH, CLOCKS[0].starts)
    first, last = start.astimezone(zone).date(), due(clock, start, zone=zone).on
    assert number == (last.year - first.year) * 12 + last.month - first.month
    assert last.day == first.day or (last.day < first.day and (last + dt.timedelta(days=1)).day == 1)


@quickly
@given(of_days, instants, ZONES)
def test_a_date_ends_at_the_controllers_midnight(clock: Clock, start: dt.datetime, zone: ZoneInfo) -> None:
    found = due(clock, start, zone=zone)
    assert found.on == (found.ends - dt.timedelta(microseconds=1)).astimezone(zone).date()
    assert found.on < found.ends.astimezone(zone).date()


@quickly
@given(of_hours, instants, ZONES)
def test_hours_are_the_same_in_every_zone(clock: Clock, start: dt.datetime, zone: ZoneInfo) -> None:
    assert dt.timedelta(hours=clock.number) == due(clock, start.astimezone(zone), zone=zone).ends - start
