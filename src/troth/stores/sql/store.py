"""SQL databases as stores: one class for all engines; their differences are in `dialect` and its subclasses.

SQLAlchemy provides connections, pooling, quoting and drivers. The dialects write the few statements as text, so that
their number and their plans do not depend on how many values they contain.
"""

# ruff: noqa: S608 -- SQL is composed here: names are quoted, values are parameters

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import sqlalchemy as sa

from troth.errors import install_hint
from troth.stores.contract import (
    NEVER,
    AllOf,
    Before,
    Condition,
    Match,
    NotBefore,
    Principal,
    RequiredGrants,
    Row,
    Scalar,
    Schema,
    StoreConflict,
    StoreLimits,
    StoreRefused,
    TransportSecurity,
    Undated,
    UnknownName,
    Writer,
)
from troth.stores.scalar_query import figure
from troth.stores.sql.dialect import Declined, Dialect, DriverFault, SqlClause, SqlTable, refused, run
from troth.stores.statement_log import note, nothing_noted
from troth.stores.values import ValueMismatch, digits_of
from troth.text import did_you_mean

Result = TypeVar("Result")


def connect(name: str, url: str, *, read_only: bool, limits: StoreLimits) -> SqlStore:
    """A store over the database at *url*. Opens no connection yet. Raises `StoreRefused`."""
    trouble = ""
    try:
        return SqlStore(name, _dialect(url), read_only=read_only, limits=limits)
    except ImportError as error:
        extra = "postgresql" if url.startswith("postgres") else "mariadb"
        trouble = f"needs a driver that is not installed ({error.name}): {install_hint(extra)}"
    except (sa.exc.ArgumentError, ValueError, TypeError) as error:
        sayable = type(error) is ValueError and "memory" in str(error)
        trouble = str(error) if sayable else "its URL cannot be read: check scheme, port, and %-escapes in the password"
    raise StoreRefused(f"{name}: {trouble}", store=name)  # outside the handler: the cause would quote the URL


def _dialect(url: str) -> Dialect:
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme == "sqlite":
        from troth.stores.sql.sqlite import SQLite as Chosen
    elif scheme in {"postgres", "postgresql"}:
        from troth.stores.sql.postgresql import PostgreSQL as Chosen  # type: ignore[assignment]
    else:
        from troth.stores.sql.mariadb import MariaDB as Chosen  # type: ignore[assignment]
    return Chosen(sa.make_url(f"{Chosen.driver}:{url.partition(':')[2]}"))


