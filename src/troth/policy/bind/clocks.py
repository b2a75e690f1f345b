"""Detects promised periods that are shorter than what the control allows (``clocks.toml``)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.data_files import read_toml
from troth.policy.classify import Clause, Quantity
from troth.policy.classify.quantities import places_in, quantities_in
from troth.policy.phrases import Phrase, plain
from troth.text import same_words

_DAYS = {"hour": 1 / 24, "day": 1.0, "working day": 7 / 5, "week": 7.0, "month": 30.44, "year": 365.25}
_LASTING = re.compile(
    r"\b(?:for|after|last|past|than|over|lasts)(?: at least| the| another| up to| a)?(?: period of)? $", re.I
)
"""In “for 30 days” a period elapses; it is not a deadline."""


@dataclass(frozen=True, slots=True)
class _Clocks:
    allows: Mapping[str, Quantity]
    said: Sequence[tuple[Phrase, Quantity]]


def shortest(clauses: Sequence[Clause]) -> Quantity | None:
    """The shortest deadline or interval that the clauses state; None if they state none."""
    return min((time for clause in clauses for time in _times(clause.sentence.text)), key=_days, default=None)


def allowed(control: str, promised: Quantity | None) -> Quantity | None:
    """The period that the control allows, if it is longer than promised; otherwise None, also if the control has no
    period."""
    allows = _clocks().allows.get(control)
    return allows if allows is not None and promised is not None and _days(promised) < _days(allows) else None


def _times(text: str) -> Iterator[Quantity]:
    said, words = same_words(text), plain(text)
    for start, _, time in places_in(said):
        if time.unit in _DAYS and not _LASTING.search(said[:start]):
            yield time
    yield from (time for phrase, time in _clocks().said if phrase.found_in(words))


def _days(time: Quantity) -> float:
    return time.number * _DAYS[time.unit]


@functools.cache
def _clocks() -> _Clocks:
    data = read_toml(__package__, "clocks.toml")
    allows = {control: _time(text) for control, text in data["allows"].items()}
    return _Clocks(allows, [(Phrase(words), _time(text)) for words, text in data["said"].items()])


def _time(text: str) -> Quantity:
    (time,) = quantities_in(text)
    return time
