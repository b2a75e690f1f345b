"""Sealed columns for SQLAlchemy: the application writes and reads plain values, the database holds sealed ones.

    class Customer(Base):
        email: Mapped[str | None] = mapped_column(SealedText("customer", "email"))
        email_bucket: Mapped[int | None] = mapped_column(Bucket({"email": "email"}, population=200_000), index=True)

A *bucket* column is filled automatically in every INSERT and UPDATE that SQLAlchemy sends, by the ORM and by Core, in
the statement that writes the value. `sealed_lookup` searches by it. A sealed column can only be compared with NULL:
``==`` would have to return every row of the bucket, and a login by it would let the wrong person in.
"""

from __future__ import annotations

import datetime as dt
import decimal
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, orm
from sqlalchemy.dialects import mysql
from sqlalchemy.sql import operators, visitors

from troth.errors import TrothError
from troth.protect.fields.blind import BlindIndex, NormalForm, plan_index
from troth.protect.fields.column import KeyringSource, SealedColumn, home_keyring
from troth.protect.fields.errors import FieldRefused, RowsBusy, RowsRefused, SearchRefused
from troth.protect.fields.kinds import BYTES, DATE, JSON, NUMBER, TEXT, ColumnKind
from troth.protect.fields.rotate import Progress, rotate
from troth.protect.fields.sql import Flavour, SqlRows
from troth.protect.fields.table import Index, RotationCount, SealedTable, Values

T = TypeVar("T")


class NotWritten(FieldRefused, sa.exc.DontWrapMixin):
    """A value was not written; the message says why. SQLAlchemy's own error would also quote the whole row."""


# --- types ------------------------------------------------------------------------------------------------------------


class SealedType(sa.types.TypeDecorator[T], Generic[T]):
    """A column of sealed values. *table* and *field* name the place that they are sealed for: keep them when the real
    names change. The other options are those of `SealedColumn`."""

    impl = sa.LargeBinary
    cache_ok = True
    kind: ClassVar[ColumnKind[Any]]

    def __init__(
        self,
        table: str,
        field: str,
        *,
        domain: str = "fields",
        keyring: KeyringSource = home_keyring,
        accept_plain: bool = False,
    ) -> None:
        super().__init__()
        self.table, self.field, self.domain = table, field, domain  # under these names they are SQLAlchemy's cache key
        self.keyring, self.accept_plain = keyring, accept_plain
        self.column: SealedColumn[T] = SealedColumn(self.kind, table, field, domain, keyring, accept_plain)

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.LONGBLOB())  # a BLOB ends at 65,535 bytes
        return dialect.type_descriptor(_AsItIs() if dialect.name == "sqlite" else sa.LargeBinary())

    def process_bind_param(self, value: T | None, dialect: sa.Dialect) -> bytes | None:
        try:
            return self.column.seal(value)
        except TrothError as error:
            raise NotWritten(str(error)) from error

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> T | None:
        return self.column.open(value)

    def __repr__(self) -> str:  # migrations are written from it
        domain = f", domain={self.domain!r}" if self.domain != "fields" else ""
        accept = ", accept_plain=True" if self.accept_plain else ""
        return f"{type(self).__name__}({self.table!r}, {self.field!r}{domain}{accept})"

    class comparator_factory(sa.types.TypeDecorator.Comparator[Any]):  # noqa: N801 -- SQLAlchemy's name
        def operate(self, op: Any, *other: Any, **options: Any) -> Any:
            if len(other) == 1 and op in _EQUALITY and (_is_null(other[0]) or _is_same(self.expr, other[0])):
                return super().operate(op, *other, **options)
            raise SearchRefused(_NOT_COMPARED)


_NOT_COMPARED = (
    "a sealed column is not compared, sorted or matched in SQL, where equal values look different: find by its bucket "
    "column with sealed_lookup(), or open the rows and compare them"
)
_EQUALITY = operators.eq, operators.ne, operators.is_, operators.is_not


def _is_sealed(value: Any) -> bool:
    return isinstance(value, sa.ClauseElement) and isinstance(getattr(value, "type", None), SealedType)


def _is_null(value: Any) -> bool:
    return value is None or isinstance(value, sa.Null)


def _is_same(column: sa.ColumnElement[Any], other: Any) -> bool:
    """SQLAlchemy itself compares columns with each other."""
    return isinstance(other, sa.ColumnElement) and column.shares_lineage(other)


