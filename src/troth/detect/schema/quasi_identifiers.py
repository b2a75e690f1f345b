"""Quasi-identifiers: columns that identify people only in combination, such as date of birth, sex and postcode."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from troth.data_files import read_toml
from troth.detect.schema.columns import ColumnFinding
from troth.stores import Scalar

_ROWS_MIN: Final = 20
"""With fewer rows than this, uniqueness is accidental."""
_COLUMNS_MAX: Final = 8
_SCORE_MIN: Final = 0.6


@dataclass(frozen=True, slots=True)
class QuasiIdentifier:
    """*columns* of a table that identify people in combination.

    *categories* are those of the columns. Of the *rows* compared, *alone* have a unique combination; both are 0 if
    there were no values. Uniqueness in a sample is higher than in the whole table: it shows which columns to review,
    and not how many people could be identified.
    """

    columns: tuple[str, ...]
    categories: tuple[str, ...]
    rows: int = 0
    alone: int = 0


def quasi_identifier(
    findings: Sequence[ColumnFinding], samples: Mapping[str, Sequence[Scalar]]
) -> QuasiIdentifier | None:
    """The fewest columns that identify people in combination, by category; None if there are none.

    *findings* are those of a table whose rows are people, *samples* the values by column, row by row. A column with a
    single value distinguishes nobody and is left out.
    """
    bits, enough = _bits()
    telling = [it for it in _best(findings) if it.category in bits and _varies(samples.get(it.column, ()))]
    telling = sorted(telling, key=lambda it: -bits[it.category])[:_COLUMNS_MAX]
    for size in range(2, len(telling) + 1):
        several = (them for them in combinations(telling, size) if sum(bits[it.category] for it in them) >= enough)
        chosen = max(several, key=lambda them: sum(bits[it.category] for it in them), default=None)
        if chosen is not None:
            columns = tuple(it.column for it in chosen)
            rows, alone = _alone([samples.get(column, ()) for column in columns])
            return QuasiIdentifier(columns, tuple(it.category for it in chosen), rows, alone)
    return None


def _best(findings: Sequence[ColumnFinding]) -> list[ColumnFinding]:
    """The best finding per column, and one column per category: two postcodes of a person carry the same
    information."""
    best: dict[str, ColumnFinding] = {}
    for it in findings:
        if it.score >= _SCORE_MIN and it.entity != "FREE_TEXT" and not it.inside:
            best.setdefault(it.column, it)
    by_category = {it.category: it for it in reversed(best.values())}
    return list(by_category.values())


def _varies(values: Sequence[Scalar]) -> bool:
    said = [value for value in values if value is not None]
    return len(said) < _ROWS_MIN or len(set(said)) > 1


def _alone(columns: Sequence[Sequence[Scalar]]) -> tuple[int, int]:
    """The number of rows with values in all columns, and how many of those are unique."""
    rows = [row for row in zip(*columns, strict=False) if None not in row]
    if len(rows) < _ROWS_MIN:
        return 0, 0
    return len(rows), sum(count == 1 for count in Counter(rows).values())


@functools.cache
def _bits() -> tuple[Mapping[str, int], int]:
    data = read_toml(__package__, "singling.toml")
    return data["bits"], data["enough"]
