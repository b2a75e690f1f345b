"""What a store holds beside the declaration, and whether its names speak of personal data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from troth.declaration import Declaration, Problem, Severity
from troth.detect.schema.columns import classify
from troth.stores import Schema, Undeclared, undeclared

__all__ = ["check"]

_NAMED_MAX: Final = 5


def check(declaration: Declaration, schemas: Mapping[str, Schema]) -> Iterator[Problem]:
    """Every table and column of *schemas* (by system) that the declaration does not name.

    An error where its name speaks of personal data; else a warning, for somebody to look. No row is read: what values
    alone show is found by the control ``detect.no_undeclared_personal_data``.
    """
    for system, schema in schemas.items():
        for it in undeclared(declaration, system, schema):
            yield from _problems(declaration, it)


def _problems(declaration: Declaration, it: Undeclared) -> Iterator[Problem]:
    held: dict[str, str] = {}
    for found in classify(it.table, {}):
        if found.entity != "FREE_TEXT":
            held.setdefault(found.column, found.category)
    table = f"systems.{it.system}.tables.{it.table.name}"
    if it.whole:
        told = [(table, [f"{category} in {column}" for column, category in held.items()])]
    else:
        told = [
            (f"{table}.fields.{column.name}", [held[column.name]] if column.name in held else [])
            for column in it.columns
        ]
    for (path, kinds), finding in zip(told, it.findings(), strict=True):
        more = f" and {len(kinds) - _NAMED_MAX} more" if len(kinds) > _NAMED_MAX else ""
        seems = f"; by name it holds {', '.join(kinds[:_NAMED_MAX])}{more}" if kinds else ""
        severity = Severity.ERROR if kinds else Severity.WARNING
        where = declaration.where(path)
        yield Problem("store-undeclared", where, path, finding.message + seems, finding.mend, severity)
