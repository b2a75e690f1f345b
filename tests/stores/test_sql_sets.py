"""Sets cost what one value costs: the number of statements, exactness, and the indexes that are used."""

from __future__ import annotations

import datetime as dt
import decimal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from troth.stores import AnyOf, Before, Match, StoreError, StoreLimits, open_store


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that goes to any database meanwhile."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("values", [1, 1000])
def test_a_read_is_one_statement_whatever_the_values(any_place: Any, statements: list[str], values: int) -> None:
    store = any_place.prepare().open()
    store.describe()
    statements.clear()
    wanted = tuple((number, f"x{number}") for number in range(values))
    store.read("customer", ["id", "name"], AnyOf((Match(("id", "email"), wanted), Match(("id",), ((1,),)))))
    assert len(statements) == 1


@pytest.mark.parametrize("values", [1, 1000])
def test_a_change_is_one_statement_a_table(any_place: Any, statements: list[str], values: int) -> None:
    store = any_place.prepare().open()
    with store.writing():
        statements.clear()
    with store.writing() as writer:
        writer.amend("customer", ["id"], ["name", "email"], [(n, f"n{n}", f"{n}@example.org") for n in range(values)])
        writer.erase("order_line", ["customer_id", "number"], [(n, 1) for n in range(values)])
    assert len([statement for statement in statements if not statement.startswith("BEGIN")]) == 2


def test_a_description_takes_a_handful_of_statements(any_place: Any, statements: list[str]) -> None:
    any_place.run(*(f"CREATE TABLE t{n} (id int PRIMARY KEY)" for n in range(20)))
    store = any_place.open()
    store.transport()
    statements.clear()
    assert len(store.describe().tables) == 20
    assert len(statements) <= 5


@pytest.mark.parametrize("word", ["ZOE@example.org", "zoë@example.org", "zoe@example.org ", "zoe@example.org\n"])
def test_letters_that_a_collation_confuses_are_told_apart(any_place: Any, word: str) -> None:
    collation = {"sqlite": "COLLATE NOCASE", "mariadb": "COLLATE utf8mb4_general_ci", "postgresql": ""}[any_place.kind]
    any_place.run(
        f"CREATE TABLE t (id int PRIMARY KEY, email varchar(50) {collation} UNIQUE)",
        "INSERT INTO t VALUES (1, 'zoe@example.org')",
    )
    store = any_place.open()
    assert store.count("t", AnyOf((Match(("email",), ((word,),)),))) == 0
    assert store.count("t", AnyOf((Match(("email", "id"), ((word, 1),)),))) == 0
    assert store.count("t", AnyOf((Match(("email",), ((word,),), fold=True),))) == (word == "ZOE@example.org")
    with store.writing() as writer:
        assert writer.amend("t", ["email"], ["id"], [(word, 2)]) == 0
        assert writer.erase("t", ["email"], [(word,)]) == 0


def test_letters_beyond_ascii_fold_too(any_place: Any) -> None:
    any_place.run("CREATE TABLE t (name varchar(50))", "INSERT INTO t VALUES ('ÉMILE'), ('émile'), ('emile')")
    assert any_place.open().count("t", AnyOf((Match(("name",), (("Émile",),), fold=True),))) == 2


@pytest.mark.parametrize("fold", [False, True])
def test_sqlite_uses_an_index_of_either_collation(sqlite_place: Any, statements: list[str], fold: bool) -> None:
    sqlite_place.run("CREATE TABLE t (email TEXT COLLATE NOCASE UNIQUE)")
    sqlite_place.open().count("t", AnyOf((Match(("email",), (("Ann@example.org",),), fold=fold),)))
    [(*_, plan)] = sqlite_place.rows("EXPLAIN QUERY PLAN " + statements[-1].replace("?", "'x'"))
    assert "SEARCH" in plan


def test_numbers_of_several_types_travel_together(any_place: Any) -> None:
    any_place.run(
        "CREATE TABLE t (id int PRIMARY KEY, d decimal(10, 2), f float)",
        "INSERT INTO t VALUES (1, 0, 0), (2, 0, 0), (3, 0, 0)",
    )
    store = any_place.open()
    rows = [(1, 5, 0.5), (2, decimal.Decimal("2.25"), 2), (3, 0.75, decimal.Decimal("1.5"))]
    with store.writing() as writer:
        assert writer.amend("t", ["id"], ["d", "f"], rows) == 3
    read = sorted((row[0], float(str(row[1])), float(str(row[2]))) for row in store.read("t", ["id", "d", "f"], None))
    assert read == [(1, 5.0, 0.5), (2, 2.25, 2.0), (3, 0.75, 1.5)]


