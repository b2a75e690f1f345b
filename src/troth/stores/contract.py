"""The store contract: what every connector promises, and the values that cross its door.

A *store* is one place that holds personal data: a SQL database, a folder of files. Everything is set-based: a
caller names a table, columns and a set of values, never one row at a time, so that a thousand subjects cost as many
statements as one. `troth.testing.stores.StoreContract` is the executable form of this page.

A connector
- creates no table of ours, temporary or not, and sends no keyed value to be computed over there;
- opens reads in a read-only transaction where the engine has one;
- waits for a lock or a statement no longer than its `StoreLimits`;
- takes "equal" to mean equal: a collation, padding or affinity that confuses ``Zoë`` with ``zoe`` does not count;
- refuses to answer for less than all rows: a policy of the store that hides rows from us is an error;
- turns its driver's errors into `StoreError` in one place, and keeps row values out of the message and its causes.
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
"""One value of one column, as the store holds it, so that what was read can be sought again.

Structured columns (JSON, arrays) arrive as their JSON text, types that Python lacks (enums, ranges, ``infinity``) as
their text, SQLite's dates as the text or number that they are. A moment with a zone arrives in UTC; one without
arrives as it is, and where it has to be compared or converted it is taken to be UTC. A value that a column cannot hold
matches nothing and is a `StoreConflict` when written.
"""

Row = tuple[Scalar, ...]
"""One row, in the order of the columns that were asked for."""


class StoreError(TrothError):
    """A store refused or failed; *retryable* says whether waiting may help."""

    def __init__(self, message: str, *, store: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.store = store
        self.retryable = retryable


class StoreUnreachable(StoreError):
    """Nothing answers there, or the connection was lost: the outcome of an open transaction is a rollback."""


class StoreRefused(StoreError):
    """The store answered no: a wrong password, a missing grant, a read-only store, an engine we do not write to."""


class StoreBusy(StoreError):
    """A lock or statement timeout, a deadlock or a serialisation failure. Always retryable; nothing was changed."""


class StoreConflict(StoreError):
    """A constraint of the store (key, unique, check, NOT NULL, length) forbids the change; nothing was changed."""


class UnknownName(StoreError):
    """A table or column that the store does not have; the message names the nearest one it does have."""


class ColumnKind(enum.StrEnum):
    """What a column holds, as far as masks, matches and pages need to know."""

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
    """A view holds nothing itself; a materialised view is a copy that erasure has to know about."""

    TABLE = "table"
    VIEW = "view"
    MATERIALISED = "materialised"


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the store describes it. *length* counts characters (bytes for BYTES), None where unbounded;
    *native* is the engine's own type name; *generated* columns (computed, identity ALWAYS) cannot be written."""

    name: str
    kind: ColumnKind
    native: str
    nullable: bool = True
    length: int | None = None
    generated: bool = False
    comment: str | None = None


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
    written to by locator). *unique* and *indexes* hold column tuples; *indexes* includes the primary and unique keys.
    *rows_estimate* is the engine's own statistic, None when it has none; it is never worth a full scan."""

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
        """Whether the column alone must differ in every row."""
        return self.key == (column,) or (column,) in self.unique


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables of a store by the name that the declaration uses: bare in the default schema, ``schema.table``
    elsewhere. *dialect* is ``sqlite``, ``postgresql``, ``mariadb`` or ``files``."""

    dialect: str
    tables: Mapping[str, TableSchema] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Unobserved:
    """What a look at a place did not see: *unread* is file to why it cannot be read, *passed_over* the ending of files
    of a kind that nobody here reads to how many there are."""

    unread: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    passed_over: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Match:
    """The rows whose *columns* together take exactly one of *values*. NULL matches nothing.

    *fold* compares text without regard to letter case, as e-mail addresses are compared (one column only): for ASCII
    always, beyond it as the engine folds letters. *digits* compares the digits 0 to 9 alone, as telephone numbers are
    compared (one column only), so ``(01632) 960-001`` is ``01632960001``; what has none matches nothing, and a column
    of numbers holds numbers. Without an index made for it, either reads the whole table.
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

    A date alone stands for its whole day, which has to be over; a whole number for seconds since 1970 (milliseconds
    where it is too large for that). What cannot be read as a date is before nothing: it is kept.
    """

    column: str
    moment: dt.datetime


NEVER: Final = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
"""Every date is before it."""


@dataclass(frozen=True, slots=True)
class Undated:
    """The rows whose *column* holds nothing that `Before` could read as a date; *empty*: those of them that hold
    nothing at all, not even a letter. 9999-12-31, which stands for never, is no date."""

    column: str
    empty: bool = False


Condition = AnyOf | Before | Undated


@dataclass(frozen=True, slots=True)
class RequiredGrants:
    """What an account of ours needs in one table: to read it, to amend these columns, to erase rows."""

    table: str
    amends: tuple[str, ...] = ()
    erases: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone or something that the store itself lets in. *reads* and *writes* name the tables it can reach, also
    through groups, ownership, PUBLIC or a superuser bit; *why* says through which. *of_machine*: an account of this
    machine, which is the same account wherever its files lie, and no account of the store's own."""

    name: str
    can_login: bool
    reads: frozenset[str]
    writes: frozenset[str]
    why: str
    of_machine: bool = False


