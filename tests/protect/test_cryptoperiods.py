"""When a key is due, and when it is overdue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from tests.tables import each_row

from troth.ledger import KeyId
from troth.protect import KeyInfo, KeyState, Purpose, field_zero, opened_until, seals_until, standing

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
ID = KeyId("k1:0011223344556677")
A, D = KeyState.ACTIVE, KeyState.DEACTIVATED


def key(purpose: Purpose, state: KeyState = A, number: int = 1, **ago: dt.timedelta) -> KeyInfo:
    """A key that entered each state so long ago."""
    since: Mapping[KeyState, dt.datetime] = {KeyState(name): NOW - time for name, time in ago.items()}
    return KeyInfo(ID, purpose, number, state, since)


@each_row(
    ("one", "hanging", "due", "overdue"),
    [
        (key("field", active=DAY), 5, "", False),
        (key("field", active=336 * DAY), 5, "ends on 2026-12-23: troth keys rotate field", False),
        (key("field", active=365 * DAY), 0, "its period is over: troth keys rotate field", True),
        (key("field", D, active=300 * DAY, deactivated=DAY), 5, "may still be sealed under it", False),
        (key("field", D, active=300 * DAY, deactivated=DAY), 0, "troth keys destroy field-1", False),
        (key("field", D, number=0, active=300 * DAY, deactivated=DAY), 0, "", False),
        (key("field", D, active=1500 * DAY, deactivated=1095 * DAY), 5, "may still be sealed", True),
        (key("field", D, active=1500 * DAY, deactivated=1095 * DAY), None, "may still be sealed", True),
        (key("field", KeyState.COMPROMISED, active=2 * DAY, compromised=DAY), 5, "data may depend on it", True),
        (key("field", KeyState.COMPROMISED, active=2 * DAY, compromised=DAY), 0, "troth keys destroy field-1", True),
        (key("epoch", KeyState.COMPROMISED, active=HOUR, compromised=HOUR), 5, "troth keys rotate epoch", True),
        (key("field", KeyState.SUSPENDED, active=2 * DAY, suspended=DAY), 0, "troth keys resume field-1", False),
        (key("field", active=-4 * MINUTE), 5, "", False),
        (key("field", active=-6 * MINUTE), 5, "are in the future", True),
        (key("epoch", D, active=DAY, deactivated=-HOUR), 5, "are in the future", True),
        (key("epoch", KeyState.PRE_ACTIVATION, pre_activation=-HOUR), 0, "set the clock right", True),
        (key("field", KeyState.DESTROYED, active=2 * DAY, deactivated=DAY, destroyed=HOUR), 0, "", False),
        (key("epoch", active=23 * HOUR), 5, "", False),
        (key("epoch", active=24 * HOUR), 5, "troth keep begins the next", False),
        (key("epoch", active=25 * HOUR), 5, "troth keep begins the next", True),
        (key("epoch", D, active=25 * HOUR, deactivated=HOUR), 5, "rewraps", False),
        (key("epoch", D, active=26 * HOUR, deactivated=2 * HOUR), 0, "destroys it", True),
    ],
)
def test_a_key_is_due_and_overdue(one: KeyInfo, hanging: int | None, due: str, overdue: bool) -> None:
    found = standing(one, hanging, now=NOW)
    assert (due in found.due, found.overdue, bool(found.due)) == (True, overdue, bool(due))


def test_a_declared_period_counts() -> None:
    one = key("field", active=100 * DAY)
    assert not standing(one, 0, now=NOW).overdue
    assert standing(one, 0, now=NOW, field=90 * DAY).overdue


def test_the_periods_end_when_the_key_is_no_longer_in_use() -> None:
    one = key("field", D, active=10 * DAY, deactivated=4 * DAY)
    assert seals_until(one) == NOW - 4 * DAY
    assert opened_until(one) == NOW - 4 * DAY + 3 * 365 * DAY
    assert seals_until(key("epoch", active=HOUR)) == NOW + 23 * HOUR
    assert opened_until(key("epoch", active=HOUR)) == NOW + 23 * HOUR + dt.timedelta(minutes=10)
    assert seals_until(key("field", KeyState.PRE_ACTIVATION, pre_activation=DAY)) is None


def test_the_key_that_is_derived_from_the_root_is_in_use_until_there_is_another() -> None:
    zero = field_zero(ID, NOW - 400 * DAY, [key("epoch", active=DAY)])
    assert (zero.name, zero.state, standing(zero, 5, now=NOW).overdue) == ("field-0", A, True)
    first, second = key("field", D, active=9 * DAY, deactivated=DAY), key("field", number=2, active=DAY)
    zero = field_zero(ID, NOW - 400 * DAY, [first, second])
    assert (zero.state, zero.since[D]) == (D, NOW - 9 * DAY)
    assert field_zero(ID, NOW - 400 * DAY, [first]).state is D, "nor does it come back when no other one is in use"
