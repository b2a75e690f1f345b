"""Dates, numbers and names as words in a sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_NAME_SHOWN_MAX = 40

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")  # strftime is localised


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
    """A name from outside, quoted and truncated."""
    return repr(name if len(name) <= _NAME_SHOWN_MAX else f"{name[:_NAME_SHOWN_MAX]}…")


# --- sentences that can be translated ------------------------------------------------------------------------------


class Term(str):
    """One of our own words in a sentence, such as the name of an event; other texts are names from outside."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of units."""

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
    """An English sentence with its parts: a translation fills its own version of *template* with the same *facts*."""

    template: str
    facts: Mapping[str, Fact]


def said(template: str, **facts: Fact) -> TranslatableSentence:
    """The sentence of *template* with its facts in English and a capital first letter."""
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
