"""Differences between SQL engines. One subclass of `Dialect` per engine, in its own file; the rest of `sql` is shared.

A dialect mostly *writes* SQL: given described tables and fitted values it returns a `SqlClause`. Names come from the
engine's own catalogue and are quoted here; values are always passed as parameters.
"""

# ruff: noqa: S608 -- SQL is composed here: names are quoted, values are parameters

from __future__ import annotations

import abc
import datetime as dt
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa

from troth.stores.contract import (
    Column,
    ColumnKind,
    Principal,
    RequiredGrants,
    Row,
    Scalar,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreLimits,
    StoreRefused,
    StoreUnreachable,
    TableSchema,
    TransportSecurity,
    UnknownName,
)
from troth.stores.statement_log import note_executed
from troth.stores.values import ValueMismatch, fitted

Account = TypeVar("Account", int, str)


@dataclass(frozen=True, slots=True)
class SqlClause:
    """A piece of SQL with the values of its placeholders, in order. The values are personal data: no repr."""

    sql: str
    values: tuple[object, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class SqlTable:
    """A described table, with data for its own dialect: *quoted* is its full name in SQL, *traits* the dialect's notes
    on columns, *refusal* why it cannot be written (None: it can)."""

    schema: TableSchema
    quoted: str
    traits: Mapping[str, str]
    refusal: str | None = None

    def column(self, name: str) -> Column:
        column = self.schema.column(name)
        assert column is not None, "names are checked before SQL is written"
        return column


@dataclass(frozen=True, slots=True)
class DriverFault:
    """The meaning of a driver's error: our error, and a detail that is safe to show (at most schema names)."""

    kind: type[StoreError]
    detail: str
    retryable: bool = False


class Declined(Exception):
    """The dialect refuses, with a message for the caller; the store turns it into a `StoreRefused`."""


class Dialect(abc.ABC):
    """One engine. Stateless except for SQLAlchemy's quoting rules."""

    name: ClassVar[str]
    driver: ClassVar[str]
    """SQLAlchemy's name for the driver we use."""
    extra: ClassVar[str | None]
    """The extra of our package that installs the driver."""
    values_max: ClassVar[int]
    """The maximum number of values in one statement."""
    mark: ClassVar[str] = "%s"
    """The placeholder of a value."""
    snapshot: ClassVar[str]
    """Begins a read-only transaction in which all statements see one snapshot."""
    dated: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.INTEGER})
    numeric: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})
    """Kinds of columns: `before` accepts those in `dated`; those in `numeric` are compared as numbers."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self._preparer = url.get_dialect()().identifier_preparer

    def quote(self, name: str) -> str:
        """The name as an identifier, always quoted, with percent signs doubled if the driver requires it."""
        return str(self._preparer.quote_identifier(name))

    # --- connecting -----------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def engine(self, limits: StoreLimits, *, read_only: bool) -> sa.Engine:
        """An engine whose connections enforce *limits*; a read-only one autocommits and cannot write."""

    def fix(self, error: BaseException | None) -> bool:
        """Repair a fault that blocks readers but that a writer can fix. Returns whether there was one."""
        return False

    def _engine(self, url: sa.URL, *, read_only: bool, **special: Any) -> sa.Engine:
        """The settings of all engines: one connection, no logging, and no statements of their own."""
        engine = sa.create_engine(
            url,
            hide_parameters=True,
            logging_name=_SILENT,
            poolclass=sa.QueuePool,
            pool_pre_ping=not read_only,  # a read is repeated on a new connection
            pool_reset_on_return=None if read_only else "rollback",
            skip_autocommit_rollback=read_only,  # SQLite's driver reports all our connections as autocommitting
            **special,
        )
        sa.event.listen(engine, "before_cursor_execute", note_executed)
        return engine

    @abc.abstractmethod
    def fault(self, error: BaseException) -> DriverFault:
        """The meaning of a driver's error. Must not include the driver's text: drivers quote rows."""

    # --- reading --------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def describe(self, connection: sa.Connection) -> dict[str, SqlTable]:
        """Every table by its name in the declaration, in a handful of statements."""

    @abc.abstractmethod
    def principals(self, connection: sa.Connection, tables: Mapping[str, SqlTable]) -> list[Principal]: ...

    @abc.abstractmethod
    def transport(self, connection: sa.Connection) -> TransportSecurity: ...

    @abc.abstractmethod
    def grants(self, tables: Mapping[str, SqlTable], role: str, access: Sequence[RequiredGrants]) -> str:
        """The script that grants *role* exactly this access, without a password in it."""

    # --- writing SQL ----------------------------------------------------------------------------------------------

    def shown(self, table: SqlTable, column: str) -> str:
        """A column in a SELECT list."""
        return self.quote(column)

    def identity(self, table: SqlTable) -> tuple[str, ...]:
        """SQL expressions that identify a row; empty if there are none."""
        return tuple(self.quote(name) for name in table.schema.key)

    @abc.abstractmethod
    def matching(self, table: SqlTable, columns: Sequence[str], rows: Sequence[Row], *, fold: bool) -> SqlClause:
        """The condition that *columns* equal one of *rows*, exactly or ignoring case."""

    @abc.abstractmethod
    def by_digits(self, table: SqlTable, column: Column, digits: Sequence[str]) -> SqlClause:
        """The condition that the digits in *column*, which is not *numeric*, are one of *digits*."""

    def after(self, key: Sequence[str], row: Row, mark: str = "%s") -> SqlClause:
        """The condition that the *key* is after *row* in the order of its index."""
        names = ", ".join(self.quote(name) for name in key)
        return SqlClause(f"({names}) > ({', '.join([mark] * len(key))})", tuple(row))

    @abc.abstractmethod
    def before(self, table: SqlTable, column: Column, moment: dt.datetime) -> SqlClause:
        """The condition that a date, time or count of seconds is earlier than *moment* (aware, in UTC)."""

    def empty(self, column: Column) -> SqlClause:
        """The condition that *column*, of a dated kind, is empty."""
        return SqlClause(f"{self.quote(column.name)} IS NULL")

    @abc.abstractmethod
    def amending(
        self, table: SqlTable, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row], *, keep_nulls: bool
    ) -> SqlClause:
        """The statement that sets *columns* of the rows named by *key*; see `Writer.amend`."""

    @abc.abstractmethod
    def sample(self, connection: sa.Connection, table: SqlTable, columns: Sequence[str], rows: int) -> list[Row]:
        """Some rows from across the table, without reading all of it."""

    def sought(self, column: Column, values: Sequence[Scalar]) -> list[Scalar | ValueMismatch]:
        """Values in the form in which this engine compares them with *column*."""
        return fitted(column.kind, values)

    def written(self, column: Column, values: Sequence[Scalar]) -> list[Scalar | ValueMismatch]:
        """Values in the form in which this engine stores them in *column*."""
        return self.sought(column, values)

    # --- shared by dialects ---------------------------------------------------------------------------------------

    def assigned(self, column: str, value: str, *, keep_nulls: bool) -> str:
        """The expression assigned to a column of table ``t``: *value*, or NULL for a NULL that must stay so."""
        return f"CASE WHEN t.{self.quote(column)} IS NULL THEN NULL ELSE {value} END" if keep_nulls else value

    def epoch_before(self, column: str, moment: dt.datetime, mark: str) -> SqlClause:
        """`before` for a number: seconds since 1970, or milliseconds if it is too large for seconds."""
        name, seconds = self.quote(column), int(moment.timestamp())
        sql = (
            f"({name} < {mark} AND {name} < {_MILLISECONDS_FROM} OR {name} >= {_MILLISECONDS_FROM} AND {name} < {mark})"
        )
        return SqlClause(sql, (seconds, seconds * 1000))

    def spread(
        self, table: SqlTable, columns: Sequence[str], rows: int, lowest: int, highest: int, mark: str
    ) -> SqlClause:
        """Rows at evenly spaced values of an integer first key column; before them, those written last."""
        key = self.quote(table.schema.key[0])
        shown = ", ".join(self.shown(table, name) for name in columns)
        places = min(_PLACES, rows, highest - lowest + 1)
        bounds = [lowest + (highest + 1 - lowest) * place // places for place in range(places + 1)]
        *older, newest = itertools.pairwise(bounds)
        pieces = [
            f"SELECT * FROM (SELECT {shown} FROM {table.quoted} WHERE {key} >= {mark} AND {key} < {mark} "
            f"ORDER BY {key}{order} LIMIT {-(-rows // places)}) AS p"
            for order in [" DESC", *[""] * (places - 1)]
        ]
        return SqlClause(" UNION ALL ".join(pieces), tuple(bound for pair in (newest, *older) for bound in pair))

    def spread_sample(
        self, connection: sa.Connection, table: SqlTable, columns: Sequence[str], rows: int, mark: str
    ) -> list[Row]:
        """`sample` by evenly spaced keys, for engines without TABLESAMPLE."""
        key = table.schema.key
        found: list[Row] = []
        if key and table.column(key[0]).kind is ColumnKind.INTEGER:
            name = self.quote(key[0])
            ends = f"SELECT (SELECT min({name}) FROM {table.quoted}), (SELECT max({name}) FROM {table.quoted})"
            [(lowest, highest)] = run(connection, SqlClause(ends))
            if isinstance(lowest, int) and isinstance(highest, int):
                found = run(connection, self.spread(table, columns, rows, lowest, highest, mark))[:rows]
        return found if len(found) > rows // 2 else self.ends(connection, table, columns, rows)

    def ends(self, connection: sa.Connection, table: SqlTable, columns: Sequence[str], rows: int) -> list[Row]:
        """Rows from both ends of the key, so that what was written last is sampled too; the first ones without a
        key."""
        key = [self.quote(name) for name in table.schema.key]
        shown = ", ".join(self.shown(table, name) for name in (*table.schema.key, *columns))
        select, limit = f"SELECT {shown} FROM {table.quoted}", f" LIMIT {int(rows)}"
        if not key:
            return run(connection, SqlClause(select + limit))
        found = run(connection, SqlClause(f"{select} ORDER BY {', '.join(key)}{limit}"))
        if len(found) == rows:
            backwards = ", ".join(f"{name} DESC" for name in key)
            last = run(connection, SqlClause(f"{select} ORDER BY {backwards} LIMIT {-(-rows // 2)}"))
            found = list({row[: len(key)]: row for row in (*last, *found)}.values())[:rows]
        return [row[len(key) :] for row in found]


_MILLISECONDS_FROM = 100_000_000_000  # as seconds this is the year 5138, as milliseconds 1973
_PLACES = 16
_SILENT = "troth"
# At DEBUG, SQLAlchemy would log the rows it reads, whatever hide_parameters says.
logging.getLogger(f"sqlalchemy.engine.Engine.{_SILENT}").setLevel(logging.CRITICAL)


def run(connection: sa.Connection, clause: SqlClause) -> list[tuple[Any, ...]]:
    """The rows that a statement returns, as plain tuples."""
    return [tuple(row) for row in connection.exec_driver_sql(clause.sql, clause.values).fetchall()]


def closure_of(start: Account, becomes: Mapping[Account, set[Account]]) -> set[Account]:
    """The role *start* and all roles that it may become, also by SET ROLE."""
    found, left = {start}, [start]
    while left:
        for group in becomes.get(left.pop(), ()):
            if group not in found:
                found.add(group)
                left.append(group)
    return found


def verbs(access: RequiredGrants, columns: str) -> str:
    """What GRANT gives: *columns* are those to amend, quoted."""
    wanted = {"SELECT": True, "INSERT": access.inserts, f"UPDATE ({columns})": bool(columns), "DELETE": access.erases}
    return ", ".join(verb for verb, is_wanted in wanted.items() if is_wanted)


def conflict(detail: str) -> DriverFault:
    return DriverFault(StoreConflict, detail)


BUSY = DriverFault(
    StoreBusy, "a lock or statement timeout, or a deadlock: nothing was changed, try again", retryable=True
)
CHANGED = DriverFault(
    UnknownName, "a table or column is no longer there: the schema has changed since it was described"
)
LOST = DriverFault(
    StoreUnreachable,
    "nothing answers at this address, or the connection was lost; check host and port, and that the server runs",
    retryable=True,
)
NOT_LET_IN = (
    "the server refuses this account, its password, or this database; check each in the URL, where the signs "
    "@ / : ? # % of a password are written %40 %2F %3A %3F %23 %25"
)


def refused(detail: str) -> DriverFault:
    return DriverFault(StoreRefused, detail)


def other(error: BaseException, code: object) -> DriverFault:
    """An unexpected error: its type and the engine's code, never its text."""
    return DriverFault(StoreError, f"{type(error).__name__} {code or ''}".strip())