class _AsItIs(sa.LargeBinary):
    """Returns SQLite values unprocessed: a column of bytes may still hold earlier texts and numbers."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> None:
        return None


class SealedText(SealedType[str]):
    """Text of any length."""

    kind = TEXT
    cache_ok = True


class SealedBytes(SealedType[bytes]):
    """Bytes."""

    kind = BYTES
    cache_ok = True


class SealedJSON(SealedType[Any]):
    """Any JSON value except ``null``, which is stored as NULL. Changes inside a value are tracked as for SQLAlchemy's
    own JSON: only with ``MutableDict`` and the like."""

    kind = JSON
    cache_ok = True


class SealedNumber(SealedType[decimal.Decimal]):
    """A ``Decimal``, exactly as it was given; an ``int`` reads back as one. No ``float``, NaN or infinity."""

    kind = NUMBER
    cache_ok = True


class SealedDate(SealedType[dt.date]):
    """A date."""

    kind = DATE
    cache_ok = True


class Bucket(sa.types.TypeDecorator[int]):
    """The column of a blind index over the sealed columns *of* the same table, by name, each with its normal form:
    ``email``, ``phone``, ``text`` or ``exact``; with several, over all of them together.

    *population* is the real number of distinct values (or combinations) in the table; see `plan_index`, which chooses
    the bits and refuses fewer than 1,000. A changed definition makes other buckets: pass the previous one as *was*
    until `rotate_fields` has finished, and values are found by either. Another *version* changes the key.
    """

    impl = sa.BigInteger
    cache_ok = True

    def __init__(
        self,
        of: Mapping[str, NormalForm] | Sequence[tuple[str, NormalForm]],
        *,
        population: int,
        values_per_bucket: int = 2,
        version: int = 1,
        was: Bucket | None = None,
    ) -> None:
        super().__init__()
        self.of = tuple(dict(of).items())
        self.population, self.values_per_bucket, self.version, self.was = population, values_per_bucket, version, was
        self.plan = plan_index(population, columns=len(self.of), values_per_bucket=values_per_bucket)

    def __repr__(self) -> str:
        options = f"population={self.population}, values_per_bucket={self.values_per_bucket}, version={self.version}"
        return f"Bucket({dict(self.of)!r}, {options}{f', was={self.was!r}' if self.was else ''})"


# --- restrictions of sealed columns -----------------------------------------------------------------------------------


@event.listens_for(sa.Column, "after_parent_attach")
def _check_column(column: sa.Column[Any], table: Any) -> None:
    if _is_sealed(column):
        options = ("primary_key", "server_default", "server_onupdate")
        for option in options:
            if getattr(column, option) not in (None, False):
                raise SearchRefused(f"{table.name}.{column.name} is sealed, and so cannot have {option}")
        if any(each.is_clause_element or each.is_sequence for each in _defaults(column)):
            raise SearchRefused(f"{table.name}.{column.name} is sealed: its default must be a value, not an expression")
    for bucket in table.c if isinstance(column.type, SealedType | Bucket) else ():
        for name, _ in bucket.type.of if isinstance(bucket.type, Bucket) else ():
            if name in table.c and _defaults(table.c[name]):
                raise SearchRefused(
                    f"{table.name}.{name} has a bucket, which is not made of a default or onupdate: set the value "
                    "where the object is made"
                )


def _defaults(column: sa.Column[Any]) -> list[Any]:
    return [each for each in (column.default, column.onupdate) if each is not None]


@event.listens_for(sa.UniqueConstraint, "after_parent_attach")
@event.listens_for(sa.Index, "after_parent_attach")
def _check_index(index: Any, table: Any) -> None:
    parts: Any = index.expressions if isinstance(index, sa.Index) else index.columns
    if any(_is_sealed(each) for part in parts for each in visitors.iterate(part)):
        raise SearchRefused(
            f"{table.name}: a sealed column is not indexed and not unique, as equal values look different"
        )


_checked: weakref.WeakSet[Any] = weakref.WeakSet()
"""Statements already checked, in compiled form: SQLAlchemy caches and reuses that for equal statements."""


@event.listens_for(sa.Engine, "before_cursor_execute")
def _check(connection: Any, cursor: Any, sql: str, parameters: Any, context: Any, executemany: bool) -> None:
    compiled = getattr(context, "compiled", None)
    statement: Any = getattr(compiled, "statement", None)
    if not isinstance(statement, sa.Executable) or compiled in _checked:
        return
    parts: Any = visitors.iterate(statement)  # type: ignore[arg-type]
    for part in parts:
        if isinstance(part, sa.Insert | sa.Update) and part is not statement:
            with _refused(part.table):
                _check_inner(part)
        elif any(_is_sealed(each) for each in _compared(part)):
            raise SearchRefused(_NOT_COMPARED)
    _checked.add(compiled)


def _check_inner(statement: sa.Insert | sa.Update) -> None:
    _require_own(statement)
    given = {_name(key) for key in statement._values or ()}
    if any(given & set(filled.names) for filled in _filled(statement.table)):
        raise SearchRefused("no bucket is computed inside another statement: execute it on its own")


def _compared(part: Any) -> Sequence[Any]:
    """The operands that this part of a statement compares, sorts by, or computes with."""
    if isinstance(part, sa.BinaryExpression):
        return () if _is_null(part.right) else (part.left, part.right)
    if isinstance(part, sa.UnaryExpression):
        return () if isinstance(part, sa.Exists) else (part.element,)
    if isinstance(part, sa.Tuple):
        return tuple(part.clauses)
    if isinstance(part, sa.Case):
        return (part.value,)
    if isinstance(part, sa.sql.functions.FunctionElement):
        return () if getattr(part, "name", "") == "count" else tuple(part.clauses)
    if isinstance(part, sa.SelectBase):
        clauses = [
            clause
            for name in ("_order_by_clauses", "_group_by_clauses", "_distinct_on")
            for clause in getattr(part, name, ())
        ]
        return [getattr(clause, "element", clause) for clause in clauses]
    return ()


# --- filling buckets --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Filled:
    """A bucket column of a table, its index, and the sealed columns that the index is over."""

    name: str
    index: BlindIndex
    sources: tuple[sa.ColumnElement[Any], ...]

    @property
    def names(self) -> list[str]:
        return [str(source.key) for source in self.sources]

    def bucket(self, values: Sequence[Any]) -> int | None:
        return self.index.bucket(_type(self.sources[0]).keyring(), *values)


def _filled(table: Any) -> Iterator[_Filled]:
    """The bucket columns of a table; none for a join, through which only the next rotation fills buckets."""
    for column in table.c if isinstance(table, sa.Table) else ():
        if isinstance(column.type, Bucket):
            yield _Filled(column.key, *_definition(column.type, table))


def _definition(bucket: Bucket, table: sa.FromClause) -> tuple[BlindIndex, tuple[sa.ColumnElement[Any], ...]]:
    sources = []
    for name, _ in bucket.of:
        if name not in table.c or not isinstance(table.c[name].type, SealedType):
            raise SearchRefused(f"the table has no sealed column {name!r} to compute buckets from")
        sources.append(table.c[name])
    first = _type(sources[0])
    columns = tuple((_type(source).field, form) for source, (_, form) in zip(sources, bucket.of, strict=True))
    return BlindIndex(first.table, columns, bucket.plan.bits, bucket.version, first.domain), tuple(sources)


def _type(column: sa.ColumnElement[Any]) -> SealedType[Any]:
    assert isinstance(column.type, SealedType)
    return column.type


@event.listens_for(sa.Engine, "before_execute", retval=True)
def _fill(
    connection: sa.Connection,
    statement: Any,
    many: list[dict[str, Any]],
    row: dict[str, Any],
    options: Mapping[str, Any],
) -> tuple[Any, list[dict[str, Any]], dict[str, Any]]:
    """Set every bucket column in the statement that sets its sealed columns, by the ORM or Core. Refuses whatever would
    reach a sealed column unsealed."""
    if isinstance(statement, sa.Insert | sa.Update):
        given = {name for row in (*many, row) for name in row}
        with _refused(statement.table):
            _require_own(statement, given)
            for filled in _filled(statement.table):
                statement = _with_bucket(statement, filled, given)
                many = [_with_parameter(row, filled, statement) for row in many]
                row = _with_parameter(row, filled, statement)
    return statement, many, row


@contextmanager
def _refused(table: Any) -> Iterator[None]:
    try:
        yield
    except TrothError as error:
        raise NotWritten(f"{table.description}: {error}") from error


def _require_own(statement: Any, parameters: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Raises `SearchRefused` if a sealed column is set to anything but NULL or a value that its type seals on the way.
    *parameters* are always sealed, unless they go through a join or an alias."""
    table = statement.table
    given = [*(statement._values or {}).items(), *_elsewhere(statement)]
    if not isinstance(table, sa.Table):
        given += [(name, None) for name in parameters]
    for key, value in given:
        name = _name(key)
        named = [column for column in table.c if _is_sealed(column) and name in (column.key, column.name)]
        for column in [key] if _is_sealed(key) else named:
            is_here = isinstance(table, sa.Table) and name in table.c and table.c[name].type is column.type
            if not is_here or not _is_own(value, _type(column)):
                raise SearchRefused(
                    f"{column.name} is sealed on its way from the application: set it to a value itself, and to no "
                    "expression, other column, SELECT or parameter of another type, nor through a join or an alias"
                )


