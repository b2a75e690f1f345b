"""Rules about how long data is kept, and what the promise to delete it means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from troth.policy.lint.model import Hit
from troth.policy.lint.near import following, said_near, without
from troth.policy.lint.rules import fires_when
from troth.policy.lint.run import Looked

_KINDS = (
    ("kept.accounts", "accounts"),
    ("kept.orders", "orders and payments"),
    ("kept.messages", "messages"),
    ("kept.newsletter", "addresses for mailings"),
    ("kept.visits", "records of visits"),
    ("kept.logs", "logs"),
    ("kept.applicants", "applications"),
    ("kept.footage", "pictures of cameras"),
    ("kept.recordings", "recordings"),
    ("kept.location", "locations"),
    ("kept.contributions", "contributions"),
    ("kept.contests", "surveys and contests"),
    ("kept.health", "health data"),
    ("kept.network", "data of the wireless network"),
)
"""Kinds of data by their concepts, in words for a reader."""


@fires_when("GDPR.13.2a.retention")
def _no_period(looked: Looked) -> Iterator[Hit]:
    """A kind of data has a period where both stand in one block, or in one row of a table."""
    spoken = looked.mentions
    said = spoken.of("retention.any", "retention.period", "retention.vague")
    if not said:
        yield Hit(says=(("what", "any data"),))
        return
    if spoken.has("retention.all"):
        return
    lacking = [words for name, words in _KINDS if spoken.has(name) and not said_near(spoken.of(name), said)]
    if lacking:
        yield Hit(says=(("what", ", ".join(lacking)),))


@fires_when("GDPR.13.2a.vague")
def _vague_periods(looked: Looked) -> Iterator[Hit]:
    """A sentence about all data that announces the periods below it is no fault; one about some data is."""
    spoken = looked.mentions
    definite = spoken.of("retention.period")
    announcing = {under for under, count in Counter(one.under for one in definite).items() if count > 1}
    general = {id(passage) for passage in spoken.of("retention.general") if passage.under in announcing}
    for passage in without(spoken.of("retention.vague"), definite):
        if id(passage) not in general:
            yield Hit(passage.sentence)


@fires_when("GDPR.17.overpromise")
def _overpromise(looked: Looked) -> Iterator[Hit]:
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
"""How a sentence begins that takes something back of the one before it."""