@dataclass(frozen=True, slots=True)
class TransportSecurity:
    """How the bytes travel to the store: *encrypted* as negotiated, e.g. ``TLSv1.3 TLS_AES_256_GCM_SHA384``.

    A file or a socket of this machine (*is_local*) has no connection that could be encrypted or not; *encrypted* is
    True then, and shows nothing.
    """

    encrypted: bool
    detail: str
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How long and how much a store may be asked for. *values_per_statement* bounds one statement's value set;
    larger sets are split by the connector, without the caller noticing, as are those beyond its engine's own bound."""

    connect_s: float = 10.0
    lock_s: float = 5.0
    statement_s: float = 60.0
    values_per_statement: int = 20_000


@runtime_checkable
class QueryableStore(Protocol):
    """A store that takes a SELECT. It is asked in a process of its own, on a connection that cannot write, and for so
    long at most."""

    def figure(self, select: str, *, within_s: float) -> object:
        """The one value of the one row that *select* gives. Raises `StoreRefused` for any other result, and
        `StoreBusy` where it takes longer."""
        ...


class Writer(Protocol):
    """One open transaction on a store. Both verbs are harmless when repeated: they set absolute values and delete by
    key. They return how many rows of the given keys were there (matched, whether or not a value differed)."""

    def amend(
        self,
        table: str,
        key: Sequence[str],
        columns: Sequence[str],
        rows: Sequence[Row],
        *,
        keep_nulls: bool = False,
    ) -> int:
        """Set *columns* of the rows named by *key*. Each row holds the key's values, then the new values.

        With *keep_nulls*, columns that are NULL stay NULL: a mask has nothing to hide there, and would invent data.
        One statement per `StoreLimits.values_per_statement` rows. Raises `StoreConflict`, `StoreBusy`, `UnknownName`,
        `StoreRefused` (a view, a computed column, a table without transactions), and `ValueError` where one key is
        given twice with different values.
        """
        ...

    def erase(self, table: str, key: Sequence[str], keys: Sequence[Row]) -> int:
        """Delete the rows whose *key* columns take one of *keys* (composite keys as tuples)."""
        ...


class Store(Protocol):
    """One place that holds personal data; see the module's promise. Safe to use from one thread at a time."""

    @property
    def name(self) -> str:
        """The system's name in the declaration."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether `writing` is refused."""
        ...

    def describe(self) -> Schema:
        """The schema as it is now. Read once and kept; `refresh` forgets it. Raises `StoreUnreachable`."""
        ...

    def refresh(self) -> None:
        """Forget what `describe` kept."""
        ...

    def sample(self, table: str, columns: Sequence[str], *, rows: int) -> list[Row]:
        """Up to *rows* rows from over the whole table, cheaply: never a full scan of a large one."""
        ...

    def read(
        self, table: str, columns: Sequence[str], where: Condition | None, *, limit: int | None = None
    ) -> list[Row]:
        """The named columns of the rows that *where* selects (each row once), in one statement per bounded chunk."""
        ...

    def scan(self, table: str, columns: Sequence[str], *, batch: int) -> Iterator[list[Row]]:
        """The named columns of every row, in lists of at most *batch*: however large the table, one list is in memory.

        A table with a key is read in as many short statements, so that no lock or snapshot lasts; a row that changes
        its key meanwhile may be missed or met twice. A table without one is read by a single statement.
        """
        ...

    def count(self, table: str, where: Condition | None) -> int:
        """How many rows *where* selects."""
        ...

    def writing(self) -> AbstractContextManager[Writer]:
        """One transaction: commits at a clean exit, rolls back on any exception, all or nothing across tables.

        Raises `StoreRefused` at once when the store is read-only; a table without transactions (MyISAM) is refused
        when it is named. If the connection is lost during the commit itself, nobody knows the outcome: do it again.
        """
        ...

    def principals(self) -> list[Principal]:
        """Who the store lets read or write, declared or not; empty only where the place has no accounts at all."""
        ...

    def transport(self) -> TransportSecurity:
        """How the connection is protected."""
        ...

    def close(self) -> None:
        """Give connections back. The store opens them again when asked."""
        ...