def _is_own(value: Any, kind: SealedType[Any]) -> bool:
    if isinstance(value, sa.BindParameter):
        # a parameter without a type takes that of the column
        is_same = isinstance(value.type, SealedType) and value.type.column == kind.column
        return is_same or isinstance(value.type, sa.types.NullType)
    return _is_null(value) or not (isinstance(value, sa.ClauseElement) or hasattr(value, "__clause_element__"))


def _with_parameter(row: dict[str, Any], filled: _Filled, statement: sa.Insert | sa.Update) -> dict[str, Any]:
    given = [name for name in filled.names if name in row]
    if not given:
        return row
    _require_all(given, filled.names, statement)
    return {**row, filled.name: filled.bucket([row.get(name) for name in filled.names])}


def _with_bucket(statement: Any, filled: _Filled, parameters: set[str]) -> Any:
    """Add the bucket of the values that the statement itself carries, not of its parameters."""
    names = set(filled.names)
    values = {_name(key): value for key, value in (statement._values or {}).items()}
    given = [name for name in filled.names if name in values]
    is_seen = all(_is_value(values[name]) for name in given) and not (given and names & parameters)
    if not is_seen or names & {_name(key) for key, _ in _elsewhere(statement)}:
        raise SearchRefused(
            f"the values of {filled.name} are not seen in such a statement: give them in values(), or all as "
            "parameters with the names of their columns"
        )
    if not given:
        return statement
    _require_all(given, filled.names, statement)
    return statement.values({filled.name: filled.bucket([_value(values.get(name)) for name in filled.names])})


