"""Working days by place.

Public holidays come from the `holidays` library, and are as current as its release: a holiday proclaimed after it is
unknown here. A missed holiday makes a deadline earlier, never later. Weekends are Saturday and Sunday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from troth.law.model import LawError
from troth.law.sentences import quoted

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The working days of *place* (``GB-ENG``, ``US``); with no place, only weekends are not working days."""

    place: str = ""

    def is_working_day(self, day: dt.date) -> bool:
        return not self.is_weekend(day) and self.holiday(day) is None

    def is_weekend(self, day: dt.date) -> bool:
        return day.weekday() >= _SATURDAY

    def holiday(self, day: dt.date) -> str | None:
        """The name of the public holiday on *day*, if it is one."""
        return _holiday(self.place, day) if self.place else None

    def on_or_after(self, day: dt.date) -> dt.date:
        """*day* itself if it is a working day, otherwise the next working day."""
        while not self.is_working_day(day):
            day += dt.timedelta(days=1)
        return day


def working_days(place: str = "") -> WorkingDays:
    """The calendar of *place*, an ISO 3166 country or subdivision code. Raises `LawError` if none is known."""
    if place:
        _holiday(place, dt.date(2026, 1, 1))
    return WorkingDays(place)


@cache
def _calendar(place: str) -> Mapping[dt.date, str]:
    from holidays import country_holidays  # takes a third of a second: imported only for counting working days

    country, _, subdivision = place.partition("-")
    try:
        return country_holidays(country, subdiv=subdivision or None, language="en_US")
    except NotImplementedError:
        raise LawError(f"no public holidays are known for {quoted(place)}; name a place such as GB-ENG") from None


def _holiday(place: str, day: dt.date) -> str | None:
    return _calendar(place).get(day)
