"""Rules about retention periods and promises of deletion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from troth.policy.lint.columns import unfilled
from troth.policy.lint.context import LintContext, outside_headings
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import table
from troth.policy.lint.proximity import following, said_around, without
from troth.policy.lint.rules import fires_when
from troth.policy.lint.unfinished import has_gap
from troth.policy.lint.uses import is_item


@fires_when("GDPR.13.2a.retention")
def _no_period(looked: LintContext) -> Iterator[Hit]:
    """A kind of data has a period if one block, list or table row mentions both. A review date or “cannot be
    determined” is not a period."""
    spoken = looked.mentions
    said = spoken.of("retention.any", "retention.period", "retention.vague")
    open_rows = list(unfilled(looked, _PERIODS))
    gaps = [one for one in said if has_gap(one.sentence)]
    if not said:
        yield Hit(says=(("what", "any data"),))
    elif open_rows:
        yield Hit(open_rows[0].sentence, says=(("what", "the row of this cell has no period"),))
    elif gaps:
        yield Hit(gaps[0].sentence, says=(("what", "the period is still to be filled in"),))
    elif not spoken.has("retention.all", "retention.rest"):
        words = " ".join(said_around(spoken, said))
        lacking = [
            row["called"]
            for name, row in table("keeping.toml")["kinds"].items()
            if spoken.has(name) and not re.search(rf"\b(?:{row['words']})", words)
        ]
        if lacking:
            yield Hit(says=(("what", ", ".join(lacking)),))
        for passage in () if lacking else outside_headings(spoken.of("retention.undetermined"))[:1]:
            yield Hit(passage.sentence, says=(("what", "what is named here"),))


_PERIODS = re.compile(r"how long|(?:kept|keep|retention|storage|stored|deletion|delete) ?(?:period|time|for|after)?")
"""Heads of columns for periods."""


@fires_when("GDPR.13.2a.vague")
def _vague_periods(looked: LintContext) -> Iterator[Hit]:
    """A sentence about all data that introduces a list or table of periods is fine; one about some data, or about data
    without a period of its own, is a fault."""
    spoken = looked.mentions
    definite = spoken.of("retention.period")
    listed = Counter(one.under for one in definite if is_item(one))
    announcing = {under for under, count in listed.items() if count > 1}
    general = {id(passage) for passage in spoken.of("retention.general") if passage.under in announcing}
    for passage in without(spoken.of("retention.vague"), definite):
        if id(passage) not in general:
            yield Hit(passage.sentence)


@fires_when("GDPR.17.overpromise")
def _overpromise(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    absolute = spoken.of("deletion.absolute")
    duties = without(spoken.of("retention.duty"), absolute)
    after = following(spoken)
    for passage in absolute if duties else ():
        behind = after.get(id(passage))
        if behind is None or not _TAKEN_BACK.match(behind.words[behind.own :]):
            duty = f"line {duties[0].sentence.span.line} names a duty to keep some of it"
            yield Hit(passage.sentence, says=(("duty", duty),))


_TAKEN_BACK = re.compile(r"(?:however|except|unless|but|this does not|we may (?:keep|retain)|some|the only)\b")
"""Beginning of a sentence that qualifies the previous one."""
