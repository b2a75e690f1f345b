"""Selecting columns by exact name: polars expressions read ``^a.*$`` and ``*`` as patterns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from troth.protect.anonymity.errors import AnonymityRefused


def columns(frame: pl.DataFrame, names: Iterable[str], prefix: str) -> pl.DataFrame:
    """The columns *names* of *frame*, renamed ``{prefix}0``, ``{prefix}1`` and so on. Raises `AnonymityRefused`."""
    if isinstance(names, str):
        raise AnonymityRefused(f"give columns as a list of names: write [{names!r}]")
    names = list(names)
    for name in names:
        if name not in frame.columns:
            raise AnonymityRefused(f"the table has no column {name!r}")
        if names.count(name) > 1:
            raise AnonymityRefused(f"column {name!r} is listed twice")
        dtype = frame.schema[name]
        if dtype.is_nested() or dtype == pl.Object:
            raise AnonymityRefused(f"column {name!r} is of type {dtype}: split it into plain columns first")
    return pl.DataFrame({f"{prefix}{i}": frame.get_column(name) for i, name in enumerate(names)})


def plain(series: pl.Series) -> pl.Series:
    """The same values without differences that only a machine sees: ``-0.0`` becomes ``0.0``, a category its text."""
    if series.dtype.is_float():
        return series + 0.0
    return series.cast(pl.String) if series.dtype in (pl.Categorical, pl.Enum) else series


def known(series: pl.Series) -> pl.Series:
    """Replace NaN by null: neither carries information."""
    return series.fill_nan(None) if series.dtype.is_float() else series


def at_least(name: str, value: int, least: int) -> None:
    """Raises `AnonymityRefused` if *value* is below *least*."""
    if value < least:
        raise AnonymityRefused(f"{name} must be {least} or more, not {value}")


def distinct(*groups: Sequence[str]) -> None:
    """Raises `AnonymityRefused` if a column appears in two roles."""
    seen: set[str] = set()
    for name in (name for group in groups for name in group):
        if name in seen:
            raise AnonymityRefused(f"column {name!r} is given two roles")
        seen.add(name)