def test_moments_with_and_without_a_zone_travel_together(any_place: Any) -> None:
    native = {"sqlite": "DATETIME", "postgresql": "timestamptz", "mariadb": "DATETIME(6)"}[any_place.kind]
    any_place.run(f"CREATE TABLE t (id int PRIMARY KEY, at {native})", "INSERT INTO t VALUES (1, NULL), (2, NULL)")
    store = any_place.open()
    aware = dt.datetime(2026, 6, 1, 14, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    naive = aware.astimezone(dt.UTC).replace(tzinfo=None)
    with store.writing() as writer:
        writer.amend("t", ["id"], ["at"], [(1, aware), (2, naive)])
    assert len({row[0] for row in store.read("t", ["at"], None)}) == 1
    assert store.count("t", AnyOf((Match(("at",), ((aware,),)),))) == 2


def test_a_key_of_any_width_is_split_within_the_engine_s_own_bounds(sqlite_place: Any) -> None:
    sqlite_place.run("CREATE TABLE t (a int, b int, c int, PRIMARY KEY (a, b))")
    store = sqlite_place.open(limits=StoreLimits(values_per_statement=1_000_000))
    wanted = tuple((number, number) for number in range(40_000))
    assert store.count("t", AnyOf((Match(("a", "b"), wanted),))) == 0
    with store.writing() as writer:
        assert writer.amend("t", ["a", "b"], ["c"], [(*key, 1) for key in wanted]) == 0


WORDS = ["_x", "10", "9", "Ben", "ann", "Änne", "Zoë", "chloe", "z", "a b", "a-b", "ab", "a_b", "%", "'"]
KEYS = {
    "text": ("varchar(20)", WORDS),
    "uuid": ("uuid", [f"{number:08x}-0000-4000-8000-{9 - number:012x}" for number in range(8)]),
    "date": ("date", [f"20{year:02}-02-0{1 + year % 9}" for year in range(9, 0, -1)]),
    "number": ("numeric(12, 2)", ["10.5", "9", "-1", "0.25", "1000000000"]),
}
COLLATIONS = {
    "sqlite": ["", "COLLATE NOCASE", "COLLATE RTRIM"],
    "postgresql": ["", 'COLLATE "C"', 'COLLATE "en-x-icu"'],
    "mariadb": ["", "COLLATE utf8mb4_general_ci", "COLLATE utf8mb4_bin", "CHARACTER SET latin1"],
}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_any_kind_are_read_in_the_order_that_the_engine_compares_by(any_place: Any, kind: str) -> None:
    native, values = KEYS[kind]
    for number, collation in enumerate(COLLATIONS[any_place.kind] if kind == "text" else [""]):
        for wide in (False, True):
            table = f"t{number}{'_wide' * wide}"
            key = "part, k" if wide else "k"
            any_place.run(
                f"CREATE TABLE {table} (part int NOT NULL, k {native} {collation} NOT NULL, PRIMARY KEY ({key}))"
            )
            escaped = [value.replace("'", "''").replace("%", "%%") for value in values]
            any_place.run(f"INSERT INTO {table} VALUES " + ", ".join(f"({len(v) % 2}, '{v}')" for v in escaped))
            store = any_place.open()
            ordered = any_place.rows(f"SELECT {key} FROM {table} ORDER BY {key}")
            for batch in (1, 2, 4, 99):
                found = [row for page in store.keys(table, None, batch=batch) for row in page]
                assert [str(row[-1]) for row in found] == [str(row[-1]) for row in ordered]
            half = AnyOf((Match(("part",), ((1,),)),))
            ones = [row for page in store.keys(table, half, batch=2) for row in page]
            assert len(ones) == store.count(table, half)


def test_each_batch_of_keys_is_one_statement(any_place: Any, statements: list[str]) -> None:
    store = any_place.prepare().open()
    store.describe()
    statements.clear()
    earlier = Before("joined", dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    assert list(store.keys("customer", earlier, batch=2)) == [[(1,), (2,)], [(3,)]]
    assert len(statements) == 2


def test_keys_by_more_values_than_a_statement_takes_are_refused(any_place: Any) -> None:
    store = any_place.prepare().open(limits=StoreLimits(values_per_statement=2))
    with pytest.raises(ValueError, match="more values than one statement"):
        list(store.keys("customer", AnyOf((Match(("id",), ((1,), (2,), (3,))),)), batch=2))


def test_a_row_with_null_in_its_key_has_no_key(sqlite_place: Any) -> None:
    sqlite_place.run("CREATE TABLE t (k TEXT PRIMARY KEY)", "INSERT INTO t VALUES ('a'), (NULL), ('b')")
    assert list(sqlite_place.open().keys("t", None, batch=2)) == [[("a",), ("b",)]]


def test_rows_whose_keys_are_of_several_types_are_amended(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as database:
        database.executescript("CREATE TABLE t (id PRIMARY KEY, name); INSERT INTO t VALUES (1, 'a'), ('T-2', 'b')")
    store = open_store("a", f"sqlite:///{tmp_path}/a.sqlite")
    with store.writing() as writer:
        assert writer.amend("t", ["id"], ["name"], [("T-2", "y"), (1, "x")]) == 2
    assert sorted(store.read("t", ["id", "name"], None), key=str) == [("T-2", "y"), (1, "x")]
    store.close()


def test_text_with_signs_of_an_array_is_text(any_place: Any) -> None:
    any_place.run("CREATE TABLE t (id int PRIMARY KEY, name text)", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    names = ['say "hi", {all}', "back\\slash\\", "NULL"]
    with any_place.open().writing() as writer:
        writer.amend("t", ["id"], ["name"], list(enumerate(names, 1)))
    assert any_place.open().read("t", ["name"], AnyOf((Match(("name",), tuple((it,) for it in names)),))) == [
        (it,) for it in names
    ]


def test_a_nul_in_a_list_leaves_the_rows_after_it_alone(postgresql_place: Any) -> None:
    place = postgresql_place
    place.run("CREATE TABLE t (id int PRIMARY KEY, tags text[])", "INSERT INTO t VALUES (3, '{for three}')")
    rows = [(1, '["a\\u0000b"]'), (2, '["for two"]'), (3, '["new"]')]
    with suppress(StoreError), place.open().writing() as writer:
        writer.amend("t", ["id"], ["tags"], rows)
    assert place.open().read("t", ["tags"], None)[0][0] in ('["for three"]', '["new"]')
