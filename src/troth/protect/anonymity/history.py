"""Earlier releases, so that two releases together reveal no more than each of them.

A release lets a reader count sets of people: those of a published cell, those of a published total, the remainder of a
total after subtracting its cells, and unions of these that do not overlap. Two releases reveal somebody if a set of one
lies within a set of the other and fewer than k people are between them.

For a fixed pair of releases that is decided exactly. Let B be blocks of one and A blocks of the other, where a block of
A may be taken only if every block that it overlaps is in B. The fewest people in B and not in A, for a given block in
B, are a minimum cut, which `FlowNetwork` finds.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from troth.protect.anonymity._flow import NO_END, FlowNetwork
from troth.protect.anonymity._kept import InFile, InMemory, Record, Records
from troth.protect.anonymity.errors import AnonymityRefused

_Block = tuple[str, int]
_OUTER, _INNER, _END = "outer", "inner", ("end", 0)


class History:
    """Earlier releases of counts about the same people. Each release is added before it is returned.

    ``History()`` lasts as long as the process, which suits a notebook. `create` and `open` keep it in a file, with
    another beside it for each release, that any number of processes use: one release at a time. Safe to use from
    several threads.

    It holds who is behind each published figure, hashed with a random key of its own: still personal data for as long
    as it exists, and about as large as the columns that were counted.
    """

    def __init__(self) -> None:
        self._records: Records = InMemory(_terms())

    @classmethod
    def create(cls, path: Path) -> History:
        """Create a history in a file at *path*, once per data set. Raises `KeptRefused` if the file exists."""
        history = cls.__new__(cls)
        history._records = InFile.create(path, "history", _terms())
        return history

    @classmethod
    def open(cls, path: Path) -> History:
        """The history in the file at *path*. Raises `KeptRefused` if it is missing or damaged, and so does a later
        release."""
        history = cls.__new__(cls)
        history._records = InFile(path, "history")
        return history

    def __repr__(self) -> str:
        return "History()"

    @contextmanager
    def next_release(self, k: int, people: pl.DataType) -> Iterator[NextRelease]:
        """Context manager for a release that is checked against all earlier ones; other releases wait. It is added if
        the block ends without an error. Raises `AnonymityRefused` if *people* has another type than before, so that
        persons could not be matched, or if an earlier release used another *k*."""
        with self._records.changing() as records:
            made_with = {"k": k, "people": str(people)}
            for record in records:
                if (earlier := {name: record[name] for name in made_with}) != made_with:
                    raise AnonymityRefused(
                        f"earlier releases in this history had {earlier}, and this one has {made_with}: use the same "
                        "k, and convert the column"
                    )
            blocks = [self._records.attached(number, record) for number, record in enumerate(records, 1)]
            release = NextRelease(k, bytes.fromhex(self._records.terms["key"]), [*map(_frame, blocks)])
            yield release
            data = release.blocks.write_ipc(None, compression="zstd").getvalue()
            records.append({**made_with, **self._records.attach(len(records) + 1, data)})


class NextRelease:
    """A release in the making. The caller sets *blocks*, a row of ``part``, ``figure`` and ``person`` for each person
    in a block that a figure lets a reader count. Blocks of one part do not overlap, and each has k people or more."""

    blocks: pl.DataFrame

    def __init__(self, k: int, key: bytes, earlier: Sequence[pl.DataFrame]) -> None:
        self._k, self._key, self._earlier = k, key, earlier

    def hashed(self, people: pl.Series) -> pl.Series:
        """*people* hashed with the history's key: stable between processes and polars versions, which polars' own hash
        is not."""
        each = people.unique()
        hashes = [_hash(value, self._key) for value in each.to_physical().to_list()]
        known = pl.DataFrame({"person": each, "hash": pl.Series(hashes, dtype=pl.UInt64)})
        return people.to_frame("person").join(known, on="person", how="left", maintain_order="left")["hash"]

    def too_close(self, blocks: pl.DataFrame) -> set[int]:
        """Figures that must be withheld because of earlier releases, if *blocks* were released. Withholding them
        removes the gaps that were found; call again without them."""
        return set().union(*(_too_close(blocks, earlier, self._k) for earlier in self._earlier))


def _terms() -> Record:
    return {"key": secrets.token_hex(32)}


def _frame(data: bytes) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(data))


def _hash(value: object, key: bytes) -> int:
    data = value if isinstance(value, bytes) else str(value).encode()
    return int.from_bytes(hashlib.blake2b(data, key=key, digest_size=8).digest())


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
    """Outer blocks and inner blocks within them that leave fewer than *k* people between them."""
    edges = edges.with_columns(
        (pl.col("outer_size") - pl.col("n").sum().over("outer_part", "outer_figure", "inner_part")).alias(
            "outer_alone"
        ),
        (pl.col("inner_size") - pl.col("n").sum().over("inner_part", "inner_figure", "outer_part")).alias(
            "inner_alone"
        ),
        pl.col("inner_figure").n_unique().over("inner_part").gt(1).alias("several"),
    ).sort("outer_part", "inner_part", "outer_figure", "inner_figure")
    # Without inner blocks there is no gap, as every block has at least k: a lone block needs no further check.
    some = pl.col("outer_alone").is_between(1, k - 1).alias("some_alone")
    few = (pl.col("several") & (pl.col("n") < k)).alias("few")
    edges = edges.with_columns(some, few).filter(
        (pl.col("some_alone") | pl.col("few")).any().over("outer_part", "inner_part")
    )
    for pair in edges.partition_by("outer_part", "inner_part", maintain_order=True):
        yield from _Pair(pair.rows(named=True), k).gaps()


class _Pair:
    """A part of one release around a part of another: how many people of each outer block are in which inner block."""

    def __init__(self, rows: list[dict[str, Any]], k: int) -> None:
        self._k = k
        self._people: dict[_Block, dict[_Block, int]] = {}
        self._touching: dict[_Block, list[_Block]] = {}
        for row in rows:
            outer = (_OUTER, row["outer_figure"])
            # An inner block that reaches beyond all outer blocks is never within them: it counts as outside.
            inner = _END if row["inner_alone"] else (_INNER, row["inner_figure"])
            within = self._people.setdefault(outer, {_END: row["outer_alone"]})
            within[inner] = within.get(inner, 0) + row["n"]
            self._touching.setdefault(inner, []).append(outer)
        self._network: FlowNetwork[_Block] = FlowNetwork()
        for outer, within in self._people.items():
            for inner, n in within.items():
                self._network.add(outer, inner, rise=n, fall=0 if inner == _END else NO_END)
        ways_out = {
            inner: self._network.add(inner, _END, rise=NO_END, fall=0) for inner in self._touching if inner != _END
        }
        for edge in ways_out.values():
            self._network.close(edge)
        self._ways_out = ways_out

    def gaps(self) -> Iterator[set[_Block]]:
        """Sets of blocks that leave fewer than k people between outer and inner ones. If any exist, some are found: a
        block in a known gap is not searched again."""
        done: set[_Block] = set()
        for outer in self._people:
            if outer not in done:
                gap = self._gap(outer, done)
                done |= gap | {outer}
                if gap:
                    yield gap

    def _gap(self, start: _Block, done: set[_Block]) -> set[_Block]:
        """A gap with *start* among its outer blocks and without any that are *done*; empty if there is none. An inner
        block must be taken if leaving it out would leave k people or more, and with it all that it overlaps: this
        decides most blocks."""
        taken, left_out, todo = {start}, Counter[_Block](), [start]
        while True:
            forced = []
            while todo:
                for inner, n in self._people[todo.pop()].items():
                    if inner not in taken:
                        left_out[inner] += n
                        forced += [inner] if left_out[inner] - n < self._k <= left_out[inner] else []
            if not forced:
                doubtful = next((inner for inner, n in left_out.items() if n), None)
                if doubtful is None:
                    return set()
                if gap := self._gap_without(start, doubtful):
                    return gap
                forced = [doubtful]
            for inner in forced:
                if inner == _END or not done.isdisjoint(self._touching[inner]):
                    return set()
                del left_out[inner]
                taken.add(inner)
                todo += [outer for outer in self._touching[inner] if outer not in taken]
                taken.update(todo)

    def _gap_without(self, start: _Block, left_out: _Block) -> set[_Block]:
        way_out = self._ways_out.get(left_out)
        if way_out is not None:
            self._network.open(way_out)
        gap = self._network.reached(start) if self._network.push(start, _END, self._k) < self._k else set()
        self._network.undo()
        if way_out is not None:
            self._network.close(way_out)
        return gap
