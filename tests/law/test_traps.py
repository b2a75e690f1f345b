"""Each usual mistake beside the right answer, on a case where the two differ: the mistake would turn these red."""

from __future__ import annotations

import datetime as dt
import time
from zoneinfo import ZoneInfo

import pytest

from troth.law import ClockEvent, ClockNotStarted, ClockPause, LawError, due, earliest, obligation

LONDON = ZoneInfo("Europe/London")
DAY = dt.timedelta(days=1)


def noon(year: int, month: int, day: int) -> dt.datetime:
    return dt.datetime(year, month, day, 12, tzinfo=LONDON)


def test_a_month_is_not_thirty_days() -> None:
    received = noon(2027, 2, 1)
    mistake = received.date() + 30 * DAY
    assert dt.date(2027, 3, 1) == due(obligation("uk.answer", received.date()), received, zone=LONDON).on != mistake


def test_business_days_are_counted_when_asked_for() -> None:
    """Ten business days kept as fourteen calendar days would lose Thanksgiving."""
    received = noon(2026, 11, 24)
    mistake = received.date() + 14 * DAY
    assert dt.date(2026, 12, 9) == due(obligation("ccpa.confirm", received.date()), received, zone=LONDON).on != mistake


def test_the_date_is_the_controllers_not_the_servers() -> None:
    """Half past eleven in the evening by UTC is noon of the next day in Auckland, and half past eleven in London."""
    received = dt.datetime(2026, 3, 4, 23, 30, tzinfo=dt.UTC)
    rule = obligation("uk.answer", received.date())
    auckland = due(rule, received, zone=ZoneInfo("Pacific/Auckland"))
    london = due(rule, received, zone=LONDON)
    assert "from 5 March 2026" in auckland.why
    assert "from 4 March 2026" in london.why
    assert dt.datetime(2026, 4, 7, 12, tzinfo=dt.UTC) == auckland.ends  # midnight of 8 April there
    assert dt.datetime(2026, 4, 7, 23, tzinfo=dt.UTC) == london.ends  # midnight of 8 April, summer time


def test_the_servers_own_zone_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    received = dt.datetime(2026, 3, 4, 23, 30, tzinfo=dt.UTC)
    found = []
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # 14 hours before and 11 hours behind UTC
        with monkeypatch.context() as server:
            server.setenv("TZ", zone)
            time.tzset()
            found.append(due(obligation("uk.answer", received.date()), received, zone=LONDON))
    time.tzset()
    assert found[0] == found[1]


def test_verification_does_not_start_the_californian_clock() -> None:
    events = {ClockEvent.RECEIVED: noon(2026, 11, 24), ClockEvent.IDENTITY_CONFIRMED: noon(2026, 12, 10)}
    mistake = events[ClockEvent.IDENTITY_CONFIRMED].date() + 45 * DAY
    found = due(obligation("ccpa.answer", dt.date(2026, 11, 24)), events, zone=LONDON)
    assert dt.date(2027, 1, 8) == found.on != mistake
    assert "not moved by identity confirmed" in found.why


def test_verification_that_never_ends_does_not_hold_the_californian_clock() -> None:
    events = {ClockEvent.RECEIVED: noon(2026, 11, 24), ClockEvent.IDENTITY_CONFIRMED: None}
    assert dt.date(2027, 1, 8) == due(obligation("ccpa.answer", dt.date(2026, 11, 24)), events, zone=LONDON).on


def test_an_extension_counts_from_the_original_start() -> None:
    """Two months after the first month's last day (29 December, Christmas past) would be 1 March."""
    received = noon(2026, 11, 25)
    found = due(obligation("uk.answer", received.date()), received, zone=LONDON, extended=True)
    assert dt.date(2027, 2, 25) == found.on


def test_seventy_two_hours_do_not_wait_for_a_working_day() -> None:
    aware = dt.datetime(2026, 12, 24, 9, tzinfo=LONDON)
    found = due(obligation("gdpr.notify_authority", aware.date()), aware, zone=LONDON, place="DE")
    assert dt.date(2026, 12, 27) == found.on  # a Sunday
    assert aware + 3 * DAY == found.ends


@pytest.mark.parametrize(
    ("day", "aware_at", "ends_at"),
    [
        (dt.date(2026, 3, 27), 12, 13),  # an hour is skipped on 29 March
        (dt.date(2026, 10, 24), 12, 11),  # an hour comes twice on 25 October
    ],
)
def test_seventy_two_hours_are_real_hours(day: dt.date, aware_at: int, ends_at: int) -> None:
    """Adding three days to the wall clock would gain or lose an hour."""
    aware = dt.datetime.combine(day, dt.time(aware_at), tzinfo=LONDON)
    ends = dt.datetime.combine(day + 3 * DAY, dt.time(ends_at), tzinfo=LONDON)
    assert ends == due(obligation("uk.notify_authority", day), aware, zone=LONDON).ends


def test_the_californian_clock_never_pauses() -> None:
    pause = ClockPause(noon(2026, 11, 25), noon(2026, 12, 20))
    received = noon(2026, 11, 24)
    found = due(obligation("ccpa.answer", received.date()), received, zone=LONDON, pauses=[pause])
    assert dt.date(2027, 1, 8) == found.on
    assert "never pauses" in found.why


