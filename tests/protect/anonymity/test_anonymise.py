"""Reaching a k and an l: what comes out has them, costs the least there is, and is refused where it cannot be had."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.tables import each_row

from troth.protect.anonymity import (
    Anonymised,
    AnonymityRefused,
    Hierarchy,
    TargetNotReached,
    anonymise,
    bands,
    categories,
    dates,
    mapping,
    measure,
    postcodes,
    prefixes,
    whole,
)

AGES, TOWNS = bands(10, 20), mapping({"Ely": "east", "Ipswich": "east", "Bath": "west"})
SCHEMA = {"age": pl.Int64, "town": pl.String, "illness": pl.String, "person": pl.Int64}
rows = st.lists(
    st.tuples(
        st.integers(0, 45) | st.none(),
        st.sampled_from(["Ely", "Ipswich", "Bath", None]),
        st.sampled_from(["flu", "gout", "cold", None]),
        st.integers(1, 8),
    ),
    min_size=1,
    max_size=25,
)


def _band(age: int | None, width: int) -> str | None:
    return None if age is None else f"[{age // width * width}, {age // width * width + width})"


def _region(town: str | None) -> str | None:
    return {"Ely": "east", "Ipswich": "east", "Bath": "west", None: None}[town]


AGE: list[Callable[[Any], Any]] = [
    lambda age: age,
    lambda age: _band(age, 10),
    lambda age: _band(age, 20),
    lambda _: "*",
]
TOWN: list[Callable[[Any], Any]] = [lambda town: town, _region, lambda _: "*"]


def _bits(values: list[Any]) -> float:
    return sum(-n * math.log(n / len(values)) for n in Counter(values).values())


def _least_loss(rows: list[Any], k: int, l: int, rows_max: int, *, people: bool) -> float | None:  # noqa: E741
    """Every node of the lattice, in plain Python."""
    least = None
    for age, town in itertools.product(AGE, TOWN):
        classes = defaultdict(list)
        for row in rows:
            classes[age(row[0]), town(row[1])].append(row)
        kept = [
            (key, row)
            for key, alike in classes.items()
            for row in alike
            if (len({row[3] for row in alike}) if people else len(alike)) >= k
            and (l == 1 or len({row[2] for row in alike} - {None}) >= l)
        ]
        if len(rows) - len(kept) <= rows_max:
            lost = 0.0
            for i in range(2):
                before = _bits([row[i] for row in rows])
                lost += 1 - _bits([key[i] for key, _ in kept]) / before if before else 0.0
            least = lost / 2 if least is None else min(least, lost / 2)
    return least


@settings(max_examples=scaled(15, 150), deadline=None)
@given(rows, st.integers(2, 5), st.integers(1, 3), st.sampled_from([0.0, 0.1, 0.4]), st.booleans())
def test_the_target_is_reached_at_the_least_loss_or_refused(
    rows: list[Any],
    k: int,
    l: int,  # noqa: E741
    suppress: float,
    people: bool,
) -> None:
    table = pl.DataFrame(rows, SCHEMA, orient="row")
    least = _least_loss(rows, k, l, math.floor(suppress * len(rows)), people=people)
    person = "person" if people else None

    def found() -> Anonymised:
        return anonymise(
            table,
            quasi={"age": AGES, "town": TOWNS},
            k=k,
            l=l,
            sensitive=["illness"],
            person=person,
            suppress=suppress,
        )

    if least is None:
        with pytest.raises(TargetNotReached):
            found()
        return
    result = found()
    assert sum(result.lost.values()) / 2 == pytest.approx(least, abs=1e-6)
    assert result.suppressed == len(rows) - result.frame.height <= suppress * len(rows)
    assert result.measures.k is not None
    assert result.measures.k >= k
    assert result.measures.distinct_l is not None
    assert result.measures.distinct_l >= l
    assert result.frame.columns == ["age", "town", "illness"]
    if not people:
        assert result.measures == measure(result.frame, quasi=["age", "town"], sensitive=["illness"])
    assert result.frame.equals(found().frame)


def test_dates_and_postcodes_of_customers_become_no_coarser_than_they_must() -> None:
    born = [dt.date(1950 + i % 40, 1 + i % 12, 1 + i % 28) for i in range(400)]
    codes = [["SW1A 1AA", "SW1W 0NY", "N1 9GU", "n193bg"][i // 40 % 4] for i in range(400)]
    table = pl.DataFrame({"born": born, "postcode": codes, "name": ["Ann"] * 400})
    result = anonymise(table, quasi={"born": dates(), "postcode": postcodes().up_to("area")}, k=15, suppress=0.0)
    assert result.levels == {"born": "decade", "postcode": "as it is"}
    assert set(result.frame["born"]) == {"1950s", "1960s", "1970s", "1980s"}
    assert result.frame.columns == ["born", "postcode"]


def test_the_order_of_the_rows_does_not_tell_where_they_came_from() -> None:
    table = pl.DataFrame({"age": [41, 12, 43, 11], "illness": ["d", "a", "c", "b"]})
    result = anonymise(table, quasi={"age": bands(10)}, k=2, sensitive=["illness"])
    backwards = anonymise(table.reverse(), quasi={"age": bands(10)}, k=2, sensitive=["illness"])
    assert result.frame.rows() == [("[10, 20)", "a"), ("[10, 20)", "b"), ("[40, 50)", "c"), ("[40, 50)", "d")]
    assert result.frame.equals(backwards.frame)


def test_suppression_spares_generalisation() -> None:
    table = pl.DataFrame({"age": [30] * 10 + [31] * 10 + [99]})
    result = anonymise(table, quasi={"age": bands(100)}, k=5, suppress=0.05)
    assert (result.suppressed, result.levels, sorted(set(result.frame["age"]))) == (1, {"age": "as it is"}, [30, 31])
    assert anonymise(table, quasi={"age": bands(100)}, k=5, suppress=0.04).levels == {"age": "bands of 100"}


def test_an_unreachable_target_says_how_many_rows_are_in_the_way() -> None:
    table = pl.DataFrame({"town": ["Ely"] * 5 + ["Bath"] * 2})
    with pytest.raises(
        TargetNotReached, match="2 rows would still have to be suppressed, but the limit is 0"
    ) as refused:
        anonymise(table, quasi={"town": whole().up_to("as it is")}, k=5, suppress=0.0)
    assert refused.value.needed == 2
    assert "Bath" not in str(refused.value)


@pytest.mark.parametrize("k", [2, 10, 10**9])
def test_one_row_is_never_published(k: int) -> None:
    with pytest.raises(TargetNotReached):
        anonymise(pl.DataFrame({"age": [30]}), quasi={"age": bands(10)}, k=k, suppress=0.99)


def test_tables_without_rows_or_values_come_through() -> None:
    empty = pl.DataFrame({"born": [], "s": []}, schema={"born": pl.Date, "s": pl.String})
    result = anonymise(empty, quasi={"born": dates()}, k=5, l=2, sensitive=["s"])
    assert (result.frame.height, result.measures.k) == (0, None)
    nulls = pl.DataFrame({"born": [None] * 5, "code": [None] * 5})
    assert anonymise(nulls, quasi={"born": dates(), "code": postcodes()}, k=5).suppressed == 0


def test_what_a_machine_could_tell_apart_is_made_alike() -> None:
    table = pl.DataFrame({"x": [0.0, -0.0, 0.0, -0.0]})
    result = anonymise(table, quasi={"x": whole()}, k=2)
    assert {math.copysign(1, x) for x in result.frame["x"]} == {1.0}


@each_row("name", ["^.*$", "*", "", "size", "rows", "code", "q0", "value"])
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    table = pl.DataFrame({name: [11, 12, 25, 26], "other": ["a", "b", "c", "d"], "who": [1, 2, 3, 4]})
    result = anonymise(table, quasi={name: bands(10)}, k=2, l=2, sensitive=["other"], person="who")
    assert result.frame.columns == [name, "other"]
    assert result.levels == {name: "bands of 10"}


def test_no_value_is_in_what_a_result_shows() -> None:
    table = pl.DataFrame({"mail": ["ann@example.org"] * 3})
    assert "example.org" not in repr(anonymise(table, quasi={"mail": whole()}, k=2))


UPSIDE_DOWN = Hierarchy((("tens", lambda values, _: values // 10), ("ones", lambda values, _: values % 10)))
SHORT = Hierarchy((("short", lambda values, _: values.head(1)),))


@pytest.mark.parametrize(
    ("hierarchy", "message"),
    [
        (UPSIDE_DOWN, "level 'ones' of column 'age' is not coarser"),
        (SHORT, "level 'short' does not fit column 'age'"),
        (dates(), "level 'day' does not fit column 'age', which is of type Int64"),
        (postcodes(), "level 'outward' does not fit"),
        (mapping({"30": "young"}), "level 'step 1' does not fit"),
    ],
)
def test_a_hierarchy_that_does_not_fit_is_refused(hierarchy: Hierarchy, message: str) -> None:
    with pytest.raises(AnonymityRefused, match=message):
        anonymise(pl.DataFrame({"age": [30, 31, 42]}), quasi={"age": hierarchy}, k=2)


def test_a_value_without_a_place_is_refused_and_not_named() -> None:
    with pytest.raises(AnonymityRefused, match="1 value has no place in step 1") as refused:
        anonymise(pl.DataFrame({"town": ["Ely", "Bath"]}), quasi={"town": mapping({"Ely": "east"})}, k=2)
    assert "Bath" not in str(refused.value)


def test_too_many_levels_are_refused_before_they_are_tried() -> None:
    table = pl.DataFrame({str(i): ["a"] * 3 for i in range(17)})
    with pytest.raises(AnonymityRefused, match="more than 100,000 combinations"):
        anonymise(table, quasi={str(i): whole() for i in range(17)}, k=2)


@each_row(
    ("wrong", "message"),
    [
        ({"k": 1}, "k must be 2 or more"),
        ({"l": 0}, "l must be 1 or more"),
        ({"l": 2}, "give at least one"),
        ({"suppress": 1.0}, "less than 1"),
        ({"suppress": -0.1}, "less than 1"),
        ({"suppress": math.nan}, "less than 1"),
        ({"quasi": {}}, "at least one quasi-identifier"),
        ({"sensitive": ["age"]}, "two roles"),
        ({"person": "age"}, "two roles"),
    ],
)
def test_questions_that_do_not_fit_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(AnonymityRefused, match=message):
        anonymise(pl.DataFrame({"age": [30] * 3}), **{"quasi": {"age": bands(10)}, "k": 2, **wrong})


# --- hierarchies ----------------------------------------------------------------------------------------------------


def _levels(hierarchy: Hierarchy, *values: Any, rows: list[int] | None = None) -> dict[str, list[Any]]:
    column = pl.Series(values)
    counts = pl.Series(rows or [1] * len(values))
    return {name: make(column, counts).to_list() for name, make in hierarchy.steps()}


def test_dates_become_months_years_and_decades() -> None:
    found = _levels(dates(), dt.date(1999, 12, 31), dt.date(2024, 2, 29), None)
    assert found["day"] == ["1999-12-31", "2024-02-29", None]
    assert found["month"] == ["1999-12", "2024-02", None]
    assert found["year"] == ["1999", "2024", None]
    assert found["decade"] == ["1990s", "2020s", None]
    assert found["*"] == ["*", "*", "*"]


def test_postcodes_become_outward_codes_and_areas_and_nothing_else_gets_through() -> None:
    found = _levels(postcodes(), "SW1A 1AA", "n1 9gu", "N11 1AA", "EC1", "Ann, 1 High St", None)
    assert found["outward"] == ["SW1A", "N1", "N11", "EC1", None, None]
    assert found["area"] == ["SW", "N", "N", "EC", None, None]


def test_numbers_become_bands_whatever_their_size() -> None:
    found = _levels(bands(5, 10), -1, 0, 7, 2**63 - 1, None)
    assert found["bands of 5"] == ["[-5, 0)", "[0, 5)", "[5, 10)", "[9223372036854775805, 9223372036854775810)", None]
    assert found["bands of 10"][:3] == ["[-10, 0)", "[0, 10)", "[0, 10)"]
    assert _levels(bands(10), -0.5, 9.99, math.nan, math.inf)["bands of 10"] == ["[-10, 0)", "[0, 10)", None, None]


def test_rare_categories_become_other_and_the_alphabet_breaks_ties() -> None:
    found = _levels(categories(2, 1), "c", "b", "a", "d", None, rows=[5, 3, 3, 1, 9])
    assert found["top 2"] == ["c", "other", "a", "other", None]
    assert found["top 1"] == ["c", "other", "other", "other", None]


def test_texts_keep_their_beginning() -> None:
    found = _levels(prefixes(3, 2), "90210", "9", None)
    assert (found["first 3"], found["first 2"]) == (["902*", "9*", None], ["90*", "9*", None])


def test_tables_of_ones_own_are_climbed_step_by_step() -> None:
    found = _levels(mapping({"flu": "viral", "gout": "joint"}, {"viral": "acute", "joint": "chronic"}), "flu", "gout")
    assert (found["step 1"], found["step 2"]) == (["viral", "joint"], ["acute", "chronic"])


@pytest.mark.parametrize("widths", [(), (0,), (10, 25), (10, 10), (10, 5)])
def test_bands_that_do_not_nest_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(AnonymityRefused, match="multiple of the one before"):
        bands(*widths)


@each_row("make", [prefixes, categories])
@each_row("numbers", [(), (0,), (2, 3), (2, 2)])
def test_numbers_that_do_not_fall_are_refused(make: Any, numbers: tuple[int, ...]) -> None:
    with pytest.raises(AnonymityRefused, match="decreasing"):
        make(*numbers)


def test_a_level_that_is_not_there_is_refused() -> None:
    with pytest.raises(AnonymityRefused, match="no level 'century'; there are as it is, day"):
        dates().up_to("century")
