"""The store contract: what every connector promises, and the values that it exchanges.

A *store* is one place that holds personal data: a SQL database, a folder of files. Every operation works on sets: a
caller names a table, columns and a set of values, never one row at a time, so that a thousand subjects cost as many
statements as one. `troth.testing.stores.StoreContract` is the executable form of this contract.

A connector
- creates no table of ours, temporary or not, and never has the database compute a keyed value;
- opens reads in a read-only transaction if the engine has one;
- waits for a lock or a statement no longer than its `StoreLimits`;
- takes "equal" literally: it ignores a collation, padding or affinity that treats ``Zoë`` and ``zoe`` as equal;
- refuses to answer for less than all rows: a policy of the store that hides rows from us is an error;
- converts its driver's errors to `StoreError` in one place, and keeps row values out of the message and its causes.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol, runtime_checkable

from troth.errors import TrothError

Scalar = str | int | float | bool | bytes | decimal.Decimal | dt.date | dt.datetime | dt.time | uuid.UUID | None
"""One value of one column, as the store holds it, so that a value that was read can be searched for.

Structured columns (JSON, arrays) are returned as their JSON text, types that Python lacks (enums, ranges, ``infinity``)
as their text, SQLite's dates as the text or number that they are. A time with a zone is returned in UTC; one without
unchanged, and treated as UTC when compared or converted. A value that a column cannot hold matches nothing and is a
`StoreConflict` when written.
"""

Row = tuple[Scalar, ...]
"""One row, in the order of the requested columns."""


class StoreError(TrothError):
    """A store refused or failed; *retryable* says whether waiting may help."""

    def __init__(self, message: str, *, store: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.store = store
        self.retryable = retryable


class StoreUnreachable(StoreError):
    """Nothing answers, or the connection was lost: an open transaction is rolled back."""


class StoreRefused(StoreError):
    """The store refused: a wrong password, a missing grant, a read-only store, an engine that we do not write to."""


class StoreBusy(StoreError):
    """A lock or statement timeout, a deadlock or a serialisation failure. Always retryable; nothing was changed."""


class StoreConflict(StoreError):
    """A constraint of the store (key, unique, check, NOT NULL, length) forbids the change; nothing was changed."""


class UnknownName(StoreError):
    """The store does not have this table or column; the message names the nearest one that it has."""


class ColumnKind(enum.StrEnum):
    """The type of a column's values, as far as masks, matches and pages need it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    BYTES = "bytes"
    UUID = "uuid"
    JSON = "json"
    ARRAY = "array"
    OTHER = "other"


class TableKind(enum.StrEnum):
    """The kind of a table. A view holds no data; a materialised view is a copy that erasure must handle."""

    TABLE = "table"
    VIEW = "view"
    MATERIALISED = "materialised"


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the store describes it. *length* is in characters (bytes for BYTES), None if unbounded; *native* is
    the engine's own type name; *generated* columns (computed, identity ALWAYS) cannot be written."""

    name: str
    kind: ColumnKind
    native: str
    nullable: bool = True
    length: int | None = None
    generated: bool = False
    comment: str | None = None
    filled: bool = False
    """Whether the store itself gives a value where none is written: a counter, a default."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """*columns* of this table refer to *to_columns* of *table*, as the store itself declares it.

    *on_delete* is the engine's rule in words: ``no action``, ``restrict``, ``cascade``, ``set null``, ``set default``.
    """

    columns: tuple[str, ...]
    table: str
    to_columns: tuple[str, ...]
    on_delete: str = "no action"


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One table. *key* is the primary key, else the first unique key without NULLs, else empty (the table cannot be
    written by locator). *unique* and *indexes* hold column tuples; *indexes* includes the primary and unique keys.
    *rows_estimate* is the engine's own statistic, None without one; it is never worth a full scan."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    kind: TableKind = TableKind.TABLE
    rows_estimate: int | None = None
    comment: str | None = None

    def column(self, name: str) -> Column | None:
        """The column of that exact name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def is_indexed(self, columns: Sequence[str]) -> bool:
        """Whether some index starts with exactly these columns, in any order."""
        return any(set(index[: len(columns)]) == set(columns) for index in self.indexes)

    def is_unique(self, column: str) -> bool:
        """Whether the column by itself is unique."""
        return self.key == (column,) or (column,) in self.unique


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables of a store by their name in the declaration: bare in the default schema, ``schema.table`` elsewhere.
    *dialect* is ``sqlite``, ``postgresql``, ``mariadb`` or ``files``."""

    dialect: str
    tables: Mapping[str, TableSchema] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Unobserved:
    """What a read of a place missed: *unread* maps a file to the reason, *passed_over* maps the extension of an
    unsupported kind of file to the number of such files."""

    unread: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    passed_over: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Match:
    """The rows whose *columns* together take exactly one of *values*. NULL matches nothing.

    *fold* ignores letter case, as for e-mail addresses (one column only): for ASCII always, beyond it as the engine
    folds letters. *digits* compares only the digits 0 to 9, as for telephone numbers (one column only), so ``(01632)
    960-001`` equals ``01632960001``; a value without digits matches nothing, and a numeric column is compared by its
    numbers. Without a suitable index, either reads the whole table.
    """

    columns: tuple[str, ...]
    values: tuple[Row, ...]
    fold: bool = False
    digits: bool = False

    def __repr__(self) -> str:
        return f"Match({', '.join(self.columns)} in {len(self.values)} values)"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The rows that at least one of *matches* selects."""

    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """The rows whose *column* holds a date or time earlier than *moment* (aware, UTC).

    A date without a time means its whole day, which must be over; a whole number means seconds since 1970 (milliseconds
    if it is too large for that). A value that cannot be read as a date is never before *moment*, so it is kept.
    """

    column: str
    moment: dt.datetime


