"""Noise: what a budget stops, what bounds a person, and an audit of the loss that the figures really show.

OpenDP's noise cannot be seeded. Every statistical assertion here compares with bounds that true noise crosses with odds
under one in a thousand million.
"""

from __future__ import annotations

import functools
import math
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.tables import each_row

from troth.protect.anonymity import (
    AnonymityRefused,
    Budget,
    BudgetSpent,
    NoisyRelease,
    Spending,
    noise,
    noisy_counts,
    noisy_sums,
)
from troth.protect.errors import ProtectError

RICH = 10**6


def _rich() -> Budget:
    return Budget(epsilon=RICH, delta="0.9")


# --- the budget -----------------------------------------------------------------------------------------------------


@given(st.lists(st.decimals(0, 2, places=3), max_size=20))
def test_a_budget_pays_exactly_as_long_as_it_lasts(prices: list[Decimal]) -> None:
    budget, left = Budget(epsilon=3), Fraction(3)
    for price in prices:
        if Fraction(price) <= left:
            budget.spend("visits", epsilon=price)
            left -= Fraction(price)
        else:
            with pytest.raises(BudgetSpent):
                budget.spend("visits", epsilon=price)
        assert budget.left() == (left, Fraction(0))


def test_ten_tenths_are_one() -> None:
    budget = Budget(epsilon=1.0)
    for _ in range(10):
        budget.spend("visits", epsilon=0.1)
    with pytest.raises(BudgetSpent, match="visits would cost an epsilon of 1E-30"):
        budget.spend("visits", epsilon="1e-30")


def test_a_delta_is_spent_too_and_nothing_is_where_it_is_missing() -> None:
    budget = Budget(epsilon=10, delta="1e-6")
    with pytest.raises(BudgetSpent):
        budget.spend("visits", epsilon=1, delta="2e-6")
    assert budget.left() == (Fraction(10), Fraction(1, 10**6))
    assert budget.spent == ()


def test_threads_do_not_overdraw_a_budget() -> None:
    """With many earlier spendings to add up, there is much to interrupt between asking and paying."""
    budget, paid = Budget(epsilon=31), list[Spending]()
    for _ in range(300):
        budget.spend("visits", epsilon="0.1")

    def spend() -> None:
        for _ in range(10):
            try:
                paid.append(budget.spend("visits", epsilon="0.1"))
            except BudgetSpent:
                continue

    threads = [threading.Thread(target=spend) for _ in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(paid) == 10
    assert budget.left()[0] == 0


@pytest.mark.parametrize(
    "wrong",
    [{"epsilon": -1}, {"epsilon": "much"}, {"epsilon": math.nan}, {"epsilon": math.inf}, {"epsilon": 1, "delta": 1}],
)
def test_amounts_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AnonymityRefused, match="0 or more"):
        Budget(**wrong)
    with pytest.raises(AnonymityRefused, match="0 or more"):
        _rich().spend("visits", **wrong)


VISITS = pl.DataFrame({"page": ["a"] * 60 + ["b"] * 40, "person": range(100), "pence": [7] * 100})


