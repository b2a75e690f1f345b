"""The rule about contradictory retention periods for the same data."""

from __future__ import annotations

import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from troth.policy.classify.model import Quantity
from troth.policy.classify.quantities import quantities_in
from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word, phrase, table
from troth.policy.lint.rules import fires_when
from troth.policy.phrases import Phrase, plain
from troth.policy.retention_rules import DAYS
from troth.policy.text import CellPosition
from troth.text import same_words

_BROAD = frozenset({"orders", "invoices", "purchase records", "account data", "location"})
"""Kinds that many table rows mention in addition to their subject; only sentences are compared for these."""
_TELLS_OF_CHANGE = re.compile(r"\b(?:from \w+ (?:\w+ )?to|cut|previously|formerly|changelog|reduced|extended)\b")
_CONDITION = any_word("periods.condition")


@dataclass(frozen=True, slots=True)
class StatedPeriod:
    """A sentence or table row that says how long one kind of data is kept."""

    passage: Passage
    kind: str
    number: float
    unit: str

    @property
    def days(self) -> float:
        """Approximate number of days."""
        return self.number * DAYS[self.unit]

    def __str__(self) -> str:
        plural = "" if self.number == 1 else "s"
        return f"{self.number:g} {self.unit}{plural} (line {self.passage.sentence.span.line})"


@fires_when("X.retention-pair")
def two_periods(looked: LintContext) -> Iterator[Hit]:
    """A fixed and an open-ended period in one sentence, and two periods for one kind of data in two places."""
    spoken = looked.mentions
    definite = {id(passage) for passage in spoken.of("retention.period")}
    for passage in spoken.of("retention.vague"):
        if id(passage) in definite and _OPEN_END.search(passage.words):
            yield Hit(passage.sentence, says=(("which", "one that ends, and one that nobody can tell the end of"),))
    for passage in _opened(looked):
        yield Hit(passage.sentence, says=(("which", "one that ends here, and one that nobody can tell the end of"),))
    by_kind = defaultdict[str, list[StatedPeriod]](list)
    for kept in kept_periods(looked):
        by_kind[kept.kind].append(kept)
    for kind, found in by_kind.items():
        differing = [kept for kept in found if abs(kept.days - found[0].days) > 0.1 * found[0].days]
        if differing:
            yield Hit(differing[0].passage.sentence, says=(("which", f"{kind}: {found[0]} and {differing[0]}"),))
    yield from _left_open(looked)


def _left_open(looked: LintContext) -> Iterator[Hit]:
    """A sentence with an open-ended period for a kind of data that has a fixed period elsewhere."""
    spoken = looked.mentions
    vague = [*spoken.of("retention.vague", "period.endless"), *filter(_is_kept, spoken.of("period.open"))]
    kinds = _kinds_named(looked)
    opened = [one for one in vague if _spot(one) in kinds and not _BY_LAW.search(one.words)]
    ended = _ended(looked, kinds, {id(passage) for passage in vague}) if opened else {}
    for passage in opened:
        if both := kinds[_spot(passage)] & ended.keys():
            kind = min(both)
            line = ended[kind].sentence.span.line
            yield Hit(passage.sentence, says=(("which", f"{kind}: an open end here, and a set one in line {line}"),))
            return


def _ended(looked: LintContext, kinds: Mapping[object, set[str]], is_open: set[int]) -> Mapping[str, Passage]:
    """For each kind of data, the first sentence or row with a fixed period."""
    told = {id(passage) for passage in looked.mentions.of("retention.period")}
    found: dict[str, Passage] = {}
    for one in looked.mentions.passages:
        is_ending = _TIME.search(_words(one, looked)) and (id(one) in told or _is_kept(one))
        if id(one) not in is_open and is_ending:
            for kind in kinds.get(_spot(one), ()):
                found.setdefault(kind, one)
    return found


def _is_kept(passage: Passage) -> bool:
    return _KEEPS.search(passage.words) is not None


