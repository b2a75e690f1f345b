"""Counts and sums with noise: differential privacy with OpenDP's mechanisms.

Everything about one person is hidden: whether they are in the table at all, and all of their rows. Each person's
contribution is first bounded, by looking at their own rows only: a limited number of cells, chosen at random, and in
each of them one (a count) or a sum between *low* and *high*. Whatever one person does, the figures then change by no
more than the sensitivity, and the noise is calibrated to that. All arithmetic is in whole numbers until the noise is
added, because sums of floats depend on their order.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from troth.errors import needs
from troth.protect.anonymity._table import at_least, columns, distinct, known, plain
from troth.protect.anonymity.budget import Amount, Budget, amount
from troth.protect.anonymity.errors import AnonymityRefused
from troth.protect.errors import ProtectError

_VALUE_MAX = 2**31  # so that the sum over more people than exist fits into 64 bits
_SCALE_MAX = 2.0**40
_THRESHOLD_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class NoisyRelease:
    """Noisy figures and the parameters of their noise; both may be published.

    One person is in at most *cells_per_person* cells, with a figure between *low* and *high* in each, and so changes
    all figures together by at most *sensitivity*: in L1 for ``laplace`` and ``laplace threshold``, in L2 for
    ``gaussian``. *scale* is that of the noise, for ``gaussian`` its standard deviation. Figures under *threshold*, if
    there is one, are left out. A figure can be negative, so that the noise averages out.
    """

    what: str
    cells: pl.DataFrame
    mechanism: str
    epsilon: Decimal
    delta: Decimal
    cells_per_person: int
    low: int
    high: int
    sensitivity: float
    scale: float
    threshold: int | None = None


def noisy_counts(
    frame: pl.DataFrame,
    *,
    by: Sequence[str],
    person: str,
    budget: Budget,
    what: str,
    epsilon: Amount,
    delta: Amount = 0,
    cells_per_person: int = 1,
    keys: Sequence[Sequence[object]] | None = None,
) -> NoisyRelease:
    """Count the different persons in each cell of *by*, with noise; in the whole table if *by* is empty.

    *keys* are the cells to show, known independently of the table, whether anybody is in them or not. The noise is
    Laplace, or Gaussian if a *delta* is given. Without *keys* a *delta* is required, and only cells that are well away
    from empty are shown. Rows without a person count for nobody.

    The *budget* is charged for *what* first: `BudgetSpent` is raised before any noise is drawn. Raises
    `AnonymityRefused`.
    """
    table = _Bounded(frame, by, [person], cells_per_person, keys)
    counts = table.pairs.group_by(table.axes).agg(pl.len().cast(pl.Int64).alias("figure"))
    return table.release(counts, budget, what, amount("epsilon", epsilon), amount("delta", delta), "persons", (0, 1))


def noisy_sums(
    frame: pl.DataFrame,
    *,
    by: Sequence[str],
    keys: Sequence[Sequence[object]],
    value: str,
    low: int,
    high: int,
    person: str,
    budget: Budget,
    what: str,
    epsilon: Amount,
    delta: Amount = 0,
    cells_per_person: int = 1,
) -> NoisyRelease:
    """Sum *value* in each cell of *keys*, with noise; over everybody if *by* is empty and *keys* is ``[()]``.

    What one person adds to a cell is clipped to *low* and *high*. All are whole numbers, and values are rounded: give
    money in pence. Rows whose value is null or NaN are ignored. Otherwise as `noisy_counts`.
    """
    if not -_VALUE_MAX <= low <= high <= _VALUE_MAX or low == high:
        raise AnonymityRefused(f"low must be less than high, and neither more than {_VALUE_MAX:,} away from zero")
    table = _Bounded(frame, by, [person, value], cells_per_person, keys)
    if not table.rows.schema["p1"].is_numeric():
        raise AnonymityRefused(f"column {value!r} does not hold numbers")
    whole = pl.col("p1").cast(pl.Float64).round().clip(-_VALUE_MAX, _VALUE_MAX).cast(pl.Int64)
    each = (
        table.rows.join(table.pairs, on=table.pairs.columns, nulls_equal=True)
        .group_by(table.pairs.columns)
        .agg(whole.sum().clip(low, high).alias("figure"))
    )
    sums = each.group_by(table.axes).agg(pl.col("figure").sum())
    return table.release(sums, budget, what, amount("epsilon", epsilon), amount("delta", delta), "sum", (low, high))


class _Bounded:
    """A table with a bounded number of cells per person: its *rows*, and the *pairs* of cell and person."""

    def __init__(
        self,
        frame: pl.DataFrame,
        by: Sequence[str],
        others: Sequence[str],
        cells_per_person: int,
        keys: Sequence[Sequence[object]] | None,
    ) -> None:
        at_least("cells_per_person", cells_per_person, 1)
        labels = columns(frame, by, "b") if by else pl.DataFrame({"b0": pl.repeat(0, frame.height, eager=True)})
        values = columns(frame, others, "p")
        distinct(by, others)
        self.by, self.axes, self.cells_per_person = tuple(by), labels.columns, cells_per_person
        rows = pl.DataFrame([*map(plain, labels), *(plain(known(column)) for column in values)])
        self.rows = rows.drop_nulls(values.columns)
        self.keys = self._keys(keys if by else [(0,)])
        if self.keys is not None:
            self.rows = self.rows.join(self.keys, on=self.axes, how="semi", nulls_equal=True)
            self.cells_per_person = min(cells_per_person, self.keys.height)
        pair = [*self.axes, "p0"]
        # The random choice depends on the seed, the person and the cell, and not on who else is in the table.
        lot = pl.struct(pair).hash(secrets.randbits(64)).alias("lot")
        drawn = (
            self.rows.select(pair).unique().sort(lot).group_by("p0", maintain_order=True).head(self.cells_per_person)
        )
        self.pairs = drawn.select(pair)

    def release(
        self,
        figures: pl.DataFrame,
        budget: Budget,
        what: str,
        epsilon: Decimal,
        delta: Decimal,
        column: str,
        bounds: tuple[int, int],
    ) -> NoisyRelease:
        if not epsilon:
            raise AnonymityRefused("epsilon must be more than 0")
        if column in self.by:
            raise AnonymityRefused(f"a column must not be called {column!r}, which is the name of the figures")
        most, number = max(map(abs, bounds)), self.cells_per_person
        if self.keys is None:
            cells, mechanism = figures.sort(self.axes), _threshold(most, number, epsilon, delta)
        else:
            cells = self.keys.join(figures, on=self.axes, how="left", nulls_equal=True, maintain_order="left")
            mechanism = _gaussian(most, number, epsilon, delta) if delta else _laplace(most, number, epsilon)
        budget.spend(what, epsilon=epsilon, delta=delta)
        noisy = mechanism.draw(cells["figure"].fill_null(0).to_list())
        cells = cells.with_columns(pl.Series("figure", noisy, pl.Int64)).drop_nulls("figure")
        cells = cells.select(*self.axes[: len(self.by)], "figure")
        cells.columns = [*self.by, column]
        return NoisyRelease(
            what=what,
            cells=cells,
            mechanism=mechanism.name,
            epsilon=epsilon,
            delta=delta,
            cells_per_person=number,
            low=bounds[0],
            high=bounds[1],
            sensitivity=mechanism.sensitivity,
            scale=mechanism.scale,
            threshold=mechanism.threshold,
        )

    def _keys(self, keys: Sequence[Sequence[object]] | None) -> pl.DataFrame | None:
        if keys is None:
            return None
        types = [self.rows.schema[axis] for axis in self.axes]
        try:
            of_axes = zip(self.axes, types, zip(*keys, strict=True), strict=True)
            table = pl.DataFrame([pl.Series(axis, values, dtype, strict=True) for axis, dtype, values in of_axes])
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
            table = pl.DataFrame()
        if table.is_empty() or table.is_duplicated().any():
            wanted = ", ".join(map(str, types))
            raise AnonymityRefused(f"keys must be one or more different tuples with the types of the columns: {wanted}")
        return table


# --- mechanisms -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mechanism:
    """*draw* turns true figures into noisy ones, or None for those that must not be shown."""

    name: str
    sensitivity: float
    scale: float
    draw: Callable[[list[int]], list[int | None]]
    threshold: int | None = None


def _laplace(most: int, cells: int, epsilon: Decimal) -> _Mechanism:
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l1_distance(T=dp.i64)

    def made(scale: float) -> Any:
        return dp.m.make_laplace(*space, scale=scale)

    scale = _least(lambda scale: Decimal(made(scale).map(most * cells)) <= epsilon)
    return _Mechanism("laplace", most * cells, scale, made(scale))


def _gaussian(most: int, cells: int, epsilon: Decimal, delta: Decimal) -> _Mechanism:
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l2_distance(T=dp.f64)
    sensitivity = math.nextafter(most * math.sqrt(cells), math.inf)
    fixed = _float_below(delta)

    def made(scale: float) -> Any:
        return dp.c.make_fix_delta(dp.c.make_zCDP_to_approxDP(dp.m.make_gaussian(*space, scale=scale)), fixed)

    scale = _least(lambda scale: Decimal(made(scale).map(sensitivity)[0]) <= epsilon)
    return _Mechanism("gaussian", sensitivity, scale, made(scale))


def _threshold(most: int, cells: int, epsilon: Decimal, delta: Decimal) -> _Mechanism:
    """Only for counts, where *most* is one: a cell that one person alone is in is shown with probability *delta*."""
    if not delta:
        raise AnonymityRefused(
            "without keys, a delta of more than 0 is needed: the probability that a rare cell is shown"
        )
    dp = _opendp()
    space = (
        dp.map_domain(dp.atom_domain(T=dp.i64), dp.atom_domain(T=dp.i64)),
        dp.l01inf_distance(dp.absolute_distance(T=dp.i64)),
    )
    moved = (cells, cells * most, most)

    def loss(scale: float, threshold: float) -> tuple[Decimal, Decimal]:
        epsilon, delta = made(scale, math.ceil(threshold)).map(moved)
        return Decimal(epsilon), Decimal(delta)

    def made(scale: float, threshold: int) -> Any:
        return dp.m.make_laplace_threshold(*space, scale=scale, threshold=min(threshold, _THRESHOLD_MAX))

    scale = _least(lambda scale: loss(scale, _THRESHOLD_MAX)[0] <= epsilon)
    threshold = math.ceil(_least(lambda threshold: loss(scale, threshold)[1] <= delta))
    mechanism = made(scale, threshold)

    def draw(figures: list[int]) -> list[int | None]:
        # OpenDP shows figures exactly at its threshold but leaves them out of its delta (opendp/opendp#2922).
        shown = {number: figure for number, figure in mechanism(dict(enumerate(figures))).items() if figure > threshold}
        return [shown.get(number) for number in range(len(figures))]

    return _Mechanism("laplace threshold", cells * most, scale, draw, threshold + 1)


def _least(fits: Callable[[float], bool]) -> float:
    """The least number that fits, within a relative 1e-9; every number above a fitting one must fit too."""
    low, high = 0.0, 1.0
    while not fits(high):
        low, high = high, high * 2
        if high > _SCALE_MAX:
            raise AnonymityRefused("epsilon or delta is so small that the noise would exceed the number of people")
    while high - low > high * 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _float_below(number: Decimal) -> float:
    return float(number) if Decimal(float(number)) <= number else math.nextafter(float(number), 0.0)


def _opendp() -> Any:
    with needs("dp", ProtectError, "noise needs OpenDP"):
        import opendp.prelude as dp
    dp.enable_features("contrib")
    return dp
