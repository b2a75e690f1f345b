"""Whatever is asked, the three engines answer as a plain list of rows would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scale import scaled

from troth.stores import AnyOf, Match, Row, Scalar, Store, StoreLimits

COLUMNS = ("id", "part", "email", "n")
KEY = ("id", "part")
WORDS = ("ann", "Ann", "ANN ", "änn", "ann'", "ann\\", "%", "", "🦉", "a\nb", "١", "null")
ids = st.integers(0, 6)
words = st.sampled_from(WORDS)
numbers = st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1))
tables = st.dictionaries(
    st.tuples(ids, words), st.tuples(st.one_of(st.none(), words, st.text(max_size=4)), numbers), max_size=12
)
matches = st.one_of(
    st.builds(Match, st.just(("id",)), st.lists(st.tuples(ids), max_size=8).map(tuple)),
    st.builds(Match, st.just(("email",)), st.lists(st.tuples(st.one_of(st.none(), words)), max_size=8).map(tuple)),
    st.builds(Match, st.just(KEY), st.lists(st.tuples(ids, words), max_size=8).map(tuple)),
    st.builds(Match, st.just(("n",)), st.lists(st.tuples(numbers), max_size=4).map(tuple)),
)
conditions = st.builds(AnyOf, st.lists(matches, max_size=3).map(tuple))


def selected(rows: Sequence[Row], where: AnyOf) -> list[Row]:
    """The model: a row is selected when some match holds one of its values, and NULL is nobody's value."""

    def holds(row: Row, match: Match) -> bool:
        values = tuple(row[COLUMNS.index(name)] for name in match.columns)
        return None not in values and values in match.values

    return [row for row in rows if any(holds(row, match) for match in where.matches)]


def legal(text: object) -> bool:
    """Whether every engine can hold it as text."""
    return not isinstance(text, str) or ("\x00" not in text and text.isprintable())


@pytest.fixture
def store(any_place: Any) -> Store:
    exact = {"mariadb": " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"}.get(any_place.kind, "")
    any_place.run(
        f"CREATE TABLE t (id int, part varchar(20){exact}, email varchar(20), n bigint, PRIMARY KEY (id, part))",
        "CREATE INDEX by_email ON t (email)",
    )
    opened: Store = any_place.open(limits=StoreLimits(values_per_statement=5))
    return opened


def fill(store: Store, place: Any, table: dict[tuple[Scalar, ...], tuple[Scalar, ...]]) -> list[Row]:
    rows = [(*key, *(value if legal(value) else "x" for value in values)) for key, values in table.items()]
    mark = "?" if place.kind == "sqlite" else "%s"
    connection = place.connect()
    cursor = connection.cursor()
    cursor.execute("DELETE FROM t")
    for row in rows:
        cursor.execute(f"INSERT INTO t VALUES ({mark}, {mark}, {mark}, {mark})", row)
    connection.close()
    return rows


def ordered(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=repr)


lenient = settings(
    deadline=None,
    max_examples=scaled(10, 40),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@lenient
@given(table=tables, where=conditions)
def test_reading_and_counting_agree_with_the_model(any_place: Any, store: Store, table: Any, where: AnyOf) -> None:
    rows = fill(store, any_place, table)
    wanted = selected(rows, where)
    assert ordered(store.read("t", COLUMNS, where)) == ordered(wanted)
    assert store.count("t", where) == len(wanted)


@lenient
@given(table=tables, keys=st.lists(st.tuples(ids, words), max_size=12))
def test_erasing_agrees_with_the_model(any_place: Any, store: Store, table: Any, keys: list[Row]) -> None:
    rows = fill(store, any_place, table)
    left = [row for row in rows if row[:2] not in keys]
    with store.writing() as writer:
        assert writer.erase("t", KEY, keys) == len(rows) - len(left)
    assert ordered(store.read("t", COLUMNS, None)) == ordered(left)


@lenient
@given(
    table=tables,
    values=st.dictionaries(st.tuples(ids, words), st.tuples(st.one_of(st.none(), words), numbers), max_size=12),
)
def test_amending_agrees_with_the_model(any_place: Any, store: Store, table: Any, values: Any) -> None:
    rows = fill(store, any_place, table)
    after = [(*row[:2], *values.get(row[:2], row[2:])) for row in rows]
    for _ in range(2):
        with store.writing() as writer:
            amended = writer.amend("t", KEY, ("email", "n"), [(*key, *new) for key, new in values.items()])
        assert amended == len([row for row in rows if row[:2] in values])
        assert ordered(store.read("t", COLUMNS, None)) == ordered(after)


@lenient
@given(table=tables, mails=st.lists(st.tuples(words), max_size=8))
def test_erasing_by_a_column_that_is_no_key_agrees_with_the_model(
    any_place: Any, store: Store, table: Any, mails: list[Row]
) -> None:
    rows = fill(store, any_place, table)
    left = [row for row in rows if (row[2],) not in mails]
    with store.writing() as writer:
        assert writer.erase("t", ["email"], mails) == len(rows) - len(left)
    assert ordered(store.read("t", COLUMNS, None)) == ordered(left)
