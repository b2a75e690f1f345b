"""What the rows of one table should hold: the values of its sealed columns under the key in use, and their buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troth.protect.errors import OpenError
from troth.protect.fields.blind import BlindIndex
from troth.protect.fields.column import Keys, SealedColumn
from troth.protect.fields.errors import FieldRefused
from troth.protect.keyring import Keyring

Values = tuple[Any, ...]
"""What one row holds in the managed columns, as the driver gives it: sealed columns first, buckets after."""


@dataclass(frozen=True, slots=True)
class Index:
    """One bucket column: *at* says which of the table's sealed columns its index is over, in order."""

    index: BlindIndex
    at: tuple[int, ...]


@dataclass(slots=True)
class RotationCount:
    """What was found and done: *rows* that were looked at, *changed* of them, and values that are *unopened* as they do
    not open, be it that they are plain and that is not accepted."""

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
        """A look at some of its rows, with the keys as they are now. Without *at_buckets*, those of rows whose values
        are sealed under the key in use are taken to be right: no such row is opened."""
        columns = tuple((column, column.keys()) for column in self.columns)
        indexes = tuple((index, self.columns[index.at[0]].keyring()) for index in self.indexes)
        indexed = frozenset(at for index in self.indexes for at in index.at)
        return RowChecker(columns, indexes, indexed, at_buckets)


@dataclass(frozen=True, slots=True)
class RowChecker:
    """Tells what rows should hold. Columns and indexes come with their keys; *indexed* are the columns with buckets."""

    columns: tuple[tuple[SealedColumn[Any], Keys], ...]
    indexes: tuple[tuple[Index, Keyring], ...]
    indexed: frozenset[int]
    at_buckets: bool

    def fresh(self, stored: Values, count: RotationCount) -> Values:
        """What the row should hold: the same where there is nothing to do, or nothing can be done. *found* is told."""
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
