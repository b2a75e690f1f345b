"""SQL of a rotation for the supported databases: a page by key, and compare-and-swap for many rows."""

# ruff: noqa: S608 -- SQL is composed here: names come quoted, values are parameters

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from troth.protect.fields.errors import RowsRefused
from troth.protect.fields.rotate import RowUpdate, Stored
from troth.protect.fields.table import Values

Flavour = Literal["sqlite", "postgresql", "mariadb"]
Read = Callable[[str, Values], Sequence[Sequence[Any]]]
"""Runs a query, ends its transaction, and returns the rows."""
Write = Callable[[str, Values | list[Values]], int]
"""Runs a statement in a transaction of its own, with one set of parameters or each of a list; returns how many rows
changed. Both raise `RowsRefused` without the driver's text, which can quote a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRows:
    """The rows of *table*. Names come quoted; *types* are those of key and columns, in PostgreSQL's names; *mark* is
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
            raise RowsRefused(f"{self.table} has a row whose key is NULL: give it a key")
        return page

    def _after(self, key: Values) -> tuple[str, Values]:
        """Spelled out, because MariaDB uses no index range for a row comparison."""
        ways = [
            " AND ".join([*(f"{name} = {self.mark}" for name in self.key[:at]), f"{self.key[at]} > {self.mark}"])
            for at in range(len(key))
        ]
        values = (key[0], *(value for at in range(len(key)) for value in key[: at + 1]))
        return f" WHERE {self.key[0]} >= {self.mark} AND ({' OR '.join(ways)})", values

    def swap(self, changes: Sequence[RowUpdate]) -> int:
        """Sets only the columns that change: SQLite would rewrite the index even for an unchanged bucket."""
        alike: dict[tuple[int, ...], list[Values]] = {}
        for change in changes:
            old, new = change.row.values, change.fresh
            at = tuple([place for place in range(len(old)) if old[place] != new[place]])
            alike.setdefault(at, []).append((*[new[place] for place in at], *change.row.key, *old))
        return sum(self._swap([self.columns[place] for place in at], at, rows) for at, rows in alike.items())

    def _swap(self, changed: Sequence[str], at: Sequence[int], rows: list[Values]) -> int:
        """Each of *rows* holds the new values of the *changed* columns, the key, and all old values."""
        if self.flavour == "postgresql":
            types = [*(self.types[len(self.key) + place] for place in at), *self.types]
            return self.write(self._from_arrays(changed, types), tuple(list(each) for each in zip(*rows, strict=True)))
        if self.flavour == "mariadb":
            return self.write(self._from_union(changed, len(rows)), tuple(value for row in rows for value in row))
        return self.write(self._one_by_one(changed), rows)

    def _one_by_one(self, changed: Sequence[str]) -> str:
        sets = ", ".join(f"{name} = {self.mark}" for name in changed)
        same = [f"{name} = {self.mark}" for name in self.key] + [f"{name} IS {self.mark}" for name in self.columns]
        return f"UPDATE {self.table} SET {sets} WHERE {' AND '.join(same)}"

    def _from_arrays(self, changed: Sequence[str], types: Sequence[str]) -> str:
        arrays = ", ".join(f"{self.mark}::{kind}[]" for kind in types)
        names = ", ".join(f"c{at}" for at in range(len(types)))
        sets, same = self._joined(changed, "", "IS NOT DISTINCT FROM")
        return f"UPDATE {self.table} AS t SET {sets} FROM unnest({arrays}) AS v({names}) WHERE {same}"

    def _from_union(self, changed: Sequence[str], rows: int) -> str:
        columns = (*changed, *self.key, *self.columns)
        typed = ", ".join(f"{name} AS c{at}" for at, name in enumerate(columns))
        lines = ", ".join([f"({', '.join([self.mark] * len(columns))})"] * rows)
        sets, same = self._joined(changed, "t.", "<=>")
        wanted = f"SELECT {typed} FROM {self.table} WHERE FALSE UNION ALL VALUES {lines}"
        return f"UPDATE ({wanted}) AS v STRAIGHT_JOIN {self.table} AS t ON {same} SET {sets}"

    def _joined(self, changed: Sequence[str], prefix: str, is_same: str) -> tuple[str, str]:
        """The assignments of rows ``t`` from values ``v``, and the condition that matches them."""
        sets = ", ".join(f"{prefix}{name} = v.c{at}" for at, name in enumerate(changed))
        keys = [f"t.{name} = v.c{at}" for at, name in enumerate(self.key, len(changed))]
        olds = [f"t.{name} {is_same} v.c{at}" for at, name in enumerate(self.columns, len(changed) + len(self.key))]
        return sets, " AND ".join((*keys, *olds))
