"""Selecting and changing rows: conditions and changes over rows that are read one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from troth.stores.contract import NEVER, AllOf, AnyOf, Before, Condition, Match, NotBefore, Row, Scalar, Undated
from troth.stores.files.text import Kinds, Verdict
from troth.stores.files.values import comparable, utc
from troth.stores.values import digits_of

Key = tuple[Hashable, ...]
_NOTHING: Mapping[str, Scalar] = {}
_NOTHING_THERE = (None, "")


def columns_of(where: Condition | None) -> list[str]:
    """The columns that the condition uses, each once."""
    if where is None:
        return []
    if isinstance(where, Before | NotBefore | Undated):
        return [where.column]
    if isinstance(where, AllOf):
        return list(dict.fromkeys(column for condition in where.conditions for column in columns_of(condition)))
    return list(dict.fromkeys(column for match in where.matches for column in match.columns))


def dated_columns(where: Condition | None) -> list[str]:
    """The columns that the condition compares as dates."""
    if isinstance(where, AllOf):
        return [column for condition in where.conditions for column in dated_columns(condition)]
    return [where.column] if isinstance(where, Before | NotBefore | Undated) else []


def values_of(where: Condition | None, column: str) -> set[Scalar] | None:
    """The only values of *column* that the condition can select; None if any value is possible."""
    if isinstance(where, AllOf):
        return next((values for each in where.conditions if (values := values_of(each, column)) is not None), None)
    if not isinstance(where, AnyOf) or not all(column in match.columns for match in where.matches):
        return None
    return {row[match.columns.index(column)] for match in where.matches for row in match.values}


def selects(where: Condition | None, kinds: Kinds, *, at: int) -> Callable[[Row], bool]:
    """A test for rows whose values from position *at* on are those of `columns_of(where)`."""
    if where is None:
        return lambda row: True
    if isinstance(where, AllOf):
        parts = [_part(condition, columns_of(where), kinds, at) for condition in where.conditions]
        return lambda row: all(part(row) for part in parts)
    if isinstance(where, Before):
        moment = where.moment
        return lambda row: isinstance(value := row[at], dt.date) and _is_before(value, moment)
    if isinstance(where, NotBefore):
        earliest = where.moment
        return lambda row: (
            isinstance(value := row[at], dt.date) and _is_dated(value) and not _is_before(value, earliest)
        )
    if isinstance(where, Undated):
        return lambda row: row[at] in _NOTHING_THERE if where.empty else not _is_dated(row[at])
    columns = columns_of(where)
    tests = [
        _matches(match, kinds, [at + columns.index(column) for column in match.columns]) for match in where.matches
    ]
    return lambda row: any(test(row) for test in tests)


def _part(where: Condition, columns: Sequence[str], kinds: Kinds, at: int) -> Callable[[Row], bool]:
    """A test for one of several conditions, on rows with the *columns* of all of them from position *at* on."""
    places = [at + columns.index(column) for column in columns_of(where)]
    test = selects(where, kinds, at=0)
    return lambda row: test(tuple([row[place] for place in places]))


def _is_dated(value: Scalar) -> bool:
    return isinstance(value, dt.date) and _is_before(value, NEVER)


def _is_before(value: dt.date, moment: dt.datetime) -> bool:
    """A date is before a moment once its day is over."""
    if isinstance(value, dt.datetime):
        return utc(value) < moment
    return value < moment.astimezone(dt.UTC).date()


def _matches(match: Match, kinds: Kinds, places: Sequence[int]) -> Callable[[Row], bool]:
    if any(len(row) != len(match.columns) for row in match.values):
        raise ValueError(f"each row of a match on {', '.join(match.columns)} has {len(match.columns)} values")
    if match.digits:
        if len(places) != 1:
            raise ValueError("text can be compared by its digits in one column only")
        [place] = places
        numbers = {digits_of(value) for (value,) in match.values} - {""}
        return lambda row: digits_of(row[place]) in numbers
    wanted = {key(row, match.columns, kinds, fold=match.fold) for row in match.values if None not in row}

    def test(row: Row) -> bool:
        values = [row[place] for place in places]
        return None not in values and key(values, match.columns, kinds, fold=match.fold) in wanted

    return test


def key(values: Sequence[Scalar], columns: Sequence[str], kinds: Kinds, *, fold: bool = False) -> Key:
    """The values in a canonical form, for comparison."""
    return tuple([comparable(value, kinds[column], fold=fold) for value, column in zip(values, columns, strict=True)])


def changes_by_key(width: int, columns: Sequence[str], rows: Sequence[Row]) -> dict[Row, Verdict]:
    """The new values by key. Raises ValueError for a row of another width and for conflicting values of one key."""
    changes: dict[Row, Verdict] = {}
    for row in rows:
        if len(row) != width + len(columns):
            raise ValueError(f"each row has {width + len(columns)} values: the key, then the new ones")
        change = dict(zip(columns, row[width:], strict=True))
        if changes.setdefault(row[:width], change) != change:
            raise ValueError("a key is given twice, with different values")
    return changes


@dataclass(frozen=True, slots=True)
class FileOperation:
    """One call of a writer: new values by key, or None to delete the row. Columns in *filled* are changed only if they
    hold a value."""

    columns: tuple[str, ...]
    changes: Mapping[Key, Verdict]
    filled: tuple[str, ...] = ()


class UpdateProgram:
    """The calls made so far on one table, applied to a row in their order.

    A later call sees the writes of an earlier one, except in the columns that we add: they identify the row as it is in
    the file until the whole change is committed.
    """

    def __init__(self, operations: Sequence[FileOperation], kinds: Kinds) -> None:
        self._operations = operations
        self._kinds = kinds
        self.columns = list(
            dict.fromkeys(name for operation in operations for name in (*operation.columns, *operation.filled))
        )

    def run(self, row: Row) -> tuple[Verdict, bool]:
        """The verdict on the row, and whether the last call selected it."""
        now = dict(zip(self.columns, row, strict=True))
        changes = _NOTHING
        meant = False
        for operation in self._operations:
            values = [now[column] for column in operation.columns]
            found = None in values or key(values, operation.columns, self._kinds)
            meant = found is not True and found in operation.changes
            if not meant or found is True:
                continue
            change = operation.changes[found]
            if change is None:
                return None, operation is self._operations[-1]
            empty = {column for column in operation.filled if now[column] is None}
            change = {column: value for column, value in change.items() if column not in empty} if empty else change
            changes = {**changes, **change}
            now.update((column, value) for column, value in change.items() if column in now)
        return changes, meant
