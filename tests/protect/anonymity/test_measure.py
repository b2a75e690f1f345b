"""k and l of a table, held to plain Python."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter, defaultdict
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.protect.anonymity import AnonymityRefused, measure

rows = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, math.nan, None]),
        st.sampled_from(["a", "b", None]),
        st.sampled_from([1.0, 2.0, 3.0, math.nan, None]),
        st.integers(1, 4) | st.none(),
    ),
    max_size=30,
)
SCHEMA = {"x": pl.Float64, "y": pl.String, "illness": pl.Float64, "person": pl.Int64}


def _entropy(counts: list[int]) -> float:
    return -sum(n / sum(counts) * math.log(n / sum(counts)) for n in counts)


@given(rows)
def test_measures_are_those_of_plain_python(rows: list[tuple[Any, ...]]) -> None:
    classes: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        classes[repr(row[0]), repr(row[1])].append(row)
    people = [len({row[3] for row in alike if row[3] is not None}) for alike in classes.values()]
    values = [[row[2] for row in alike if row[2] is not None and row[2] == row[2]] for alike in classes.values()]
    every = [[repr(row[2]).replace("nan", "None") for row in alike] for alike in classes.values()]

    found = measure(pl.DataFrame(rows, SCHEMA, orient="row"), quasi=["x", "y"], sensitive=["illness"])
    assert (found.rows, found.classes) == (len(rows), len(classes))
    assert found.k == min(map(len, classes.values()), default=None)
    assert found.smallest == tuple(sorted(Counter(map(len, classes.values())).items())[:3])
    assert found.distinct_l == min((max(1, len(set(told))) for told in values), default=None)
    if rows:
        told = [_entropy(list(Counter(value).values())) if value else 0.0 for value in values]
        alike = [_entropy(list(Counter(value).values())) for value in every]
        assert found.entropy_l == pytest.approx(math.exp(min(map(min, told, alike))))
    else:
        assert found.entropy_l is None
    assert measure(pl.DataFrame(rows, SCHEMA, orient="row"), quasi=["y", "x"], person="person").k == min(
        people, default=None
    )


def test_ten_rows_of_one_person_hide_nobody() -> None:
    visits = pl.DataFrame({"town": ["Ely"] * 10, "visitor": [1] * 10})
    assert measure(visits, quasi=["town"]).k == 10
    assert measure(visits, quasi=["town"], person="visitor").k == 1


def test_homogeneity_is_seen_where_k_is_content() -> None:
    ill = pl.DataFrame({"town": ["Ely"] * 10, "illness": ["flu"] * 10})
    found = measure(ill, quasi=["town"], sensitive=["illness"])
    assert (found.k, found.distinct_l, found.entropy_l) == (10, 1, 1.0)


def test_a_null_does_not_help_a_homogeneous_class() -> None:
    ill = pl.DataFrame({"town": ["Ely"] * 10, "illness": ["flu"] * 9 + [None]})
    assert measure(ill, quasi=["town"], sensitive=["illness"]).distinct_l == 1


def test_rare_values_make_an_l_that_the_entropy_does_not_believe() -> None:
    ill = pl.DataFrame({"town": ["Ely"] * 10, "illness": ["flu"] * 9 + ["gout"]})
    found = measure(ill, quasi=["town"], sensitive=["illness"])
    assert found.distinct_l == 2
    assert found.entropy_l == pytest.approx(1.384, abs=0.001)


def test_the_worst_of_several_sensitive_columns_counts() -> None:
    table = pl.DataFrame({"town": ["Ely"] * 3, "illness": ["flu", "gout", "cold"], "pay": [1, 1, 2]})
    assert measure(table, quasi=["town"], sensitive=["illness", "pay"]).distinct_l == 2


@each_row("name", ["^.*$", "*", "", "q0", "size", "len", "illness\n", "'; drop table x"])
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    table = pl.DataFrame({name: [1, 1, 2], "other": [1, 2, 3], "p": [1, 2, 3], "s": [4, 5, 6]})
    found = measure(table, quasi=[name], sensitive=["s"], person="p")
    assert (found.k, found.classes, found.distinct_l) == (1, 2, 1)
    assert measure(table, quasi=["s"], sensitive=[name], person="p").distinct_l == 1
    assert measure(table, quasi=["s"], person=name).k == 1


def test_tables_without_rows_or_values_have_a_measure() -> None:
    assert measure(pl.DataFrame({"x": []}), quasi=["x"], sensitive=[]).k is None
    nulls = pl.DataFrame({"x": [None] * 4, "s": [None] * 4, "p": [None] * 4})
    found = measure(nulls, quasi=["x"], sensitive=["s"])
    assert (found.k, found.classes, found.distinct_l, found.entropy_l) == (4, 1, 1, 1.0)
    assert measure(nulls, quasi=["x"], person="p").k == 0


def test_no_value_is_in_what_a_measure_shows() -> None:
    table = pl.DataFrame({"mail": ["ann@example.org", "ben@example.org"], "note": ["secret", "secret"]})
    assert "example.org" not in repr(measure(table, quasi=["mail"], sensitive=["note"]))
    assert "secret" not in repr(measure(table, quasi=["mail"], sensitive=["note"]))


@pytest.mark.parametrize(
    ("quasi", "sensitive", "person", "message"),
    [
        ([], [], None, "at least one quasi-identifier"),
        ("x", [], None, r"write \['x'\]"),
        (["gone"], [], None, "no column 'gone'"),
        (["x", "x"], [], None, "listed twice"),
        (["x"], ["x"], None, "two roles"),
        (["x"], [], "x", "two roles"),
        (["list"], [], None, "split it into plain columns first"),
    ],
)
def test_questions_that_do_not_fit_are_refused(
    quasi: list[str], sensitive: list[str], person: str | None, message: str
) -> None:
    table = pl.DataFrame({"x": [1], "list": [[1, 2]]})
    with pytest.raises(AnonymityRefused, match=message):
        measure(table, quasi=quasi, sensitive=sensitive, person=person)


def test_measuring_without_polars_names_the_extra() -> None:
    code = "import sys; sys.modules['polars'] = None; import troth.protect; import troth.protect.anonymity"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install '.[anonymity]'" in done.stderr.splitlines()[-1]
