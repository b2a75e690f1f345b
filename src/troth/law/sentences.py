"""Dates, numbers and names as they stand in a sentence."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

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


def quoted(name: str) -> str:
    """A name that someone else wrote, in quotes, never longer than a name is."""
    return repr(name if len(name) <= _NAME_SHOWN_MAX else f"{name[:_NAME_SHOWN_MAX]}…")


def did_you_mean(name: str, known: Collection[str]) -> str:
    """``; did you mean 'gdpr'?``, or nothing where no known name is near."""
    found = difflib.get_close_matches(name[:_NAME_SHOWN_MAX], known, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


# --- sentences that can be said in another language ----------------------------------------------------------------


class Term(str):
    """A word of ours in a sentence, such as the name of an event; any other text in one is somebody's name."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """So many of a unit."""

    number: int
    thing: str


@dataclass(frozen=True, slots=True)
class Weekday:
    """The weekday of a date."""

    on: dt.date


@dataclass(frozen=True, slots=True)
class Month:
    """The month of a date."""

    on: dt.date


Fact: TypeAlias = "dt.date | Counted | Weekday | Month | int | str | tuple[Fact, ...]"


class TranslatableSentence(str):
    """A sentence in English that knows what it was made of: whoever has the *template* in another language says the
    same with the *facts*."""

    template: str
    facts: Mapping[str, Fact]


def said(template: str, **facts: Fact) -> TranslatableSentence:
    """The sentence of *template*, its facts in English, with a capital first letter."""
    text = template % {name: _in_english(fact) for name, fact in facts.items()}
    made = TranslatableSentence(f"{text[:1].upper()}{text[1:]}")
    made.template, made.facts = template, facts
    return made


def _in_english(fact: Fact) -> str:
    match fact:
        case tuple():
            return listed([_in_english(each) for each in fact])
        case Counted():
            return count(fact.number, fact.thing)
        case Weekday():
            return weekday(fact.on)
        case Month():
            return month(fact.on)
        case dt.date():
            return day(fact)
        case _:
            return str(fact)
