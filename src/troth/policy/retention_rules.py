"""Finds the retention rules of a declaration that words of a policy name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth.policy.classify.model import Quantity
from troth.policy.classify.quantities import places_in
from troth.text import same_words

if TYPE_CHECKING:
    from troth.declaration import Period, Retention

DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_SAME_WITHIN = 0.04
"""Policies use twelve months and a year, or thirty days and a month, interchangeably."""
_NEAR = 0.3
"""Rules that score this close to the best are included."""
_CUT = re.compile(r"[;,.|]| and | or ")
"""Where the words about one period end and those about the next begin."""
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_EMPTY_WORDS = """
    the and for with your our what you that are not which have has from when who its them they any all into his her data
    information personal record table row history kept keep delete deleted after about day days month year two
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a text that belongs to one period."""

    words: str
    period: Quantity


def stretches(words: str) -> tuple[Stretch, ...]:
    """The periods in *words*, each with the text about it: “reports go after 90 days; logs after 14 days”."""
    said = same_words(words)
    found = [(start, end, it) for start, end, it in places_in(said) if it.unit in DAYS]
    begins = [0, *(_cut(said, end, start) for (_, end, _), (start, _, _) in itertools.pairwise(found))]
    ends = [*begins[1:], len(said)]
    return tuple(
        Stretch(said[begin:end], period) for begin, end, (_, _, period) in zip(begins, ends, found, strict=False)
    )


def agrees(rule: Retention, quantity: Quantity) -> bool:
    """True if the rule's period matches *quantity*, within a small tolerance."""
    return is_as_long(rule.for_, quantity)


def is_as_long(period: Period, quantity: Quantity) -> bool:
    """True if *period* matches *quantity*, within a small tolerance."""
    days = quantity.number * DAYS[quantity.unit]
    return abs(period.count * DAYS[period.unit] - days) <= _SAME_WITHIN * days


def rules_named(words: str, rules: Mapping[str, Retention]) -> dict[str, Retention]:
    """The rules that share most words with *words*, if any are shared."""
    said = content_words(words)
    scored = {name: _likeness(said, name, rule) for name, rule in rules.items()}
    most = max(scored.values(), default=0.0)
    return {name: rules[name] for name, score in scored.items() if score and score > most - _NEAR}


def content_words(text: str) -> frozenset[str]:
    """The distinguishing words of *text*, in the singular."""
    return frozenset(_spelled(text)) - _EMPTY


def _cut(word: str, end: int, start: int) -> int:
    """The first separator between two periods; the end of the first period if there is none."""
    found = _CUT.search(word, end, start)
    return found.end() if found else end


def _likeness(words: frozenset[str], name: str, rule: Retention) -> float:
    """Number of shared words; ties go to the rule with fewer other words. The start event counts only if all its words
    occur: “after your last order”."""
    whose = content_words(" ".join(filter(None, (name, rule.table, rule.title))))
    since = content_words(f"{rule.starts or ''} {rule.from_}") - whose
    common = len(words & whose) + (bool(since) and since <= words)
    return common + 0.4 / (len(whose | since) + 1) if common else 0.0


def _spelled(text: str) -> Iterator[str]:
    joined = f"{text} {text.replace('-', '')}"
    for found in _WORD.findall(joined[:4_000].replace("_", " ")):
        word = found.lower()
        if len(word) > 2:
            yield (
                word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s") if not word.endswith("ss") else word
            )
