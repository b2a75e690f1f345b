"""Places that hold the contract's tables, one per SQL engine."""

from __future__ import annotations

import datetime as dt
import decimal
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

import troth.stores.controls  # noqa: F401 - registers them
from troth.stores import Column, ColumnKind, Scalar, Store, StoreLimits, TableSchema, open_store
from troth.testing.servers import Server
from troth.testing.stores import PREPARED, Can

K = ColumnKind
TYPES: dict[str, dict[ColumnKind, str]] = {
    "sqlite": {
        K.TEXT: "TEXT",
        K.INTEGER: "INTEGER",
        K.NUMBER: "NUMERIC(12, 2)",
        K.BOOLEAN: "BOOLEAN",
        K.DATE: "DATE",
        K.DATETIME: "DATETIME",
        K.TIME: "TIME",
        K.BYTES: "BLOB",
        K.UUID: "UUID",
        K.JSON: "JSON",
    },
    "postgresql": {
        K.TEXT: "text",
        K.INTEGER: "bigint",
        K.NUMBER: "numeric(12, 2)",
        K.BOOLEAN: "boolean",
        K.DATE: "date",
        K.DATETIME: "timestamp",
        K.TIME: "time",
        K.BYTES: "bytea",
        K.UUID: "uuid",
        K.JSON: "jsonb",
    },
    "mariadb": {
        K.TEXT: "longtext",
        K.INTEGER: "bigint",
        K.NUMBER: "decimal(12, 2)",
        K.BOOLEAN: "boolean",
        K.DATE: "date",
        K.DATETIME: "datetime(6)",
        K.TIME: "time",
        K.BYTES: "varbinary(200)",
        K.UUID: "uuid",
        K.JSON: "json",
    },
}


class SqlPlace:
    """A database that holds the prepared tables."""

    def __init__(self, kind: str, url: str, server: Server | None = None) -> None:
        self.kind = kind
        self.url = url
        self.server = server
        self.lacks = frozenset({Can.LOGIN, Can.CONNECTIONS}) if kind == "sqlite" else frozenset[Can]()
        self._opened: list[Store] = []

    # --- the contract's Place -------------------------------------------------------------------------------------

    def open(self, *, read_only: bool = False, limits: StoreLimits | None = None) -> Store:
        return self._keep(open_store("shop", self.url, read_only=read_only, limits=limits))

    def returned(self, kind: ColumnKind, value: Scalar) -> Scalar:
        if self.kind == "sqlite":
            held: Scalar = _as_sqlite(value)
            return held
        if self.kind == "mariadb" and isinstance(value, uuid.UUID | bool):
            return str(value) if isinstance(value, uuid.UUID) else int(value)
        return value

    @contextmanager
    def holding(self, table: str) -> Iterator[None]:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute("BEGIN IMMEDIATE" if self.kind == "sqlite" else "BEGIN")
            cursor.execute(f"UPDATE {table} SET id = id")
            cursor.execute(f"SELECT 1 FROM {table}" + ("" if self.kind == "sqlite" else " FOR UPDATE"))
            cursor.fetchall()
            yield
            cursor.execute("ROLLBACK")

    def locked_out(self) -> Store:
        return self._keep(open_store("shop", self.url.replace(":troth@", ":wrong-password@")))

    def nowhere(self) -> Store:
        port = self.server and f":{self.server.port}/"
        url = self.url.replace(port, ":1/") if port else self.url + ".absent"
        return self._keep(open_store("shop", url))

    def cut(self) -> None:
        assert self.server
        self.server.cut(self.database)

    # --- for tests of one engine ----------------------------------------------------------------------------------

    @property
    def database(self) -> str:
        return self.url.rpartition("/")[2]

    def connect(self) -> Any:
        """A plain driver connection that commits by itself."""
        if self.server is None:
            return sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
        return self.server.connect(self.database)

    def run(self, *statements: str) -> None:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()]

    def quote(self, name: str) -> str:
        mark = "`" if self.kind == "mariadb" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def prepare(self) -> SqlPlace:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            for prepared in PREPARED:
                cursor.execute(self._ddl(prepared.schema))
                mark = "?" if self.kind == "sqlite" else "%s"
                table = self.quote(prepared.schema.name)
                if self.kind != "sqlite":
                    table = table.replace("%", "%%")
                marks = ", ".join([mark] * len(prepared.schema.columns))
                for row in prepared.rows:
                    values = [_as_sqlite(value) if self.kind == "sqlite" else self._sent(value) for value in row]
                    cursor.execute(f"INSERT INTO {table} VALUES ({marks})", values)
        return self

    def close(self) -> None:
        for store in self._opened:
            store.close()

    def _keep(self, store: Store) -> Store:
        self._opened.append(store)
        return store

    def _sent(self, value: Scalar) -> object:
        return str(value) if isinstance(value, uuid.UUID) else value

    def _ddl(self, table: TableSchema) -> str:
        lines = [f"{self.quote(column.name)} {self._type(column)}" for column in table.columns]
        if table.key:
            lines.append(f"PRIMARY KEY ({', '.join(map(self.quote, table.key))})")
        lines += [f"UNIQUE ({', '.join(map(self.quote, names))})" for names in table.unique]
        lines += [
            f"FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {key.table} ({', '.join(key.to_columns)})"
            for key in table.foreign_keys
        ]
        return f"CREATE TABLE {self.quote(table.name)} ({', '.join(lines)})"

    def _type(self, column: Column) -> str:
        native = f"VARCHAR({column.length})" if column.length else TYPES[self.kind][column.kind]
        return native if column.nullable else f"{native} NOT NULL"


def _as_sqlite(value: Scalar) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return str(value) if isinstance(value, uuid.UUID) else int(value) if isinstance(value, bool) else value


@pytest.fixture
def sqlite_place(sqlite_url: str) -> Iterator[SqlPlace]:
    place = SqlPlace("sqlite", sqlite_url)
    yield place
    place.close()


@pytest.fixture
def postgresql_place(postgresql_url: str, postgresql_server: Server) -> Iterator[SqlPlace]:
    place = SqlPlace("postgresql", postgresql_url, postgresql_server)
    yield place
    place.close()


@pytest.fixture
def mariadb_place(mariadb_url: str, mariadb_server: Server) -> Iterator[SqlPlace]:
    place = SqlPlace("mariadb", mariadb_url, mariadb_server)
    yield place
    place.close()


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def any_place(request: pytest.FixtureRequest) -> SqlPlace:
    """An empty database on each engine in turn."""
    place: SqlPlace = request.getfixturevalue(f"{request.param}_place")
    return place
