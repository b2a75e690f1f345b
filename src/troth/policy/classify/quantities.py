"""Finds numbers with units in a sentence: ``within thirty (30) days``, ``10 business days``, ``two people``."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from troth.data_files import read_toml
from troth.policy.classify.model import Quantity


def quantities_in(words: str) -> tuple[Quantity, ...]:
    """The quantities in *words* (normalised by `same_words`), in order."""
    return tuple(quantity for _, _, quantity in places_in(words))


def places_in(words: str) -> Iterator[tuple[int, int, Quantity]]:
    """The same, each with its start and end (exclusive)."""
    read = _read()
    for found in read.pattern.finditer(words):
        several, unit = read.units[found[2].casefold()]
        yield found.start(), found.end(), Quantity(_number(found[1].casefold(), read.numerals) * several, unit)


def numbers_in(words: str) -> Iterator[tuple[int, int, float]]:
    """Every number in *words*, whatever it counts, with its start and end (exclusive). “A” and “an” are none."""
    read = _read()
    for found in read.number.finditer(words):
        if found[1].casefold() not in ("a", "an"):
            yield found.start(1), found.end(1), _number(found[1].casefold(), read.numerals)


def _number(text: str, numerals: Mapping[str, float]) -> float:
    """Parses a number in digits or in words."""
    if text[0].isdigit():
        return float(text.replace(",", ""))
    if text in numerals:
        return numerals[text]
    number = 0.0
    for word in re.split("[ -]", text):
        number = 100 * (number or 1) if word == "hundred" else number + numerals.get(word, 0)
    return number


@dataclass(frozen=True, slots=True)
class _Read:
    pattern: re.Pattern[str]
    number: re.Pattern[str]
    numerals: Mapping[str, float]
    units: Mapping[str, tuple[float, str]]


@functools.cache
def _read() -> _Read:
    data: dict[str, Any] = read_toml(__package__, "quantities.toml")
    units = {spelling: (1.0, unit) for unit, spellings in data["units"].items() for spelling in spellings}
    units |= {spelling: (several["number"], several["unit"]) for spelling, several in data["several"].items()}
    ones, tens = _any(data["ones"]), _any(data["tens"])
    below_hundred = rf"{tens}(?:[ -]{ones})?|{ones}|{_any(data['numerals'])}"
    spelt = rf"(?:(?:an?|{ones}) )?hundred(?:(?: and)? (?:{below_hundred}))?|{below_hundred}"
    numbers = rf"\d{{1,9}}(?:,\d{{3}}){{0,3}}(?:\.\d{{1,4}})?|{spelt}"
    pattern = rf"(?<![\w.,])({numbers})[ -]?(?:\(\d{{1,4}}\) ?)?(?:calendar )?({_any(units)})(?!\w)"
    number = re.compile(rf"(?<![\w.,])({numbers})(?!\w)", re.I)
    return _Read(re.compile(pattern, re.I), number, {**data["numerals"], **data["ones"], **data["tens"]}, units)


def _any(words: Iterable[str]) -> str:
    """A pattern that matches any of the words, longest first."""
    return f"(?:{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})"
