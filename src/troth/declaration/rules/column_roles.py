"""The roles of a table's columns for the people in it."""

from __future__ import annotations

from collections.abc import Iterator

from troth.declaration.rules.problem import TablePlace
from troth.declaration.systems import IdentityKind, Table


def columns(table: Table) -> set[str]:
    """Every column of *table* that the declaration names."""
    named = {*table.fields, *table.ignore, *(table.key or ())}
    named.update(one.column for one in (*table.identity.values(), *table.mentions.values()))
    named.update(mark.column for mark in table.marks.values())
    named.update([table.notice] if table.notice else [])
    for reference in (*table.belongs_to.values(), *table.refers_to.values()):
        named.update(reference.columns)
    return named


def naming_columns(place: TablePlace) -> Iterator[tuple[tuple[str, ...], str]]:
    """The columns of identity and mentions that erasure must treat. An account number or a key identifies a row, and
    erasure needs it."""
    key = place.table.key or ()
    for group in ("identity", "mentions"):
        for kind, one in getattr(place.table, group).items():
            if kind is not IdentityKind.ACCOUNT and one.column not in key:
                yield place.path(group, kind.value), one.column


def leads_in(table: Table) -> bool:
    """Whether a person's request leads to rows of *table*."""
    return bool(table.belongs_to or table.identity or table.mentions)


def deletes(table: Table) -> bool:
    return table.erase is not None and table.erase.rows == "delete"
