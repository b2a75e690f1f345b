"""Orphans: rows that belong to a missing row of another system, for example after restoring one system alone.

Their person is no longer known, so no request finds them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from troth.rows.datamap import DataMap, Node, PersonLink
from troth.rows.values import as_kinds
from troth.stores import AnyOf, Match, Row, Store

BATCH_ROWS = 5_000
"""Rows in memory at a time."""


def orphans(map_: DataMap, stores: Mapping[str, Store], systems: Collection[str]) -> Mapping[str, int]:
    """Number of rows in *systems* that refer to a missing row of another system, by ``system.table.column``. Read-only,
    in batches; raises the stores' errors."""
    found = {}
    for node in map_:
        for link in node.links if node.system in systems else ():
            if link.parent is not None and map_[link.parent].system not in systems:
                lost = sum(_lost(node, link, map_[link.parent], stores))
                if lost:
                    found[f"{node.place}.{', '.join(link.columns)}"] = lost
    return found


def _lost(node: Node, link: PersonLink, parent: Node, stores: Mapping[str, Store]) -> Iterator[int]:
    kinds = [parent.kind(column) for column in link.to]
    for rows in stores[node.system].scan(node.table, link.columns, batch=BATCH_ROWS):
        values = [value for row in rows if None not in row and (value := as_kinds(row, kinds)) is not None]
        there = _there(parent, link, tuple(dict.fromkeys(values)), stores) if values else frozenset()
        yield sum(value not in there for value in values)


def _there(
    parent: Node, link: PersonLink, values: tuple[Row, ...], stores: Mapping[str, Store]
) -> frozenset[Row | None]:
    kinds = [parent.kind(column) for column in link.to]
    rows = stores[parent.system].read(parent.table, link.to, AnyOf((Match(link.to, values),)))
    return frozenset(as_kinds(row, kinds) for row in rows)
