"""The numbers with units in a sentence: ``within thirty (30) days``, ``10 business days``, ``two people``."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

from troth.policy.clauses.model import Quantity

__all__ = ["places_in", "quantities_in"]


def quantities_in(words: str) -> tuple[Quantity, ...]:
    """The quantities in *words* (as `same_words` makes them), in order."""
    return tuple(quantity for _, _, quantity in places_in(words))


def places_in(words: str) -> Iterator[tuple[int, int, Quantity]]:
    """The same, each with the characters where it stands: from the first to before the second."""
    pattern, numerals, units = _read()
    for found in pattern.finditer(words):
        number = numerals.get(found[1].casefold()) or float(found[1].replace(",", ""))
        yield found.start(), found.end(), Quantity(number, units[found[2].casefold()])


@functools.cache
def _read() -> tuple[re.Pattern[str], dict[str, float], dict[str, str]]:
    text = resources.files(__package__).joinpath("quantities.toml").read_text(encoding="utf-8")
    data: dict[str, Any] = tomllib.loads(text)
    units = {spelling: unit for unit, spellings in data["units"].items() for spelling in spellings}
    numbers = "|".join([r"\d{1,9}(?:,\d{3}){0,3}(?:\.\d{1,4})?", *sorted(data["numerals"], key=len, reverse=True)])
    spelt = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
    pattern = rf"(?<![\w.,])({numbers})[ -]?(?:\(\d{{1,4}}\) ?)?(?:calendar )?({spelt})(?!\w)"
    return re.compile(pattern, re.I), data["numerals"], units