NEVER: Final = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
"""Later than every date."""


@dataclass(frozen=True, slots=True)
class Undated:
    """The rows whose *column* holds nothing that `Before` could read as a date; with *empty*, only those that hold
    nothing at all, not even a letter. 9999-12-31, which means never, is no date."""

    column: str
    empty: bool = False


@dataclass(frozen=True, slots=True)
class NotBefore:
    """The rows whose *column* holds a date or time, as `Before` reads it, that is not earlier than *moment* (aware,
    UTC). 9999-12-31, which means never, is no date."""

    column: str
    moment: dt.datetime


@dataclass(frozen=True, slots=True)
class AllOf:
    """The rows that each of *conditions* selects, in one statement where they are not too large for it."""

    conditions: tuple[AnyOf | Before | NotBefore | Undated, ...]


Condition = AnyOf | AllOf | Before | NotBefore | Undated


@dataclass(frozen=True, slots=True)
class RequiredGrants:
    """The grants that our account needs in one table: to read it, to amend these columns, to erase rows; and
    to insert some, for canaries."""

    table: str
    amends: tuple[str, ...] = ()
    erases: bool = False
    inserts: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """An account that the store itself admits. *reads* and *writes* name the tables it can reach, also through groups,
    ownership, PUBLIC or a superuser bit; *why* says through which. *of_machine*: an account of this machine, the same
    one wherever its files are, and not an account of the store."""

    name: str
    can_login: bool
    reads: frozenset[str]
    writes: frozenset[str]
    why: str
    of_machine: bool = False


@dataclass(frozen=True, slots=True)
class NetworkSessions:
    """The sessions that clients of a server have open in our database, over a network and at this moment, ours
    included: how many we have *seen*, and how many of these are *plain*. *hidden* says which others we cannot see, and
    what would show them; empty if we see all. *is_required*: the server is known to refuse plain connections."""

    seen: int
    plain: int
    hidden: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class TransportSecurity:
    """Protection of the connection to the store: *encrypted* as negotiated, e.g. ``TLSv1.3 TLS_AES_256_GCM_SHA384``,
    and the *sessions* of all clients, None if the place knows none.

    A file or a socket of this machine (*is_local*) has no connection to encrypt; *encrypted* is True then, and proves
    nothing.
    """

    encrypted: bool
    detail: str
    is_local: bool = False
    sessions: NetworkSessions | None = None


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Time and size limits for a store. *values_per_statement* bounds one statement's value set; the connector splits
    larger sets transparently, and those beyond its engine's own bound."""

    connect_s: float = 10.0
    lock_s: float = 5.0
    statement_s: float = 60.0
    values_per_statement: int = 20_000


