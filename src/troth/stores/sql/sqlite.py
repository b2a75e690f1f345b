"""SQLite, by the driver of the standard library.

Values are returned as SQLite stores them: it has no dates, so a date column returns its text (or number) unchanged, and
a value that was read can be searched for. Values are written in the format of SQLite's own functions.
"""

# ruff: noqa: S608 -- SQL is composed here: names are quoted, values are parameters

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import os
import re
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote as quote_url

import sqlalchemy as sa

from troth.stores.contract import (
    Column,
    ColumnKind,
    ForeignKey,
    Principal,
    RequiredGrants,
    Row,
    Scalar,
    StoreLimits,
    TableKind,
    TableSchema,
    TransportSecurity,
)
from troth.stores.os_accounts import accounts_that_reach
from troth.stores.sql.dialect import (
    BUSY,
    CHANGED,
    LOST,
    Declined,
    Dialect,
    DriverFault,
    SqlClause,
    SqlTable,
    conflict,
    other,
    refused,
    run,
)
from troth.stores.values import ValueMismatch, digits_of, fitted, moment_text

_LEFT_HALF_DONE = ("SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY")
_TEMPORAL = {ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.TIME}


class SQLite(Dialect):
    name = "sqlite"
    driver = "sqlite+pysqlite"
    extra = None
    values_max = 16_000  # SQLite's own limit is 32,766 parameters, and a match may use its values twice
    mark = "?"
    snapshot = "BEGIN"
    dated = frozenset(ColumnKind)
    numeric = frozenset[ColumnKind]()  # a numeric column accepts text as well

    def quote(self, name: str) -> str:
        """In backticks: SQLite treats an unknown name in double quotes as a string, and returns it."""
        return "`" + name.replace("`", "``") + "`"

    # --- connecting -----------------------------------------------------------------------------------------------

    def engine(self, limits: StoreLimits, *, read_only: bool) -> sa.Engine:
        path = self.url.database
        if not path or path == ":memory:":
            raise ValueError("a database in memory cannot be opened twice: give a file, sqlite:///path")
        file = f"file:{quote_url(os.path.abspath(path))}?mode={'ro' if read_only else 'rw'}"  # rw: never create one
        pragma = "query_only" if read_only else "foreign_keys"  # the schema's own constraints apply to us, too

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                file, uri=True, timeout=limits.lock_s, isolation_level=None, check_same_thread=False
            )
            connection.text_factory = _text
            connection.create_function("troth_fold", 1, _fold, deterministic=True)
            connection.create_function("troth_digits", 1, _digits, deterministic=True)
            connection.execute(f"PRAGMA {pragma} = ON")
            return connection

        engine = self._engine(self.url.set(database=None), read_only=read_only, creator=connect)
        sa.event.listen(engine, "before_cursor_execute", _deadline(limits.statement_s))
        if not read_only:
            # Take the write lock at once: a later upgrade could deadlock with another writer.
            sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def fix(self, error: BaseException | None) -> bool:
        """Roll back the unfinished transaction of a writer that died: SQLite does that when the file is opened for
        writing, and until then refuses readers."""
        if getattr(error, "sqlite_errorname", "") not in _LEFT_HALF_DONE:
            return False
        engine = self.engine(StoreLimits(), read_only=False)
        with contextlib.suppress(sa.exc.DBAPIError), engine.begin():  # the next read reports what is wrong
            pass
        engine.dispose()
        return True

    def fault(self, error: BaseException) -> DriverFault:
        code = getattr(error, "sqlite_errorname", "") or ""
        said = str(error)
        if code in _LEFT_HALF_DONE:
            return replace(
                BUSY, detail="a program crashed while writing, and the file has not been opened for writing since"
            )
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_INTERRUPT")):
            return BUSY
        if code.startswith("SQLITE_CONSTRAINT"):
            # These three name columns, "UNIQUE constraint failed: customer.email"; a trigger's text may hold values.
            named = code.endswith(("_UNIQUE", "_NOTNULL", "_PRIMARYKEY"))
            where = said.partition(": ")[2] if named else code.removeprefix("SQLITE_CONSTRAINT_").lower()
            return conflict(f"a constraint forbids it: {where}")
        if code in {"SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"} or code.startswith("SQLITE_READONLY"):
            return refused("the file, or its folder, is read-only for this account")
        if code.startswith("SQLITE_CANTOPEN"):
            return replace(
                LOST,
                detail="no database file can be opened at the path of its URL; a path from the root takes four slashes",
            )
        if code in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
            return refused("the file is not a SQLite database, or it is damaged")
        if said.startswith(("no such table", "no such column")):
            return CHANGED
        return other(error, code)

    # --- reading --------------------------------------------------------------------------------------------------

    def describe(self, connection: sa.Connection) -> dict[str, SqlTable]:
        kinds = {
            str(name): TableKind.VIEW if kind == "view" else TableKind.TABLE for name, kind in run(connection, _TABLES)
        }
        columns: dict[str, list[tuple[Column, int]]] = {name: [] for name in kinds}
        rows = _columns(connection, kinds)
        widths = Counter(table for table, *_, key_place, _, _ in rows if key_place)
        for table, name, native, required, key_place, hidden, default in rows:
            if hidden != 1:  # 1: an internal column of a virtual table; 2 and 3: computed
                kind, length = _kind(native)
                is_number = key_place == 1 == widths[table] and native.upper() == "INTEGER"  # that of the row itself
                is_filled = default is not None or is_number
                column = Column(name, kind, native, not required, length, generated=hidden in (2, 3), filled=is_filled)
                columns[table].append((column, key_place))
        indexes: dict[str, dict[str, tuple[list[str], bool]]] = {name: {} for name in kinds}
        collations: dict[str, dict[str, str]] = {name: {} for name in kinds}
        for table, index, is_unique, column_name, collation in run(connection, _INDEXES):
            names, _ = indexes[str(table)].setdefault(str(index), ([], bool(is_unique)))
            names.append(str(column_name))
            if column_name is not None and collation != "BINARY":
                collations[str(table)][str(column_name)] = str(collation)
        references = _references(connection, kinds, columns)
        estimates = _estimates(connection)
        return {
            name: SqlTable(
                _table(
                    name, kind, columns[name], indexes[name].values(), references.get(name, ()), estimates.get(name)
                ),
                self.quote(name),
                collations[name],
                "it is a view" if kind is TableKind.VIEW else None,
            )
            for name, kind in kinds.items()
        }

    def principals(self, connection: sa.Connection, tables: Mapping[str, SqlTable]) -> list[Principal]:
        """SQLite has no accounts: an account that can read the file reads everything in it."""
        [(path,)] = run(connection, SqlClause("SELECT file FROM pragma_database_list WHERE name = 'main'"))
        file = Path(str(path))
        return accounts_that_reach(file.parent, dict.fromkeys(tables, (file.name,)))

    def transport(self, connection: sa.Connection) -> TransportSecurity:
        return TransportSecurity(encrypted=True, detail="local file", is_local=True)

    def grants(self, tables: Mapping[str, SqlTable], role: str, access: Sequence[RequiredGrants]) -> str:
        raise Declined("SQLite has no roles to grant to: the file's mode decides who reads it")

    # --- writing SQL ----------------------------------------------------------------------------------------------

    def identity(self, table: SqlTable) -> tuple[str, ...]:
        if table.schema.key or table.schema.kind is not TableKind.TABLE or table.schema.column("rowid"):
            return super().identity(table)
        return ("rowid",)

    def matching(self, table: SqlTable, columns: Sequence[str], rows: Sequence[Row], *, fold: bool) -> SqlClause:
        if fold:
            return self._folded(columns[0], rows)
        exact = [self._exact(table, name) for name in columns]
        values = tuple(value for row in rows for value in row)
        if len(columns) > 1:
            return SqlClause(f"({', '.join(exact)}) IN (VALUES {_marks(len(columns), len(rows))})", values)
        marks = ", ".join("?" * len(rows))
        clause = SqlClause(f"{exact[0]} IN ({marks})", values)
        if columns[0] not in table.traits:
            return clause
        # The column's index has another collation: use it to find candidates.
        candidates = f"{self.quote(columns[0])} COLLATE {table.traits[columns[0]]} IN ({marks})"
        return SqlClause(f"({candidates} AND {clause.sql})", values * 2)

    def by_digits(self, table: SqlTable, column: Column, digits: Sequence[str]) -> SqlClause:
        name = self.quote(column.name)  # text is passed as bytes: a function fails on invalid UTF-8
        held = f"CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) WHEN 'blob' THEN NULL ELSE {name} END"
        return SqlClause(f"troth_digits({held}) IN ({', '.join('?' * len(digits))})", tuple(digits))

    def before(self, table: SqlTable, column: Column, moment: dt.datetime) -> SqlClause:
        name = self.quote(column.name)
        number = self.epoch_before(column.name, moment, "?")
        sql = (  # SQLite would accept more as a time: "now", "12:00" and days counted from 4714 BC
            f"CASE WHEN typeof({name}) = 'text' AND {name} NOT GLOB '[0-9][0-9][0-9][0-9]-*' THEN NULL "
            f"WHEN typeof({name}) = 'text' AND length({name}) = 10 THEN date({name}) < ? "
            f"WHEN typeof({name}) = 'text' THEN strftime({_MILLISECONDS}, {name}) < strftime({_MILLISECONDS}, ?) "
            f"WHEN typeof({name}) IN ('integer', 'real') THEN {number.sql} END"
        )
        return SqlClause(sql, (moment.date().isoformat(), moment_text(moment), *number.values))

    def empty(self, column: Column) -> SqlClause:
        name = self.quote(column.name)
        return SqlClause(f"({name} IS NULL OR {name} = '')")

    def after(self, key: Sequence[str], row: Row, mark: str = "?") -> SqlClause:
        return super().after(key, row, mark)

    def amending(
        self, table: SqlTable, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row], *, keep_nulls: bool
    ) -> SqlClause:
        new = [(name, f"v.column{n}") for n, name in enumerate(columns, len(key) + 1)]
        sets = ", ".join(f"{self.quote(name)} = {self.assigned(name, to, keep_nulls=keep_nulls)}" for name, to in new)
        on = " AND ".join(f"t.{self._exact(table, name)} = v.column{n}" for n, name in enumerate(key, 1))
        rows_sql = _marks(len(key) + len(columns), len(rows))
        sql = f"UPDATE {table.quoted} AS t SET {sets} FROM (VALUES {rows_sql}) AS v WHERE {on}"
        return SqlClause(sql, tuple(value for row in rows for value in row))

    def sample(self, connection: sa.Connection, table: SqlTable, columns: Sequence[str], rows: int) -> list[Row]:
        return self.spread_sample(connection, table, columns, rows, "?")

    def sought(self, column: Column, values: Sequence[Scalar]) -> list[Scalar | ValueMismatch]:
        """SQLite columns hold anything; only values that its driver does not know are converted."""
        return [_native(column, value) for value in values]

    def written(self, column: Column, values: Sequence[Scalar]) -> list[Scalar | ValueMismatch]:
        """SQLite would accept anything in any column. The application that reads it would not, so neither do we."""
        loose = column.kind in _TEMPORAL
        kept = fitted(column.kind, values)
        return [
            old
            if loose and isinstance(old, int | float)
            else new
            if isinstance(new, ValueMismatch)
            else _native(column, new)
            for old, new in zip(values, kept, strict=True)
        ]

    def _exact(self, table: SqlTable, name: str) -> str:
        text = table.column(name).kind is ColumnKind.TEXT
        return f"{self.quote(name)} COLLATE BINARY" if text else self.quote(name)

    def _folded(self, column: str, rows: Sequence[Row]) -> SqlClause:
        """SQLite folds ASCII only, but can use an index for that; anything else compares every row."""
        words = tuple(value for (value,) in rows)
        marks = ", ".join("?" * len(words))
        if all(isinstance(word, str) and word.isascii() for word in words):
            return SqlClause(f"{self.quote(column)} COLLATE NOCASE IN ({marks})", words)
        return SqlClause(f"troth_fold({self.quote(column)}) IN ({marks})", tuple(_fold(word) for word in words))


