"""Addresses as people write and say them, to fill templates with: “14b Park Lane”, “flat two fourteen park lane”."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_HELD: Final[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "streets.toml").read_text(encoding="utf-8"))
COUNTRIES: Final = tuple(_HELD["forms"])
"""Whose ways to write a street there are."""

_SMALL: Final[list[str]] = _HELD["small_numbers"].split()
_TENS: Final[list[str]] = _HELD["tens"].split()
_SAID: Final = frozenset((*_SMALL, *_TENS, "oh", "flat", "unit", "apartment"))


def is_said(place: str) -> bool:
    """Whether a place is an address that begins with a number in words."""
    first, _, rest = place.partition(" ")
    return first in _SAID and bool(rest)


def street(country: str, family: Sequence[str], chance: random.Random) -> str:
    """A number and a street as they are written in *country*; some are called after people of the *family* names."""
    form = chance.choice(_HELD["forms"][country])
    called = chance.choice(_HELD["called"][country].split() if chance.random() < 0.6 else family)
    number = f"{chance.choice((chance.randrange(1, 40), chance.randrange(1, 300), chance.randrange(1, 3000)))}"
    letter = chance.choice("abc") if chance.random() < 0.1 else ""
    kind = chance.choice(_HELD["kinds"][country].split())
    return str(form.format(number=number + letter, called=called.replace("_", " "), kind=kind.replace("_", " ")))


def said(family: Sequence[str], chance: random.Random) -> str:
    """An English address as a recogniser of speech hears it."""
    number = _number(chance.randrange(1, chance.choice((40, 300, 3000))), chance)
    if chance.random() < 0.12:
        number += f" {chance.choice('abcd')}"
    if chance.random() < 0.12:
        number = f"{chance.choice(('flat', 'unit', 'apartment'))} {_number(chance.randrange(1, 40), chance)} {number}"
    called = chance.choice(_HELD["called"]["en"].split() if chance.random() < 0.6 else family)
    return f"{number} {called} {chance.choice(_HELD['kinds']['en'].split())}".replace("_", " ").lower()


def _number(number: int, chance: random.Random) -> str:
    """As it is said of houses: whole, in pairs, or digit by digit."""
    if number < 20:
        return _SMALL[number]
    if chance.random() < 0.15:
        return " ".join("oh" if it == "0" else _SMALL[int(it)] for it in str(number))
    if number < 100:
        return f"{_TENS[number // 10 - 2]} {_SMALL[number % 10]}".removesuffix(" zero")
    if number < 1000 and chance.random() < 0.5:
        return f"{_SMALL[number // 100]} hundred{f' and {_number(number % 100, chance)}' if number % 100 else ''}"
    return f"{_number(number // 100, chance)} {_pair(number % 100, chance)}"


def _pair(number: int, chance: random.Random) -> str:
    if number == 0:
        return "hundred"
    return f"oh {_SMALL[number]}" if number < 10 else _number(number, chance)
