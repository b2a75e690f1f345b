"""Selections: rows of one table that meet a condition, with all rows that belong to them.

Keys are read in batches, and each batch is a selection of its own, so that a table of any size needs bounded memory.
Tracing goes from parents to children along ``belongs_to``, with one query per table and pass.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from troth.declaration import Retention
from troth.errors import TrothError
from troth.rows.datamap import DataMap, Node, PersonLink
from troth.rows.strategies import Strategies
from troth.rows.values import as_kinds, picker
from troth.stores import AllOf, AnyOf, Before, Match, Row, Store, StoreRefused, Undated, UnknownName
from troth.stores.ages import past_period

ROOTS_PER_SELECTION = 10_000
"""Selected rows of a run, without those that belong to them."""

ROOTS_PER_CHUNK = 500
"""Selected rows per transaction of a store."""

PASSES_MAX = 64
"""Maximum number of passes: limits the depth of rows of one table that belong to each other."""

Referring = dict[tuple[str, tuple[str, ...]], list[tuple[Row, Row]]]
"""By place and columns: the keys of rows that refer to others, and the values they refer by."""


class SelectionTooDeep(TrothError):
    """Rows of one table belong to each other in a chain that is too long to follow."""


@dataclass(frozen=True, slots=True)
class Disposal:
    """What happens to the rows of *place* (``system.table``) that *expired* selects: they are deleted with all that
    belongs to them; or with *strategies*, these columns are written, and nothing else."""

    place: str
    expired: Before
    strategies: Strategies = ()

    @classmethod
    def of(cls, rule: Retention, today: dt.date, strategies: Strategies = ()) -> Disposal:
        """The disposal that a retention rule requires on that day."""
        return cls(rule.table, past_period(rule, today), strategies)

    @property
    def deletes(self) -> bool:
        """True if the rows are deleted."""
        return not self.strategies


@dataclass(slots=True, eq=False, repr=False)
class SelectedRow:
    """One row. *values* follow the order of `Selection.columns` for its place; *parents* are the selected rows that it
    belongs to, each with the link, and *children* those that belong to it."""

    place: str
    key: Row
    values: Row
    root: int | None
    """Its number among the rows that the condition selects; None if it only belongs to one of them."""
    parents: list[tuple[PersonLink, SelectedRow]] = field(default_factory=list)
    children: list[SelectedRow] = field(default_factory=list)


@dataclass(slots=True)
class Selection:
    """The rows of a disposal, or a part of them. Contains personal data; its `repr` shows only counts."""

    map: DataMap
    disposal: Disposal
    columns: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, Mapping[Row, SelectedRow]]
    referring: Referring
    """References to these rows by ``refers_to`` or undeclared foreign keys, from any rows."""

    def __repr__(self) -> str:
        return f"Selection({self.disposal.place}, {sum(map(len, self.rows.values()))} rows)"

    def values(self, row: SelectedRow, columns: Sequence[str]) -> Row:
        """The values of these columns of a selected row."""
        return picker(self.columns[row.place], columns)(row.values)


def select(map_: DataMap, stores: Mapping[str, Store], disposal: Disposal) -> Iterator[Selection]:
    """The rows of a disposal, in selections of at most `ROOTS_PER_SELECTION` rows and those that belong to them.

    Read-only. The rows of a selection may be changed before the next one is read. Raises `StoreRefused` for an external
    system, and for a table without a key; `UnknownName` for a table that is not declared; `SelectionTooDeep`; and the
    stores' errors.
    """
    node, store = store_of(map_, stores, disposal.place)
    for keys in store.keys(node.table, disposal.expired, batch=ROOTS_PER_SELECTION):
        selection = _Selecting(map_, stores, disposal).run(node, keys)
        if selection.rows:
            yield selection


def count_undated(map_: DataMap, stores: Mapping[str, Store], disposal: Disposal) -> int:
    """The number of rows that no disposal reaches, because their column holds nothing that can be read as a date.
    Raises as `select` does."""
    node, store = store_of(map_, stores, disposal.place)
    return store.count(node.table, Undated(disposal.expired.column))


def store_of(map_: DataMap, stores: Mapping[str, Store], place: str) -> tuple[Node, Store]:
    """The declared table of *place*, and its store. Raises `StoreRefused` and `UnknownName`."""
    system = place.partition(".")[0]
    if system not in stores:
        raise StoreRefused(f"{system} is an external system, or not declared: its rows cannot be listed", store=system)
    if place not in map_.nodes:
        raise UnknownName(f"{place} is not a declared table", store=system)
    return map_[place], stores[system]


def referring_rows(
    map_: DataMap, stores: Mapping[str, Store], node: Node, columns: Sequence[str], rows: Iterable[Row]
) -> Referring:
    """References to *rows* of *node*, each with the values of *columns*, that do not make the referring row theirs."""
    found: Referring = {}
    rows = list(rows)
    for place, link in node.referrers:
        other = map_[place]
        values = linked_values(rows, picker(columns, link.to), other, link.columns)
        read = stores[other.system].read(
            other.table, (*other.key, *link.columns), AnyOf((Match(link.columns, tuple(values)),))
        )
        cut = len(other.key)
        found[place, link.columns] = [(row[:cut], row[cut:]) for row in read]
    return found


def linked_values(rows: Iterable[Row], to: Callable[[Row], Row], node: Node, columns: Sequence[str]) -> dict[Row, None]:
    """Values by which rows of *node* would refer to *rows*, each once."""
    kinds = [node.kind(column) for column in columns]
    values = (as_kinds(to(row), kinds) for row in rows)
    return dict.fromkeys(value for value in values if value is not None)


@dataclass(slots=True)
class _Selecting:
    """State of one selection."""

    map: DataMap
    stores: Mapping[str, Store]
    disposal: Disposal
    rows: dict[str, dict[Row, SelectedRow]] = field(default_factory=lambda: defaultdict(dict))
    asked: dict[tuple[str, str], dict[Row, None]] = field(default_factory=lambda: defaultdict(dict))

    def run(self, node: Node, keys: Sequence[Row]) -> Selection:
        columns = {}
        for each in self.map:
            written = each.declared.keep.meanwhile if each.declared.keep is not None else {}
            columns[each.place] = tuple(dict.fromkeys([*self.map.columns_of(each.place), *written]))
        own = [*columns[node.place], *node.schema.key, self.disposal.expired.column]
        columns[node.place] = tuple(dict.fromkeys([*own, *(column for column, _ in self.disposal.strategies)]))
        self._read_roots(node, keys, columns[node.place])
        referring: Referring = {}
        if self.disposal.deletes and self.rows:
            self._trace(columns)
            for each in self.map:
                join(self.map, self.rows, each, columns)
                values = [row.values for row in self.rows.get(each.place, {}).values()]
                referring |= referring_rows(self.map, self.stores, each, columns[each.place], values) if values else {}
        return Selection(self.map, self.disposal, columns, dict(self.rows), referring)

    def _read_roots(self, node: Node, keys: Sequence[Row], columns: tuple[str, ...]) -> None:
        """Read the rows with these keys, if they still are as old as that."""
        number = {key: index for index, key in enumerate(keys)}
        where = AllOf((AnyOf((Match(node.schema.key, tuple(keys)),)), self.disposal.expired))
        key_of, number_of = picker(columns, node.key), picker(columns, node.schema.key)
        for row in self.stores[node.system].read(node.table, columns, where):
            selected = SelectedRow(node.place, key_of(row), row, number.get(number_of(row)))
            if selected.root is not None:
                self.rows[node.place][selected.key] = selected

    def _trace(self, columns: Mapping[str, tuple[str, ...]]) -> None:
        for _ in range(PASSES_MAX):
            asked = [self._ask(node, columns) for node in self.map]
            if not any(asked):
                return
        raise SelectionTooDeep(
            f"rows that belong to {self.disposal.place} form a chain of more than {PASSES_MAX}; declare the reference "
            "of one to the next as refers_to"
        )

    def _ask(self, node: Node, columns: Mapping[str, tuple[str, ...]]) -> bool:
        """Query *node* for rows by values that were not queried yet. True if there was a query."""
        matches = []
        for link in node.links:
            parents = self.rows.get(link.parent or "", {})
            if link.parent is None or not parents:
                continue
            known = (row.values for row in parents.values())
            values = linked_values(known, picker(columns[link.parent], link.to), node, link.columns)
            asked = self.asked[node.place, link.name]
            if fresh := tuple(value for value in values if value not in asked):
                asked.update(dict.fromkeys(fresh))
                matches.append(Match(link.columns, fresh))
        if not matches:
            return False
        key_of = picker(columns[node.place], node.key)
        for row in self.stores[node.system].read(node.table, columns[node.place], AnyOf(tuple(matches))):
            self.rows[node.place].setdefault(key_of(row), SelectedRow(node.place, key_of(row), row, None))
        return True


def join(
    map_: DataMap,
    rows: Mapping[str, Mapping[Row, SelectedRow]],
    node: Node,
    columns: Mapping[str, tuple[str, ...]],
) -> None:
    """Connect the rows of *node* with those that they belong to. Values that only a collation treats as equal do not
    match."""
    children = rows.get(node.place, {}).values()
    for link in node.links:
        parents = rows.get(link.parent or "", {}).values()
        if link.parent is None or not parents or not children:
            continue
        to, kinds = picker(columns[link.parent], link.to), [node.kind(column) for column in link.columns]
        by_value = defaultdict(list)
        for parent in parents:
            by_value[as_kinds(to(parent.values), kinds)].append(parent)
        value_of = picker(columns[node.place], link.columns)
        for row in children:
            value = value_of(row.values)
            for parent in by_value.get(value, ()) if None not in value else ():
                if parent is not row:
                    parent.children.append(row)
                    row.parents.append((link, parent))
