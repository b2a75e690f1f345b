"""Reports what a store holds beyond the declaration, and whether names or values indicate personal data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from troth.declaration import Declaration, Problem, Severity
from troth.detect.finding import Unscanned
from troth.detect.schema.columns import ColumnFinding, classify
from troth.stores import ColumnKind, Scalar, Schema, Store, Undeclared, undeclared
from troth.text import first_few

_ROWS: Final = 100

Samples = Mapping[str, Sequence[Scalar]]
"""Some values of each column."""


def sample_undeclared(declaration: Declaration, system: str, schema: Schema, store: Store) -> dict[str, Samples]:
    """A sample of every table of *system* that has something undeclared, by table.

    One statement per table. Raises `StoreError` if a table cannot be read, because it would otherwise go unnoticed.
    """
    found: dict[str, Samples] = {}
    for it in undeclared(declaration, system, schema):
        names = [column.name for column in it.columns if column.kind is not ColumnKind.BYTES]
        rows = store.sample(it.table.name, names, rows=_ROWS) if names else []
        found[it.table.name] = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    return found


def check(
    declaration: Declaration, schemas: Mapping[str, Schema], samples: Mapping[str, Mapping[str, Samples]] | None = None
) -> Iterator[Problem]:
    """Every table and column of *schemas* (by system) that the declaration does not name.

    It is an error if the name indicates personal data, or if the *samples* of its values do (by system and table, as
    from `sample_undeclared`); otherwise a warning, for review. Values of declared columns are not examined: that is
    done by the control ``detect.no_undeclared_personal_data``.
    """
    for system, schema in schemas.items():
        for it in undeclared(declaration, system, schema):
            yield from _problems(declaration, it, (samples or {}).get(system, {}).get(it.table.name, {}))


def _problems(declaration: Declaration, it: Undeclared, samples: Samples) -> Iterator[Problem]:
    table = f"systems.{it.system}.tables.{it.table.name}"
    try:
        seen = classify(it.table, samples)
    except Unscanned as error:
        yield declaration.problem("store-not-checked", table, f"its values were not checked: {error}")
        seen, samples = classify(it.table, {}), {}
    held: dict[str, ColumnFinding] = {}
    for found in seen:
        if found.entity != "FREE_TEXT":
            held.setdefault(found.column, found)
    if it.whole:
        told = [(table, [_said(found, in_column=True) for found in held.values()])]
    else:
        told = [
            (f"{table}.fields.{column.name}", [_said(held[column.name])] if column.name in held else [])
            for column in it.columns
        ]
    for (path, kinds), finding in zip(told, it.findings(), strict=True):
        how = "by name and values" if samples else "by name"
        seems = f"; {how} it holds {first_few(kinds)}" if kinds else ""
        severity = Severity.ERROR if kinds else Severity.WARNING
        yield declaration.problem("store-undeclared", path, finding.message + seems, finding.fix, severity)


def _said(it: ColumnFinding, *, in_column: bool = False) -> str:
    return f"{it.category} in {it.column}" if in_column else it.category
