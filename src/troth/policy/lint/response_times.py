"""The rule about contradictory response times for the same requests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.classify.model import Quantity
from troth.policy.classify.quantities import quantities_in
from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.contradictions import beside_line
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word
from troth.policy.lint.rules import fires_when
from troth.policy.retention_rules import DAYS
from troth.text import same_words

_ANSWERS = re.compile(
    r"\b(?:we|answer|reply|response) (?:\w+ ){0,4}?(?:answer|reply|respond|comply|deal|act|process|complete|handle)\w*"
    r" (?:\w+ ){0,3}?(?:requests?|you)\b|\b(?:every|each|any|all|your) requests? (?:is|are|will be) (?:answered|dealt)"
)
_OF_SOME = any_word("response_times.of_some")
"""Words of sentences or headings that are about some requests only, or about steps before or after the answer."""
_SAME_WITHIN = 0.1
"""Policies use four weeks, thirty days and a month interchangeably."""


@fires_when("X.answer-pair")
def two_times(looked: LintContext) -> Iterator[Hit]:
    """Two sentences that state different times for answering any request."""
    told = [(one, time) for one in looked.mentions.passages if (time := _time_in(one)) is not None]
    for passage, time in told[1:]:
        first, other = told[0]
        if abs(_days(time) - _days(other)) > _SAME_WITHIN * _days(other):
            says = (*beside_line(first.sentence), ("said", str(time)), ("before", str(other)))
            yield Hit(passage.sentence, says=says)
            return


def _time_in(passage: Passage) -> Quantity | None:
    if passage.block.kind == "heading" or not _ANSWERS.search(passage.words):
        return None
    if _OF_SOME.search(passage.words) or _OF_SOME.search(passage.under):
        return None
    times = [one for one in quantities_in(same_words(passage.sentence.text)) if one.unit in DAYS]
    return times[0] if len(times) == 1 else None


def _days(time: Quantity) -> float:
    return time.number * DAYS[time.unit]
