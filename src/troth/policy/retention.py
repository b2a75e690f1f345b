"""Compares periods stated in a policy with the declaration's retention rules."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from troth.data_files import read_toml
from troth.declaration import Declaration, Keep, Period, Problem, Promise, Table, covers
from troth.declaration.promises import is_own
from troth.declaration.purposes import Retention
from troth.policy.classify.model import Quantity
from troth.policy.retention_rules import DAYS, Stretch, agrees, content_words, is_as_long, rules_named, stretches
from troth.text import first_few

_CONTROL = "retention.nothing_overdue"


def problems(declaration: Declaration) -> Iterator[Problem]:
    """Promises on a period without a retention rule, whose control would pass without checking anything; and promises
    whose period differs from their rules, or whose rules leave out rows, or a copy of them, whose control would check
    something else."""
    for index, promise in enumerate(declaration.promises):
        if _CONTROL in promise.controls:
            yield from _without_rule(declaration, promise, f"promises.{index}.about")
            path = f"promises.{index}.quote"
            other = list(_of_another_period(declaration, promise, path))
            yield from other or list(_leaving_out(declaration, promise, path)) or _copied(declaration, promise, path)


def _without_rule(declaration: Declaration, promise: Promise, path: str) -> Iterator[Problem]:
    for place, part in enumerate(promise.about):
        if is_own(part):
            continue
        if not _rules_of(declaration, part):
            message = f"there is no retention rule for '{part[:80]}', so {_CONTROL} finds nothing overdue there"
            yield Problem("promise-no-rule", None, f"{path}.{place}", message, "declare the period under retention")
        elif unruled := _unruled(declaration, part):
            message = f"there is no retention rule for {first_few(unruled)}, so {_CONTROL} does not look there"
            fix = "declare the period of each table under retention, or name the tables that the promise is about"
            yield Problem("promise-no-rule", None, f"{path}.{place}", message, fix)


def _unruled(declaration: Declaration, part: str) -> list[str]:
    """If *part* is a whole system: its tables with personal data that have no rule of their own. Their rows may go with
    those they belong to, but the control does not see it."""
    system = declaration.systems.get(part)
    ruled = {rule.table for rule in declaration.retention.values()}
    tables = system.tables if system is not None else {}
    return [f"'{part}.{name}'" for name, table in tables.items() if table.fields and f"{part}.{name}" not in ruled]


def _leaving_out(declaration: Declaration, promise: Promise, path: str) -> Iterator[Problem]:
    """A rule counts rows whose period has not begun, and rows that the law keeps, as no fault. A sentence that says
    nothing of either promises their deletion too."""
    for name, rule in _rules_meant(declaration, promise).items():
        keep = _table(declaration, rule).keep
        if (rule.empty or rule.ahead) and not _says_start(promise.quote, rule):
            left_out = f"rows without a past date in '{rule.from_[:80]}'"
        elif keep is not None and _keeps_longer(keep, rule) and not _says_keep(promise.quote, keep, rule):
            left_out = f"rows that the declared 'keep' holds{f' for {keep.for_}' if keep.for_ else ''}"
        elif _says("moves", rule.from_) and not _says("moving", promise.quote):
            left_out = f"rows whose '{rule.from_[:80]}' was set again"
        else:
            continue
        message = f"the rule '{name[:80]}' leaves out {left_out}, which the sentence does not mention"
        message = f"{message}, so {_CONTROL} does not show that it is kept"
        yield Problem("promise-leaves-out", None, path, message, "say so in the sentence, or change the declaration")
        return


def _rules_meant(declaration: Declaration, promise: Promise) -> Mapping[str, Retention]:
    """The rules of `about`; without it, those of the company's own systems that its words name and whose period is
    stated."""
    if promise.about:
        return {name: rule for part in promise.about for name, rule in _rules_of(declaration, part).items()}
    periods = stretches(promise.quote)
    named = rules_named(promise.quote, _rules_of_company(declaration))
    return {name: rule for name, rule in named.items() if any(agrees(rule, one.period) for one in periods)}


def _rules_of_company(declaration: Declaration) -> Mapping[str, Retention]:
    places = {name for name, system in declaration.systems.items() if not system.is_troths}
    return {name: rule for name, rule in declaration.retention.items() if rule.table.partition(".")[0] in places}


def _table(declaration: Declaration, rule: Retention) -> Table:
    return declaration.table_at(rule.table) or Table()


def _says_start(quote: str, rule: Retention) -> bool:
    """True if the sentence says that something has to end first, or names the event that starts the period: what comes
    before “after” names the rows. That a row came to be has always happened, and so has the call of a transcript."""
    since = _pattern("since").split(quote, maxsplit=1)[1:]
    named = re.split("[,;.|]", since[0])[0] if since else ""
    always = set() if _says("again", named) else {*_words()["begun"], *_stems(f"{rule.table} {rule.title or ''}")}
    event = _stems(f"{rule.starts or ''} {rule.from_}") - always
    return _says("ends", quote) or bool(_stems(named) & event)


def _stems(text: str) -> frozenset[str]:
    """The beginnings of the distinguishing words: “closed”, “closing” and “you close it” start with “clos”."""
    return frozenset(word[:4] for word in content_words(text).difference(_words()["of_time"]))


def _keeps_longer(keep: Keep, rule: Retention) -> bool:
    return keep.for_ is None or keep.from_ not in (None, rule.from_) or _is_longer(keep.for_, rule)


def _is_longer(period: Period, rule: Retention) -> bool:
    quantity = Quantity(period.count, period.unit)
    return not agrees(rule, quantity) and period.count * DAYS[period.unit] > rule.for_.count * DAYS[rule.for_.unit]


def _says_keep(quote: str, keep: Keep, rule: Retention) -> bool:
    """True if the sentence admits that rows stay longer, or states a period of its own for them."""
    rest = _pattern("reasons").sub(" ", _pattern("only_sooner").sub(" ", quote))
    if _says("exceptions", rest) or _says("duties", rest):
        return True
    periods = [it.period for it in stretches(quote) if not agrees(rule, it.period)]
    return keep.for_ is not None and any(is_as_long(keep.for_, period) for period in periods)


def _copied(declaration: Declaration, promise: Promise, path: str) -> Iterator[Problem]:
    """Another table with data of the same kinds under a like name, which stays longer, and of which no promise says so.
    Only what is particular to a table counts: most hold names and addresses."""
    for name, rule in _rules_meant(declaration, promise).items():
        kinds, words = _kinds(declaration, rule), _names(declaration, name, rule)
        for label, other in _rules_of_company(declaration).items():
            held = _kinds(declaration, other)
            is_like = held and words & _names(declaration, label, other) and other.table != rule.table
            if not is_like or not _is_longer(other.for_, rule) or _is_promised(declaration, other):
                continue
            if all(any(covers(broad, one) for broad in kinds) for one in held):
                message = f"'{other.table[:80]}' seems to hold the same data as '{rule.table[:80]}', for {other.for_}"
                message = f"{message}, so {_CONTROL} does not show that it is kept"
                yield Problem("promise-copied", None, path, message, "say so in the policy, or change the rule")
                return


def _kinds(declaration: Declaration, rule: Retention) -> Set[str]:
    held = {use.category for use in _table(declaration, rule).fields.values()}
    return {one for one in held if not any(covers(broad, one) for broad in _words()["shared"])}


def _names(declaration: Declaration, name: str, rule: Retention) -> Set[str]:
    of = f"{name} {rule.table.partition('.')[2]} {rule.title or ''} {_table(declaration, rule).title or ''}"
    return content_words(of).difference(_words()["common"])


def _is_promised(declaration: Declaration, rule: Retention) -> bool:
    """True if a promise about its table states the period."""
    quotes = [it.quote for it in declaration.promises if any(lies_in(rule.table, part) for part in it.about)]
    return any(agrees(rule, it.period) for quote in quotes for it in stretches(quote))


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
    return agrees(rule, period.period) or (bool(promise.about) and shorter and _says("at_most", period.words))


def _say(rules: Mapping[str, Retention]) -> str:
    if len(rules) != 1:
        return "and none of the retention rules does" if rules else "and there is no retention rule"
    ((name, rule),) = rules.items()
    return f"the rule '{name[:80]}' says {rule.for_}"


def _rules_of(declaration: Declaration, part: str) -> dict[str, Retention]:
    return {name: rule for name, rule in declaration.retention.items() if lies_in(rule.table, part)}


def lies_in(table: str, part: str) -> bool:
    """True if *table* is that part of a system, or inside it."""
    return table == part or table.startswith(f"{part}.")


def _says(what: str, text: str) -> bool:
    return _pattern(what).search(text) is not None


@functools.cache
def _pattern(what: str) -> re.Pattern[str]:
    return re.compile(_filled(what), re.I)


def _filled(what: str) -> str:
    text: str = _words()[what].replace("\\\n", "")
    return re.sub(r"<(\w+)>", lambda name: _filled(name[1]), text)


def _words() -> Mapping[str, Any]:
    return read_toml(__package__, "retention.toml")
