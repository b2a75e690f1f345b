"""Generalising a table to a target k and l: full-domain generalisation, and suppression of the rows that remain.

All rows of a column are generalised to the same level of its hierarchy. The levels of all columns together form a
lattice. A class that is too small at a node is at least as small at every node below it, so a node that fails rules out
all of those. The entropy that the columns lose by their levels alone is a lower bound for the loss of a node, whatever
is suppressed; nodes are tried in that order until the next could only be worse than the best. So the result is the
optimum of the whole lattice, and deterministic.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from troth.protect.anonymity._table import at_least, columns, distinct, known, plain
from troth.protect.anonymity.errors import AnonymityRefused, TargetNotReached
from troth.protect.anonymity.hierarchies import GONE, Coarsen, Hierarchy
from troth.protect.anonymity.measure import Measures, measure
from troth.text import counted

_NODES_MAX = 100_000
_Node = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Anonymised:
    """A table that reached its target: *frame*, and what it cost.

    *levels* names the level of each quasi-identifier. *suppressed* of *rows* were removed. *lost* is the share of a
    column's entropy that generalisation and suppression removed: 0 for none, 1 for all. *measures* are those of *frame*
    itself.
    """

    frame: pl.DataFrame = field(repr=False)
    levels: Mapping[str, str]
    rows: int
    suppressed: int
    lost: Mapping[str, float]
    measures: Measures


def anonymise(
    frame: pl.DataFrame,
    *,
    quasi: Mapping[str, Hierarchy],
    k: int,
    l: int = 1,  # noqa: E741 - the name that everybody knows it by
    sensitive: Sequence[str] = (),
    person: str | None = None,
    suppress: float = 0.05,
) -> Anonymised:
    """Generalise *frame* until every class holds *k* rows (different persons, if *person* names their column) and *l*
    different values of each *sensitive* column, with the least loss of information.

    At most the share *suppress* of the rows is removed. The result holds only the quasi-identifiers and the sensitive
    columns: any other column to be published must be one of them. Its rows are sorted, because their order would reveal
    where they came from.

    Do not call the result anonymous because it has a k and an l. WP216 asks three questions. *Singling out*: k hides a
    row only from those who know no more than the quasi-identifiers named here; a known sensitive value is as good as a
    name. *Linkability*: two tables that each have their k can be joined. *Inference*: a class where nine of ten have
    the same illness has an l of 2; and different values may mean much the same. A reader who knows that the loss was
    minimised can also reason from what was not generalised. Without a documented assessment of what others could know,
    the result is pseudonymous data.

    Raises `TargetNotReached`, and `AnonymityRefused` if the arguments do not fit the table.
    """
    at_least("k", k, 2)
    at_least("l", l, 1)
    if l > 1 and not sensitive:
        raise AnonymityRefused(f"an l of {l} needs a sensitive column: give at least one")
    if not 0 <= suppress < 1:
        raise AnonymityRefused("suppress must be a share of the rows: at least 0 and less than 1")
    people = [] if person is None else [person]
    distinct(list(quasi), sensitive, people)
    before = measure(frame, quasi=list(quasi), sensitive=sensitive, person=person)
    ladders = [_Ladder(name, frame.get_column(name), hierarchy) for name, hierarchy in quasi.items()]
    search = _Search(
        ladders,
        columns(frame, sensitive if l > 1 else [], "s"),
        columns(frame, people, "p"),
        small=pl.any_horizontal(pl.col("size") < k, pl.col("^s[0-9]+$") < l),
        rows_max=math.floor(suppress * before.rows),
    )
    node, lost = search.best()
    kept = search.kept(node)
    published = pl.DataFrame(
        {ladder.name: ladder.published(level) for ladder, level in zip(ladders, node, strict=True)}
        | {name: plain(frame.get_column(name)) for name in sensitive}
    ).filter(kept)
    return Anonymised(
        frame=published.sort(pl.all(), nulls_last=True),
        levels={ladder.name: ladder.levels[level] for ladder, level in zip(ladders, node, strict=True)},
        rows=before.rows,
        suppressed=before.rows - published.height,
        lost=dict(zip(quasi, lost, strict=True)),
        measures=measure(
            published.with_columns(frame.get_column(name).filter(kept) for name in people),
            quasi=list(quasi),
            sensitive=sensitive,
            person=person,
        ),
    )


class _Ladder:
    """One column: its distinct values, the code of each row's value, and both generalised to every level."""

    def __init__(self, name: str, column: pl.Series, hierarchy: Hierarchy) -> None:
        self.name, self.levels = name, hierarchy.names()
        rows = plain(column).alias("value").to_frame()
        values = rows.group_by("value").len("rows").sort("value").with_row_index("code")
        self.codes = rows.join(values, on="value", how="left", nulls_equal=True, maintain_order="left")["code"]
        self._labels = [self._made(values, level, make) for level, make in hierarchy.steps()]
        # A level's code for a value is the first of the values that are equal at that level.
        first = pl.col("code").min().over("label")
        self.coarse = [values.select("code", label.alias("label")).select(first)["code"] for label in self._labels]
        for level, fine, coarse in zip(self.levels[1:], self.coarse, self.coarse[1:], strict=False):
            if (coarse != coarse.gather(fine)).any():
                raise AnonymityRefused(f"level {level!r} of column {name!r} is not coarser than the one before it")
        self.entropy = _entropy(values["rows"])
        self.lost = [
            self.share_lost(_entropy(values.group_by(code.alias("code")).agg(pl.col("rows").sum())["rows"]))
            for code in self.coarse
        ]

    def share_lost(self, left: float) -> float:
        # Rounded: the last digits of float sums may differ between runs, and the choice of node must not.
        return max(0.0, round(1 - left / self.entropy, 9)) if self.entropy > 0 else 0.0

    def published(self, level: int) -> pl.Series:
        """The column generalised to *level*."""
        return self._labels[level].gather(self.codes).alias(self.name)

    def _made(self, values: pl.DataFrame, level: str, make: Coarsen) -> pl.Series:
        value = values["value"]
        if value.null_count() == len(value) and level != GONE:
            return value
        try:
            made = make(value, values["rows"])
        except (pl.exceptions.PolarsError, TypeError):
            made = value.clear()
        if len(made) != len(value):
            message = f"level {level!r} does not fit column {self.name!r}, which is of type {value.dtype}"
            raise AnonymityRefused(f"{message}: convert the column, or declare another hierarchy") from None
        return made


