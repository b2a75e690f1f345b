"""Columns of a table that leave out what they are for: a period that is to be decided, a ground that is not there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.unfinished import has_gap

_NOT_YET = re.compile(r"tb[acd]|to be (?:confirmed|decided|defined|determined|agreed)|unknown|undefined|open")


def unfilled(looked: LintContext, heads: re.Pattern[str]) -> Iterator[Passage]:
    """Cells below one of *heads* that say nothing yet; and the first cell of rows that have no cell there."""
    rows = defaultdict[tuple[int, int], dict[int, Passage]](dict)
    columns = defaultdict[int, set[int]](set)
    for passage in looked.mentions.passages:
        if (cell := passage.block.cell) is None:
            continue
        if not cell.is_head:
            rows[cell.table, cell.row].setdefault(cell.column, passage)
        elif heads.search(passage.words):
            columns[cell.table].add(cell.column)
    for (table, _), row in rows.items():
        for column in sorted(columns.get(table, ())):
            if column in row:
                said = row[column]
                if has_gap(said.sentence) or _NOT_YET.fullmatch(said.words[said.own :]):
                    yield said
            elif _is_drawn(row[min(row)], looked):
                yield row[min(row)]


def _is_drawn(passage: Passage, looked: LintContext) -> bool:
    """Whether its row is one line of a table drawn with strokes: elsewhere one cell may serve several rows."""
    return looked.lines[passage.sentence.span.line - 1].lstrip().startswith("|")
