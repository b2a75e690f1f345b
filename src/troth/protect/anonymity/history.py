"""What was released before, so that two releases side by side tell no more than each of them.

A release lets a reader count sets of people: those of a published cell, those of a published total, what a total leaves
when the cells in it are taken away, and unions of these where nobody stands twice. Two releases reveal somebody when a
set of the one lies within a set of the other and fewer than k people are between them.

For a fixed pair of releases that is decided exactly. Let B be blocks of one and A blocks of the other, where a block of
A may be taken only if everything that it touches is in B. The fewest people in B and not in A, with a given few among
them, are a least cut, which `Network` finds.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from troth.protect.anonymity._flow import NO_END, Network
from troth.protect.anonymity.errors import AnonymityRefused

__all__ = ["History"]

_Block = tuple[str, int]
_OUTER, _INNER, _END = "outer", "inner", ("end", 0)


@dataclass(frozen=True, slots=True)
class History:
    """The releases so far; ``History()`` where there was none. Each release makes the next one.

    It holds who stood behind each published figure, hashed with a random seed of its own: still personal data, for as
    long as it lives, and about as large as the columns that were counted.
    """

    _releases: tuple[pl.DataFrame, ...] = field(default=(), repr=False)
    _people: pl.DataType | None = field(default=None, repr=False)
    _seed: int = field(default_factory=lambda: secrets.randbits(64), repr=False)

    def __repr__(self) -> str:
        return f"History(releases={len(self._releases)})"

    def hashed(self, people: pl.Series) -> pl.Series:
        """*people* as this history knows them. Raises `AnonymityRefused` where it could not know them again."""
        if self._people is not None and people.dtype != self._people:
            raise AnonymityRefused(
                f"people are of type {people.dtype} and were of type {self._people} in an earlier release, so nobody "
                "could be known again: convert the column"
            )
        return people.hash(self._seed)

    def with_release(self, blocks: pl.DataFrame, people: pl.DataType) -> History:
        """This history and one release more. *blocks* has ``part``, ``figure`` and ``person``: who is in the block that
        a figure lets a reader count. Within a part nobody stands in two blocks."""
        return replace(self, _releases=(*self._releases, blocks), _people=people)

    def too_close(self, blocks: pl.DataFrame, k: int) -> set[int]:
        """The figures of a release to come that have to be withheld for what was released before. They break what was
        found; ask again without them."""
        return set().union(*(_too_close(blocks, earlier, k) for earlier in self._releases))


def _too_close(new: pl.DataFrame, old: pl.DataFrame, k: int) -> set[int]:
    sizes_new, sizes_old = (blocks.group_by("part", "figure").len("size") for blocks in (new, old))
    shared = new.join(old, on="person", suffix="_old").group_by("part", "figure", "part_old", "figure_old").len("n")
    edges = shared.join(sizes_new, on=["part", "figure"]).join(
        sizes_old, left_on=["part_old", "figure_old"], right_on=["part", "figure"], suffix="_old"
    )
    size = {figure: size for _, figure, size in sizes_new.iter_rows()}
    found: set[int] = set()
    for outer, inner, ours in (("", "_old", _OUTER), ("_old", "", _INNER)):
        for gap in _gaps(edges.select(*_side(outer, "outer"), *_side(inner, "inner"), pl.col("n").cast(pl.Int64)), k):
            figures = {figure for side, figure in gap if side == ours}
            if not figures & found:
                found.add(min(figures, key=lambda figure: (size[figure], figure)))
    return found


def _side(suffix: str, name: str) -> list[pl.Expr]:
    return [
        pl.col(f"{column}{suffix}").cast(pl.Int64).alias(f"{name}_{column}") for column in ("part", "figure", "size")
    ]


def _gaps(edges: pl.DataFrame, k: int) -> Iterator[set[_Block]]:
    """Blocks on the outside and, within them, on the inside, that leave fewer than *k* people between them."""
    edges = edges.with_columns(
        (pl.col("outer_size") - pl.col("n").sum().over("outer_part", "outer_figure", "inner_part")).alias(
            "outer_alone"
        ),
        (pl.col("inner_size") - pl.col("n").sum().over("inner_part", "inner_figure", "outer_part")).alias(
            "inner_alone"
        ),
        pl.col("inner_figure").n_unique().over("inner_part").gt(1).alias("several"),
    ).sort("outer_part", "inner_part", "outer_figure", "inner_figure")
    # Without anything on the inside there is no gap, as every block has at least k: a lone block needs no other look.
    some = pl.col("outer_alone").is_between(1, k - 1).alias("some_alone")
    few = (pl.col("several") & (pl.col("n") < k)).alias("few")
    edges = edges.with_columns(some, few).filter(
        (pl.col("some_alone") | pl.col("few")).any().over("outer_part", "inner_part")
    )
    for pair in edges.partition_by("outer_part", "inner_part", maintain_order=True):
        yield from _gaps_between(pair.rows(named=True), k)


def _gaps_between(rows: list[dict[str, Any]], k: int) -> Iterator[set[_Block]]:
    network: Network[_Block] = Network()
    away: dict[_Block, int] = {}
    for row in rows:
        outer, inner = (_OUTER, row["outer_figure"]), (_INNER, row["inner_figure"])
        network.add(outer, inner, rise=row["n"], fall=NO_END)
        if outer not in away:
            away[outer] = network.add(outer, _END, rise=row["outer_alone"], fall=0)
        if inner not in away:
            away[inner] = network.add(inner, _END, rise=NO_END, fall=0)
            if not row["inner_alone"]:
                network.close(away[inner])
    for row in rows:
        outer, inner = (_OUTER, row["outer_figure"]), (_INNER, row["inner_figure"])
        for seed, left_out in ((row["some_alone"], None), (row["few"], inner)):
            if not seed:
                continue
            opened = left_out is not None and not row["inner_alone"]
            if opened:
                network.open(away[inner])
            if network.push(outer, _END, k) < k:
                yield network.reached(outer)
            network.undo()
            if opened:
                network.close(away[inner])
