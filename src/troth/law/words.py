"""Dates, numbers and names as they stand in a sentence."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Sequence

__all__ = ["count", "day", "did_you_mean", "listed", "month", "quoted", "sentence", "weekday"]

_NAME_SHOWN_MAX = 40

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")  # strftime asks the locale


def day(on: dt.date) -> str:
    """``5 April 2026``."""
    return f"{on.day} {month(on)}"


def month(on: dt.date) -> str:
    """``April 2026``."""
    return f"{_MONTHS[on.month - 1]} {on.year}"


def weekday(on: dt.date) -> str:
    """``Sunday``."""
    return _WEEKDAYS[on.weekday()]


def count(number: int, thing: str) -> str:
    """``one month``, ``45 calendar days``."""
    numeral = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    return f"{numeral} {thing}{'' if number == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def sentence(text: str) -> str:
    """*text* with a capital first letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def quoted(name: str) -> str:
    """A name that someone else wrote, in quotes, never longer than a name is."""
    return repr(name if len(name) <= _NAME_SHOWN_MAX else f"{name[:_NAME_SHOWN_MAX]}…")


def did_you_mean(name: str, known: Collection[str]) -> str:
    """``; did you mean 'gdpr'?``, or nothing where no known name is near."""
    found = difflib.get_close_matches(name[:_NAME_SHOWN_MAX], known, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
