"""The target content of a table's rows: sealed columns under the key in use, and their buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troth.protect.errors import OpenError
from troth.protect.fields.blind import BlindIndex
from troth.protect.fields.column import Keys, SealedColumn
from troth.protect.fields.errors import FieldRefused
from troth.protect.keyring import Keyring

Values = tuple[Any, ...]
"""A row's values in the managed columns, as the driver returns them: sealed columns first, then buckets."""


@dataclass(frozen=True, slots=True)
class Index:
    """One bucket column: *at* gives the positions of the indexed columns among the table's sealed columns, in order."""

    index: BlindIndex
    at: tuple[int, ...]


@dataclass(slots=True)
class RotationCount:
    """Counts of a rotation: *rows* checked, rows *changed*, and values *unopened* because they do not open, which
    includes plain ones that are not accepted."""

    rows: int = 0
    changed: int = 0
    unopened: int = 0


@dataclass(frozen=True, slots=True)
class SealedTable:
    """The sealed columns of a table, and the buckets beside them."""

    name: str
    columns: tuple[SealedColumn[Any], ...]
    indexes: tuple[Index, ...] = ()

    def look(self, *, at_buckets: bool) -> RowChecker:
        """A checker for some of its rows, with the current keys. Without *at_buckets*, buckets of rows whose values are
        sealed under the key in use are assumed correct, and such rows are not opened."""
        columns = tuple((column, column.keys()) for column in self.columns)
        indexes = tuple((index, self.columns[index.at[0]].keyring()) for index in self.indexes)
        indexed = frozenset(at for index in self.indexes for at in index.at)
        return RowChecker(columns, indexes, indexed, at_buckets)


@dataclass(frozen=True, slots=True)
class RowChecker:
    """Computes the target values of rows. Columns and indexes come with their keys; *indexed* columns have buckets."""

    columns: tuple[tuple[SealedColumn[Any], Keys], ...]
    indexes: tuple[tuple[Index, Keyring], ...]
    indexed: frozenset[int]
    at_buckets: bool

    def fresh(self, stored: Values, count: RotationCount) -> Values:
        """The row's target values: unchanged if there is nothing to do or a value does not open. Updates *count*."""
        count.rows += 1
        due = [at for at, (column, keys) in enumerate(self.columns) if not column.is_under(keys, stored[at])]
        if not due and not self.at_buckets:
            return stored
        fresh, opened = list(stored), dict[int, Any]()
        for at in self.indexed.union(due):
            column, keys = self.columns[at]
            try:
                opened[at] = column.open(stored[at], keys)
            except (OpenError, FieldRefused):
                count.unopened += 1
            else:
                fresh[at] = column.seal(opened[at], keys) if at in due else stored[at]
        for place, (index, keyring) in enumerate(self.indexes, len(self.columns)):
            if all(at in opened for at in index.at):
                fresh[place] = index.index.bucket(keyring, *(opened[at] for at in index.at))
        return tuple(fresh)