def _require_all(given: Sequence[str], names: Sequence[str], statement: sa.Insert | sa.Update) -> None:
    if len(given) < len(names) and isinstance(statement, sa.Update):
        raise SearchRefused(f"one index is over {', '.join(names)}: an UPDATE sets all of them, or none")


def _elsewhere(statement: Any) -> list[tuple[Any, Any]]:
    """Values set in ways for which no bucket is computed: rows in values(), ordered values, a SELECT, an upsert."""
    found = [pair for rows in statement._multi_values for row in rows for pair in row.items()]
    found += getattr(statement, "_ordered_values", None) or ()
    if getattr(statement, "_maintain_values_ordering", False):  # since SQLAlchemy 2.1
        found += statement._values.items()
    found += [(name, statement.select) for name in getattr(statement, "_select_names", None) or ()]
    upsert = getattr(statement, "_post_values_clause", None)
    found += dict(getattr(upsert, "update_values_to_set", None) or ()).items()
    return [*found, *dict(getattr(upsert, "update", None) or ()).items()]


def _name(key: Any) -> str:
    return str(getattr(key, "key", key))


def _is_value(value: Any) -> bool:
    """Whether the value is known already. A named parameter may get another value at execution."""
    if isinstance(value, sa.BindParameter):
        return value.unique and not value.required and value.callable is None
    return True


def _value(value: Any) -> Any:
    if _is_null(value):
        return None
    return value.value if isinstance(value, sa.BindParameter) else value


@event.listens_for(orm.Mapper, "before_update")
def _complete(mapper: orm.Mapper[Any], connection: sa.Connection, row: Any) -> None:
    """Write all columns of a compound index if one of them changes."""
    for filled in _filled(mapper.local_table):
        attributes = [mapper.get_property_by_column(source).key for source in filled.sources]
        state = sa.inspect(row)
        if len(attributes) > 1 and any(state.attrs[name].history.has_changes() for name in attributes):
            for name in attributes:
                getattr(row, name)  # loads the attribute if it is not loaded yet
                orm.attributes.flag_modified(row, name)


# --- searching --------------------------------------------------------------------------------------------------------


