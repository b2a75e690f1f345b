"""What of a declaration a promise speaks of: the retention rules and the tables that its words name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from troth.declaration import Declaration, covers
from troth.declaration.model import Retention
from troth.policy.clauses import Quantity
from troth.policy.clauses.quantities import quantities_in
from troth.wording import same_words

__all__ = ["period_conflict", "tables_holding", "tables_kept"]

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_EMPTY_WORDS = """
    the and for with your our what you that are not which have has from when who its them they any all into his her data
    information personal record table row history kept keep delete deleted after about day days month year two
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_NEAR = 0.3
_SAME_WITHIN = 0.04
"""Twelve months are a year, and thirty days a month, to whoever writes a policy."""


def tables_kept(words: str, declaration: Declaration) -> tuple[str, ...]:
    """The tables of the retention rules that *words* name, as `Promise.about` has them; empty where they name none."""
    return tuple(dict.fromkeys(rule.table for _, rule in _rules_named(words, declaration)))


def tables_holding(categories: Sequence[str], declaration: Declaration) -> tuple[str, ...]:
    """The tables that hold one of these kinds of data; empty where none do, or all."""
    tables = {
        f"{system}.{name}": {use.category for use in table.fields.values()}
        for system, declared in declaration.systems.items()
        for name, table in declared.tables.items()
    }
    named = [name for name, held in tables.items() if any(covers(one, it) for one in categories for it in held)]
    return tuple(named) if len(named) < len(tables) else ()


def period_conflict(words: str, declaration: Declaration) -> str:
    """How the period in *words* differs from those of the retention rules that they name; empty where it does not, or
    where they say no period, or several."""
    rules, days = _rules_named(words, declaration), _days_in(words)
    if days is None or not rules or any(_is_same(_days(rule), days) for _, rule in rules):
        return ""
    [said] = _periods_in(words)
    name, rule = rules[0]
    return f"the sentence says {said}, the rule '{name}' says {rule.for_}"


def _periods_in(words: str) -> list[Quantity]:
    return [it for it in quantities_in(same_words(words)) if it.unit in _DAYS]


def _days_in(words: str) -> float | None:
    """The one period that *words* name, in days; None where they name none, or several."""
    said = _periods_in(words)
    return said[0].number * _DAYS[said[0].unit] if len(said) == 1 else None


def _is_same(one: float, other: float) -> bool:
    return abs(one - other) <= _SAME_WITHIN * other


def _days(rule: Retention) -> float:
    return rule.for_.count * _DAYS[rule.for_.unit]


def _rules_named(words: str, declaration: Declaration) -> list[tuple[str, Retention]]:
    """The retention rules that share most words with these, if any shares one."""
    said, days = _words(words), _days_in(words)
    scored = [(_likeness(said, days, name, rule), name, rule) for name, rule in declaration.retention.items()]
    most = max((score for score, _, _ in scored), default=0.0)
    return [(name, rule) for score, name, rule in scored if score and score > most - _NEAR]


def _likeness(said: frozenset[str], days: float | None, name: str, rule: Retention) -> float:
    """Words in common; of rules with as many, the one with the same period, and then the one with the fewest others."""
    own = _own_words(name, rule)
    common = len(said & own)
    if not common:
        return 0.0
    return common + 0.5 * (days is not None and _is_same(_days(rule), days)) + 0.4 / (len(own) + 1)


def _own_words(name: str, rule: Retention) -> frozenset[str]:
    return _words(" ".join(filter(None, (name, rule.table, rule.title, rule.starts))))


def _words(text: str) -> frozenset[str]:
    return frozenset(_spelled(text)) - _EMPTY


def _spelled(text: str) -> Iterator[str]:
    joined = f"{text} {text.replace('-', '')}"
    for found in _WORD.findall(joined[:4_000].replace("_", " ")):
        word = found.lower()
        if len(word) > 2:
            yield (
                word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s") if not word.endswith("ss") else word
            )
