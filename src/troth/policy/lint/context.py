"""The context of lint rules."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from troth.policy.lexicon import Mentions, Passage, mentions
from troth.policy.lint.applicability import ApplicableLaws, reach_of
from troth.policy.lint.establishment import Home, home_of
from troth.policy.lint.model import REGIMES
from troth.policy.phrases import plain
from troth.policy.text import Block, PolicyText

if TYPE_CHECKING:
    from troth.policy.lint.facts import LintFacts

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class LintContext:
    """Input of a rule: the policy, its mentions, the date, known facts and applicable laws."""

    policy: PolicyText
    as_of: dt.date
    facts: LintFacts | None = None
    limited: tuple[str, ...] | None = None
    """The laws that the run is limited to; None for those that the text gives a reason to check."""

    @cached_property
    def reach(self) -> ApplicableLaws:
        """Which laws apply, and which only conditionally."""
        if self.limited is not None:
            return ApplicableLaws(left_out=frozenset(REGIMES) - set(self.limited))
        return reach_of(self.home, self.mentions, self.facts)

    @property
    def regimes(self) -> tuple[str, ...]:
        """The laws that are checked."""
        return self.reach.regimes

    @cached_property
    def home(self) -> Home:
        """Where the company is established."""
        return home_of(self.policy, self.facts)

    @cached_property
    def mentions(self) -> Mentions:
        """Which sentences mention which concepts."""
        return mentions(self.policy)

    @cached_property
    def following(self) -> Mapping[int, Passage]:
        """The next passage, by the `id()` of a passage."""
        return {id(one): after for one, after in itertools.pairwise(self.mentions.passages)}

    @cached_property
    def rows(self) -> Mapping[tuple[int, int], str]:
        """The words of each table row in `plain` form, by table and row; without head cells."""
        rows = defaultdict[tuple[int, int], list[str]](list)
        for block in self.policy.blocks:
            if block.cell is not None and not block.cell.is_head:
                rows[block.cell.table, block.cell.row].append(plain(block.text))
        return {place: " ".join(words) for place, words in rows.items()}

    def row_of(self, block: Block, otherwise: str = "") -> str:
        """The words of the block's table row, or *otherwise* for a block outside tables."""
        return self.rows.get((block.cell.table, block.cell.row), "") if block.cell else otherwise

    @cached_property
    def lines(self) -> Sequence[str]:
        """The source split into lines, with the same numbering as `Span.line`."""
        return _LINE_END.split(self.policy.source)

    @cached_property
    def words(self) -> str:
        """The whole text in `plain` form."""
        return " ".join(plain(sentence.text) for sentence in self.policy.sentences)


def outside_headings(mentions: Iterable[Passage]) -> list[Passage]:
    """*mentions* without headings, unless there are only headings: a heading names a topic and seldom states
    anything."""
    passages = list(mentions)
    return [passage for passage in passages if passage.block.kind != "heading"] or passages
