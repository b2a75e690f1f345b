"""Samples the first rows of a table to detect fields that are personal only by name or in combination."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Final

from troth.detect.files.cells import Cell
from troth.detect.files.results import PersonalField, Remark, Together

if TYPE_CHECKING:
    from troth.detect.schema.columns import ColumnFinding

_ROWS: Final = 500
_FIELDS_MAX: Final = 500
_LENGTH_MAX: Final = 200
"""Maximum characters of a value, and of the names of its path."""

_FREE: Final = "user.content"
"""Free text may be about anybody or nobody: its field name alone is weak evidence."""

_Path = tuple[str | int, ...]


class SampleRows:
    """Some rows of the table *table*. Their values are never returned."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._rows: dict[tuple[int, int], dict[_Path, str]] = {}
        self._fields: dict[_Path, str] = {}
        self._shown: Callable[[_Path], str] = str

    def kept(self, cells: Iterable[Cell | Remark], shown: Callable[[_Path], str]) -> Iterator[Cell | Remark]:
        """Passes the cells through unchanged. *shown* formats a field without names that are personal data."""
        self._shown = shown
        for it in cells:
            if isinstance(it, Cell) and not it.is_name:
                self._keep(it)
            yield it

    def _keep(self, cell: Cell) -> None:
        which = cell.line, cell.element
        row = self._rows.get(which)
        if row is None and len(self._rows) < _ROWS:
            row = self._rows[which] = {}
        if row is not None and (cell.path in self._fields or self._is_new_field(cell.path)):
            row[cell.path] = cell.text[:_LENGTH_MAX]

    def _is_new_field(self, path: _Path) -> bool:
        names = [it for it in path if type(it) is str]
        is_one = 0 < len(names) == len(path) and len(self._fields) < _FIELDS_MAX
        if is_one and sum(map(len, names)) <= _LENGTH_MAX:
            self._fields[path] = " ".join(names)
        return path in self._fields

    def together(self) -> Together | None:
        """The fewest fields that may identify a person in combination; None if there are none. Fields are classified by
        name."""
        if len(self._fields) < 2:
            return None
        from troth.detect.schema.quasi_identifiers import quasi_identifier

        paths = self._paths
        samples = {it.column: [row.get(paths[it.column]) for row in self._rows.values()] for it in self._personal}
        told = quasi_identifier(self._personal, samples)
        if told is None:
            return None
        return Together(tuple(self._shown(paths[it]) for it in told.columns), told.categories, told.rows, told.alone)

    def named(self, found_in: Collection[str]) -> tuple[PersonalField, ...]:
        """The fields that are personal by name, without those in *found_in*, where values were found."""
        fields = [(self._shown(self._paths[it.column]), it.category) for it in self._personal]
        return tuple(PersonalField(field, of) for field, of in fields if field not in found_in and of != _FREE)

    @property
    def _paths(self) -> dict[str, _Path]:
        return {name: path for path, name in self._fields.items()}

    @cached_property
    def _personal(self) -> list[ColumnFinding]:
        """Classification by field names. Access only at the end, because it is computed once."""
        if not self._fields:
            return []  # avoids importing the schema classifier, which takes longer than reading a short file
        from troth.detect.schema.columns import classify
        from troth.stores import Column, ColumnKind, TableSchema

        columns = tuple(Column(it, ColumnKind.TEXT, "text") for it in self._paths)
        return classify(TableSchema(self._table, columns), {})
