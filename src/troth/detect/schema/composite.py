"""References by several columns, to rows that are identified only by a composite key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from troth.detect.schema.targets import Targets
from troth.detect.schema.words import Words
from troth.stores import Column, ColumnKind, Schema, TableKind, TableSchema


@dataclass(frozen=True, slots=True)
class Repeated:
    """*columns* of *table* have the names of the complete key of *of*."""

    table: TableSchema
    columns: tuple[str, ...]
    of: TableSchema


@dataclass(frozen=True, slots=True)
class _Key:
    """A composite key, in which *own* is not a reference: the number of a line in its order."""

    table: TableSchema
    names: tuple[Words, ...]
    own: Words


def repeated_keys(schema: Schema, targets: Targets, known: Mapping[tuple[str, str], str]) -> Iterator[Repeated]:
    """Tables that repeat the complete key of another table, by column names.

    *known* maps columns to the tables that they reference individually. A key that consists only of such columns
    belongs to a join table, to which nothing points; a key shared by two tables is ambiguous.
    """
    keys = _keys(schema, targets, known)
    for table in schema.tables.values():
        names = {targets.words(column.name): column for column in table.columns}
        for name in names:
            for cut in range(min(2, len(name))):
                key = keys.get(name[cut:])
                columns = () if key is None or key.table is table else _repeated(key, name[:cut], names)
                if key is not None and columns and _is_one(columns, table):
                    yield Repeated(table, columns, key.table)


def _keys(schema: Schema, targets: Targets, known: Mapping[tuple[str, str], str]) -> dict[Words, _Key]:
    """The keys that may be repeated, by the name of their own column."""
    found: dict[Words, _Key] = {}
    shared: set[Words] = set()
    for table in schema.tables.values():
        if len(table.key) < 2 or table.kind is not TableKind.TABLE or any(_is_time(table, name) for name in table.key):
            continue
        declared = {column for link in table.foreign_keys for column in link.columns}
        left = [targets.words(name) for name in table.key if name not in declared and (table.name, name) not in known]
        own = [words for words in left if words not in targets.lists.plain and words[-1] not in targets.lists.keys]
        keyed = [words for words in left if words[-1] in targets.lists.keys]
        if (
            len(keyed) == 1
            and len(left) == len(table.key)
            and targets.stem(keyed[0])[0] == targets.split(table.name)[1]
        ):
            own = left = keyed  # the node of nodes, which stores a version per row
        if left and own == left:
            shared |= {own[0]} & found.keys()
            found[own[0]] = _Key(table, tuple(targets.words(name) for name in table.key), own[0])
    return {own: key for own, key in found.items() if own not in shared}


def _is_one(columns: tuple[str, ...], table: TableSchema) -> bool:
    """True if all or none of them are in the table's own key: the version of a way is not that of its nodes."""
    return len({name in table.key for name in columns}) == 1


def _is_time(table: TableSchema, name: str) -> bool:
    """True for a temporal column: rows that are distinguished by time are not referenced."""
    column = table.column(name)
    return column is not None and column.kind in {ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.TIME}


def _repeated(key: _Key, front: Words, names: Mapping[Words, Column]) -> tuple[str, ...]:
    """The columns that repeat the key, all with the same prefix; empty if one is missing."""
    found = [names.get((*front, *name)) for name in key.names]
    own = [key.table.column(name) for name in key.table.key]
    if any(it is None or of is None or it.kind is not of.kind for it, of in zip(found, own, strict=True)):
        return ()
    return tuple(it.name for it in found if it is not None)
