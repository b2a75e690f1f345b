"""Measures of anonymity in a table: k-anonymity and l-diversity.

Unknown values never improve a measure. In a quasi-identifier, null and NaN are ordinary values: a row without a
postcode hides only among rows without one. In a sensitive column neither counts as a value, so that a class of ``flu``
and nulls has one. A row whose person is null counts for nobody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from troth.protect.anonymity._table import columns, distinct, known
from troth.protect.anonymity.errors import AnonymityRefused

_SMALLEST = 3


@dataclass(frozen=True, slots=True)
class Measures:
    """Measures of a table. A *class* is the rows that are equal in every quasi-identifier.

    *k* is the size of the smallest class, None in a table without rows. *smallest* holds the smallest sizes and how
    many classes have each, never which. *distinct_l* is the least number of different values that a class has in a
    sensitive column, *entropy_l* the same weighted by frequency (e to the power of the entropy): 9 of 10 with the flu
    are ``distinct_l`` 2 and ``entropy_l`` 1.4. Both are None if no column is sensitive.

    None of this makes a table anonymous in law: see `troth.protect.anonymity.anonymise`.
    """

    rows: int
    classes: int
    k: int | None
    smallest: tuple[tuple[int, int], ...]
    distinct_l: int | None = None
    entropy_l: float | None = None


def measure(
    frame: pl.DataFrame, *, quasi: Sequence[str], sensitive: Sequence[str] = (), person: str | None = None
) -> Measures:
    """Measure *frame* over its *quasi*-identifiers: columns that somebody could know about a person from elsewhere.

    The size of a class is its rows, or its different persons if *person* names their column. With several rows per
    person only the latter is meaningful. Raises `AnonymityRefused`.
    """
    if not quasi:
        raise AnonymityRefused(
            "give at least one quasi-identifier: a column whose values somebody could know from elsewhere"
        )
    people = [] if person is None else [person]
    keys, values = columns(frame, quasi, "q"), columns(frame, sensitive, "s")
    distinct(quasi, sensitive, people)
    who = [known(column) for column in columns(frame, people, "p")]
    size = pl.col("p0").drop_nulls().n_unique() if who else pl.len()
    sizes = keys.with_columns(who).group_by(keys.columns).agg(size.alias("size"))["size"]
    common = sizes.value_counts(name="classes").sort("size").head(_SMALLEST)
    ls = [_l(keys, known(column)) for column in values] if frame.height else []
    return Measures(
        rows=frame.height,
        classes=len(sizes),
        k=None if sizes.is_empty() else int(sizes.min()),  # type: ignore[arg-type]
        smallest=tuple((int(size), int(classes)) for size, classes in common.iter_rows()),
        distinct_l=min((distinct_l for distinct_l, _ in ls), default=None),
        entropy_l=min((entropy_l for _, entropy_l in ls), default=None),
    )


def _l(keys: pl.DataFrame, value: pl.Series) -> tuple[int, float]:
    """The least distinct and entropy l of any class. Nulls are left out if they would raise the entropy. Rounded,
    because the last digits of a sum of floats may differ between runs."""
    counts = keys.with_columns(value.alias("s")).group_by(*keys.columns, "s").agg(pl.len().cast(pl.Float64).alias("n"))
    told, n = pl.col("s").is_not_null(), pl.col("n")
    classes = counts.group_by(keys.columns).agg(
        told.sum().clip(lower_bound=1).alias("distinct"),
        _entropy(n).alias("all"),
        _entropy(n.filter(told)).fill_nan(0.0).alias("told"),
    )
    entropy = classes.select(pl.min_horizontal("all", "told").min()).item()
    return int(classes["distinct"].min()), round(math.exp(entropy), 9)  # type: ignore[arg-type]


def _entropy(n: pl.Expr) -> pl.Expr:
    return n.sum().log() - (n * n.log()).sum() / n.sum()
