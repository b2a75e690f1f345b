"""Counts with a threshold, held to a reader who tries everything that agrees with what was published."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.tables import each_row

from troth.protect.anonymity import AnonymityRefused, History, Release, release_counts
from troth.protect.anonymity.counts import _Counts

SCHEMA = {"row": pl.String, "column": pl.String, "person": pl.Int64}


def _people(cells: Mapping[Any, int], names: Sequence[str] = ("row", "column")) -> pl.DataFrame:
    """A table in which each cell holds so many people, and nobody stands in two."""
    rows = [cell for cell, count in cells.items() for _ in range(count)]
    return pl.DataFrame(
        {name: [row[i] for row in rows] for i, name in enumerate(names)}, dict.fromkeys(names, pl.String)
    ).with_columns(pl.int_range(len(rows)).alias("person"))


def _shown(table: pl.DataFrame) -> dict[tuple[Any, ...], int]:
    return {row[:-1]: row[-1] for row in table.iter_rows()}


# --- the reader -----------------------------------------------------------------------------------------------------

Figure = tuple[str | None, ...]


def _agreeing(cells: list[Figure], low: dict[Figure, int], high: dict[Figure, int]) -> Iterable[dict[Figure, int]]:
    """Every table of *cells* whose cells, subtotals and total are within *low* and *high*. A None is a sum over all."""
    sums = [figure for figure in low if None in figure]

    def within(figure: Figure) -> list[int]:
        return [i for i, cell in enumerate(cells) if all(a in (None, b) for a, b in zip(figure, cell, strict=True))]

    members = {figure: within(figure) for figure in sums}

    def extend(values: list[int]) -> Iterable[list[int]]:
        if len(values) == len(cells):
            yield values
            return
        cell = cells[len(values)]
        for value in range(low[cell], high[cell] + 1):
            now = [*values, value]
            fits = True
            for figure, inside in members.items():
                done = sum(now[i] for i in inside if i < len(now))
                rest = [cells[i] for i in inside if i >= len(now)]
                fits &= (
                    done + sum(low[c] for c in rest) <= high[figure]
                    and done + sum(high[c] for c in rest) >= low[figure]
                )
            if fits:
                yield from extend(now)

    for values in extend([]):
        yield dict(zip(cells, values, strict=True))


def _still_possible(release: Release, truth: dict[Figure, int], figure: Figure, value: int) -> bool:
    """Whether *figure* could hold *value* for a reader who has the release, and knows which figures are small."""
    published: dict[Figure, int] = dict(_shown(release.cells))
    for i, table in enumerate(release.subtotals):
        published |= {(label, None) if i == 0 else (None, label): count for (label,), count in _shown(table).items()}
    if release.total is not None:
        published[(None,) * len(release.by)] = release.total
    low, high = {}, {}
    for other, count in truth.items():
        low[other], high[other] = (0, release.k) if count < release.k else (0, count + release.k)
        if other in published:
            low[other] = high[other] = published[other]
    low[figure] = high[figure] = value
    cells = sorted((other for other in truth if None not in other), key=lambda cell: high[cell] - low[cell])
    return any(True for _ in _agreeing(cells, low, high))


def _truth(cells: dict[Figure, int], *, subtotals: bool) -> dict[Figure, int]:
    truth = Counter({cell: count for cell, count in cells.items() if count})
    for cell, count in cells.items():
        lines = [(cell[0], None), (None, cell[1])] if subtotals else []
        for figure in [*lines, (None,) * len(cell)]:
            truth[figure] += count
    return {figure: count for figure, count in truth.items() if count}


two_way = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), st.integers(0, 6), min_size=1, max_size=6
)


@settings(max_examples=scaled(50, 200), deadline=None)
@given(two_way, st.integers(2, 4))
def test_no_small_cell_of_a_two_way_table_can_be_narrowed(cells: dict[Figure, int], k: int) -> None:
    release = release_counts(_people(cells), by=["row", "column"], person="person", k=k)
    truth = _truth(cells, subtotals=True)
    assert all(truth[cell] == count >= k for cell, count in _shown(release.cells).items())
    for figure, count in truth.items():
        if count < k:
            assert all(_still_possible(release, truth, figure, value) for value in range(k + 1)), figure


@settings(max_examples=scaled(10, 100), deadline=None)
@given(two_way, st.integers(2, 4), st.data())
def test_a_cell_withheld_for_an_earlier_release_cannot_be_narrowed_either(
    cells: dict[Figure, int], k: int, data: st.DataObject
) -> None:
    table = _people(cells, ["b0", "b1"]).rename({"person": "p0"})
    counts = _Counts(table, k, totals=True)
    truth = _truth(cells, subtotals=True)
    if large := sorted(cell for cell, count in truth.items() if None not in cell and count >= k):
        guarded = data.draw(st.sampled_from(large))
        number = sorted(cell for cell in truth if None not in cell).index(guarded)
        release = counts.release(("row", "column"), counts.withheld({number}))
        assert guarded not in _shown(release.cells)
        assert all(_still_possible(release, truth, guarded, truth[guarded] - fewer) for fewer in range(k + 1))


@settings(max_examples=scaled(50, 200), deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from("abcdef")), st.integers(1, 7), min_size=1), st.integers(2, 4))
def test_no_small_cell_of_a_one_way_table_can_be_narrowed(cells: dict[Figure, int], k: int) -> None:
    release = release_counts(_people(cells, ["row"]), by=["row"], person="person", k=k)
    truth = _truth(cells, subtotals=False)
    assert all(truth[cell] == count >= k for cell, count in _shown(release.cells).items())
    for figure, count in truth.items():
        if count < k:
            assert all(_still_possible(release, truth, figure, value) for value in range(k + 1)), figure


visits = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 11)), max_size=40)


@settings(max_examples=scaled(50, 200), deadline=None)
@given(visits, st.integers(2, 4))
def test_visitors_of_several_pages_are_counted_once_a_page_and_hidden_under_k(
    rows: list[tuple[str, int]], k: int
) -> None:
    table = pl.DataFrame(rows, {"page": pl.String, "person": pl.Int64}, orient="row")
    release = release_counts(table, by=["page"], person="person", k=k)
    truth = {page: len({who for where, who in rows if where == page}) for page, _ in rows}
    shown = {page: count for (page,), count in _shown(release.cells).items()}
    people = len({who for _, who in rows})
    assert release.total in (None, people)
    assert all(truth[page] == count >= k for page, count in shown.items())
    if release.total is None:
        return
    # The total is at most the sum of the cells: no small cell may be needed to get there.
    for page in truth:
        if truth[page] < k:
            others = sum(shown.get(other, k if truth[other] < k else people) for other in truth if other != page)
            assert people <= others


def test_the_smallest_cell_is_held_back_with_a_small_one() -> None:
    cells = {("a",): 50, ("b",): 12, ("c",): 30, ("d",): 3}
    release = release_counts(_people(cells, ["town"]), by=["town"], person="person", k=10)
    assert _shown(release.cells) == {("a",): 50, ("c",): 30}
    assert (release.total, release.held_back) == (95, 1)


def test_small_cells_that_hide_one_another_need_no_other() -> None:
    cells = {("a",): 50, ("b",): 6, ("c",): 7, ("d",): 5}
    release = release_counts(_people(cells, ["town"]), by=["town"], person="person", k=10)
    assert (_shown(release.cells), release.total, release.held_back) == ({("a",): 50}, 68, 0)


def test_a_withheld_cell_of_a_two_way_table_takes_three_more_with_it() -> None:
    cells = {("a", "x"): 20, ("a", "y"): 3, ("a", "z"): 40, ("b", "x"): 15, ("b", "y"): 30, ("b", "z"): 50}
    release = release_counts(_people(cells), by=["row", "column"], person="person", k=10)
    assert _shown(release.cells) == {("a", "z"): 40, ("b", "z"): 50}
    assert [_shown(table) for table in release.subtotals] == [
        {("a",): 63, ("b",): 95},
        {("x",): 35, ("y",): 33, ("z",): 90},
    ]
    assert (release.total, release.held_back) == (158, 3)


def test_a_label_of_few_people_does_not_appear() -> None:
    cells = {("a", "x"): 20, ("a", "ann@example.org"): 2, ("b", "x"): 40}
    release = release_counts(_people(cells), by=["row", "column"], person="person", k=10)
    assert "example.org" not in repr(release)


def test_a_total_of_few_people_is_withheld() -> None:
    release = release_counts(_people({("a", "x"): 4, ("b", "y"): 5}), by=["row", "column"], person="person", k=10)
    assert (release.cells.height, release.total) == (0, None)
    assert all(table.is_empty() for table in release.subtotals)


def test_a_person_is_counted_once_and_a_row_without_one_for_nobody() -> None:
    rows = [("a", 1)] * 50 + [("a", None)] * 50 + [("a", person) for person in range(2, 11)]
    table = pl.DataFrame(rows, {"page": pl.String, "person": pl.Int64}, orient="row")
    assert release_counts(table, by=["page"], person="person", k=10).total == 10
    assert release_counts(table, by=["page"], person="person", k=11).total is None


def test_null_and_nan_are_labels_like_any_other() -> None:
    table = pl.DataFrame({"x": [None] * 3 + [float("nan")] * 4 + [0.0, -0.0] * 3, "person": list(range(13))})
    release = release_counts(table, by=["x"], person="person", k=3)
    assert sorted(count for _, count in release.cells.iter_rows()) == [3, 4, 6]


def test_subtotals_are_refused_where_people_are_in_several_cells() -> None:
    table = pl.DataFrame({"page": ["a", "b"] * 20, "day": ["mon"] * 40, "person": [i // 2 for i in range(40)]})
    with pytest.raises(AnonymityRefused, match="totals=False"):
        release_counts(table, by=["page", "day"], person="person")
    release = release_counts(table, by=["page", "day"], person="person", totals=False)
    assert _shown(release.cells) == {("a", "mon"): 20, ("b", "mon"): 20}
    assert (release.total, release.subtotals) == (None, ())


@each_row("name", ["^.*$", "*", "", "b0", "p0", "cell", "total", "part", "figure", "row"])
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    table = _people({("a", "x"): 5, ("b", "x"): 6, ("a", "y"): 5, ("b", "y"): 1}, (name, "other"))
    release = release_counts(table, by=[name, "other"], person="person", k=3, history=History())
    assert release.cells.columns == [name, "other", "persons"]
    assert [subtotal.columns for subtotal in release.subtotals] == [[name, "persons"], ["other", "persons"]]


@each_row("k", [2, 10**9])
@each_row("by", [["row"], ["row", "column"]])
@each_row("rows", [0, 1])
def test_empty_and_lonely_tables_release_nothing(k: int, by: list[str], rows: int) -> None:
    table = pl.DataFrame([("a", "x", 1)][:rows], SCHEMA, orient="row")
    release = release_counts(table, by=by, person="person", k=k, history=History())
    assert (release.cells.height, release.total) == (0, None)


def test_a_huge_k_releases_nothing() -> None:
    release = release_counts(_people({("a", "x"): 50, ("b", "x"): 50}), by=["row", "column"], person="person", k=10**12)
    assert (release.cells.height, release.total) == (0, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"k": 1}, "k must be 2 or more"),
        ({"by": []}, "one or two columns"),
        ({"by": ["row", "column", "other"]}, "one or two columns"),
        ({"by": ["persons"]}, "'persons'"),
        ({"by": "row"}, r"write \['row'\]"),
        ({"by": ["person"]}, "two roles"),
        ({"by": ["gone"]}, "no column 'gone'"),
    ],
)
def test_questions_that_do_not_fit_are_refused(wrong: dict[str, Any], message: str) -> None:
    table = _people({("a", "x"): 3}).with_columns(other="row", persons="row")
    with pytest.raises(AnonymityRefused, match=message):
        release_counts(table, **{"by": ["row"], "person": "person", **wrong})


# --- one release after another --------------------------------------------------------------------------------------


def _countable(release: Release, table: pl.DataFrame) -> list[list[frozenset[int]]]:
    """The sets that a reader can count, in groups without anybody twice."""

    def of(**labels: str) -> frozenset[int]:
        return frozenset(table.filter(**labels)["person"])

    everybody = of()
    cells = [of(**dict(zip(release.by, cell, strict=True))) for cell in _shown(release.cells)]
    total = [] if release.total is None else [everybody]
    if table.select(*release.by, "person").unique().height > len(everybody):
        return [[group] for group in (*cells, *total)]
    lines = [
        [of(**{release.by[i]: label}) for (label,) in _shown(subtotal)] for i, subtotal in enumerate(release.subtotals)
    ]
    groups = []
    for axis in lines or [[]]:
        group = list(cells)
        for whole in (*axis, *total):
            inside: frozenset[int] = frozenset().union(*(block for block in group if block <= whole))
            group += [whole - inside] if whole != inside else []
        groups.append(group)
    return groups


def _unions(blocks: list[frozenset[int]]) -> set[frozenset[int]]:
    return {
        frozenset().union(*some) for number in range(len(blocks) + 1) for some in itertools.combinations(blocks, number)
    }


once = st.dictionaries(st.integers(0, 14), st.sampled_from("abcd"), min_size=4)
several = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc")), max_size=24)


def _one_way(rows: Iterable[tuple[int, str]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), {"person": pl.Int64, "row": pl.String}, orient="row")


@settings(max_examples=scaled(10, 100), deadline=None)
@given(st.lists(once.map(lambda people: list(people.items())) | several, min_size=2, max_size=3), st.integers(2, 3))
def test_no_pair_of_releases_tells_fewer_than_k_apart(tables: list[list[tuple[int, str]]], k: int) -> None:
    history = History()
    seen: list[list[list[frozenset[int]]]] = []
    for table in map(_one_way, tables):
        release = release_counts(table, by=["row"], person="person", k=k, history=history)
        groups = _countable(release, table)
        for earlier, group in itertools.product(itertools.chain(*seen), groups):
            for a, b in itertools.product(_unions(earlier), _unions(group)):
                assert not (a < b and len(b - a) < k), (a, b)
                assert not (b < a and len(a - b) < k), (a, b)
        seen.append(groups)


ways = st.sampled_from([(("row",), True), (("row", "column"), True), (("row", "column"), False), (("column",), False)])


@settings(max_examples=scaled(8, 80), deadline=None)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.integers(0, 14), st.sampled_from(["ax", "ay", "bx", "by"]), min_size=8), ways),
        min_size=2,
        max_size=2,
    ),
    st.integers(2, 3),
)
def test_no_pair_of_tables_tells_fewer_than_k_apart(
    tables: list[tuple[dict[int, str], tuple[tuple[str, ...], bool]]], k: int
) -> None:
    history = History()
    seen: list[list[frozenset[int]]] = []
    for people, (by, totals) in tables:
        table = pl.DataFrame([(cell[0], cell[1], who) for who, cell in people.items()], SCHEMA, orient="row")
        release = release_counts(table, by=by, person="person", k=k, totals=totals, history=history)
        groups = _countable(release, table)
        for earlier, group in itertools.product(seen, groups):
            for a, b in itertools.product(_unions(earlier), _unions(group)):
                assert not (a < b and len(b - a) < k), (a, b)
                assert not (b < a and len(a - b) < k), (a, b)
        seen += groups


def test_the_same_release_again_is_the_same() -> None:
    history = History()
    table = _people({("a", "x"): 20, ("a", "y"): 3, ("b", "x"): 15, ("b", "y"): 30})
    first = release_counts(table, by=["row", "column"], person="person", history=history)
    again = release_counts(table, by=["row", "column"], person="person", history=history)
    assert again.cells.equals(first.cells)
    assert (again.total, again.held_back) == (first.total, first.held_back)


def test_somebody_who_left_is_not_seen_to_leave() -> None:
    history = History()
    before = _people({("a",): 30, ("b",): 40}, ["row"])
    first = release_counts(before, by=["row"], person="person", history=history)
    after = release_counts(before.filter(pl.col("person") != 7), by=["row"], person="person", history=history)
    assert (first.total, _shown(first.cells)) == (70, {("a",): 30, ("b",): 40})
    assert (after.total, _shown(after.cells), after.held_back) == (None, {("b",): 40}, 2)


def test_weeks_with_some_of_the_same_people_are_not_in_each_others_way() -> None:
    """Five came and five went: neither week is within the other, and what differs cannot be taken apart."""
    history = History()
    people = _people({("a",): 25, ("b",): 40}, ["row"])
    release_counts(people.filter(pl.col("person") >= 5), by=["row"], person="person", history=history)
    second = release_counts(
        people.filter(~pl.col("person").is_between(20, 24)), by=["row"], person="person", history=history
    )
    assert (second.total, second.held_back, _shown(second.cells)) == (60, 0, {("a",): 20, ("b",): 40})


def test_a_finer_table_may_not_undo_a_coarser_one() -> None:
    """What the two-way table withholds in row a would be the row's published count less the other cell."""
    history = History()
    table = _people({("a", "x"): 95, ("a", "y"): 5, ("b", "x"): 60, ("b", "y"): 70})
    rows = release_counts(table, by=["row"], person="person", history=history)
    cells = release_counts(table, by=["row", "column"], person="person", totals=False, history=history)
    assert ("a",) in _shown(rows.cells)
    assert ("a", "x") not in _shown(cells.cells)
    assert ("a", "x") in _shown(release_counts(table, by=["row", "column"], person="person", totals=False).cells)