def test_the_british_pause_exists_only_from_its_first_day() -> None:
    pause = ClockPause(noon(2026, 2, 6), noon(2026, 2, 10))
    before, after = noon(2026, 2, 4), noon(2026, 2, 5)
    old = due(obligation("uk.answer", before.date()), before, zone=LONDON, pauses=[pause])
    new = due(obligation("uk.answer", after.date()), after, zone=LONDON, pauses=[pause])
    assert dt.date(2026, 3, 4) == old.on
    assert dt.date(2026, 3, 10) == new.on


def test_the_european_clock_does_not_take_the_british_pause() -> None:
    pause = ClockPause(noon(2026, 6, 5), noon(2026, 6, 12))
    received = noon(2026, 6, 1)
    found = due(obligation("gdpr.answer", received.date()), received, zone=LONDON, pauses=[pause], place="FR")
    assert dt.date(2026, 7, 1) == found.on


def test_both_ends_of_a_pause_are_left_out() -> None:
    pause = ClockPause(noon(2026, 6, 5), noon(2026, 6, 5))  # asked and answered on one day: one day, not none
    received = noon(2026, 6, 1)
    assert (
        dt.date(2026, 7, 2) == due(obligation("uk.answer", received.date()), received, zone=LONDON, pauses=[pause]).on
    )


def test_overlapping_pauses_leave_a_day_out_once() -> None:
    pauses = [ClockPause(noon(2026, 6, 5), noon(2026, 6, 8)), ClockPause(noon(2026, 6, 7), noon(2026, 6, 12))]
    received = noon(2026, 6, 1)
    assert dt.date(2026, 7, 9) == due(obligation("uk.answer", received.date()), received, zone=LONDON, pauses=pauses).on


def test_a_pause_after_the_last_day_comes_too_late() -> None:
    pause = ClockPause(noon(2026, 7, 2), noon(2026, 7, 20))
    received = noon(2026, 6, 1)
    found = due(obligation("uk.answer", received.date()), received, zone=LONDON, pauses=[pause])
    assert dt.date(2026, 7, 1) == found.on
    assert "moves nothing" in found.why


def test_a_pause_on_the_way_to_the_next_working_day_is_in_time() -> None:
    """The month ends on Easter Sunday, so the clock still runs on Easter Monday."""
    pause = ClockPause(noon(2026, 4, 6), noon(2026, 4, 8))
    received = noon(2026, 3, 5)
    assert (
        dt.date(2026, 4, 8) == due(obligation("uk.answer", received.date()), received, zone=LONDON, pauses=[pause]).on
    )


def test_a_question_asked_too_late_does_not_stop_the_clock() -> None:
    rule, received = obligation("uk.answer", dt.date(2026, 6, 1)), noon(2026, 6, 1)
    found = due(rule, received, zone=LONDON, pauses=[ClockPause(noon(2026, 7, 2))], now=noon(2026, 7, 3))
    assert found.is_late(noon(2026, 7, 3))
    assert not found.is_paused


def test_an_open_pause_moves_the_date_with_every_day() -> None:
    rule, received = obligation("uk.answer", dt.date(2026, 6, 1)), noon(2026, 6, 1)
    pause = ClockPause(noon(2026, 6, 5))
    found = [due(rule, received, zone=LONDON, pauses=[pause], now=noon(2026, 6, day)) for day in (5, 12)]
    assert [dt.date(2026, 7, 2), dt.date(2026, 7, 9)] == [each.on for each in found]
    assert all(each.is_paused for each in found)


def test_an_open_pause_needs_now() -> None:
    with pytest.raises(LawError, match="pass now"):
        due(
            obligation("uk.answer", dt.date(2026, 6, 1)),
            noon(2026, 6, 1),
            zone=LONDON,
            pauses=[ClockPause(noon(2026, 6, 5))],
        )


def test_the_british_clock_starts_at_the_latest_of_its_events() -> None:
    events = {ClockEvent.RECEIVED: noon(2026, 6, 1), ClockEvent.IDENTITY_CONFIRMED: noon(2026, 6, 10)}
    assert dt.date(2026, 7, 10) == due(obligation("uk.answer", dt.date(2026, 6, 1)), events, zone=LONDON).on


def test_the_old_british_clock_starts_at_receipt() -> None:
    events = {ClockEvent.RECEIVED: noon(2026, 1, 5), ClockEvent.IDENTITY_CONFIRMED: noon(2026, 1, 20)}
    assert dt.date(2026, 2, 5) == due(obligation("uk.answer", dt.date(2026, 1, 5)), events, zone=LONDON).on


def test_a_clock_that_waits_for_proof_has_no_date() -> None:
    events = {ClockEvent.RECEIVED: noon(2026, 6, 1), ClockEvent.IDENTITY_CONFIRMED: None}
    with pytest.raises(ClockNotStarted, match="identity confirmed"):
        due(obligation("uk.answer", dt.date(2026, 6, 1)), events, zone=LONDON)