_MILLISECONDS = "'%Y-%m-%d %H:%M:%f'"
_TABLES = SqlClause(
    "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_COLUMNS = SqlClause(
    """SELECT m.name, x.name, x.type, x."notnull", x.pk, x.hidden, x.dflt_value
    FROM sqlite_schema m, pragma_table_xinfo(m.name) x
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, x.cid"""
)
_COLUMNS_OF_ONE = 'SELECT ?, name, type, "notnull", pk, hidden, dflt_value FROM pragma_table_xinfo(?) ORDER BY cid'
_INDEXES = SqlClause(
    """SELECT m.name, l.name, l."unique", x.name, x.coll
    FROM sqlite_schema m, pragma_index_list(m.name) l, pragma_index_xinfo(l.name) x
    WHERE m.type = 'table' AND x.key AND NOT l.partial ORDER BY m.name, l.seq, x.seqno"""
)
_REFERENCES = SqlClause(
    """SELECT m.name, f.id, f."table", f."from", f."to", f.on_delete
    FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
    WHERE m.type = 'table' ORDER BY m.name, f.id DESC, f.seq"""
)


def _marks(width: int, rows: int) -> str:
    """Placeholders for the rows of a VALUES clause."""
    return ", ".join([f"({', '.join('?' * width)})"] * rows)


