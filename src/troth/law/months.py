"""Calendar months."""

from __future__ import annotations

import calendar
import datetime as dt


def months_after(first: dt.date, number: int) -> dt.date:
    """The same day *number* months later, or the last day of a month that has no such day."""
    year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
    last = month_end(dt.date(year, month + 1, 1))
    return last.replace(day=min(first.day, last.day))


def month_end(day: dt.date) -> dt.date:
    """The last day of the month of *day*."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