def test_without_receipt_nothing_starts() -> None:
    with pytest.raises(ClockNotStarted, match="received"):
        due(obligation("ccpa.answer", dt.date(2026, 6, 1)), {ClockEvent.AWARE: noon(2026, 6, 1)}, zone=LONDON)


def test_a_request_keeps_the_wording_of_the_day_it_came() -> None:
    with pytest.raises(LawError, match="not in force on 2026-02-04"):
        due(obligation("uk.answer", dt.date(2026, 2, 5)), noon(2026, 2, 4), zone=LONDON)


def test_a_clock_per_regime_and_the_earliest_counts() -> None:
    received = noon(2026, 11, 24)
    british = due(obligation("uk.answer", received.date()), received, zone=LONDON)
    californian = due(obligation("ccpa.answer", received.date()), received, zone=LONDON)
    assert british is earliest([californian, british])
    extended = due(obligation("uk.answer", received.date()), received, zone=LONDON, extended=True)
    assert californian is earliest([californian, extended])


def test_no_clocks_have_no_earliest() -> None:
    with pytest.raises(LawError, match="no clock runs"):
        earliest([])


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(LawError, match="time zone"):
        due(obligation("uk.answer", dt.date(2026, 6, 1)), dt.datetime(2026, 6, 1, 12), zone=LONDON)  # noqa: DTZ001


def test_an_absurd_instant_is_refused() -> None:
    with pytest.raises(LawError, match="year 9999"):
        due(obligation("uk.answer", dt.date(2026, 6, 1)), dt.datetime.max.replace(tzinfo=dt.UTC), zone=LONDON)


def test_an_extension_that_the_law_does_not_give_is_refused() -> None:
    received = noon(2026, 11, 24)
    with pytest.raises(LawError, match="no extension"):
        due(obligation("canspam.opt_out", received.date()), received, zone=LONDON, extended=True)


def test_a_duty_without_a_period_never_falls_due() -> None:
    with pytest.raises(LawError, match="sets no period"):
        due(obligation("gdpr.erase", dt.date(2026, 6, 1)), noon(2026, 6, 1), zone=LONDON)


def test_an_answer_before_its_question_is_refused() -> None:
    with pytest.raises(LawError, match="before it was asked"):
        ClockPause(noon(2026, 6, 5), noon(2026, 6, 4))


def test_late_begins_after_the_last_day() -> None:
    found = due(obligation("uk.answer", dt.date(2026, 6, 1)), noon(2026, 6, 1), zone=LONDON)
    last_second = dt.datetime(2026, 7, 1, 23, 59, 59, tzinfo=LONDON)
    assert not found.is_late(last_second)
    assert found.is_late(last_second + dt.timedelta(seconds=1))
    assert dt.timedelta(seconds=1) == found.left(last_second)


def test_the_seventy_second_hour_is_in_time() -> None:
    aware = dt.datetime(2026, 12, 25, 18, tzinfo=dt.UTC)
    found = due(obligation("uk.notify_authority", aware.date()), aware, zone=LONDON)
    assert not found.is_late(aware + 3 * DAY)
    assert found.is_late(aware + 3 * DAY + dt.timedelta(microseconds=1))


def test_the_reason_can_be_read_aloud() -> None:
    found = due(obligation("uk.answer", dt.date(2026, 3, 5)), noon(2026, 3, 5), zone=LONDON)
    assert found.steps == (
        "The clock starts on Thursday 5 March 2026 at 12:00 (Europe/London): received.",
        "One month from 5 March 2026 is 5 April 2026, a Sunday.",
        "The next working day is Tuesday 7 April 2026 (6 April 2026 is Easter Monday).",
    )
    assert found.rule == "uk.answer@2026-02-05"
    assert str(found.citation) == "UK GDPR Art. 12(3), Art. 12A"


def test_the_reason_names_holidays_that_do_not_count() -> None:
    found = due(obligation("canspam.opt_out", dt.date(2026, 12, 18)), noon(2026, 12, 18), zone=LONDON)
    assert "not counted: weekends, 25 December 2026 (Christmas Day) and 1 January 2027 (New Year's Day)" in found.why


def test_the_reason_admits_that_no_place_is_known() -> None:
    rule = obligation("gdpr.answer", dt.date(2026, 3, 5))
    assert "No place in the European Economic Area was given" in due(rule, noon(2026, 3, 5), zone=LONDON).why
    assert "No place" not in due(rule, noon(2026, 3, 5), zone=LONDON, place="DE").why


@pytest.mark.parametrize("place", ["Berlin", "DE-XX", "EEA"])
def test_a_place_without_a_calendar_is_refused(place: str) -> None:
    with pytest.raises(LawError):
        due(obligation("gdpr.answer", dt.date(2026, 3, 5)), noon(2026, 3, 5), zone=LONDON, place=place)


def test_the_reason_says_that_a_month_is_too_short() -> None:
    found = due(obligation("uk.answer", dt.date(2028, 1, 31)), noon(2028, 1, 31), zone=LONDON)
    assert "the last day of February 2028, which has no day 31" in found.why