def _text(raw: bytes) -> str | bytes:
    """SQLite does not check encodings. Invalid text is returned as bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _digits(value: Any) -> str:
    if isinstance(value, bytes):
        return value.translate(None, _NO_DIGITS).decode()  # called for every row
    return digits_of(value)


_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))


def _native(column: Column, value: Scalar | ValueMismatch) -> Scalar | ValueMismatch:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return ValueMismatch()
    elif isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**63 else ValueMismatch()
    elif isinstance(value, decimal.Decimal):
        return f"{value:f}" if value.is_finite() else ValueMismatch()
    elif isinstance(value, uuid.UUID):
        return value.bytes if column.kind is ColumnKind.BYTES else value.hex if column.length == 32 else str(value)
    return value if isinstance(value, ValueMismatch) else moment_text(value)


def _deadline(statement_s: float) -> Callable[..., None]:
    """SQLite has no statement timeout, but calls a progress handler that can stop the statement."""

    def begin(connection: object, cursor: sqlite3.Cursor, *rest: object) -> None:
        end = time.monotonic() + statement_s
        cursor.connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)

    return begin


def _columns(connection: sa.Connection, kinds: Mapping[str, TableKind]) -> list[tuple[Any, ...]]:
    """Table, column, type, NOT NULL, position in the key, hidden, default. A broken view has no columns."""
    rows = run(connection, _COLUMNS)
    for name, kind in kinds.items():
        if kind is TableKind.VIEW:
            try:
                rows += run(connection, SqlClause(_COLUMNS_OF_ONE, (name, name)))
            except sa.exc.OperationalError:
                continue
    return rows


def _references(
    connection: sa.Connection, kinds: Mapping[str, TableKind], columns: Mapping[str, list[tuple[Column, int]]]
) -> dict[str, list[ForeignKey]]:
    folded = {name.lower(): name for name in kinds}
    pairs: dict[tuple[str, int, str, str], list[tuple[str, str | None]]] = {}
    for table, number, target, ours, theirs, rule in run(connection, _REFERENCES):
        found = (str(table), int(str(number)), folded.get(str(target).lower(), str(target)), str(rule).lower())
        pairs.setdefault(found, []).append((str(ours), None if theirs is None else str(theirs)))
    references: dict[str, list[ForeignKey]] = {}
    for (table, _, target, rule), both in pairs.items():
        ours, theirs = zip(*both, strict=True)
        if None in theirs:  # refers to the other table's primary key
            theirs = _key(columns.get(target, []))
        references.setdefault(table, []).append(ForeignKey(ours, target, theirs, rule))
    return references


def _estimates(connection: sa.Connection) -> dict[str, int]:
    """Row counts from the last ANALYZE, if there was one."""
    if not run(connection, SqlClause("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'")):
        return {}
    rows = run(connection, SqlClause("SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl"))
    return {str(table): int(str(rows)) for table, rows in rows if rows is not None}


def _key(columns: Sequence[tuple[Column, int]]) -> tuple[str, ...]:
    return tuple(column.name for column, place in sorted(columns, key=lambda pair: pair[1]) if place)


def _table(
    name: str,
    kind: TableKind,
    columns: Sequence[tuple[Column, int]],
    indexes: Collection[tuple[list[str], bool]],
    references: Sequence[ForeignKey],
    estimate: int | None,
) -> TableSchema:
    declared = _key(columns)
    whole = [(tuple(names), unique) for names, unique in indexes if "None" not in names]
    unique = tuple(dict.fromkeys(names for names, is_unique in whole if is_unique and names != declared))
    every = dict.fromkeys(([declared] if declared else []) + [names for names, _ in whole])
    required = {column.name for column, _ in columns if not column.nullable}
    return TableSchema(
        name,
        tuple(column for column, _ in columns),
        key=declared or next((names for names in unique if required.issuperset(names)), ()),
        foreign_keys=tuple(references),
        unique=unique,
        indexes=tuple(every),
        kind=kind,
        rows_estimate=estimate,
    )


_KINDS = (
    ("INTERVAL", ColumnKind.OTHER),
    ("INT", ColumnKind.INTEGER),
    ("BOOL", ColumnKind.BOOLEAN),
    ("DATETIME", ColumnKind.DATETIME),
    ("TIMESTAMP", ColumnKind.DATETIME),
    ("DATE", ColumnKind.DATE),
    ("TIME", ColumnKind.TIME),
    ("UUID", ColumnKind.UUID),
    ("JSON", ColumnKind.JSON),
    ("CHAR", ColumnKind.TEXT),
    ("CLOB", ColumnKind.TEXT),
    ("TEXT", ColumnKind.TEXT),
    ("STRING", ColumnKind.TEXT),
    ("BLOB", ColumnKind.BYTES),
    ("BINARY", ColumnKind.BYTES),
    ("REAL", ColumnKind.NUMBER),
    ("FLOA", ColumnKind.NUMBER),
    ("DOUB", ColumnKind.NUMBER),
    ("NUM", ColumnKind.NUMBER),
    ("DEC", ColumnKind.NUMBER),
)


def _kind(native: str) -> tuple[ColumnKind, int | None]:
    """The kind that a declared type suggests, and its length (SQLite enforces neither)."""
    upper = native.upper()
    kind = next((kind for part, kind in _KINDS if part in upper), ColumnKind.OTHER)
    length = re.search(r"\((\d+)\)", native) if kind in {ColumnKind.TEXT, ColumnKind.BYTES} else None
    return kind, int(length[1]) if length else None
