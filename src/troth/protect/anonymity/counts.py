"""Counts of people with a threshold: counts below k are withheld, and so are figures from which they could be computed.

The attacker is a reader who has the published figures, knows that cells sum to their totals, and also knows which cells
were withheld for being small. What is hidden from that reader: each such cell could hold anything from nobody to k
people, and each cell withheld because of an earlier release could hold k fewer, with every sum still true. Two-way
tables are checked as networks (exactly, see `_flow`); for one-way tables the same comes down to a few comparisons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from troth.ledger import DeclaredName, Entry, Value
from troth.protect.anonymity._flow import NO_END, FlowNetwork
from troth.protect.anonymity._table import at_least, columns, distinct, known, plain
from troth.protect.anonymity.errors import AnonymityRefused
from troth.protect.anonymity.history import History, NextRelease

COUNT = "persons"
_Node = tuple[str, int]
_ALL, _SUM = ("all", 0), ("sum", 0)


@dataclass(frozen=True, slots=True)
class Release:
    """A release of counts. A cell, label or subtotal that is missing was withheld, or nobody is in it.

    *cells* has a row for each cell, *subtotals* a table for each column of a two-way release, *total* is None if it is
    withheld or was not requested. *held_back* figures of *k* people or more were withheld to protect others.
    """

    by: tuple[str, ...]
    k: int
    cells: pl.DataFrame
    subtotals: tuple[pl.DataFrame, ...]
    total: int | None
    held_back: int

    def entry(self, history: str, *, now: dt.datetime) -> Entry:
        """The ledger entry for this release: *history* names the data set."""
        shown = sum(table.height for table in (self.cells, *self.subtotals)) + (self.total is not None)
        fields: dict[str, Value] = {
            "history": DeclaredName.of(history),
            "k": self.k,
            "shown": shown,
            "held_back": self.held_back,
        }
        return Entry("counts.released", now, fields)


def release_counts(
    frame: pl.DataFrame,
    *,
    by: Sequence[str],
    person: str,
    k: int = 10,
    totals: bool = True,
    history: History | None = None,
) -> Release:
    """Count the different persons in each cell of *by*, one or two columns; cells of fewer than *k* are withheld.

    *totals* adds the total and, for two columns, the subtotals; further cells are withheld until no small count can be
    computed from them. Subtotals require that every person is in one cell only. With *history*, cells are also withheld
    until no small count can be computed from this release and any one earlier release, and the release is in the
    history before it is returned; three or more releases combined are not checked. An empty cell is not protected, nor
    is a person from those who already know the others in the cell.

    Rows without a person count for nobody; null and NaN are ordinary labels. Raises `AnonymityRefused`, and
    `KeptRefused` if the history's file is unusable.
    """
    at_least("k", k, 2)
    labels, people = columns(frame, by, "b"), known(columns(frame, [person], "p")["p0"])
    distinct(by, [person])
    if not 1 <= len(by) <= 2 or COUNT in by:
        raise AnonymityRefused(f"give one or two columns to count by, none of them called {COUNT!r}")
    table = pl.DataFrame([*map(plain, labels), plain(people)]).drop_nulls("p0")
    counts = _Counts(table, k, totals=totals)
    withheld = counts.withheld(set())
    if history is not None:
        with history.next_release(k, table.schema["p0"]) as release:
            pairs = counts.pairs(release)
            guarded: set[int] = set()
            while close := release.too_close(counts.blocks(pairs, withheld)):
                guarded |= close
                withheld = counts.withheld(guarded)
            release.blocks = counts.blocks(pairs, withheld)
    return counts.release(tuple(by), withheld)


class _Counts:
    """All figures of a release: cells, then the subtotals of each column if there are any, then the total."""

    def __init__(self, table: pl.DataFrame, k: int, *, totals: bool) -> None:
        self._table, self._k, self._totals = table, k, totals
        axes = table.columns[:-1]
        self._lines = [[axis] for axis in axes] if totals and len(axes) == 2 else []
        count = pl.col("p0").n_unique().cast(pl.Int64).alias(COUNT)
        self._tables = [table.group_by(keys).agg(count).sort(keys) for keys in (axes, *self._lines)]
        total = table["p0"].n_unique()
        self._size = pl.concat([*(counted[COUNT] for counted in self._tables), pl.Series([total], dtype=pl.Int64)])
        self._small = self._size < k
        self._disjoint = self._tables[0][COUNT].sum() == total
        if self._lines and not self._disjoint:
            raise AnonymityRefused(
                "subtotals need every person in only one cell, but some are in several: release the cells with "
                "totals=False, and each column by itself"
            )

    def withheld(self, guarded: set[int]) -> pl.Series:
        """For each figure, whether it is withheld if at least the *guarded* ones are."""
        kept_out = self._small | self._numbers().is_in(list(guarded))
        if not self._totals:
            kept_out[-1] = True
        if self._table.is_empty():
            return kept_out
        return self._two_way(kept_out, guarded) if self._lines else self._one_way(kept_out)

    def release(self, by: tuple[str, ...], withheld: pl.Series) -> Release:
        shown, first = [], 0
        for counted in self._tables:
            shown.append(counted.filter(~withheld[first : first + counted.height]))
            first += counted.height
        for counted, names in zip(shown, [by, *((name,) for name in by)], strict=False):
            counted.columns = [*names, COUNT]
        held_back = int((withheld & ~self._small)[: None if self._totals else -1].sum())
        total = None if withheld[-1] else int(self._size[-1])
        return Release(by, self._k, shown[0], tuple(shown[1:]), total, held_back)

    def pairs(self, release: NextRelease) -> pl.DataFrame:
        """Persons by cell and line: the number of each figure that counts them."""
        pairs, first = self._table.unique(), 0
        names = ["cell", *(keys[0] for keys in self._lines)]
        for name, counted in zip(names, self._tables, strict=True):
            numbered = counted.drop(COUNT).with_row_index(f"figure {name}", first)
            pairs = pairs.join(numbered, on=numbered.columns[1:], nulls_equal=True)
            first += counted.height
        return pairs.select(
            *(pl.col(f"figure {name}").alias(name) for name in names),
            pl.lit(first, pl.UInt32).alias("total"),
            release.hashed(pairs["p0"]).alias("person"),
        )

    def blocks(self, pairs: pl.DataFrame, withheld: pl.Series) -> pl.DataFrame:
        """The persons in each set that a reader can count, for `NextRelease`. If nobody is in two cells, that includes
        the remainder of a line or of the total after subtracting its published cells."""

        def shown(name: str) -> pl.Series:
            return pl.select(pl.when(~withheld.gather(pairs[name])).then(pairs[name])).to_series()

        if not self._disjoint:
            parts = [[name] for name in ("cell", "total")]
        else:
            parts = [["cell", *line, "total"] for line in self._lines or [[]]]
        blocks = [
            pairs.select(
                pl.lit(number, pl.UInt32).alias("part"),
                pl.coalesce(*(shown(name).alias(name) for name in part)).alias("figure"),
                "person",
            ).drop_nulls("figure")
            for number, part in enumerate(parts)
        ]
        if not self._disjoint:
            blocks = [block.with_columns(part="figure").unique() for block in blocks]
        return pl.concat(blocks)

    def _numbers(self) -> pl.Series:
        return pl.int_range(len(self._size), eager=True)

    def _one_way(self, kept_out: pl.Series) -> pl.Series:
        small = self._size.filter(kept_out & self._small)
        if small.is_empty() or kept_out[-1] or len(small) < kept_out.sum():
            return kept_out  # without a total nothing adds up; and a large cell could stand for any small one
        shown = self._size[:-1].filter(~kept_out[:-1])
        # Each small cell must be able to be empty, with k people in the others; and to hold k, out of all small ones.
        none_fits = self._size[-1] <= int(shown.sum()) + (len(small) - 1) * self._k
        k_fits = not self._disjoint or int(small.sum()) >= self._k
        if not (none_fits and k_fits):
            smallest = shown.arg_min()
            kept_out[-1 if smallest is None else int(self._numbers()[:-1].filter(~kept_out[:-1])[smallest])] = True
        return kept_out

    def _two_way(self, kept_out: pl.Series, guarded: set[int]) -> pl.Series:
        cells, rows, columns = (counted.drop(COUNT) for counted in self._tables)
        ends = cells.join(rows.with_row_index("row"), on="b0", nulls_equal=True, maintain_order="left")
        ends = ends.join(columns.with_row_index("column"), on="b1", nulls_equal=True, maintain_order="left")
        # The total flows into the rows, rows into their cells, cells into their columns, and columns into the total.
        edges: list[tuple[_Node, _Node]] = [(("row", i), ("column", j)) for i, j in ends["row", "column"].iter_rows()]
        edges += [(_ALL, ("row", i)) for i in range(rows.height)]
        edges += [(("column", j), _SUM) for j in range(columns.height)]
        edges.append((_SUM, _ALL))
        sizes = self._size.to_list()
        network: FlowNetwork[_Node] = FlowNetwork()
        for (tail, head), size, hidden in zip(edges, sizes, kept_out, strict=True):
            figure = network.add(tail, head, rise=NO_END if size >= self._k else self._k - size, fall=size)
            if not hidden:
                network.close(figure)
        for figure in self._numbers().filter(kept_out):
            if sizes[figure] < self._k:
                _free(network, figure, rise=self._k - sizes[figure], fall=sizes[figure], cost=sizes.__getitem__)
            elif figure in guarded:
                _free(network, figure, rise=0, fall=self._k, cost=sizes.__getitem__)
        return pl.Series([figure not in network.closed for figure in range(len(sizes))])


def _free(network: FlowNetwork[_Node], figure: int, *, rise: int, fall: int, cost: Callable[[int], int]) -> None:
    """Open the cheapest figures until *figure* can rise and fall that far with every sum still true."""
    tail, head = network.ends[figure]
    network.close(figure)
    for source, sink, far in ((head, tail, rise), (tail, head, fall)):
        short = far - network.push(source, sink, far)
        while short:
            room = short
            while (way := network.cheapest(source, sink, room, cost, without=figure)) is None:
                # With every figure open there is always a path: that many people more, or fewer, in this cell alone.
                room //= 2
                assert room, "a figure that cannot be made free"
            for other in way:
                network.open(other)
            short -= network.push(source, sink, short)
        network.undo()
    network.open(figure)
