"""What a promise is about: the retention rules and tables of a declaration that its words name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.declaration import Declaration, Table, covers
from troth.declaration.purposes import Retention
from troth.policy.categories import categories_in
from troth.policy.classify import Quantity
from troth.policy.retention_rules import agrees, content_words, rules_named, stretches


@dataclass(frozen=True, slots=True)
class _Part:
    """The words about one period (all words if no period is stated) and the rules that they name: directly, or else by
    category, which is a guess."""

    words: str
    period: Quantity | None
    rules: Mapping[str, Retention]
    is_guessed: bool = False

    def agreeing(self) -> dict[str, Retention]:
        return {name: it for name, it in self.rules.items() if self.period is not None and agrees(it, self.period)}


def tables_kept(words: str, declaration: Declaration) -> tuple[str, ...]:
    """The tables of the retention rules that *words* name, as in `Promise.about`; empty if none."""
    parts = _parts(words, declaration)
    return tuple(dict.fromkeys(rule.table for one in parts for rule in (one.agreeing() or one.rules).values()))


def tables_holding(categories: Sequence[str], declaration: Declaration) -> tuple[str, ...]:
    """The tables that hold any of these categories; empty if none or all do."""
    tables = {
        f"{system}.{name}": _held(table)
        for system, declared in declaration.systems.items()
        for name, table in declared.tables.items()
    }
    named = [name for name, held in tables.items() if any(covers(one, it) for one in categories for it in held)]
    return tuple(named) if len(named) < len(tables) else ()


def period_conflict(words: str, declaration: Declaration) -> str:
    """How a period in *words* differs from the retention rules named next to it; empty if it does not, or if no period
    is stated."""
    for one in _parts(words, declaration):
        if one.period is not None and one.rules and not one.agreeing():
            name, rule = next(iter(one.rules.items()))
            return f"the sentence says {one.period}, the rule '{name}' says {rule.for_}"
    return ""


def period_doubts(words: str, declaration: Declaration) -> tuple[str, ...]:
    """Why a pass of the retention control would not by itself prove *words*."""
    if conflict := period_conflict(words, declaration):
        return (conflict,)
    parts = _parts(words, declaration)
    shown = [rule for one in parts for rule in one.agreeing().values()]
    return tuple(dict.fromkeys(doubt for one in parts for doubt in _doubts(one, shown, is_only=len(parts) == 1)))


def _doubts(part: _Part, shown: Sequence[Retention], *, is_only: bool) -> Iterator[str]:
    """*shown* are the rules that keep one of the periods; a period stated twice does not need a second rule."""
    if not part.rules:
        if is_only:
            yield "no retention rule of the declaration has a name that matches this sentence"
        elif part.period is not None and not any(agrees(rule, part.period) for rule in shown):
            yield f"the sentence also says {part.period}, and no retention rule has a matching name"
    elif part.period is None:
        yield f"the sentence states no period to compare with the rule '{next(iter(part.rules))}'"
    elif part.is_guessed:
        yield f"no retention rule has a matching name; by its data it may be the rule '{next(iter(part.rules))}'"
    else:
        for name, rule in part.rules.items():
            if not agrees(rule, part.period):
                yield f"the rule '{name}', which says {rule.for_}, matches as well"
            elif rule.title and not content_words(rule.title) <= content_words(part.words):
                yield f"the rule '{name}' is for “{rule.title}”, which the sentence does not say"


def _parts(words: str, declaration: Declaration) -> tuple[_Part, ...]:
    found = stretches(words)
    if not found:
        return (_part(words, None, declaration),)
    return tuple(_part(one.words, one.period, declaration) for one in found)


def _tables_with(categories: Sequence[str], declaration: Declaration) -> frozenset[str]:
    """The tables that hold any of these categories, or a broader one that may include it."""
    return frozenset(
        f"{system}.{name}"
        for system, declared in declaration.systems.items()
        for name, table in declared.tables.items()
        if any(covers(it, one) or covers(one, it) for one in categories for it in _held(table))
    )


def _held(table: Table) -> frozenset[str]:
    return frozenset(use.category for use in table.fields.values())


def _part(words: str, period: Quantity | None, declaration: Declaration) -> _Part:
    if named := rules_named(words, declaration.retention):
        return _Part(words, period, named)
    holding = _tables_with(categories_in(words), declaration)
    return _Part(words, period, {name: it for name, it in declaration.retention.items() if it.table in holding}, True)