def test_bands_that_almost_line_up_do_not_reveal_who_is_between_them() -> None:
    """0 to 29 in tens, and then 0 to 30 in others: no band holds another, and yet the sums differ by those aged 30."""
    history = History()
    ages = pl.DataFrame({"age": [i % 30 for i in range(300)] + [30] * 2 + [45] * 50}).with_row_index("person")
    narrow = ages.filter(pl.col("age") < 30).select("person", row=(pl.col("age") // 10).cast(pl.String))
    wide = ages.select("person", row=pl.sum_horizontal(pl.col("age") > edge for edge in (6, 14, 30)).cast(pl.String))
    first = release_counts(narrow, by=["row"], person="person", history=history)
    second = release_counts(wide, by=["row"], person="person", history=history)
    assert (first.cells.height, second.held_back > 0) == (3, True)
    reader = _unions(_countable(second, wide)[0])
    thirty = frozenset(range(302)), frozenset(range(300))
    assert thirty[1] in _unions(_countable(first, narrow)[0])
    assert thirty[0] not in reader


@pytest.mark.parametrize(("dtype", "k"), [(pl.Int32, 10), (pl.Int64, 5)])
def test_people_of_another_type_and_another_k_are_refused(dtype: type[pl.DataType], k: int) -> None:
    history = History()
    table = _people({("a",): 20}, ["row"])
    release_counts(table, by=["row"], person="person", history=history)
    with pytest.raises(AnonymityRefused, match=r"'k': 10, 'people': 'Int64'}, and this one has .*: use the same k"):
        release_counts(
            table.with_columns(pl.col("person").cast(dtype)), by=["row"], person="person", k=k, history=history
        )


def test_a_history_shows_nobody() -> None:
    table, history = pl.DataFrame({"row": ["a"] * 20, "person": ["ann@example.org"] * 20}), History()
    release = release_counts(table, by=["row"], person="person", history=history)
    assert "example.org" not in repr((release, history, vars(history)))