def may_be(bucket: Any, *values: Any) -> sa.ColumnElement[bool]:
    """A condition for the rows in the bucket of *values*: all rows with these values, and some others. *bucket* is the
    attribute or column; its index has one column per value. Raises `SearchRefused`."""
    column = bucket.__clause_element__() if hasattr(bucket, "__clause_element__") else bucket
    kind = column.type
    if not isinstance(kind, Bucket):
        raise SearchRefused("may_be() and sealed_lookup() take a column of the type Bucket")
    if len(values) != len(kind.of):
        raise SearchRefused(f"the index is over {len(kind.of)} columns, and {len(values)} values were given")
    buckets = []
    while kind is not None:
        filled = _Filled(column.key, *_definition(kind, column.table))
        buckets.append(filled.bucket(values))
        kind = kind.was
    found = [each for each in buckets if each is not None]
    return column.in_(found) if found else sa.false()


def sealed_lookup(session: orm.Session, bucket: Any, *values: Any, where: Sequence[Any] = ()) -> list[Any]:
    """The objects whose sealed columns have these *values*, in normal form: opens and compares the rows of the bucket.

        sealed_lookup(session, Customer.email_bucket, "ann@example.org", where=[Customer.active])

    It also reads the other rows of the bucket. Raises `SearchRefused`, and as opening does.
    """
    rows = session.scalars(sa.select(bucket.parent.entity).where(may_be(bucket, *values), *where))
    column = bucket.property.columns[0]
    index, sources = _definition(column.type, column.table)
    attributes = [bucket.parent.mapper.get_property_by_column(source).key for source in sources]
    sought = index.normal(*values)
    return [row for row in rows if index.normal(*(getattr(row, name) for name in attributes)) == sought]


# --- rotation ---------------------------------------------------------------------------------------------------------


def rotate_fields(engine: sa.Engine, table: Any, *, progress: Progress | None = None) -> RotationCount:
    """Bring the sealed columns and buckets of *table*, a mapped class or a `Table`, up to date in place: reseal values
    under an older key, seal plain ones (if their column has ``accept_plain``), and fill missing or wrong buckets. The
    application may keep running; a killed run can be repeated.

    It uses connections of its own, on SQLite, PostgreSQL and MariaDB. Raises `RowsLeft` for values that could not be
    processed, after everything else is done, and `RowsRefused` if the database refuses.
    """
    real: sa.Table = table if isinstance(table, sa.Table) else sa.inspect(table).local_table
    sealed = [column for column in real.c if isinstance(column.type, SealedType)]
    indexes = list(_filled(real))
    columns = [*sealed, *(real.c[each.name] for each in indexes)]
    if not real.primary_key.columns or not sealed:
        raise RowsRefused(f"{real.name} needs a primary key, and a sealed column")
    at = {str(column.key): place for place, column in enumerate(sealed)}
    described = SealedTable(
        real.name,
        tuple(column.type.column for column in sealed),  # type: ignore[attr-defined]
        tuple(Index(each.index, tuple(at[name] for name in each.names)) for each in indexes),
    )
    return rotate(_rows(engine, real, columns), described, progress)


def _rows(engine: sa.Engine, table: sa.Table, columns: Sequence[sa.Column[Any]]) -> SqlRows:
    def read(sql: str, values: Values) -> list[tuple[Any, ...]]:
        with _spoken(table), engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql, values)]

    def write(sql: str, values: Values | list[Values]) -> int:
        with _spoken(table), engine.begin() as connection:
            return int(connection.exec_driver_sql(sql, values).rowcount)

    with _spoken(table), engine.connect():
        dialect = engine.dialect  # connected, so the dialect knows the server
    flavours: Mapping[str, Flavour] = {"sqlite": "sqlite", "postgresql": "postgresql", "mariadb": "mariadb"}
    name = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    mark = {"qmark": "?", "format": "%s", "pyformat": "%s"}.get(dialect.paramstyle)
    if name not in flavours or mark is None:
        raise RowsRefused(f"rotation supports {', '.join(flavours)} with their usual drivers, but not {name}")
    quote = dialect.identifier_preparer
    key = list(table.primary_key.columns)
    return SqlRows(
        flavour=flavours[name],
        table=quote.format_table(table),
        key=tuple(quote.format_column(column) for column in key),
        columns=tuple(quote.format_column(column) for column in columns),
        types=tuple(column.type.compile(dialect) for column in (*key, *columns) if name == "postgresql"),
        mark=mark,
        read=read,
        write=write,
    )


@contextmanager
def _spoken(table: sa.Table) -> Iterator[None]:
    """Translate a driver's errors into ours, without their text: it can quote a row."""
    try:
        yield
        return
    except sa.exc.DBAPIError as error:
        said = f"{table.name}: the database refused with {type(error.orig).__name__}"
        kind = RowsBusy if isinstance(error, sa.exc.OperationalError) else RowsRefused
    raise kind(said)