class _Search:
    """Search for the best node of the lattice. *small* is true for a class that must be suppressed."""

    def __init__(
        self, ladders: list[_Ladder], sensitive: pl.DataFrame, people: pl.DataFrame, *, small: pl.Expr, rows_max: int
    ) -> None:
        if math.prod(len(ladder.levels) for ladder in ladders) > _NODES_MAX:
            raise AnonymityRefused(f"hierarchies have more than {_NODES_MAX:,} combinations of levels; declare fewer")
        self._ladders, self._small, self._rows_max = ladders, small, rows_max
        self._top = tuple(len(ladder.levels) - 1 for ladder in ladders)
        self._codes = pl.DataFrame([ladder.codes.alias(f"q{i}") for i, ladder in enumerate(ladders)])
        self._keys = self._codes.columns
        table = pl.DataFrame([*self._codes, *(known(column) for column in (*sensitive, *people))])
        self._base = table.group_by(table.columns).agg(pl.len().alias("rows"))
        told = [pl.col(name).drop_nulls().n_unique().clip(lower_bound=1) for name in sensitive.columns]
        size = [pl.col(name).drop_nulls().n_unique().alias("size") for name in people.columns]
        self._measured = [pl.col("rows").sum(), *told, *(size or [pl.col("rows").sum().alias("size")])]

    def best(self) -> tuple[_Node, list[float]]:
        """The node with the least loss, and what each column loses there. Raises `TargetNotReached`."""
        _, needed, _ = self._tried(self._top)
        if needed > self._rows_max:
            raise TargetNotReached(
                f"with every column on its highest level {counted(needed, 'row')} would still have to be suppressed, "
                f"but the limit is {self._rows_max:,}: allow more suppression or higher levels, or a smaller k or l",
                needed=needed,
            )
        nodes = itertools.product(*(range(top + 1) for top in self._top))
        failed: list[_Node] = []
        found: dict[_Node, tuple[float, list[float]]] = {}
        best = math.inf
        for least, node in sorted((self._least(node), node) for node in nodes):
            if least > best:
                break
            if node not in found and not any(map(_all_at_most, itertools.repeat(node), failed)):
                self._climb(node, failed, found)
                best = min((loss for loss, _ in found.values()), default=math.inf)
        return min((loss, node, lost) for node, (loss, lost) in found.items())[1:]

    def kept(self, node: _Node) -> pl.Series:
        """Which rows remain, in the order of the table."""
        classes = self._classes(node).select(*self._keys, self._small.not_().alias("kept"))
        return self._on(node, self._codes).join(classes, on=self._keys, how="left", maintain_order="left")["kept"]

    def _climb(self, node: _Node, failed: list[_Node], costs: dict[_Node, tuple[float, list[float]]]) -> None:
        """Try *node*; if it fails, find by bisection where a path upwards from it begins to pass: the higher the last
        failure, the more nodes it rules out."""
        way = [node]
        while way[-1] != self._top:
            below = way[-1]
            above = [(*below[:i], below[i] + 1, *below[i + 1 :]) for i in range(len(below)) if below[i] < self._top[i]]
            way.append(min(above, key=lambda node: (self._least(node), node)))
        low, high, middle = 0, len(way) - 1, 0
        while low <= high:
            loss, rows, lost = self._tried(way[middle])
            if rows > self._rows_max:
                low = middle + 1
                failed[:] = [*(other for other in failed if not _all_at_most(other, way[middle])), way[middle]]
            else:
                high = middle - 1
                costs[way[middle]] = loss, lost
            middle = (low + high) // 2

    def _least(self, node: _Node) -> float:
        return sum(ladder.lost[level] for ladder, level in zip(self._ladders, node, strict=True)) / len(node)

    def _tried(self, node: _Node) -> tuple[float, int, list[float]]:
        """The loss of a node, the number of rows that it suppresses, and the loss of each column."""
        classes = self._classes(node)
        kept = classes.filter(self._small.not_())
        lost = [
            ladder.share_lost(_entropy(kept.group_by(key).agg(pl.col("rows").sum())["rows"]))
            for ladder, key in zip(self._ladders, self._keys, strict=True)
        ]
        return sum(lost) / len(lost), int(classes["rows"].sum()) - int(kept["rows"].sum()), lost

    def _classes(self, node: _Node) -> pl.DataFrame:
        return self._on(node, self._base).group_by(self._keys).agg(self._measured)

    def _on(self, node: _Node, table: pl.DataFrame) -> pl.DataFrame:
        return table.with_columns(
            ladder.coarse[level].gather(table[key]).alias(key)
            for ladder, level, key in zip(self._ladders, node, self._keys, strict=True)
        )


def _all_at_most(node: _Node, other: _Node) -> bool:
    return all(map(int.__le__, node, other))


def _entropy(rows: pl.Series) -> float:
    """Entropy of a column whose values have that many *rows* each, multiplied by the total of the rows."""
    total = float(rows.sum())
    return total * math.log(total) - float((rows * rows.log()).sum()) if total else 0.0