def _kinds_named(looked: LintContext) -> Mapping[object, set[str]]:
    """The kinds of data that each sentence or table row is about."""
    found = defaultdict[object, set[str]](set)
    for kind, text in table("periods.toml")["kinds"].items():
        for one in looked.mentions.holding(phrase(text)):
            found[_spot(one)].add(kind)
    return found


def _spot(passage: Passage) -> object:
    cell = passage.block.cell
    return (cell.table, cell.row) if cell else id(passage)


def _words(passage: Passage, looked: LintContext) -> str:
    """Its words; for a cell, those of the whole row."""
    return plain(looked.row_of(passage.block)) if passage.block.cell else passage.words


_TIME = re.compile(r"\b(?:\d+|\w+ (?:hours?|days?|weeks?|months?|years?))\b")
_KEEPS = any_word("periods.keeps")
_BY_LAW = any_word("periods.by_law")


def _opened(looked: LintContext) -> Iterator[Passage]:
    """Sentences whose period the next sentence makes open-ended; and, if periods are stated elsewhere, those that keep
    data as long as it suits us, or that leave the period of each kind open although another section states some."""
    spoken = looked.mentions
    definite = spoken.of("retention.period")
    ending = {id(passage) for passage in definite}
    opened = {id(passage) for passage in spoken.of("period.opened")}
    for passage, after in itertools.pairwise(spoken.passages):
        if id(passage) in ending and id(after) in opened and after.block is passage.block:
            yield passage
    for passage in spoken.of("period.endless") if definite else ():
        yield passage
    for passage in spoken.of("period.of_each"):
        if any(other.under != passage.under for other in definite):
            yield passage


_OPEN_END = re.compile(r"\b(?:or|and)\b.{0,80}\b(?:reasonable|necessary|needed|required|appropriate|indefinite\w*)\b")


def kept_periods(looked: LintContext) -> Iterator[StatedPeriod]:
    """Periods of sentences or rows that are about exactly one kind of data and state exactly one period."""
    for passage in looked.mentions.of("retention.any"):
        cell = passage.block.cell
        words = looked.row_of(passage.block, passage.words)
        kinds = [kind for kind, phrase in _phrases().items() if phrase.found_in(words)]
        period = _single_period(looked, passage)
        if len(kinds) == 1 and period is not None and not (cell and kinds[0] in _BROAD and not _heads(looked, passage)):
            yield StatedPeriod(passage, kinds[0], period.number, period.unit)


def _heads(looked: LintContext, passage: Passage) -> bool:
    """True if the first cell of the row contains just one kind of data, so that the row is about nothing else."""
    cell = passage.block.cell
    first = next(one for one in looked.policy.blocks if one.cell and cell and _row(one.cell) == _row(cell))
    words = plain(first.text)
    return len(words.split()) <= _NAME_WORDS_MAX and any(one.found_in(words) for one in _phrases().values())


def _row(cell: CellPosition) -> tuple[int, int]:
    return (cell.table, cell.row)


_NAME_WORDS_MAX = 2


def _single_period(looked: LintContext, passage: Passage) -> Quantity | None:
    """The only period in a sentence or row; None if there are several, or if it has conditions."""
    words = looked.row_of(passage.block, same_words(passage.sentence.text))
    periods = [one for one in quantities_in(words) if one.unit in DAYS]
    return periods[0] if len(periods) == 1 and not depends(words, is_row=passage.block.cell is not None) else None


def depends(words: str, *, is_row: bool) -> bool:
    """True if *words* describe a change of the period, or state conditions. Conditions are ignored in table rows, which
    have no space for them."""
    said = words.lower()
    return bool(_TELLS_OF_CHANGE.search(said)) or (not is_row and bool(_CONDITION.search(said)))


@functools.cache
def _phrases() -> Mapping[str, Phrase]:
    return {kind: Phrase(text) for kind, text in table("periods.toml")["pairs"].items()}
