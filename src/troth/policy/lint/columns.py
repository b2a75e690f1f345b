"""Finds table columns that are not filled in: a period to be decided, a missing legal basis."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.unfinished import has_gap

_NOT_YET = re.compile(r"tb[acd]|to be (?:confirmed|decided|defined|determined|agreed)|unknown|undefined|open")


def unfilled(looked: LintContext, heads: re.Pattern[str]) -> Iterator[Passage]:
    """Placeholder cells in columns whose head matches *heads*; for drawn rows without such a cell, their first cell."""
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
    """True if its row is one line of a table drawn with bars: in other tables one cell may span several rows."""
    return looked.lines[passage.sentence.span.line - 1].lstrip().startswith("|")
