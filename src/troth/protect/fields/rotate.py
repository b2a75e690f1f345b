"""Resealing the columns of a table in place, while the application keeps reading and writing.

Rows are read a page at a time in key order, and updated only if they still hold the values read: a row that the
application changed meanwhile is read again. Every change is short and complete in itself, and progress is visible in
the values themselves, so a killed run is simply repeated. It ends after a whole pass that found nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from troth.protect.fields.errors import RowsBusy, RowsLeft
from troth.protect.fields.table import RotationCount, RowChecker, SealedTable, Values

PAGE_ROWS: Final = 2_000
_PAGE_ROWS_FIRST: Final = 50
PAGE_BYTES: Final = 2 * 1024 * 1024
"""Target size of a page, and of the rows that one statement changes: values may be large, and databases have limits."""
_TRIES_MAX: Final = 5
_PASSES_MAX: Final = 5

Progress = Callable[[RotationCount], None]
_Again = Callable[[], Sequence["Stored"]]


@dataclass(frozen=True, slots=True)
class Stored:
    """One row: its key and its values, as the driver returns them. Values may still be plain: no ``repr``."""

    key: Values
    values: Values = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowUpdate:
    """A change of *row* to the values *fresh*."""

    row: Stored
    fresh: Values = field(repr=False)


class TableRows(Protocol):
    """The rows of one table, in a database."""

    def page(self, after: Values | None, rows: int) -> list[Stored]:
        """The next rows by key, read without keeping a transaction open. Raises `RowsRefused`."""

    def swap(self, changes: Sequence[RowUpdate]) -> int:
        """Compare-and-swap: update the rows that still hold the values read, each atomically; returns how many. Raises
        `RowsRefused`; its child `RowsBusy` is worth a retry."""


def rotate(rows: TableRows, table: SealedTable, progress: Progress | None = None) -> RotationCount:
    """Bring every row of *table* up to date; *progress* is called after each page.

    Raises `RowsLeft`, after everything possible is done, if values do not open or another process keeps writing under
    an older key; `RowsRefused` if the database refuses.
    """
    total = RotationCount()
    for number in range(_PASSES_MAX):
        found = RotationCount(changed=total.changed)
        is_clean = _pass(rows, partial(table.look, at_buckets=number == 0), found, progress)
        total = RotationCount(found.rows, found.changed, max(total.unopened, found.unopened))
        if is_clean:
            break
    else:
        raise RowsLeft(
            f"{table.name}: new rows keep appearing under an older key; does a process use an old TROTH_HOME?"
        )
    if total.unopened:
        raise RowsLeft(
            f"{table.name}: of {total.rows:,} rows, {total.unopened:,} values cannot be decrypted; the rest is up to "
            "date. Use accept_plain=True while a column is being sealed; after that, find out who wrote them",
            unopened=total.unopened,
        )
    return total


def _pass(rows: TableRows, look_now: Callable[[], RowChecker], total: RotationCount, progress: Progress | None) -> bool:
    """True if there was nothing to do."""
    size, after, is_clean = _PAGE_ROWS_FIRST, None, True
    while page := rows.page(after, size):
        look = look_now()
        due = _due(look, page, total)
        is_clean &= not due
        for part in _parts(due):
            _change(rows, look, partial(rows.page, after, len(page)), part, total)
        if progress is not None:
            progress(total)
        after = page[-1].key
        size = min(PAGE_ROWS, max(1, len(page) * PAGE_BYTES // max(1, sum(_bytes(row) for row in page))))
    return is_clean


def _due(look: RowChecker, page: Sequence[Stored], count: RotationCount) -> list[RowUpdate]:
    changes = (RowUpdate(row, look.fresh(row.values, count)) for row in page)
    return [change for change in changes if change.fresh != change.row.values]


def _change(rows: TableRows, look: RowChecker, page: _Again, due: list[RowUpdate], total: RotationCount) -> None:
    """Apply the changes that are *due*. Rows that others wrote meanwhile are read again; a row that loses every retry
    is left to the next pass."""
    for attempt in range(_TRIES_MAX):
        if not due:
            return
        try:
            swapped = rows.swap(due)
        except RowsBusy:
            if attempt == _TRIES_MAX - 1:
                raise
            swapped = 0
        total.changed += swapped
        if swapped == len(due):
            return
        keys = {change.row.key for change in due}
        due = _due(look, [row for row in page() if row.key in keys], RotationCount())


def _parts(changes: list[RowUpdate]) -> Iterator[list[RowUpdate]]:
    """The changes in parts that fit into one statement."""
    part, size = list[RowUpdate](), 0
    for change in changes:
        weight = _bytes(change.row)  # the new values are as long, except the first time
        if part and size + weight > PAGE_BYTES:
            yield part
            part, size = [], 0
        part.append(change)
        size += weight
    if part:
        yield part


def _bytes(row: Stored) -> int:
    return sum([len(value) if type(value) in (bytes, str) else 8 for value in row.values])