@runtime_checkable
class QueryableStore(Protocol):
    """A store that accepts a SELECT. The query runs in a process of its own, on a connection that cannot write, with a
    time limit."""

    def figure(self, select: str, *, within_s: float) -> object:
        """The single value of the single row of *select*. Raises `StoreRefused` for any other result, and `StoreBusy`
        if it takes longer."""
        ...


class Writer(Protocol):
    """One open transaction on a store. Both methods are idempotent: they set absolute values and delete by key. They
    return how many rows of the given keys exist (matched, whether or not a value differed)."""

    def amend(
        self, table: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row], *, keep_nulls: bool = False
    ) -> int:
        """Set *columns* of the rows named by *key*. Each row holds the key's values, then the new values.

        With *keep_nulls*, columns that are NULL stay NULL: a mask would hide nothing there, and would invent data. One
        statement per `StoreLimits.values_per_statement` rows. Raises `StoreConflict`, `StoreBusy`, `UnknownName`,
        `StoreRefused` (a view, a computed column, a table without transactions), and `ValueError` if a key occurs twice
        with different values.
        """
        ...

    def erase(self, table: str, key: Sequence[str], keys: Sequence[Row]) -> int:
        """Delete the rows whose *key* columns equal one of *keys* (composite keys as tuples)."""
        ...


@runtime_checkable
class InsertingWriter(Protocol):
    """A `Writer` that can also add a row: that of a database."""

    def insert(self, table: str, values: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        """Add one row, and return all that it holds, also what the store gave it. Not idempotent. Raises as
        `Writer.amend` does."""
        ...


class Store(Protocol):
    """One place that holds personal data; see the module for its promises. Safe to use from one thread at a time."""

    @property
    def name(self) -> str:
        """The system's name in the declaration."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether `writing` is refused."""
        ...

    def describe(self) -> Schema:
        """The current schema. Read once and cached; `refresh` drops the cache. Raises `StoreUnreachable`."""
        ...

    def refresh(self) -> None:
        """Drop the cache of `describe`."""
        ...

    def sample(self, table: str, columns: Sequence[str], *, rows: int) -> list[Row]:
        """Up to *rows* rows from across the table, cheaply: never a full scan of a large one."""
        ...

    def read(
        self, table: str, columns: Sequence[str], where: Condition | None, *, limit: int | None = None
    ) -> list[Row]:
        """The named columns of the rows that *where* selects (each row once), in one statement per bounded chunk."""
        ...

    def scan(self, table: str, columns: Sequence[str], *, batch: int) -> Iterator[list[Row]]:
        """The named columns of every row, in lists of at most *batch*: only one list is in memory at a time.

        A table with a key is read in many short statements, so that no lock or snapshot lasts; a row whose key changes
        meanwhile may be missed or read twice. A table without a key is read by a single statement.
        """
        ...

    def keys(self, table: str, where: Condition | None, *, batch: int) -> Iterator[list[Row]]:
        """The keys of the rows that *where* selects, in the store's own order, in lists of at most *batch*.

        SQL stores read each list in a short statement of its own, after the last key, so rows may be deleted meanwhile;
        a folder reads the keys of one file at a time, in the order of its rows. A row whose key changes meanwhile may
        be missed or given twice, and one with NULL in its key cannot be named by it and is left out. Raises
        `StoreRefused` for a table without a key, and `ValueError` for more values than one statement may have.
        """
        ...

    def count(self, table: str, where: Condition | None) -> int:
        """How many rows *where* selects."""
        ...

    def writing(self) -> AbstractContextManager[Writer]:
        """One transaction: commits at a clean exit, rolls back on any exception, all or nothing across tables.

        Raises `StoreRefused` at once if the store is read-only; a table without transactions (MyISAM) is refused when
        it is named. If the connection is lost during the commit itself, the outcome is unknown: repeat the work.
        """
        ...

    def principals(self) -> list[Principal]:
        """The accounts that can read or write, declared or not; empty only if the place has no accounts at all."""
        ...

    def transport(self) -> TransportSecurity:
        """How our connection is protected, and those of the other clients as far as the store shows them."""
        ...

    def close(self) -> None:
        """Release connections. The store reopens them when it is used."""
        ...
