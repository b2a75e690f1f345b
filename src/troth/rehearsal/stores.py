"""Scratch stores: the tables of the company's systems made anew in a folder, with invented rows.

A database becomes a file of SQLite with the same tables, columns and keys; a folder of files becomes a folder with one
file for each set. Nothing here knows the address of a real store.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from troth.declaration import Declaration, System, Table
from troth.errors import TrothError
from troth.rehearsal.invented import InventedPerson, InventedRow, Inventor, encoded
from troth.stores import Column, ColumnKind, Scalar, Schema, TableKind, TableSchema

_NATIVE: Final[Mapping[ColumnKind, str]] = MappingProxyType(
    {
        ColumnKind.TEXT: "TEXT",
        ColumnKind.INTEGER: "INTEGER",
        ColumnKind.NUMBER: "NUMERIC",
        ColumnKind.BOOLEAN: "BOOLEAN",
        ColumnKind.DATE: "DATE",
        ColumnKind.DATETIME: "TIMESTAMP",
        ColumnKind.TIME: "TIME",
        ColumnKind.BYTES: "BLOB",
    }
)
_DATED: Final = ("_at", "_on", "date", "time", "until", "since")


class Inapplicable(TrothError):
    """The company has nothing that this fault could break; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class ScratchStores:
    """The stores of a rehearsal, in *folder*; *schemas* are those of the company's systems."""

    folder: Path
    schemas: Mapping[str, Schema]

    def url(self, system: str) -> str:
        """The address of the scratch store of *system*."""
        if self.schemas[system].dialect == "files":
            return f"files:{self.folder / system}"
        return f"sqlite:///{self.file(system)}"

    def file(self, system: str) -> Path:
        return self.folder / f"{system}.sqlite"

    def run(self, system: str, statement: str, *values: Any) -> int:
        """Run one statement on a scratch database. Returns how many rows it changed. Raises `Inapplicable` if a
        constraint of the company's own forbids it."""
        try:
            with closing(sqlite3.connect(self.file(system))) as connection, connection:
                return connection.execute(statement, values).rowcount
        except sqlite3.IntegrityError:
            raise Inapplicable("a constraint of the database forbids it") from None

    def script(self, system: str, statements: str) -> None:
        """Run several statements on a scratch database, separated by semicolons."""
        with closing(sqlite3.connect(self.file(system))) as connection, connection:
            connection.executescript(statements)

    def is_database(self, system: str) -> bool:
        return self.schemas[system].dialect != "files"

    def make(self, declaration: Declaration, rows: Iterable[InventedRow]) -> None:
        """Make the stores, and put *rows* into them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for system, schema in self.schemas.items():
            if self.is_database(system):
                self.script(system, ";\n".join(_created(table) for table in schema.tables.values() if _is_made(table)))
        by_place: dict[str, list[InventedRow]] = {}
        for row in rows:
            by_place.setdefault(row.place, []).append(row)
        for place, several in by_place.items():
            self.insert(place, several, declaration)

    def insert(self, place: str, rows: Sequence[InventedRow], declaration: Declaration) -> None:
        """Add rows to the table *place*."""
        system, _, table = place.partition(".")
        if self.is_database(system):
            for row in rows:
                names, marks = ", ".join(map(_quoted, row.values)), ", ".join("?" * len(row.values))
                values = [_stored(value) for value in row.values.values()]
                self.run(system, f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})", *values)  # noqa: S608
            return
        path = self._set_file(place, declaration)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for row in rows:
                line = {name: encoded(value) for name, value in row.values.items()}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def put(self, place: str, column: str, value: Scalar, declaration: Declaration) -> None:
        """Write *value* into *column* of the first row of the table *place*; a file may get a new column by it. Raises
        `Inapplicable` if there is no row, or a constraint forbids the value."""
        system, _, table = place.partition(".")
        if self.is_database(system):
            name = _quoted(table)
            first = f"(SELECT min(rowid) FROM {name})"  # noqa: S608
            changed = f"UPDATE {name} SET {_quoted(column)} = ? WHERE rowid = {first}"  # noqa: S608
            if not self.run(system, changed, _stored(value)):
                raise Inapplicable(f"{place} is empty")
            return
        path = self._set_file(place, declaration)
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if not lines:
            raise Inapplicable(f"{place} is empty")
        lines[0] = json.dumps({**json.loads(lines[0]), column: encoded(value)}, ensure_ascii=False)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _set_file(self, place: str, declaration: Declaration) -> Path:
        """The file of a set of files."""
        system, _, table = place.partition(".")
        declared = declaration.table_at(place) or Table()
        return self.folder / system / (declared.path or f"{table}.jsonl").replace("*", "scratch")


def scratch_schemas(declaration: Declaration, real: Mapping[str, Schema]) -> Mapping[str, Schema]:
    """The schema of every system that is looked into: the real one where it is known, else what is declared."""
    return {
        name: real.get(name) or _declared_schema(name, system, declaration)
        for name, system in declaration.systems.items()
        if system.is_looked_into and not system.is_troths
    }


def filled(inventor: Inventor, count: int) -> list[InventedRow]:
    """The rows of the first *count* invented people in every table."""
    return list(inventor.fill([InventedPerson(number) for number in range(count)]))


def _declared_schema(name: str, system: System, declaration: Declaration) -> Schema:
    dialect = (
        "files" if system.store.startswith("files:") or any(it.path for it in system.tables.values()) else "sqlite"
    )
    tables = {
        table: _declared_table(f"{name}.{table}", declared, declaration) for table, declared in system.tables.items()
    }
    return Schema(dialect, tables)


def _declared_table(place: str, table: Table, declaration: Declaration) -> TableSchema:
    rules = {rule.from_ for rule in declaration.retention.values() if rule.table == place}
    dated = rules | ({table.keep.from_} if table.keep and table.keep.from_ else set())
    naming = {it.column for it in (*table.identity.values(), *table.mentions.values())}
    links_of = (*table.belongs_to.values(), *table.refers_to.values())
    links = {column for it in links_of for column in it.columns}
    marks = {flag.column for flag in table.marks.values()}
    names = dict.fromkeys([*(table.key or ()), *sorted(naming), *table.fields, *sorted(links), *table.ignore])
    names |= dict.fromkeys([*sorted(dated), *sorted(marks), *((table.notice,) if table.notice else ())])
    key = table.key or (("id",) if not table.key else ())
    names = {**dict.fromkeys(key), **names}

    numbers = {name for it in links_of for name, to in zip(it.columns, it.to, strict=True) if to == "id"} | {"id"}

    def column(name: str) -> Column:
        is_dated = name in dated or (name in {*table.ignore, *marks} and name.endswith(_DATED))
        kind = ColumnKind.DATETIME if is_dated else ColumnKind.INTEGER if name in numbers else ColumnKind.TEXT
        return Column(name, kind, _NATIVE[kind], nullable=name not in key)

    return TableSchema(place.partition(".")[2], tuple(map(column, names)), key=tuple(key))


def _is_made(table: TableSchema) -> bool:
    return table.kind is TableKind.TABLE and bool(table.columns)


def _created(table: TableSchema) -> str:
    columns = [
        f"{_quoted(it.name)} {_NATIVE.get(it.kind, 'TEXT')}{'' if it.nullable else ' NOT NULL'}"
        for it in table.columns
        if not it.generated
    ]
    if table.key:
        columns.append(f"PRIMARY KEY ({', '.join(map(_quoted, table.key))})")
    columns += [f"UNIQUE ({', '.join(map(_quoted, unique))})" for unique in table.unique if unique != table.key]
    return f"CREATE TABLE {_quoted(table.name)} ({', '.join(columns)})"


def without_constraints(schema: Schema) -> Schema:
    """*schema* without generated columns, which a scratch store does not compute."""
    tables = {
        name: replace(table, columns=tuple(it for it in table.columns if not it.generated))
        for name, table in schema.tables.items()
    }
    return Schema(schema.dialect, tables)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _stored(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return encoded(value) if not isinstance(value, bytes) else value