class SqlStore:
    """A `Store` over one SQL database. Reads and writes use a connection each, opened on first use."""

    def __init__(self, name: str, dialect: Dialect, *, read_only: bool, limits: StoreLimits) -> None:
        self._name = name
        self._dialect = dialect
        self._read_only = read_only
        self._limits = limits
        self._reading = dialect.engine(limits, read_only=True)
        self._writing: sa.Engine | None = None
        self._tables: dict[str, SqlTable] | None = None
        self._schema: Schema | None = None

    def __repr__(self) -> str:
        return f"SqlStore({self._name!r}, {self._dialect.name})"

    @property
    def name(self) -> str:
        return self._name

    @property
    def read_only(self) -> bool:
        return self._read_only

    # --- reading --------------------------------------------------------------------------------------------------

    def describe(self) -> Schema:
        note(self._name, "describe")  # noted once, because the result is cached
        if self._schema is None:
            with nothing_noted():
                self._tables = self._read(self._dialect.describe)
            found = {name: table.schema for name, table in self._tables.items()}
            self._schema = Schema(self._dialect.name, MappingProxyType(found))
        return self._schema

    def refresh(self) -> None:
        self._tables = self._schema = None

    def sample(self, table: str, columns: Sequence[str], *, rows: int) -> list[Row]:
        described = self._table(table, columns)
        return self._read(lambda connection: self._dialect.sample(connection, described, columns, rows))

    def read(
        self, table: str, columns: Sequence[str], where: Condition | None, *, limit: int | None = None
    ) -> list[Row]:
        described = self._table(table, columns)
        conditions = self._conditions(described, where)
        shown = [self._dialect.shown(described, name) for name in columns]
        if limit is not None and limit <= 0:
            return []
        if len(conditions) <= 1:
            return self._read(
                lambda on: [row for one in conditions for row in run(on, _select(described, shown, one, limit))]
            )
        told = self._dialect.identity(described)
        found: dict[Row, Row] = {}
        for row in self._in_snapshot(_select(described, [*told, *shown], one, limit) for one in conditions):
            found.setdefault(row[: len(told)], row[len(told) :])
        return list(found.values())[:limit]

    def scan(self, table: str, columns: Sequence[str], *, batch: int) -> Iterator[list[Row]]:
        described = self._table(table, columns)
        shown = [self._dialect.shown(described, name) for name in columns]
        key = described.schema.key
        if not key:
            yield from self._streamed(_select(described, shown, SqlClause(""), None), batch)
            return
        yield from self._pages(described, shown, SqlClause(""), batch)
        if any(described.column(name).nullable for name in key):  # SQLite lets a primary key be NULL
            holes = SqlClause(" OR ".join(f"{self._dialect.quote(name)} IS NULL" for name in key))
            yield from self._streamed(_select(described, shown, holes, None), batch)

    def keys(self, table: str, where: Condition | None, *, batch: int) -> Iterator[list[Row]]:
        described = self._table(table)
        conditions = self._conditions(described, where)
        if not described.schema.key:
            raise StoreRefused(f"{self._name}: {table} has no key, so its rows cannot be named", store=self._name)
        if len(conditions) > 1:
            raise ValueError("the condition has more values than one statement may have")
        shown = [self._dialect.shown(described, name) for name in described.schema.key]
        for clause in conditions:
            yield from self._pages(described, shown, clause, batch)

    def count(self, table: str, where: Condition | None) -> int:
        described = self._table(table)
        conditions = self._conditions(described, where)
        if len(conditions) <= 1:
            counts = [_select(described, ["count(*)"], one, None) for one in conditions]
            return sum(self._read(lambda on: [int(str(row[0])) for clause in counts for row in run(on, clause)]))
        told = self._dialect.identity(described)
        return len(set(self._in_snapshot(_select(described, told, one, None) for one in conditions)))

    def figure(self, select: str, *, within_s: float) -> object:
        return figure(self._name, self._dialect.url.render_as_string(hide_password=False), select, within_s=within_s)

    def figure_here(self, select: str, *, within_s: float) -> object:
        """`figure` in this process."""
        # A subquery accepts nothing but a SELECT, whatever else a dialect allows after WITH.
        asked = f"SELECT * FROM (\n{select}\n) AS figure LIMIT 2"
        engine = self._dialect.engine(replace(self._limits, statement_s=within_s), read_only=True)

        def look() -> list[Row]:
            with engine.connect() as connection:
                found = connection.exec_driver_sql(asked, execution_options={"no_parameters": True}).fetchall()
                return [tuple(row) for row in found]

        try:
            rows = self._attempt(look)
        finally:
            engine.dispose()
        if len(rows) != 1 or len(rows[0]) != 1:
            raise StoreRefused(f"{self._name}: a figure must be one row with one column", store=self._name)
        return rows[0][0]

    def principals(self) -> list[Principal]:
        self.describe()
        tables = self._tables or {}
        return self._read(lambda connection: self._dialect.principals(connection, tables))

    def transport(self) -> TransportSecurity:
        return self._read(self._dialect.transport)

    def grants(self, role: str, access: Sequence[RequiredGrants] | None = None) -> str:
        """See `troth.stores.grants`."""
        if not role.isprintable():
            raise ValueError("the name of the role contains control characters")
        self.describe()
        tables = self._tables or {}
        for one in access or ():
            self._table(one.table, one.amends)
        wanted = [RequiredGrants(name) for name in tables] if access is None else access
        return self._attempt(lambda: self._dialect.grants(tables, role, wanted))

    def close(self) -> None:
        for engine in (self._reading, self._writing):
            if engine is not None:
                engine.dispose()

    # --- changing -------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        if self._read_only:
            raise StoreRefused(f"{self._name} is open read-only", store=self._name)
        self.describe()
        if self._writing is None:
            self._writing = self._dialect.engine(self._limits, read_only=False)
        connection = self._attempt(self._begin)
        try:
            yield _Writer(self, connection)
            self._attempt(connection.commit)
        finally:
            with suppress(sa.exc.DBAPIError):  # if the connection is lost, the server rolls back, too
                connection.close()

    def _begin(self) -> sa.Connection:
        assert self._writing is not None
        connection = self._writing.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    # --- inside ---------------------------------------------------------------------------------------------------

    def _attempt(self, action: Callable[[], Result], *, table: str | None = None) -> Result:
        """Run *action*; a driver's error becomes one of ours, without the driver's text."""
        try:
            return action()
        except (sa.exc.DBAPIError, sa.exc.InvalidRequestError, Declined) as error:
            fault = self._fault(error)
        where = f"{self._name}, table {table}" if table else self._name
        message = f"{where}: {fault.detail}"
        raise fault.kind(
            message, store=self._name, retryable=fault.retryable
        )  # outside the handler: no context, either

    def _fault(self, error: Exception) -> DriverFault:
        if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
            return self._dialect.fault(error.orig)
        if isinstance(error, Declined):
            return refused(str(error))
        return DriverFault(StoreRefused, "the server is of a kind or version that this connector does not support")

    def _read(self, action: Callable[[sa.Connection], Result]) -> Result:
        """Read on an autocommit connection. Retries once on a new one if the connection was lost, or if a fault that
        blocks readers was repaired by writing."""

        def once() -> Result:
            with self._reading.connect() as connection:
                return action(connection)

        def twice() -> Result:
            try:
                return once()
            except sa.exc.DBAPIError as error:
                if not (error.connection_invalidated or (not self._read_only and self._dialect.fix(error.orig))):
                    raise
            return once()

        return self._attempt(twice)

    def _pages(self, table: SqlTable, shown: Sequence[str], where: SqlClause, batch: int) -> Iterator[list[Row]]:
        """The rows in the order of their key, with a statement for each page; not those with NULL in the key."""
        key = table.schema.key
        names = [self._dialect.quote(name) for name in key]
        order = f" ORDER BY {', '.join(names)} LIMIT {int(batch)}"
        wanted = [SqlClause(" AND ".join(f"{name} IS NOT NULL" for name in names)), *([where] if where.sql else ())]
        after: SqlClause | None = None
        while True:
            asked = _all_of([*wanted, *([after] if after else ())])
            clause = _select(table, [*names, *shown], asked, None)
            page = self._read(partial(run, clause=SqlClause(clause.sql + order, clause.values)))
            if page:
                yield [row[len(key) :] for row in page]
            if len(page) < batch:
                return
            after = self._dialect.after(key, page[-1][: len(key)])

    def _streamed(self, clause: SqlClause, batch: int) -> Iterator[list[Row]]:
        """The rows of one statement, streamed."""
        with self._attempt(self._reading.connect) as connection:
            self._attempt(lambda: connection.exec_driver_sql(self._dialect.snapshot))
            how = {"stream_results": True}
            result = self._attempt(lambda: connection.exec_driver_sql(clause.sql, clause.values, execution_options=how))
            try:
                while page := self._attempt(lambda: result.fetchmany(batch)):
                    yield [tuple(row) for row in page]
            finally:
                if not connection.invalidated:
                    result.close()
                    connection.exec_driver_sql("ROLLBACK")

    def _in_snapshot(self, clauses: Iterable[SqlClause]) -> list[Row]:
        """The rows of several statements in one snapshot."""

        def all_of_them(connection: sa.Connection) -> list[Row]:
            connection.exec_driver_sql(self._dialect.snapshot)
            try:
                return [row for clause in clauses for row in run(connection, clause)]
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql("COMMIT")

        clauses = list(clauses)
        return self._read(all_of_them)

    def _table(self, name: str, columns: Iterable[str] = ()) -> SqlTable:
        if self._tables is None:
            with nothing_noted():
                self.describe()
        tables: Mapping[str, SqlTable] = self._tables or {}
        if name not in tables:
            hint = did_you_mean(name, tables)
            raise UnknownName(f"{self._name} has no table {name[:80]!r}{hint}", store=self._name)
        table = tables[name]
        for column in columns:
            if table.schema.column(column) is None:
                hint = did_you_mean(column, [known.name for known in table.schema.columns])
                raise UnknownName(f"{self._name}: {name} has no column {column[:80]!r}{hint}", store=self._name)
        return table

    def _conditions(self, table: SqlTable, where: Condition | None) -> list[SqlClause]:
        """*where* split into as many conditions as statements are needed; an empty list selects nothing."""
        if where is None:
            return [SqlClause("")]
        if isinstance(where, AllOf):
            return [
                _all_of(parts) for parts in itertools.product(*(self._conditions(table, c) for c in where.conditions))
            ]
        if isinstance(where, Before):
            return [self._before(table, where)]
        if isinstance(where, NotBefore):
            return [self._not_before(table, where)]
        if isinstance(where, Undated):
            return [self._undated(table, where)]
        sought = [(match, self._sought_by(table, match)) for match in where.matches]
        matches = [(match, rows) for match, rows in sought if rows]
        values = sum(len(rows) * len(match.columns) for match, rows in matches)
        size = self._size(1) if self._dialect.identity(table) or values <= self._size(1) else values
        return [
            _any_of([self._matching(table, match, rows) for match, rows in part]) for part in _packed(matches, size)
        ]

    def _before(self, table: SqlTable, where: Before) -> SqlClause:
        column = self._table(table.schema.name, [where.column]).column(where.column)
        if where.moment.tzinfo is None:
            raise ValueError("a time to compare with needs a time zone")
        if column.kind not in self._dialect.dated:
            message = f"{self._name}: {table.schema.name}.{column.name} holds no date or time but {column.native}"
            raise StoreRefused(message, store=self._name)
        return self._dialect.before(table, column, where.moment.astimezone(dt.UTC))

    def _not_before(self, table: SqlTable, where: NotBefore) -> SqlClause:
        dated = self._before(table, Before(where.column, NEVER))
        earlier = self._before(table, Before(where.column, where.moment))
        sql = f"COALESCE(({dated.sql}), FALSE) AND NOT COALESCE(({earlier.sql}), FALSE)"
        return SqlClause(f"({sql})", dated.values + earlier.values)

    def _undated(self, table: SqlTable, where: Undated) -> SqlClause:
        dated = self._before(table, Before(where.column, NEVER))
        if where.empty:
            return self._dialect.empty(table.column(where.column))
        return SqlClause(f"NOT COALESCE(({dated.sql}), FALSE)", dated.values)

    def _size(self, width: int) -> int:
        """The number of rows of that width that one statement may carry."""
        return max(1, min(self._limits.values_per_statement, self._dialect.values_max // width))

    def _matching(self, table: SqlTable, match: Match, rows: Sequence[Row]) -> SqlClause:
        column = table.column(match.columns[0])
        if match.digits and column.kind not in self._dialect.numeric:
            return self._dialect.by_digits(table, column, [str(row[0]) for row in rows])
        return self._dialect.matching(table, match.columns, rows, fold=match.fold)

    def _sought_by(self, table: SqlTable, match: Match) -> list[Row]:
        if (match.fold or match.digits) and len(match.columns) != 1:
            raise ValueError("text can be folded, or compared by its digits, in one column only")
        rows = match.values
        if match.digits:
            rows = tuple((digits,) for (value,) in rows if (digits := digits_of(value)))
        return self._sought(table, match.columns, rows)

    def _sought(self, table: SqlTable, names: Sequence[str], rows: Sequence[Row]) -> list[Row]:
        """The rows that the columns could hold at all, without duplicates: NULL or a misfit matches nothing."""
        self._table(table.schema.name, names)
        columns = [self._dialect.sought(table.column(name), values) for name, values in _by_column(names, rows)]
        fit = (
            row for row in zip(*columns, strict=True) if not any(v is None or isinstance(v, ValueMismatch) for v in row)
        )
        return list(dict.fromkeys(fit))


class _Writer:
    """One open transaction."""

    def __init__(self, store: SqlStore, connection: sa.Connection) -> None:
        self._store = store
        self._dialect = store._dialect
        self._connection = connection

    def amend(
        self, table: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row], *, keep_nulls: bool = False
    ) -> int:
        described = self._writable(table, [*key, *columns])
        for name in columns:
            if described.column(name).generated:
                raise StoreRefused(
                    f"{self._store.name}: {table}.{name} is computed by the store", store=self._store.name
                )
        wanted = self._wanted(described, key, columns, rows)
        size = self._store._size(len(key) + len(columns))
        total = 0
        for start in range(0, len(wanted), size):
            some = wanted[start : start + size]
            total += self._run(table, self._dialect.amending(described, key, columns, some, keep_nulls=keep_nulls))
        return total

    def erase(self, table: str, key: Sequence[str], keys: Sequence[Row]) -> int:
        described = self._writable(table, key)
        wanted = self._store._sought(described, key, keys)
        size = self._store._size(len(key))
        total = 0
        for start in range(0, len(wanted), size):
            where = self._dialect.matching(described, key, wanted[start : start + size], fold=False)
            total += self._run(table, SqlClause(f"DELETE FROM {described.quoted} WHERE {where.sql}", where.values))
        return total

    def insert(self, table: str, values: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        described, dialect = self._writable(table, list(values)), self._dialect
        fitted = [dialect.written(described.column(name), [value])[0] for name, value in values.items()]
        if any(isinstance(value, ValueMismatch) for value in fitted):
            raise StoreConflict(f"{self._store.name}: {table}: a value fits no column", store=self._store.name)
        names, marks = ", ".join(map(dialect.quote, values)), ", ".join([dialect.mark] * len(values))
        every = [column.name for column in described.schema.columns]
        returned = ", ".join(dialect.shown(described, name) for name in every)
        sql = f"INSERT INTO {described.quoted} ({names}) VALUES ({marks}) RETURNING {returned}"
        clause = SqlClause(sql, tuple(fitted))
        [row] = self._store._attempt(lambda: run(self._connection, clause), table=table)
        return dict(zip(every, row, strict=True))

    def _writable(self, table: str, columns: Sequence[str]) -> SqlTable:
        described = self._store._table(table, columns)
        if described.refusal:
            message = f"{self._store.name}: {table} cannot be written to: {described.refusal}"
            raise StoreRefused(message, store=self._store.name)
        return described

    def _wanted(self, table: SqlTable, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> list[Row]:
        """The rows to write, with fitted values and without repeated keys."""
        fitted: list[list[Scalar | ValueMismatch]] = []
        for place, (name, values) in enumerate(_by_column([*key, *columns], rows)):
            column = table.column(name)
            if place < len(key):
                fitted.append(self._dialect.sought(column, values))
                continue
            fitted.append(self._dialect.written(column, values))
            if any(isinstance(value, ValueMismatch) for value in fitted[-1]):
                message = f"{self._store.name}: {table.schema.name}.{name}: a value is no {column.kind.value}"
                raise StoreConflict(message, store=self._store.name)
        wanted: dict[Row, Row] = {}
        for row in zip(*fitted, strict=True):
            named = row[: len(key)]
            if any(value is None or isinstance(value, ValueMismatch) for value in named):
                continue
            if wanted.setdefault(named, row) != row:
                raise ValueError(f"{table.schema.name}: one key is given twice, with different values")
        try:
            return [wanted[named] for named in sorted(wanted)]  # neighbouring rows are often in one page of the disk
        except (TypeError, ArithmeticError):  # a column of SQLite may hold values of several types
            return list(wanted.values())

    def _run(self, table: str, clause: SqlClause) -> int:
        def statement() -> int:
            return int(self._connection.exec_driver_sql(clause.sql, clause.values).rowcount)

        return self._store._attempt(statement, table=table)


def _select(table: SqlTable, shown: Sequence[str], where: SqlClause, limit: int | None) -> SqlClause:
    sql = f"SELECT {', '.join(shown)} FROM {table.quoted}"
    sql += f" WHERE {where.sql}" if where.sql else ""
    sql += f" LIMIT {int(limit)}" if limit is not None else ""
    return SqlClause(sql, where.values)


def _all_of(clauses: Sequence[SqlClause]) -> SqlClause:
    return SqlClause(
        " AND ".join(f"({clause.sql})" for clause in clauses),
        tuple(value for clause in clauses for value in clause.values),
    )


def _any_of(clauses: Sequence[SqlClause]) -> SqlClause:
    return SqlClause(
        " OR ".join(clause.sql for clause in clauses), tuple(value for clause in clauses for value in clause.values)
    )


def _packed(matches: Sequence[tuple[Match, list[Row]]], size: int) -> Iterator[list[tuple[Match, list[Row]]]]:
    """The matches in parts of at most *size* values each."""
    part: list[tuple[Match, list[Row]]] = []
    free = size
    for match, rows in matches:
        width = len(match.columns)
        start = 0
        while start < len(rows):
            taken = rows[start : start + max(free // width, 0 if part else 1)]
            if taken:
                part.append((match, taken))
                start += len(taken)
                free -= len(taken) * width
            if start < len(rows):
                yield part
                part, free = [], size
    if part:
        yield part


def _by_column(names: Sequence[str], rows: Sequence[Row]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Each column's values, after checking that every row has one for each."""
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"a row has {len(row)} values for {len(names)} columns")
    yield from zip(names, zip(*rows, strict=True) if rows else ((),) * len(names), strict=True)
