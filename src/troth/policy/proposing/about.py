"""What of a declaration a promise speaks of: the retention rules and the tables that its words name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from troth.declaration import Declaration, covers
from troth.declaration.using import Retention
from troth.policy.clauses import Quantity
from troth.policy.retention import agrees, period_in

__all__ = ["period_conflict", "tables_holding", "tables_kept"]

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_EMPTY_WORDS = """
    the and for with your our what you that are not which have has from when who its them they any all into his her data
    information personal record table row history kept keep delete deleted after about day days month year two
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_NEAR = 0.3
"""Rules that are so near to the best are named too."""


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
    rules, said = _rules_named(words, declaration), period_in(words)
    if said is None or not rules or any(agrees(rule, said) for _, rule in rules):
        return ""
    name, rule = rules[0]
    return f"the sentence says {said}, the rule '{name}' says {rule.for_}"


def _rules_named(words: str, declaration: Declaration) -> list[tuple[str, Retention]]:
    """The retention rules that share most words with these, if any shares one."""
    said, period = _words(words), period_in(words)
    scored = [(_likeness(said, period, name, rule), name, rule) for name, rule in declaration.retention.items()]
    most = max((score for score, _, _ in scored), default=0.0)
    return [(name, rule) for score, name, rule in scored if score and score > most - _NEAR]


def _likeness(said: frozenset[str], period: Quantity | None, name: str, rule: Retention) -> float:
    """Words in common; of rules with as many, the one with the same period, and then the one with the fewest others."""
    own = _own_words(name, rule)
    common = len(said & own)
    if not common:
        return 0.0
    return common + 0.5 * (period is not None and agrees(rule, period)) + 0.4 / (len(own) + 1)


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
