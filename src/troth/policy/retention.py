"""Periods in a policy's words, held against the declaration's retention rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from troth.declaration import Declaration, Problem, Promise
from troth.declaration.using import Retention
from troth.policy.clauses.model import Quantity
from troth.policy.clauses.quantities import quantities_in
from troth.wording import same_words

__all__ = ["agrees", "period_in", "problems"]

_CONTROL = "retention.nothing_overdue"
_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_SAME_WITHIN = 0.04
"""Twelve months are a year, and thirty days a month, to whoever writes a policy."""
_LONGEST = ["within", "up to", "at most", "at the latest", "maximum", "no later than", "no longer than", "no more than"]
_AT_MOST = re.compile(rf"\b(?:{'|'.join([*_LONGEST, 'not longer than', 'not more than'])})\b", re.I)


def period_in(words: str) -> Quantity | None:
    """The one period that *words* name; None where they name none, or several."""
    said = [it for it in quantities_in(same_words(words)) if it.unit in _DAYS]
    return said[0] if len(said) == 1 else None


def agrees(rule: Retention, said: Quantity) -> bool:
    """Whether the rule keeps rows as long as was said."""
    days = said.number * _DAYS[said.unit]
    return abs(rule.for_.count * _DAYS[rule.for_.unit] - days) <= _SAME_WITHIN * days


def problems(declaration: Declaration) -> Iterator[Problem]:
    """Promises on a period that no rule stands behind, so that their control would pass without looking; and those
    whose period is not that of their rules, so that it would look for something else."""
    for index, promise in enumerate(declaration.promises):
        if _CONTROL in promise.controls:
            yield from _without_rule(declaration, promise, f"promises.{index}.about")
            yield from _of_another_period(declaration, promise, f"promises.{index}.quote")


def _without_rule(declaration: Declaration, promise: Promise, path: str) -> Iterator[Problem]:
    for place, part in enumerate(promise.about):
        if not _rules_of(declaration, part):
            message = f"no retention rule is for '{part[:80]}', so {_CONTROL} finds nothing overdue there"
            yield Problem("promise-no-rule", None, f"{path}.{place}", message, "declare the period under retention")


def _of_another_period(declaration: Declaration, promise: Promise, path: str) -> Iterator[Problem]:
    """A promise that does not say what it is about may be about any rule."""
    said = period_in(promise.quote)
    rules = {name: rule for part in promise.about for name, rule in _rules_of(declaration, part).items()}
    rules = rules if promise.about else dict(declaration.retention)
    if said is None or (promise.about and not rules) or any(_keeps(rule, said, promise) for rule in rules.values()):
        return
    message = f"the sentence says {said}, {_say(rules)}, so {_CONTROL} does not show that it is kept"
    yield Problem("promise-period", None, path, message, "mend the sentence or the rule")


def _keeps(rule: Retention, said: Quantity, promise: Promise) -> bool:
    """Whether what the rule sees to is what was promised: that period, or a shorter one where it is the longest."""
    shorter = rule.for_.count * _DAYS[rule.for_.unit] <= said.number * _DAYS[said.unit]
    return agrees(rule, said) or (bool(promise.about) and shorter and _AT_MOST.search(promise.quote) is not None)


def _say(rules: Mapping[str, Retention]) -> str:
    if len(rules) != 1:
        return "and none of the retention rules does" if rules else "and there is no retention rule"
    ((name, rule),) = rules.items()
    return f"the rule '{name[:80]}' says {rule.for_}"


def _rules_of(declaration: Declaration, part: str) -> dict[str, Retention]:
    return {
        name: rule
        for name, rule in declaration.retention.items()
        if rule.table == part or rule.table.startswith(f"{part}.")
    }
