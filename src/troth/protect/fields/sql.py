"""The statements of a rotation, for the databases we know: a page by key, and compare-and-swap for many rows."""

# ruff: noqa: S608 -- SQL is composed here: names come quoted, values are parameters

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from troth.protect.fields.errors import RowsRefused
from troth.protect.fields.rotate import Change, Stored
from troth.protect.fields.table import Values

__all__ = ["Flavour", "SqlRows"]

Flavour = Literal["sqlite", "postgresql", "mariadb"]
Read = Callable[[str, Values], Sequence[Sequence[Any]]]
"""Runs a query, lets its transaction go, and gives the rows."""
Write = Callable[[str, Values | list[Values]], int]
"""Runs a statement in a transaction of its own, for one set of parameters or for each of a list; how many rows changed.
Both raise `RowsRefused`, without a trace of the driver's text, which can quote a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRows:
    """The rows of *table*. Names come quoted; *types* are those of key and columns, as PostgreSQL calls them; *mark* is
    the driver's placeholder."""

    flavour: Flavour
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    types: tuple[str, ...]
    mark: str
    read: Read
    write: Write

    def page(self, after: Values | None, rows: int) -> list[Stored]:
        where, values = self._after(after) if after is not None else ("", ())
        order = ", ".join(self.key)
        sql = f"SELECT {', '.join((*self.key, *self.columns))} FROM {self.table}{where} ORDER BY {order} LIMIT {rows:d}"
        width = len(self.key)
        page = [Stored(tuple(row[:width]), tuple(row[width:])) for row in self.read(sql, values)]
        if any(None in row.key for row in page):
            raise RowsRefused(f"{self.table} has a row whose key is NULL: give it one")
        return page

    def _after(self, key: Values) -> tuple[str, Values]:
        """Spelled out, as MariaDB finds no range of an index in a comparison of rows."""
        ways = [
            " AND ".join([*(f"{name} = {self.mark}" for name in self.key[:at]), f"{self.key[at]} > {self.mark}"])
            for at in range(len(key))
        ]
        values = (key[0], *(value for at in range(len(key)) for value in key[: at + 1]))
        return f" WHERE {self.key[0]} >= {self.mark} AND ({' OR '.join(ways)})", values

    def swap(self, changes: Sequence[Change]) -> int:
        rows = [(*change.row.key, *change.row.values, *change.fresh) for change in changes]
        if self.flavour == "postgresql":
            return self.write(self._from_arrays(), tuple(list(column) for column in zip(*rows, strict=True)))
        if self.flavour == "mariadb":
            return self.write(self._from_union(len(rows)), tuple(value for row in rows for value in row))
        width = len(self.key) + len(self.columns)
        return self.write(self._one_by_one(), [(*row[width:], *row[:width]) for row in rows])

    def _one_by_one(self) -> str:
        sets = ", ".join(f"{name} = {self.mark}" for name in self.columns)
        same = [f"{name} = {self.mark}" for name in self.key] + [f"{name} IS {self.mark}" for name in self.columns]
        return f"UPDATE {self.table} SET {sets} WHERE {' AND '.join(same)}"

    def _from_arrays(self) -> str:
        width, columns = len(self.key), len(self.columns)
        arrays = ", ".join(f"{self.mark}::{kind}[]" for kind in (*self.types, *self.types[width:]))
        names = ", ".join(f"c{at}" for at in range(width + 2 * columns))
        sets = ", ".join(f"{name} = v.c{at}" for at, name in enumerate(self.columns, width + columns))
        same = [f"t.{name} = v.c{at}" for at, name in enumerate(self.key)]
        same += [f"t.{name} IS NOT DISTINCT FROM v.c{at}" for at, name in enumerate(self.columns, width)]
        return f"UPDATE {self.table} AS t SET {sets} FROM unnest({arrays}) AS v({names}) WHERE {' AND '.join(same)}"

    def _from_union(self, rows: int) -> str:
        width, columns = len(self.key), len(self.columns)
        typed = ", ".join(f"{name} AS c{at}" for at, name in enumerate((*self.key, *self.columns, *self.columns)))
        line = f"({', '.join([self.mark] * (width + 2 * columns))})"
        same = [f"t.{name} = v.c{at}" for at, name in enumerate(self.key)]
        same += [f"t.{name} <=> v.c{at}" for at, name in enumerate(self.columns, width)]
        sets = ", ".join(f"t.{name} = v.c{at}" for at, name in enumerate(self.columns, width + columns))
        wanted = f"SELECT {typed} FROM {self.table} WHERE FALSE UNION ALL VALUES {', '.join([line] * rows)}"
        return f"UPDATE ({wanted}) AS v STRAIGHT_JOIN {self.table} AS t ON {' AND '.join(same)} SET {sets}"
