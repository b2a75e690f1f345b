"""Worked deadlines: a start, a rule, the last day. England's bank holidays and the federal holidays of the US."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from tests.tables import each_row

from troth.law import ClockPause, DueDate, due, obligation

LONDON = ZoneInfo("Europe/London")


def noon(day: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=LONDON)


def due_from(duty: str, day: str, *, extended: bool = False, pauses: tuple[ClockPause, ...] = ()) -> DueDate:
    rule = obligation(duty, dt.date.fromisoformat(day))
    return due(rule, noon(day), zone=LONDON, extended=extended, pauses=pauses)


@each_row(
    ("duty", "start", "last"),
    [
        ("uk.answer", "2026-03-05", "2026-04-07"),  # Easter Sunday and Easter Monday
        ("uk.answer", "2026-11-25", "2026-12-29"),  # Christmas, a Saturday, a Sunday, Boxing Day in lieu
        ("uk.answer", "2027-01-31", "2027-03-01"),  # 28 February is a Sunday
        ("uk.answer", "2028-01-31", "2028-02-29"),  # a leap year
        ("uk.answer", "2026-11-30", "2026-12-30"),
        ("uk.answer", "2026-12-31", "2027-02-01"),  # over the year's end; 31 January is a Sunday
        ("uk.answer", "2028-02-29", "2028-03-29"),  # from a leap day
        ("uk.answer", "2027-12-01", "2028-01-04"),  # a Saturday, a Sunday, New Year's Day in lieu
        ("canspam.opt_out", "2026-12-18", "2027-01-05"),
        ("canspam.opt_out", "2026-06-26", "2026-07-13"),  # 4 July is a Saturday, so Friday is the holiday
        ("ccpa.confirm", "2026-11-24", "2026-12-09"),
        ("ccpa.opt_out", "2026-11-24", "2026-12-16"),
        ("ccpa.answer", "2026-11-24", "2027-01-08"),
        ("uk.acknowledge_complaint", "2026-06-19", "2026-07-19"),  # a Sunday: it does not roll
    ],
)
def test_last_day(duty: str, start: str, last: str) -> None:
    assert dt.date.fromisoformat(last) == due_from(duty, start).on


@pytest.mark.parametrize(
    ("duty", "start", "last"),
    [("uk.answer", "2026-11-30", "2027-03-01"), ("ccpa.answer", "2026-11-24", "2027-02-22")],
)
def test_last_day_when_extended(duty: str, start: str, last: str) -> None:
    assert dt.date.fromisoformat(last) == due_from(duty, start, extended=True).on


def test_last_day_after_a_pause() -> None:
    asked_and_answered = ClockPause(noon("2026-06-05"), noon("2026-06-12"))
    assert dt.date(2026, 7, 9) == due_from("uk.answer", "2026-06-01", pauses=(asked_and_answered,)).on


def test_seventy_two_hours_over_christmas() -> None:
    aware = dt.datetime(2026, 12, 25, 18, tzinfo=dt.UTC)
    rule = obligation("uk.notify_authority", aware.date())
    assert dt.datetime(2026, 12, 28, 18, tzinfo=dt.UTC) == due(rule, aware, zone=LONDON).ends


def test_working_days_of_the_union_are_those_of_the_member_state() -> None:
    # 6 January is a holiday in Austria, not in the Netherlands: one month from 6 December 2026 ends on it.
    received = noon("2026-12-06")
    rule = obligation("gdpr.answer", received.date())
    last = {place: due(rule, received, zone=LONDON, place=place).on.day for place in ("AT", "NL", "")}
    assert last == {"AT": 7, "NL": 6, "": 6}


def test_scotland_keeps_its_own_bank_holidays() -> None:
    # Easter Monday, 6 April 2026, is a bank holiday in England and not in Scotland.
    received = noon("2026-03-06")
    rule = obligation("uk.answer", received.date())
    assert dt.date(2026, 4, 7) == due(rule, received, zone=LONDON).on
    assert dt.date(2026, 4, 6) == due(rule, received, zone=LONDON, place="GB-SCT").on


def test_federal_holidays_count_wherever_the_sender_is() -> None:
    received = noon("2026-12-18")
    rule = obligation("canspam.opt_out", received.date())
    assert due(rule, received, zone=LONDON).on == due(rule, received, zone=LONDON, place="GB").on
