"""What the rows of one table should hold: the values of its sealed columns under the key in use, and their buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from troth.protect.errors import OpenError
from troth.protect.fields.blind import BlindIndex
from troth.protect.fields.column import SealedColumn
from troth.protect.fields.errors import FieldRefused, PlainFound

__all__ = ["Found", "Index", "SealedTable", "Values"]

Values = tuple[Any, ...]
"""What one row holds in the managed columns, as the driver gives it: sealed columns first, buckets after."""


@dataclass(frozen=True, slots=True)
class Index:
    """One bucket column: *at* says which of the table's sealed columns its index is over, in order."""

    index: BlindIndex
    at: tuple[int, ...]


@dataclass(slots=True)
class Found:
    """What was found and done: *rows* that were looked at, *changed* of them, values that are *unopened* as they do not
    open, and *plain* ones that are not sealed though that is not accepted."""

    rows: int = 0
    changed: int = 0
    unopened: int = 0
    plain: int = 0


@dataclass(frozen=True, slots=True)
class SealedTable:
    """The sealed columns of a table, and the buckets beside them."""

    name: str
    columns: tuple[SealedColumn[Any], ...]
    indexes: tuple[Index, ...] = ()

    def fresh(self, stored: Sequence[Any], found: Found) -> Values:
        """What the row should hold: the same where there is nothing to do, or nothing can be done. *found* is told."""
        found.rows += 1
        fresh, opened = list(stored), dict[int, Any]()
        indexed = {at for index in self.indexes for at in index.at}
        for at, column in enumerate(self.columns):
            is_current = column.is_current(stored[at])
            if is_current and at not in indexed:
                continue
            try:
                opened[at] = column.open(stored[at])
            except PlainFound:
                found.plain += 1
            except (OpenError, FieldRefused):
                found.unopened += 1
            else:
                fresh[at] = stored[at] if is_current else column.seal(opened[at])
        for place, index in enumerate(self.indexes, len(self.columns)):
            if all(at in opened for at in index.at):
                fresh[place] = self.bucket(index, [opened[at] for at in index.at])
        return tuple(fresh)

    def bucket(self, index: Index, values: Sequence[Any]) -> int | None:
        """The bucket of these values. Raises `SearchRefused` for one without such a normal form."""
        return index.index.bucket(self.columns[index.at[0]].keyring(), *values)
