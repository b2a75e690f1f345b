"""Hierarchies: how the values of a column become coarser, level by level, until only ``*`` is left.

A level is made from the distinct values of a column and their row counts. Every level must be coarser than the one
before: values that are equal there must be equal here. That is checked on the actual table.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from troth.protect.anonymity.errors import AnonymityRefused
from troth.text import counted

Coarsen = Callable[[pl.Series, pl.Series], pl.Series]
AS_IT_IS, GONE = "as it is", "*"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Named *levels*, finest first: each generalises ``(values, rows)`` and keeps the order of the values.

    Level ``as it is`` comes before them and ``*``, which keeps nothing of the value, after them.
    """

    levels: tuple[tuple[str, Coarsen], ...]
    highest: str = GONE

    def up_to(self, level: str) -> Hierarchy:
        """The same hierarchy without the levels coarser than *level*. Raises `AnonymityRefused`."""
        if level not in self.names():
            raise AnonymityRefused(f"there is no level {level!r}; there are {', '.join(self.names())}")
        return Hierarchy(self.levels, level)

    def names(self) -> list[str]:
        """The levels' names, finest first."""
        names = [AS_IT_IS, *(name for name, _ in self.levels), GONE]
        return names[: names.index(self.highest) + 1]

    def steps(self) -> list[tuple[str, Coarsen]]:
        """All levels with their functions, finest first."""
        steps = [(AS_IT_IS, lambda values, _: values), *self.levels, (GONE, _gone)]
        return steps[: len(self.names())]


def whole() -> Hierarchy:
    """Two levels: the value as it is, or ``*``."""
    return Hierarchy(())


def dates() -> Hierarchy:
    """Day, month, year, decade (``2020s``) of a date or a timestamp."""
    return Hierarchy(
        (
            ("day", lambda values, _: values.dt.to_string("%Y-%m-%d")),
            ("month", lambda values, _: values.dt.to_string("%Y-%m")),
            ("year", lambda values, _: values.dt.year().cast(pl.String)),
            ("decade", lambda values, _: (values.dt.year() // 10 * 10).cast(pl.String) + "s"),
        )
    )


def postcodes() -> Hierarchy:
    """Outward code (``SW1A``), then area (``SW``), of British postcodes. Anything else becomes null."""
    form = r"^([A-Z]{1,2})([0-9][A-Z0-9]?)(?:[0-9][A-Z]{2})?$"

    def tidy(values: pl.Series) -> pl.Series:
        return values.str.to_uppercase().str.replace_all(r"\s", "")

    return Hierarchy(
        (
            ("outward", lambda values, _: tidy(values).str.extract(form, 1) + tidy(values).str.extract(form, 2)),
            ("area", lambda values, _: tidy(values).str.extract(form, 1)),
        )
    )


def prefixes(*lengths: int) -> Hierarchy:
    """The first characters of a text: ``prefixes(3)`` makes ``902*`` of a ZIP code. Longest first."""
    if list(lengths) != sorted(set(lengths), reverse=True) or not lengths or lengths[-1] < 1:
        raise AnonymityRefused("the lengths of prefixes must be positive and decreasing, such as prefixes(3, 2)")

    def first(length: int) -> Coarsen:
        return lambda values, _: values.str.slice(0, length) + "*"

    return Hierarchy(tuple((f"first {length}", first(length)) for length in lengths))


def bands(*widths: int) -> Hierarchy:
    """Numbers in bands that start at multiples of the width and exclude their upper end: ``[30, 40)``. Each width is a
    multiple of the one before. NaN and infinities become null."""
    steps = itertools.pairwise(widths)
    if not widths or widths[0] < 1 or any(wide <= narrow or wide % narrow for narrow, wide in steps):
        raise AnonymityRefused(
            "widths must be whole numbers, each a multiple of the one before, such as bands(5, 10, 20)"
        )

    def band(width: int) -> Coarsen:
        def coarsen(values: pl.Series, _: pl.Series) -> pl.Series:
            if not values.dtype.is_numeric():
                raise pl.exceptions.InvalidOperationError
            whole_numbers = values.floor() if values.dtype.is_float() or values.dtype.is_decimal() else values
            wide = pl.lit(width, pl.Int128)
            low = pl.lit(whole_numbers.cast(pl.Int128, strict=False)) // wide * wide
            return pl.select(pl.format("[{}, {})", low, low + wide)).to_series()

        return coarsen

    return Hierarchy(tuple((f"bands of {width}", band(width)) for width in widths))


def categories(*tops: int) -> Hierarchy:
    """The most frequent values, and ``other`` for the rest: ``categories(20, 5)``. Ties are broken alphabetically."""
    if list(tops) != sorted(set(tops), reverse=True) or not tops or tops[-1] < 1:
        raise AnonymityRefused("the numbers of categories must be positive and decreasing, such as categories(20, 5)")

    def top(number: int) -> Coarsen:
        def coarsen(values: pl.Series, rows: pl.Series) -> pl.Series:
            table = pl.DataFrame({"value": values.cast(pl.String), "rows": rows})
            ranked = table.drop_nulls("value").sort(["rows", "value"], descending=[True, False])
            often = ranked["value"].head(number)
            kept = pl.col("value").is_in(often.implode()) | pl.col("value").is_null()
            return table.select(pl.when(kept).then("value").otherwise(pl.lit("other"))).to_series()

        return coarsen

    return Hierarchy(tuple((f"top {number}", top(number)) for number in tops))


def mapping(*steps: Mapping[str, str]) -> Hierarchy:
    """Texts by custom tables: the first maps each value, the next maps each result, and so on. Every value must be in
    its table."""

    def climb(to: int) -> Coarsen:
        def coarsen(values: pl.Series, _: pl.Series) -> pl.Series:
            for number, step in enumerate(steps[:to], 1):
                missing = values.is_not_null() & ~values.is_in(list(step))
                if missing.any():
                    lost = counted(int(missing.sum()), "value has", "values have")
                    raise AnonymityRefused(f"{lost} no place in step {number} of the mapping")
                values = values.replace_strict(step, return_dtype=pl.String, default=None)
            return values

        return coarsen

    return Hierarchy(tuple((f"step {number}", climb(number)) for number in range(1, len(steps) + 1)))


def _gone(values: pl.Series, _: pl.Series) -> pl.Series:
    return pl.repeat(GONE, len(values), eager=True)