def _counts(budget: Budget, **wish: Any) -> NoisyRelease:
    asked = {"by": ["page"], "person": "person", "what": "visits", "epsilon": 1, "keys": [("a",), ("b",)], **wish}
    return noisy_counts(VISITS, budget=budget, **asked)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened, as a mechanism tells that it was asked for noise."""
    happened: list[str] = []

    def laplace(*_: object) -> noise._Mechanism:
        def draw(figures: list[int]) -> list[int | None]:
            happened.append("drawn")
            return [*figures]

        return noise._Mechanism("laplace", 1.0, 1.0, draw)

    monkeypatch.setattr(noise, "_laplace", laplace)
    return happened


def test_no_noise_is_drawn_when_the_budget_does_not_pay(drawn: list[str]) -> None:
    budget = Budget(epsilon="0.5")
    with pytest.raises(BudgetSpent):
        _counts(budget)
    assert (drawn, budget.spent) == ([], ())


def test_a_spending_is_on_record_before_noise_is_drawn(drawn: list[str]) -> None:
    _counts(Budget(epsilon=1, record=lambda spending: drawn.append(spending.what)))
    assert drawn == ["visits", "drawn"]


def test_where_a_record_fails_nothing_is_drawn_and_the_spending_stands(drawn: list[str]) -> None:
    def fail(_: Spending) -> None:
        raise OSError

    budget = Budget(epsilon=1, record=fail)
    with pytest.raises(OSError):  # noqa: PT011 - the record's own
        _counts(budget)
    assert drawn == []
    assert budget.left()[0] == 0


@pytest.mark.parametrize("wrong", [{"keys": [("a", "b")]}, {"person": "gone"}, {"cells_per_person": 0}])
def test_a_question_that_is_refused_costs_nothing(wrong: dict[str, Any]) -> None:
    budget = Budget(epsilon=1)
    with pytest.raises(AnonymityRefused):
        _counts(budget, **wrong)
    assert budget.spent == ()


def test_noise_without_its_library_names_the_extra_and_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    budget = Budget(epsilon=1)
    with pytest.raises(ProtectError, match=r"pip install '.\[dp\]'"):
        _counts(budget)
    assert budget.spent == ()


# --- what a release says, and what bounds a person ------------------------------------------------------------------


def test_a_release_says_how_it_was_made() -> None:
    found = _counts(_rich(), epsilon="0.5", cells_per_person=2)
    assert (found.what, found.mechanism, found.epsilon, found.delta) == (
        "visits",
        "laplace",
        Decimal("0.5"),
        Decimal(0),
    )
    assert (found.cells_per_person, found.low, found.high, found.sensitivity) == (2, 0, 1, 2)
    assert found.scale == pytest.approx(4)
    gaussian = _counts(_rich(), delta="1e-6", cells_per_person=2)
    assert (gaussian.mechanism, gaussian.delta) == ("gaussian", Decimal("0.000001"))
    assert gaussian.sensitivity == pytest.approx(math.sqrt(2))
    unknown = _counts(_rich(), epsilon="0.6", delta="1e-5", cells_per_person=3, keys=None)
    assert (unknown.mechanism, unknown.sensitivity) == ("laplace threshold", 3)
    assert unknown.scale == pytest.approx(5)
    # Three cells, each shown for one person where the noise is 61 or more: odds of exp(-61 / 5) / (1 + exp(-1 / 5)).
    assert unknown.threshold == 62


def _exactly(frame: pl.DataFrame, **wish: Any) -> dict[tuple[Any, ...], int]:
    """With so much epsilon that there is next to no noise (another figure than the true one: odds of e**-1000)."""
    asked = {"person": "person", "what": "exact", "epsilon": 1_000, "budget": _rich(), **wish}
    asked["epsilon"] *= asked.get("cells_per_person", 1) * max(abs(asked.get("low", 0)), abs(asked.get("high", 1)))
    found = (noisy_sums if "value" in asked else noisy_counts)(frame, **asked)
    return {row[:-1]: row[-1] for row in found.cells.iter_rows()}


tables = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(1, 6) | st.none(), st.integers(-20, 20) | st.none()),
    max_size=30,
)


@settings(max_examples=scaled(15, 60), deadline=None)
@given(tables, st.integers(1, 3))
def test_counts_and_sums_hold_each_person_to_the_bound(rows: list[Any], most: int) -> None:
    table = pl.DataFrame(rows, {"page": pl.String, "person": pl.Int64, "pence": pl.Int64}, orient="row")
    keys = [("a",), ("b",), (None,), ("never",)]
    counts = _exactly(table, by=["page"], keys=keys, cells_per_person=most)
    assert list(counts) == keys
    cells = {(who, page) for page, who, _ in rows if who is not None and page != "c"}
    people = {who for who, _ in cells}
    assert sum(counts.values()) == sum(min(most, sum(who == one for one, _ in cells)) for who in people)
    assert all(counts[key] <= sum(page == key[0] for _, page in cells) for key in keys)

    sums = _exactly(table, by=["page"], keys=keys, cells_per_person=4, value="pence", low=-5, high=7)
    for (page,), total in sums.items():
        pence = {who: [p for at, one, p in rows if (at, one) == (page, who) and p is not None] for who in range(1, 7)}
        assert total == sum(min(max(sum(each), -5), 7) for each in pence.values() if each)


def test_everybody_together_is_one_cell() -> None:
    assert _exactly(VISITS, by=[]) == {(): 100}
    assert _exactly(VISITS, by=[], keys=[()], value="pence", low=0, high=10) == {(): 700}


def test_values_beyond_all_numbers_stay_within_the_bounds() -> None:
    wild = pl.DataFrame({"x": [math.inf, -math.inf, math.nan, 1e300, 2.6, None], "person": range(6)})
    assert _exactly(wild, by=[], keys=[()], value="x", low=-10, high=10) == {(): 10 - 10 + 10 + 3}
    huge = pl.DataFrame({"x": pl.Series([2**64 - 1] * 3, dtype=pl.UInt64), "person": [1, 1, 2]})
    assert _exactly(huge, by=[], keys=[()], value="x", low=0, high=10) == {(): 20}


def test_a_person_in_many_cells_is_drawn_into_all_of_them_alike() -> None:
    """10,000 people in ten cells each, held to one: 1,000 to a cell, give or take 240 (Chernoff: odds of e**-29)."""
    table = pl.DataFrame({"person": range(10_000)}).join(pl.DataFrame({"cell": range(10)}), how="cross")
    found = _exactly(table, by=["cell"], keys=[(cell,) for cell in range(10)])
    assert sum(found.values()) == 10_000
    assert all(abs(count - 1_000) < 240 for count in found.values())


def test_cells_that_were_not_asked_for_do_not_use_up_a_bound() -> None:
    table = pl.DataFrame({"page": ["a", "b", "c", "d"] * 5, "person": [i // 4 for i in range(20)]})
    assert _exactly(table, by=["page"], keys=[("d",)]) == {("d",): 5}


def test_unknown_cells_are_shown_far_from_empty_only() -> None:
    table = pl.DataFrame({"page": ["a"] * 500 + ["ann@example.org"], "person": range(501)})
    found = noisy_counts(table, by=["page"], person="person", budget=_rich(), what="pages", epsilon=1, delta="1e-12")
    assert found.cells["page"].to_list() == ["a"]
    assert found.threshold is not None
    assert "example.org" not in repr(found)


@each_row("name", ["^.*$", "*", "", "b0", "p0", "figure", "lot", "cell"])
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    table = pl.DataFrame({name: ["a"] * 3, "who": [1, 2, 3], "x": [1, 2, 3]})
    assert _exactly(table, by=[name], keys=[("a",)], person="who") == {("a",): 3}
    assert _exactly(table, by=["x"], keys=[(1,)], person=name) == {(1,): 1}
    found = noisy_counts(table, by=[name], person="who", budget=_rich(), what="x", epsilon=1, keys=[("a",)])
    assert found.cells.columns == [name, "persons"]


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("keys", [None, [("a",)]])
def test_tables_without_rows_or_values_come_through(rows: int, keys: list[tuple[str]] | None) -> None:
    nulls = pl.DataFrame({"page": [None] * rows, "person": [None] * rows}, {"page": pl.String, "person": pl.Int64})
    found = noisy_counts(
        nulls, by=["page"], person="person", budget=_rich(), what="x", epsilon=1, delta="1e-9", keys=keys
    )
    assert found.cells.height == (0 if keys is None else 1)
    assert _exactly(nulls, by=[]) == {(): 0}


@each_row(
    ("wrong", "message"),
    [
        ({"epsilon": 0}, "epsilon must be more than 0"),
        ({"epsilon": -1}, "epsilon is a number of 0 or more"),
        ({"epsilon": "1e-30"}, "the noise would exceed the number of people"),
        ({"keys": None}, "a delta of more than 0 is needed"),
        ({"keys": []}, "one or more different tuples with the types of the columns: String"),
        ({"keys": [("a",), ("a",)]}, "different tuples"),
        ({"keys": [(1,)]}, "with the types of the columns"),
        ({"cells_per_person": 0}, "cells_per_person must be 1 or more"),
        ({"by": ["person"]}, "two roles"),
        ({"by": "page"}, r"write \['page'\]"),
    ],
)
def test_questions_that_do_not_fit_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(AnonymityRefused, match=message):
        _counts(_rich(), **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"low": 5, "high": 5}, "low must be less than high"),
        ({"low": 6, "high": 5}, "low must be less than high"),
        ({"high": 2**40}, "away from zero"),
        ({"value": "page"}, "does not hold numbers"),
        ({"value": "person"}, "listed twice"),
    ],
)
def test_sums_that_do_not_fit_are_refused(wrong: dict[str, Any], message: str) -> None:
    asked = {"by": [], "keys": [()], "value": "pence", "low": 0, "high": 5, "person": "person", **wrong}
    with pytest.raises(AnonymityRefused, match=message):
        noisy_sums(VISITS, budget=_rich(), what="x", epsilon=1, **asked)


# --- an audit: what loss do the figures show? -----------------------------------------------------------------------

_ALPHA = 1e-17  # for each bound: a million are within these odds, and no audit has as many figures to compare with


def _bound(hits: int, of: int, *, upper: bool) -> float:
    """The share behind *hits*, at most or at least, wrong with odds under _ALPHA (Chernoff's bound)."""
    share = hits / of

    def likely(p: float) -> bool:
        divergence = sum(a * math.log(a / b) for a, b in ((share, p), (1 - share, 1 - p)) if a > 0)
        return of * divergence <= -math.log(_ALPHA)

    near, far = share, 1.0 - 1e-15 if upper else 1e-15
    if likely(far):
        return far
    for _ in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if likely(middle) else (near, middle)
    return far


def _epsilon_shown(with_one: list[int], without: list[int], delta: float = 0.0) -> float:
    """At least so much epsilon the two samples show, over whether a figure is at most, or at least, some number."""
    shown = 0.0
    middle = sorted(with_one + without)
    for at in sorted({middle[len(middle) * percent // 100] for percent in range(1, 100)}):
        for a, b in ((with_one, without), (without, with_one)):
            for hit in (lambda x, at=at: x >= at, lambda x, at=at: x <= at):
                likely = _bound(sum(map(hit, a)), len(a), upper=False) - delta
                unlikely = _bound(sum(map(hit, b)), len(b), upper=True)
                shown = max(shown, math.log(likely / unlikely) if likely > 0 else 0.0)
    return shown


TRIES = 20_000


@functools.cache
def _groups(cells: int, *, joined: bool, visits: int = 1, pence: int = 1) -> pl.DataFrame:
    """So many tables in one, of *cells* cells with 3 people each; where *joined*, somebody with *visits* of *pence* in
    every cell was added to each of the tables."""
    tables = TRIES // cells
    base = pl.DataFrame({"table": range(tables)}).join(pl.DataFrame({"cell": range(cells)}), how="cross")
    people = base.join(pl.DataFrame({"one": [1, 2, 3]}), how="cross").with_columns(pence=pl.lit(1))
    ann = base.join(pl.DataFrame({"one": [0] * visits}), how="cross").with_columns(pence=pl.lit(pence))
    return pl.concat([people, ann] if joined else [people]).with_columns(
        person=pl.when(pl.col("one") == 0)
        .then(-pl.col("table") - 1)
        .otherwise(pl.struct("table", "cell", "one").hash())
    )


def _sampled(release: Callable[..., NoisyRelease], table: pl.DataFrame, **wish: Any) -> list[int]:
    """The sum of the figures of each of the tables."""
    keys = table.select("table", "cell").unique(maintain_order=True).rows()
    found = release(table, by=["table", "cell"], keys=keys, person="person", budget=_rich(), what="audit", **wish)
    figures = found.cells.columns[-1]
    return found.cells.group_by("table", maintain_order=True).agg(pl.col(figures).sum())[figures].to_list()


def _audited(
    release: Callable[..., NoisyRelease], cells: int, visits: int = 1, pence: int = 1, delta: float = 0, **wish: Any
) -> float:
    joined, without = (
        _sampled(release, _groups(cells, joined=joined, visits=visits, pence=pence), delta=delta, **wish)
        for joined in (True, False)
    )
    return _epsilon_shown(joined, without, delta)


COUNTED: dict[str, Any] = {"release": noisy_counts, "epsilon": 1}
SUMMED: dict[str, Any] = {"release": noisy_sums, "epsilon": 1, "value": "pence", "low": 0, "high": 10}
AUDITS = {
    "a count": {**COUNTED, "cells": 1},
    "a person in five cells, held to one": {**COUNTED, "cells": 5},
    "a person in two cells, held to two": {**COUNTED, "cells": 2, "cells_per_person": 2},
    "a person of twenty visits": {**COUNTED, "cells": 1, "visits": 20},
    "a count with Gaussian noise": {**COUNTED, "cells": 1, "delta": 1e-3},
    "a sum": {**SUMMED, "cells": 1, "pence": 10},
    "a sum with a millionaire": {**SUMMED, "cells": 1, "pence": 10**8},
    "a sum of many visits": {**SUMMED, "cells": 1, "pence": 7, "visits": 20},
    "a sum with somebody in debt": {**SUMMED, "cells": 1, "low": -10, "high": 0, "pence": -(10**8)},
}


@pytest.mark.few(3)
@pytest.mark.parametrize("audit", AUDITS.values(), ids=AUDITS.keys())
def test_the_figures_never_show_more_than_the_epsilon_that_was_paid(audit: dict[str, Any]) -> None:
    assert _audited(**audit) <= audit["epsilon"]


def test_the_audit_would_see_too_little_noise() -> None:
    assert _audited(noisy_counts, 1, epsilon=2) > 1
    assert _audited(noisy_sums, 1, epsilon=2, value="pence", low=0, high=10, pence=10) > 1
    assert _audited(noisy_counts, 1, epsilon=4, delta=1e-3) > 1


def test_a_cell_that_is_there_for_one_person_is_shown_with_odds_of_delta_at_most() -> None:
    table = pl.DataFrame({"page": range(TRIES), "person": range(TRIES)})
    delta = 0.05
    found = noisy_counts(table, by=["page"], person="person", budget=_rich(), what="audit", epsilon=1, delta=delta)
    assert _bound(found.cells.height, TRIES, upper=False) <= delta
    assert found.cells.height > 0
