"""The store contract as tests: `troth.stores.contract` in executable form.

A connector's test module subclasses `StoreContract` and provides one fixture, ``place``: a `PreparedStore` that holds
the `PREPARED` tables and their rows, fresh for each test. Abilities that a kind of store lacks are declared in
``place.lacks``; their tests are skipped with that reason, and all others must pass.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import pytest

from troth.stores import (
    AllOf,
    AnyOf,
    Before,
    Column,
    ColumnKind,
    ForeignKey,
    Match,
    NotBefore,
    Row,
    Scalar,
    Store,
    StoreBusy,
    StoreConflict,
    StoreLimits,
    StoreRefused,
    StoreUnreachable,
    TableSchema,
    Undated,
    UnknownName,
)

HOSTILE = 'odd "name`; DROP TABLE customer; --é'
"""A table name that is legal everywhere and harmful if it is pasted into SQL."""

HOSTILE_COLUMNS = ("id", "select", "a.b c", 'quo"te`%s :x ?')

HOSTILE_VALUES = (
    "'; DROP TABLE customer; --",
    'say "no" \\ back\\\\slash \\n',
    "%s %(x)s :x ? $1 {braces}",
    "tab\tnewline\r\nend",
    "emoji 🦉 and \u05e9\u05dc\u05d5\u05dd \u202egnp.exe",
    "  spaces kept  ",
    "",
    "long " * 200_000,
)


class Can(enum.Enum):
    """An ability that a kind of store may lack; the value completes "this store has no …"."""

    TRANSACTIONS = "transactions over several tables"
    LOCKS = "locks that somebody else could hold"
    CONSTRAINTS = "constraints to violate"
    FOREIGN_KEYS = "foreign keys"
    TYPES = "typed columns"
    NULLS = "difference between empty and absent"
    LOGIN = "accounts to log in with"
    CONNECTIONS = "connection to lose"


@dataclass(frozen=True, slots=True)
class Prepared:
    """One table of the contract: its schema and initial rows."""

    schema: TableSchema
    rows: tuple[Row, ...]


def _columns(**kinds: ColumnKind) -> tuple[Column, ...]:
    return tuple(Column(name, kind, kind.value) for name, kind in kinds.items())


_K = ColumnKind
JOINED = tuple(dt.datetime.fromisoformat(text) for text in ("2024-01-01 09:30", "2025-06-01", "2026-01-01"))
KIND_VALUES: Mapping[ColumnKind, Scalar] = MappingProxyType(
    {
        _K.TEXT: "Zoë O'Neill",
        _K.INTEGER: -(2**53) - 1,
        _K.NUMBER: decimal.Decimal("1234567.25"),
        _K.BOOLEAN: True,
        _K.DATE: dt.date(1985, 12, 31),
        _K.DATETIME: dt.datetime.fromisoformat("2026-02-28 23:59:58.123456"),
        _K.TIME: dt.time(13, 5, 7),
        _K.BYTES: b"\x00\xff'\"\\%s",
        _K.UUID: uuid.UUID("6f1c2d3e-0000-4000-8000-00000000beef"),
        _K.JSON: '{"likes": ["tea", null, 1.5]}',
    }
)

_CUSTOMER = TableSchema(
    "customer",
    (
        Column("id", _K.INTEGER, "integer", nullable=False),
        Column("email", _K.TEXT, "varchar", length=160),
        Column("name", _K.TEXT, "varchar", length=100),
        Column("born", _K.DATE, "date"),
        Column("joined", _K.DATETIME, "datetime"),
    ),
    key=("id",),
    unique=(("email",),),
)
_ORDER_LINE = TableSchema(
    "order_line",
    (
        Column("customer_id", _K.INTEGER, "integer", nullable=False),
        Column("number", _K.INTEGER, "integer", nullable=False),
        Column("note", _K.TEXT, "text"),
    ),
    key=("customer_id", "number"),
    foreign_keys=(ForeignKey(("customer_id",), "customer", ("id",)),),
)
_LINE = ["customer_id", "number"]
_VISIT = TableSchema("visit", _columns(email=_K.TEXT, page=_K.TEXT))
_KINDS = TableSchema(
    "kinds",
    (Column("id", _K.INTEGER, "integer", nullable=False), *_columns(**{kind.value: kind for kind in KIND_VALUES})),
    key=("id",),
)
_HOSTILE = TableSchema(
    HOSTILE,
    (
        Column("id", _K.INTEGER, "integer", nullable=False),
        *(Column(name, _K.TEXT, "text") for name in HOSTILE_COLUMNS[1:]),
    ),
    key=("id",),
)

PREPARED: tuple[Prepared, ...] = (
    Prepared(
        _CUSTOMER,
        (
            (1, "ann@example.org", "Ann", dt.date(1990, 2, 3), JOINED[0]),
            (2, "ben@example.org", "Ben", None, JOINED[1]),
            (3, "Chloe@Example.org", "Chloe", dt.date(1985, 12, 31), JOINED[2]),
            (4, None, None, None, None),
        ),
    ),
    Prepared(_ORDER_LINE, ((1, 1, "leave with Ben"), (1, 2, "ring twice"), (2, 1, "leave with Ann"), (3, 1, None))),
    Prepared(_VISIT, (("ann@example.org", "/"), ("ann@example.org", "/"), ("ben@example.org", "/cart"))),
    Prepared(_KINDS, ((1, *KIND_VALUES.values()), (2, *(None for _ in KIND_VALUES)))),
    Prepared(_HOSTILE, ((1, "a", "b", "c"), (2, "d", "e", "f"))),
)
"""The tables of a ``place``, in an order in which they can be filled. Declare *unique* and *foreign_keys* if the store
supports them; ``native`` is only a hint."""


class PreparedStore(Protocol):
    """The prepared tables for one test, and ways to interfere with them from outside."""

    lacks: frozenset[Can]

    def open(self, *, read_only: bool = False, limits: StoreLimits | None = None) -> Store:
        """Open another store on the same tables; the place closes it when the test ends."""
        ...

    def returned(self, kind: ColumnKind, value: Scalar) -> Scalar:
        """The form in which this store returns *value* of a column of *kind* (SQLite: a date as text)."""
        ...

    def holding(self, table: str) -> AbstractContextManager[None]:
        """Context manager: another connection holds locks on the rows of *table*."""
        ...

    def locked_out(self) -> Store:
        """A store on the same tables with a wrong password."""
        ...

    def nowhere(self) -> Store:
        """A store whose server does not answer."""
        ...

    def cut(self) -> None:
        """End all connections of stores to this place."""
        ...


def _said(error: BaseException) -> str:
    """All text that an error reveals, including that of its causes and contexts."""
    words = []
    left: list[BaseException | None] = [error]
    while left:
        if (one := left.pop()) is not None:
            words += [str(one), repr(one), str(getattr(one, "__dict__", "")), *getattr(one, "__notes__", ())]
            left += [one.__cause__, one.__context__]
    return "\n".join(words)


class StoreContract:
    """Tests for every store; subclass with a ``place`` fixture (see the module)."""

    @pytest.fixture
    def store(self, place: PreparedStore) -> Iterator[Store]:
        store = place.open()
        yield store
        store.close()

    @staticmethod
    def need(place: PreparedStore, *abilities: Can) -> None:
        """Skip the test if the place declares that it lacks one of *abilities*."""
        for ability in abilities:
            if ability in place.lacks:
                pytest.skip(f"declared: this store has no {ability.value}")

    # --- describe -------------------------------------------------------------------------------------------------

    def test_every_table_is_described(self, store: Store) -> None:
        tables = store.describe().tables
        assert {prepared.schema.name for prepared in PREPARED} <= set(tables)
        for prepared in PREPARED:
            described = tables[prepared.schema.name]
            assert [column.name for column in prepared.schema.columns] == [column.name for column in described.columns]
            assert described.key == prepared.schema.key

    def test_columns_have_kinds_lengths_and_keys(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.TYPES)
        customer = store.describe().tables["customer"]
        assert [column.kind for column in customer.columns] == [column.kind for column in _CUSTOMER.columns]
        email = customer.column("email")
        assert email is not None
        assert (email.length, email.nullable) == (160, True)
        assert customer.is_unique("email")
        assert customer.is_indexed(["id"])

    def test_foreign_keys_are_described(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.FOREIGN_KEYS)
        [reference] = store.describe().tables["order_line"].foreign_keys
        assert (reference.columns, reference.table, reference.to_columns) == (("customer_id",), "customer", ("id",))

    def test_a_description_is_kept_until_refreshed(self, store: Store) -> None:
        first = store.describe()
        assert store.describe() is first
        store.refresh()
        assert store.describe() == first

    # --- read, count, sample --------------------------------------------------------------------------------------

    def test_rows_are_read_by_value(self, store: Store) -> None:
        where = AnyOf((Match(("email",), (("ann@example.org",), ("nobody@example.org",))),))
        assert store.read("customer", ["id", "name"], where) == [(1, "Ann")]
        assert store.count("customer", where) == 1

    def test_no_condition_reads_everything(self, store: Store) -> None:
        assert sorted(store.read("customer", ["id"], None)) == [(1,), (2,), (3,), (4,)]
        assert store.count("customer", None) == 4

    def test_any_of_several_matches_selects_a_row_once(self, store: Store) -> None:
        where = AnyOf((Match(("email",), (("ann@example.org",),)), Match(("id",), ((1,), (2,)))))
        assert sorted(store.read("customer", ["id"], where)) == [(1,), (2,)]
        assert store.count("customer", where) == 2

    def test_an_empty_set_of_values_selects_nothing(self, store: Store) -> None:
        for where in (AnyOf(()), AnyOf((Match(("id",), ()),))):
            assert store.read("customer", ["id"], where) == []
            assert store.count("customer", where) == 0

    def test_null_matches_nothing(self, store: Store) -> None:
        where = AnyOf((Match(("email",), ((None,),)), Match(("id", "email"), ((4, None),))))
        assert store.read("customer", ["id"], where) == []
        assert store.count("customer", where) == 0

    def test_case_counts_unless_folded(self, store: Store) -> None:
        exact = Match(("email",), (("chloe@example.org",),))
        folded = Match(("email",), (("CHLOE@example.ORG",),), fold=True)
        assert store.read("customer", ["id"], AnyOf((exact,))) == []
        assert store.read("customer", ["id"], AnyOf((folded,))) == [(3,)]

    def test_digits_are_compared_whatever_stands_between_them(self, store: Store) -> None:
        stored = ("(01632) 960001", "01632-960-001", "tel. 01632/960.001 %s'", "01632 9600012", "+44 1632 960001", "١")
        with store.writing() as writer:
            writer.amend("customer", ["id"], ["name"], list(enumerate(stored[:3], 1)))
            writer.amend("order_line", _LINE, ["note"], [(1, 1, stored[3]), (1, 2, stored[4]), (2, 1, stored[5])])
        numbers = (("01632 960001",), ("4416 3296 0001",), ("no digit",), ("١",), ("",), (None,), ("'; --",))
        where = AnyOf((Match(("name",), numbers, digits=True),))
        assert sorted(store.read("customer", ["id"], where)) == [(1,), (2,), (3,)]
        where = AnyOf((Match(("note",), numbers, digits=True), Match(("customer_id",), ((3,),))))
        assert sorted(store.read("order_line", _LINE, where)) == [(1, 2), (3, 1)]
        assert store.count("order_line", where) == 2

    def test_a_number_is_compared_by_its_digits_as_a_number(self, store: Store) -> None:
        kinds = (Match((name,), (("1234567",), (3,), ("+2",)), digits=True) for name in ("id", "integer", "number"))
        assert [store.read("kinds", ["id"], AnyOf((match,))) for match in kinds] == [[(2,)], [], []]
        assert store.read("customer", ["id"], AnyOf((Match(("id",), ((3,), ("04",)), digits=True),))) == [(3,)]

    def test_digits_of_several_columns_are_refused(self, store: Store) -> None:
        with pytest.raises(ValueError, match="in one column only"):
            store.count("order_line", AnyOf((Match(tuple(_LINE), ((1, 1),), digits=True),)))

    def test_composite_values_match_together(self, store: Store) -> None:
        where = AnyOf((Match(("customer_id", "number"), ((1, 2), (2, 1), (2, 2))),))
        assert sorted(store.read("order_line", ["customer_id", "number"], where)) == [(1, 2), (2, 1)]

    def test_values_beyond_one_statement_are_split(self, place: PreparedStore) -> None:
        store = place.open(limits=StoreLimits(values_per_statement=2))
        ids = Match(("id",), tuple((number,) for number in range(-3, 8)))
        mails = Match(("email",), tuple((f"{name}@example.org",) for name in ("ann", "ben", "x", "y", "z")))
        where = AnyOf((ids, mails))
        assert sorted(store.read("customer", ["id"], where)) == [(1,), (2,), (3,), (4,)]
        assert store.count("customer", where) == 4
        assert len(store.read("customer", ["id"], where, limit=3)) == 3

    def test_equal_rows_without_a_key_are_all_read(self, place: PreparedStore) -> None:
        store = place.open(limits=StoreLimits(values_per_statement=2))
        names = ("ann", "ann", "x", "y", "z")
        where = AnyOf(
            (Match(("email",), tuple((f"{name}@example.org",) for name in names)), Match(("page",), (("/",),)))
        )
        assert store.read("visit", ["page"], where) == [("/",), ("/",)]

    def test_a_limit_is_kept(self, store: Store) -> None:
        assert len(store.read("customer", ["id"], None, limit=2)) == 2
        assert store.read("customer", ["id"], None, limit=0) == []

    def test_before_selects_earlier_moments_only(self, store: Store) -> None:
        exactly = JOINED[1].replace(tzinfo=dt.UTC)
        assert store.read("customer", ["id"], Before("joined", exactly)) == [(1,)]
        assert sorted(store.read("customer", ["id"], Before("joined", exactly + dt.timedelta(seconds=1)))) == [
            (1,),
            (2,),
        ]
        assert store.count("customer", Before("joined", JOINED[0].replace(tzinfo=dt.UTC))) == 0

    def test_not_before_selects_the_other_dates_and_no_row_without_one(self, store: Store) -> None:
        exactly = JOINED[1].replace(tzinfo=dt.UTC)
        earlier = store.read("customer", ["id"], Before("joined", exactly))
        later = store.read("customer", ["id"], NotBefore("joined", exactly))
        undated = store.read("customer", ["id"], Undated("joined"))
        assert sorted([*earlier, *later, *undated]) == sorted(store.read("customer", ["id"], None))
        assert (2,) in later
        assert store.count("customer", AllOf((NotBefore("joined", exactly), Undated("joined")))) == 0

    def test_all_of_several_conditions_select_a_row(self, place: PreparedStore, store: Store) -> None:
        earlier = Before("joined", JOINED[2].replace(tzinfo=dt.UTC))
        some = AnyOf((Match(("id",), ((2,), (3,), (4,), (9,))), Match(("name",), (("Chloe",),))))
        assert store.read("customer", ["id"], AllOf((some, earlier))) == [(2,)]
        assert store.count("customer", AllOf((earlier, Undated("born")))) == 1
        assert store.count("customer", AllOf((earlier, AnyOf(())))) == 0
        assert [*store.keys("customer", AllOf((some, Undated("joined"))), batch=2)] == [[(4,)]]
        small = place.open(limits=StoreLimits(values_per_statement=2))
        assert small.read("customer", ["id"], AllOf((some, earlier))) == [(2,)]

    def test_a_date_is_before_once_its_day_is_over(self, store: Store) -> None:
        noon = dt.datetime(1990, 2, 3, 12, tzinfo=dt.UTC)
        assert store.read("customer", ["id"], Before("born", noon)) == [(3,)]
        assert sorted(store.read("customer", ["id"], Before("born", noon + dt.timedelta(days=1)))) == [(1,), (3,)]

    def test_rows_without_a_date_are_told(self, store: Store) -> None:
        assert sorted(store.read("customer", ["id"], Undated("born"))) == [(2,), (4,)]
        assert store.read("customer", ["id"], Undated("joined", empty=True)) == [(4,)]
        assert store.count("customer", Undated("born", empty=True)) == 2

    def test_a_sample_comes_from_the_table(self, store: Store) -> None:
        assert len(store.sample("customer", ["email", "name"], rows=2)) == 2
        assert sorted(store.sample("order_line", ["customer_id", "number"], rows=100)) == [
            (1, 1),
            (1, 2),
            (2, 1),
            (3, 1),
        ]

    @pytest.mark.parametrize("table", ["customer", "order_line", "visit", HOSTILE])
    def test_a_scan_reads_every_row_once_in_batches(self, store: Store, table: str) -> None:
        columns = [column.name for column in store.describe().tables[table].columns][::-1]
        for batch in (1, 2, 3, 100):
            pages = list(store.scan(table, columns, batch=batch))
            found = [row for page in pages for row in page]
            assert sorted(found, key=repr) == sorted(store.read(table, columns, None), key=repr)
            assert max(map(len, pages)) <= batch

    def test_a_scan_that_is_left_half_way_leaves_nothing_open(self, store: Store) -> None:
        for table in ("customer", "visit"):
            scan = store.scan(table, ["email"], batch=1)
            assert len(next(scan)) == 1
            del scan
        with store.writing() as writer:
            assert writer.erase("visit", ["email"], [("ann@example.org",)]) == 2
        assert list(store.scan("visit", ["page"], batch=9)) == [[("/cart",)]]

    def test_a_scan_refuses_an_unknown_name(self, store: Store) -> None:
        with pytest.raises(UnknownName, match="email"):
            list(store.scan("customer", ["emial"], batch=1))

    @pytest.mark.parametrize("table", ["customer", "order_line", HOSTILE])
    def test_keys_come_once_and_in_one_order_in_batches(self, store: Store, table: str) -> None:
        names = store.describe().tables[table].key
        whole = [key for page in store.keys(table, None, batch=100) for key in page]
        assert sorted(whole) == sorted(store.read(table, names, None))
        for batch in (1, 2, 3):
            pages = list(store.keys(table, None, batch=batch))
            assert [key for page in pages for key in page] == whole
            assert max(map(len, pages)) <= batch

    def test_keys_are_those_of_the_rows_that_a_condition_selects(self, store: Store) -> None:
        late = Before("joined", JOINED[2].replace(tzinfo=dt.UTC))
        lines = AnyOf((Match(("customer_id",), ((1,), (3,))), Match(("note",), (("leave with Ann",),))))
        assert list(store.keys("customer", late, batch=1)) == [[(1,)], [(2,)]]  # NULL is before nothing
        assert list(store.keys("customer", Undated("born"), batch=9)) == [[(2,), (4,)]]
        assert list(store.keys("order_line", lines, batch=3)) == [[(1, 1), (1, 2), (2, 1)], [(3, 1)]]
        assert list(store.keys("customer", AnyOf((Match(("email",), ((None,),)),)), batch=3)) == []

    def test_rows_may_be_erased_while_their_keys_are_read(self, store: Store) -> None:
        pages = store.keys("order_line", None, batch=1)
        found = [next(pages)]
        with store.writing() as writer:
            assert writer.erase("order_line", _LINE, [found[0][0], (1, 2)]) == 2
        found += pages
        assert [page for page in found if page != [(1, 2)]] == [[(1, 1)], [(2, 1)], [(3, 1)]]
        assert sorted(store.read("order_line", _LINE, None)) == [(2, 1), (3, 1)]

    def test_keys_that_are_left_half_way_leave_nothing_open(self, store: Store) -> None:
        pages = store.keys("order_line", None, batch=1)
        next(pages)
        del pages
        with store.writing() as writer:
            assert writer.erase("order_line", ["customer_id"], [(1,)]) == 2

    def test_keys_of_a_table_without_any_are_refused_by_its_name(self, store: Store) -> None:
        if store.describe().tables["visit"].key:
            pytest.skip("this store gives each row a key")
        with pytest.raises(StoreRefused, match="visit has no key"):
            list(store.keys("visit", None, batch=1))

    def test_keys_refuse_an_unknown_name(self, store: Store) -> None:
        with pytest.raises(UnknownName, match="customer"):
            list(store.keys("custmer", None, batch=1))
        with pytest.raises(UnknownName, match="joined"):
            list(store.keys("customer", Before("jioned", JOINED[0].replace(tzinfo=dt.UTC)), batch=1))

    @pytest.mark.parametrize("kind", list(KIND_VALUES))
    def test_every_kind_of_value_is_read_and_found_again(
        self, place: PreparedStore, store: Store, kind: ColumnKind
    ) -> None:
        self.need(place, Can.TYPES)
        [(value,)] = store.read("kinds", [kind.value], AnyOf((Match(("id",), ((1,),)),)))
        assert value == place.returned(kind, KIND_VALUES[kind])
        for wanted in (value, KIND_VALUES[kind]):
            found = store.read("kinds", ["id"], AnyOf((Match((kind.value,), ((wanted,),)),)))
            assert kind is ColumnKind.JSON or found == [(1,)]

    def test_a_value_of_another_kind_matches_nothing(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.TYPES)
        for wanted in ("ann@example.org", "", "0x1", b"1", 1.5, 10**40):
            assert store.read("customer", ["id"], AnyOf((Match(("id",), ((wanted,),)),))) == []
        for wanted in (0, "nul\x00byte", "lone \ud800 surrogate"):
            assert store.read("customer", ["id"], AnyOf((Match(("email",), ((wanted,),)),))) == []

    # --- amend ----------------------------------------------------------------------------------------------------

    def test_amended_values_are_read_back(self, store: Store) -> None:
        with store.writing() as writer:
            rows: list[Row] = [(1, "Anna", "anna@example.org"), (2, None, None), (99, "x", "x")]
            assert writer.amend("customer", ["id"], ["name", "email"], rows) == 2
        assert sorted(store.read("customer", ["id", "name", "email"], AnyOf((Match(("id",), ((1,), (2,))),)))) == [
            (1, "Anna", "anna@example.org"),
            (2, None, None),
        ]

    def test_amending_twice_is_harmless(self, store: Store) -> None:
        for _ in range(2):
            with store.writing() as writer:
                assert writer.amend("customer", ["id"], ["name"], [(1, "Anna"), (3, "Chloe")]) == 2
        assert sorted(store.read("customer", ["name"], AnyOf((Match(("id",), ((1,), (3,))),)))) == [
            ("Anna",),
            ("Chloe",),
        ]

    def test_what_is_empty_stays_empty_when_told_so(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.NULLS)
        with store.writing() as writer:
            rows: list[Row] = [(1, "a", "b"), (4, "a", "b")]
            assert writer.amend("customer", ["id"], ["name", "email"], rows, keep_nulls=True) == 2
            assert writer.amend("customer", ["id"], ["name"], [(2, None)], keep_nulls=True) == 1
        assert sorted(
            store.read("customer", ["id", "name", "email"], AnyOf((Match(("id",), ((1,), (2,), (4,))),)))
        ) == [(1, "a", "b"), (2, None, "ben@example.org"), (4, None, None)]

    @pytest.mark.parametrize("kind", list(KIND_VALUES))
    def test_every_kind_of_column_stays_empty_when_told_so(
        self, place: PreparedStore, store: Store, kind: ColumnKind
    ) -> None:
        self.need(place, Can.TYPES)
        rows: list[Row] = [(1, KIND_VALUES[kind]), (2, KIND_VALUES[kind])]
        with store.writing() as writer:
            assert writer.amend("kinds", ["id"], [kind.value], rows, keep_nulls=True) == 2
        assert sorted(store.read("kinds", ["id", kind.value], None)) == [
            (1, place.returned(kind, KIND_VALUES[kind])),
            (2, None),
        ]

    def test_composite_keys_are_amended(self, store: Store) -> None:
        with store.writing() as writer:
            assert writer.amend("order_line", ["customer_id", "number"], ["note"], [(1, 2, "x"), (2, 2, "y")]) == 1
        assert sorted(store.read("order_line", ["note"], AnyOf((Match(("customer_id",), ((1,),)),))), key=str) == [
            ("leave with Ben",),
            ("x",),
        ]

    @pytest.mark.parametrize("kind", list(KIND_VALUES))
    def test_every_kind_of_value_is_written(self, place: PreparedStore, store: Store, kind: ColumnKind) -> None:
        self.need(place, Can.TYPES)
        with store.writing() as writer:
            assert writer.amend("kinds", ["id"], [kind.value], [(1, None), (2, KIND_VALUES[kind])]) == 2
        assert sorted(store.read("kinds", ["id", kind.value], None)) == [
            (1, None),
            (2, place.returned(kind, KIND_VALUES[kind])),
        ]

    @pytest.mark.parametrize("value", HOSTILE_VALUES, ids=range(len(HOSTILE_VALUES)))
    def test_hostile_values_are_only_values(self, store: Store, value: str) -> None:
        with store.writing() as writer:
            assert writer.amend("order_line", ["customer_id", "number"], ["note"], [(1, 1, value)]) == 1
        [(kept,)] = store.read("order_line", ["note"], AnyOf((Match(("customer_id", "number"), ((1, 1),)),)))
        assert kept == value
        assert store.count("order_line", AnyOf((Match(("note",), ((value,),)),))) == 1
        assert store.count("customer", None) == 4

    def test_more_rows_than_one_statement_takes(self, place: PreparedStore) -> None:
        store = place.open(limits=StoreLimits(values_per_statement=2))
        with store.writing() as writer:
            assert writer.amend("customer", ["id"], ["name"], [(number, f"n{number}") for number in range(9)]) == 4
            assert writer.erase("order_line", ["customer_id", "number"], [(n, 1) for n in range(9)]) == 3
        assert sorted(store.read("customer", ["name"], None)) == [("n1",), ("n2",), ("n3",), ("n4",)]

    def test_a_key_named_twice_counts_once(self, store: Store) -> None:
        with store.writing() as writer:
            assert writer.amend("customer", ["id"], ["name"], [(1, "Anna"), (1, "Anna")]) == 1
            assert writer.erase("order_line", ["customer_id"], [(1,), (1,)]) == 2

    def test_one_key_with_two_different_values_is_a_mistake(self, store: Store) -> None:
        with pytest.raises(ValueError, match="twice"), store.writing() as writer:
            writer.amend("customer", ["id"], ["name"], [(1, "Anna"), (1, "Hannah")])
        assert store.count("customer", AnyOf((Match(("name",), (("Ann",),)),))) == 1

    # --- erase ----------------------------------------------------------------------------------------------------

    def test_erased_rows_are_gone(self, store: Store) -> None:
        with store.writing() as writer:
            assert writer.erase("order_line", ["customer_id", "number"], [(1, 1), (1, 2), (7, 7)]) == 2
        assert sorted(store.read("order_line", ["customer_id"], None)) == [(2,), (3,)]

    def test_erasing_twice_is_harmless(self, store: Store) -> None:
        with store.writing() as writer:
            assert writer.erase("visit", ["email"], [("ann@example.org",)]) == 2
            assert writer.erase("visit", ["email"], [("ann@example.org",)]) == 0

    def test_a_table_that_was_emptied_still_answers(self, place: PreparedStore, store: Store) -> None:
        wanted = AnyOf((Match(("email",), (("ann@example.org",),)),))
        with store.writing() as writer:
            assert writer.erase("visit", ["email"], [("ann@example.org",), ("ben@example.org",)]) == 3
        for looked_before in (store, place.open()):
            assert looked_before.read("visit", ["page"], wanted) == looked_before.read("visit", ["page"], None) == []
            with looked_before.writing() as writer:
                assert writer.erase("visit", ["email"], [("ann@example.org",)]) == 0

    def test_erasing_by_null_erases_nothing(self, store: Store) -> None:
        with store.writing() as writer:
            assert writer.erase("customer", ["email"], [(None,)]) == 0
            assert writer.amend("customer", ["email"], ["name"], [(None, "x")]) == 0
        assert store.count("customer", None) == 4

    def test_case_counts_when_erasing(self, store: Store) -> None:
        with store.writing() as writer:
            assert writer.erase("visit", ["email"], [("ANN@example.org",), ("ann@example.org ",)]) == 0
            assert writer.amend("visit", ["email"], ["page"], [("ANN@example.org", "x")]) == 0

    def test_nothing_named_is_nothing_done(self, store: Store) -> None:
        with store.writing() as writer:
            assert writer.erase("customer", ["id"], []) == 0
            assert writer.amend("customer", ["id"], ["name"], []) == 0

    # --- transactions ---------------------------------------------------------------------------------------------

    def test_an_exception_undoes_everything(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.TRANSACTIONS)
        with pytest.raises(ZeroDivisionError), store.writing() as writer:  # noqa: PT012
            writer.erase("order_line", ["customer_id"], [(1,)])
            writer.amend("customer", ["id"], ["name"], [(1, "Anna")])
            raise ZeroDivisionError
        assert store.count("order_line", None) == 4
        assert store.read("customer", ["name"], AnyOf((Match(("id",), ((1,),)),))) == [("Ann",)]

    def test_an_exception_leaves_nothing_locked(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.TRANSACTIONS)
        with pytest.raises(ZeroDivisionError), store.writing() as writer:  # noqa: PT012
            writer.amend("customer", ["id"], ["name"], [(1, "Anna")])
            raise ZeroDivisionError
        for again in (place.open(limits=StoreLimits(lock_s=0.2)), store):
            with again.writing() as writer:
                assert writer.amend("customer", ["id"], ["name"], [(1, "Hannah")]) == 1

    def test_nothing_is_seen_before_the_end(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.TRANSACTIONS)
        other = place.open()
        with store.writing() as writer:
            writer.amend("customer", ["id"], ["name"], [(1, "Anna")])
            assert other.count("customer", AnyOf((Match(("name",), (("Anna",),)),))) == 0
        assert other.count("customer", AnyOf((Match(("name",), (("Anna",),)),))) == 1

    def test_a_conflict_names_the_place_and_no_value(
        self, place: PreparedStore, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.need(place, Can.CONSTRAINTS)
        caplog.set_level(logging.DEBUG)
        with pytest.raises(StoreConflict) as caught, store.writing() as writer:  # noqa: PT012
            writer.amend("order_line", ["customer_id", "number"], ["note"], [(1, 1, "private words")])
            writer.amend("customer", ["id"], ["email"], [(1, "ben@example.org")])
        assert not caught.value.retryable
        assert "customer" in str(caught.value)
        assert "email" in str(caught.value)
        for private in ("ben@example.org", "private words"):
            assert private not in _said(caught.value) + caplog.text
        assert store.count("order_line", AnyOf((Match(("note",), (("private words",),)),))) == 0

    def test_a_value_that_does_not_fit_is_a_conflict(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.TYPES, Can.CONSTRAINTS)
        with pytest.raises(StoreConflict, match="born") as caught, store.writing() as writer:
            writer.amend("customer", ["id"], ["born"], [(1, "private words")])
        assert "private words" not in _said(caught.value)

    def test_rows_that_others_refer_to_are_a_conflict(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.FOREIGN_KEYS, Can.CONSTRAINTS)
        with pytest.raises(StoreConflict), store.writing() as writer:
            writer.erase("customer", ["id"], [(1,)])
        assert store.count("customer", None) == 4

    # --- refusals -------------------------------------------------------------------------------------------------

    def test_a_read_only_store_refuses_to_write(self, place: PreparedStore) -> None:
        store = place.open(read_only=True)
        assert store.read_only
        assert store.count("customer", None) == 4
        with pytest.raises(StoreRefused, match="read-only"), store.writing() as writer:
            writer.erase("visit", ["email"], [("ann@example.org",)])

    def test_an_unknown_table_is_refused_with_the_nearest(self, store: Store) -> None:
        with pytest.raises(UnknownName, match="customer"):
            store.read("custmer", ["id"], None)
        with pytest.raises(UnknownName):
            store.count("customer; DROP TABLE visit", None)
        with pytest.raises(UnknownName):
            store.sample("x" * 1_000_000, ["id"], rows=1)

    def test_an_unknown_column_is_refused_wherever_it_stands(self, store: Store) -> None:
        with pytest.raises(UnknownName, match="email"):
            store.read("customer", ["emial"], None)
        with pytest.raises(UnknownName):
            store.read("customer", ["id"], AnyOf((Match(('id" OR 1=1 --',), ((1,),)),)))
        with pytest.raises(UnknownName):
            store.read("customer", ["id"], Before("jioned", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
        with store.writing() as writer:
            with pytest.raises(UnknownName):
                writer.amend("customer", ["id"], ["nmae"], [(1, "x")])
            with pytest.raises(UnknownName):
                writer.erase("customer", ["ID "], [(1,)])

    def test_hostile_names_are_only_names(self, store: Store) -> None:
        columns = HOSTILE_COLUMNS[1:]
        where = AnyOf(tuple(Match((column,), (("a",), ("b",), ("c",))) for column in columns))
        assert store.read(HOSTILE, columns, where) == [("a", "b", "c")]
        assert len(store.sample(HOSTILE, columns, rows=5)) == 2
        with store.writing() as writer:
            assert writer.amend(HOSTILE, ["select"], columns[1:], [("a", "x", "y")]) == 1
            assert writer.erase(HOSTILE, [columns[-1]], [("f",)]) == 1
        assert store.read(HOSTILE, columns, None) == [("a", "x", "y")]
        assert store.count("customer", None) == 4

    def test_a_row_of_the_wrong_width_is_a_mistake(self, store: Store) -> None:
        with pytest.raises(ValueError, match="2"), store.writing() as writer:
            writer.amend("customer", ["id"], ["name"], [(1, "x", "y")])
        with pytest.raises(ValueError, match="1"):
            store.count("customer", AnyOf((Match(("id",), ((1, 2),)),)))

    # --- outside faults -------------------------------------------------------------------------------------------

    def test_rows_that_somebody_holds_are_busy(self, place: PreparedStore) -> None:
        self.need(place, Can.LOCKS)
        store = place.open(limits=StoreLimits(lock_s=0.2))
        store.describe()
        with place.holding("customer"), pytest.raises(StoreBusy) as caught, store.writing() as writer:
            writer.amend("customer", ["id"], ["name"], [(1, "Anna")])
        assert caught.value.retryable
        with store.writing() as writer:
            assert writer.amend("customer", ["id"], ["name"], [(1, "Anna")]) == 1

    def test_a_wrong_password_is_refused_without_repeating_it(self, place: PreparedStore) -> None:
        self.need(place, Can.LOGIN)
        store = place.locked_out()
        with pytest.raises(StoreRefused) as caught:
            store.describe()
        assert "wrong-password" not in _said(caught.value) + repr(store)

    def test_a_place_that_does_not_answer_is_unreachable(self, place: PreparedStore) -> None:
        with pytest.raises(StoreUnreachable):
            place.nowhere().describe()

    def test_a_connection_lost_on_the_way_undoes_everything(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.CONNECTIONS)
        with pytest.raises(StoreUnreachable) as caught, store.writing() as writer:  # noqa: PT012
            writer.amend("customer", ["id"], ["name"], [(1, "Anna")])
            place.cut()
            writer.amend("customer", ["id"], ["name"], [(2, "Benjamin")])
        assert caught.value.retryable
        assert store.read("customer", ["name"], AnyOf((Match(("id",), ((1,),)),))) == [("Ann",)]

    def test_a_connection_lost_between_calls_is_opened_again(self, place: PreparedStore, store: Store) -> None:
        self.need(place, Can.CONNECTIONS)
        assert store.count("customer", None) == 4
        place.cut()
        assert store.count("customer", None) == 4
        place.cut()
        with store.writing() as writer:
            assert writer.amend("customer", ["id"], ["name"], [(1, "Anna")]) == 1

    def test_a_closed_store_opens_again_when_asked(self, store: Store) -> None:
        store.close()
        assert store.count("customer", None) == 4

    def test_a_store_says_how_its_bytes_travel_and_who_gets_in(self, store: Store) -> None:
        assert store.transport().detail
        assert isinstance(store.principals(), list)
