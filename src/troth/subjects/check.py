"""What only declaration and schemas together can show, before any row is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.declaration import Declaration, Strategy
from troth.stores import Access, Column, Schema
from troth.subjects.datamap import DataMap, MapProblem, MapRefused, Node, map_data
from troth.subjects.plan import deletes
from troth.subjects.strategies import fault

__all__ = ["access", "check", "check_erasure", "slow_ways"]


def check(declaration: Declaration, schemas: Mapping[str, Schema]) -> list[MapProblem]:
    """Every misfit between the declaration and the stores' schemas: what tracing, and then what erasing, would meet."""
    try:
        map_ = map_data(declaration, schemas)
    except MapRefused as refused:
        return list(refused.problems)
    return [*check_erasure(map_), *_orphans(map_, schemas)]


def check_erasure(map_: DataMap) -> Iterator[MapProblem]:
    """Strategies that a column cannot take: null where NOT NULL stands, a mask that is too narrow, a key rewritten."""
    for node in map_:
        for path, column, how in _strategies(node):
            if (found := fault(node, column, how)) is not None:
                yield MapProblem(f"systems.{node.system}.tables.{node.table}.{path}.{column.name}", *found)


def slow_ways(map_: DataMap, schemas: Mapping[str, Schema]) -> Iterator[MapProblem]:
    """Links that no index serves, where there are indexes at all: tracing by them reads the whole table."""
    for node in map_:
        for link in node.links if schemas[node.system].dialect != "files" else ():
            if not node.schema.is_indexed(link.columns):
                path = f"systems.{node.system}.tables.{node.table}"
                names = ", ".join(link.columns)
                yield MapProblem(path, f"no index serves {names}: each request reads the whole table", "add an index")


def access(map_: DataMap, system: str) -> list[Access]:
    """The least that carrying out needs in one system: to read what is declared, to amend declared fields and the
    references that are emptied, to erase where rows are deleted."""
    needed = []
    for node in map_:
        if node.system != system:
            continue
        emptied = {
            c for parent in map_ for place, link in parent.referrers if place == node.place for c in link.columns
        }
        owned = {c for link in node.links if link.parent is not None for c in link.columns}
        amends = {*node.declared.fields, *emptied, *owned} - set(node.key)
        written = tuple(column.name for column in node.schema.columns if column.name in amends and not column.generated)
        needed.append(Access(node.table, written, deletes(node)))
    return needed


def _strategies(node: Node) -> Iterator[tuple[str, Column, Strategy]]:
    keep, erase = node.declared.keep, node.declared.erase
    groups = [("erase.fields", erase.fields if erase is not None else {})]
    groups.append(("keep.meanwhile", keep.meanwhile if keep is not None else {}))
    for path, strategies in groups:
        for name, how in strategies.items():
            column = node.schema.column(name)
            if column is not None and how is not Strategy.KEEP:
                yield path, column, how


def _orphans(map_: DataMap, schemas: Mapping[str, Schema]) -> Iterator[MapProblem]:
    """Tables that nobody declared, whose foreign keys would stop a declared deletion."""
    for node in map_:
        if node.declared.erase is None or node.declared.erase.rows != "delete":
            continue
        for table in schemas[node.system].tables.values():
            declared = f"{node.system}.{table.name}" in map_.nodes
            blocks = any(
                key.table == node.table and key.on_delete in ("no action", "restrict") for key in table.foreign_keys
            )
            if blocks and not declared:
                path = f"systems.{node.system}.tables.{table.name}"
                mend = "declare it: its rows belong to someone, or refer to someone"
                yield MapProblem(
                    path, f"this undeclared table refers to {node.table}, whose rows are to be deleted", mend
                )
