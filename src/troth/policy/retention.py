"""Compares periods stated in a policy with the declaration's retention rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from troth.declaration import Declaration, Problem, Promise
from troth.declaration.purposes import Retention
from troth.policy.classify.model import Quantity
from troth.policy.retention_rules import DAYS, Stretch, agrees, rules_named, stretches

_CONTROL = "retention.nothing_overdue"
_LONGEST = ["within", "up to", "at most", "at the latest", "maximum", "no later than", "no longer than", "no more than"]
_AT_MOST = re.compile(rf"\b(?:{'|'.join([*_LONGEST, 'not longer than', 'not more than'])})\b", re.I)


def problems(declaration: Declaration) -> Iterator[Problem]:
    """Promises on a period without a retention rule, whose control would pass without checking anything; and promises
    whose period differs from their rules, whose control would check something else."""
    for index, promise in enumerate(declaration.promises):
        if _CONTROL in promise.controls:
            yield from _without_rule(declaration, promise, f"promises.{index}.about")
            yield from _of_another_period(declaration, promise, f"promises.{index}.quote")


def _without_rule(declaration: Declaration, promise: Promise, path: str) -> Iterator[Problem]:
    for place, part in enumerate(promise.about):
        if not _rules_of(declaration, part):
            message = f"there is no retention rule for '{part[:80]}', so {_CONTROL} finds nothing overdue there"
            yield Problem("promise-no-rule", None, f"{path}.{place}", message, "declare the period under retention")


def _of_another_period(declaration: Declaration, promise: Promise, path: str) -> Iterator[Problem]:
    """A promise without `about` may refer to any rule; otherwise each of its rules must keep one of the stated periods.
    If several periods are stated, each is compared with the rules that its words name."""
    said = stretches(promise.quote)
    rules = {name: rule for part in promise.about for name, rule in _rules_of(declaration, part).items()}
    rules = rules if promise.about else dict(declaration.retention)
    if not said or (promise.about and not rules):
        return
    unkept = next(_unkept(said, rules, promise), None)
    if unkept is not None:
        period, of = unkept
        message = f"the sentence says {period}, {_say(of)}, so {_CONTROL} does not show that it is kept"
        yield Problem("promise-period", None, path, message, "fix the sentence or the rule")


def _unkept(
    periods: tuple[Stretch, ...], rules: Mapping[str, Retention], promise: Promise
) -> Iterator[tuple[Quantity, Mapping[str, Retention]]]:
    """Promised periods, each with the rules that keep a different one."""
    for one in periods if len(periods) > 1 else ():
        named = rules_named(one.words, rules)
        if named and not any(_keeps(rule, one, promise) for rule in named.values()):
            yield one.period, named
    if not promise.about:
        if not any(_keeps(rule, one, promise) for rule in rules.values() for one in periods):
            yield periods[0].period, rules
        return
    for name, rule in rules.items():
        if not any(_keeps(rule, one, promise) for one in periods):
            yield periods[0].period, {name: rule}


def _keeps(rule: Retention, period: Stretch, promise: Promise) -> bool:
    """True if the rule keeps the promised period, or a shorter one if the promise has `about` and states a maximum."""
    shorter = rule.for_.count * DAYS[rule.for_.unit] <= period.period.number * DAYS[period.period.unit]
    return agrees(rule, period.period) or (
        bool(promise.about) and shorter and _AT_MOST.search(period.words) is not None
    )


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
