"""Infers undeclared foreign keys from names and kinds, and confirms them by values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from troth.detect.schema.composite import repeated_keys
from troth.detect.schema.name_references import Pointers
from troth.detect.schema.targets import Targets
from troth.stores import AnyOf, ColumnKind, Match, Scalar, Schema, Store, StoreError, TableSchema

_ROWS: Final = 200
_FEW: Final = 20
"""Enough rows for keys that are globally unique."""
_ENOUGH: Final = 3
_PLAIN: Final = 0.55
"""Minimum plainness of a name to be accepted without values."""
_POSSIBLE: Final = 0.3
_APART: Final = 0.002
_REPEATED: Final = 0.75
_THERE: Final = 0.9
"""Minimum share of a column's values that must exist: without enforcement, some references dangle."""
_STRAYS_MAX: Final = 20_000
_CANDIDATES_MAX: Final = 4
"""Maximum number of tables that are queried for a column's values."""


_Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class InferredReference:
    """*columns* of *table* seem to reference the row of *to_table* whose *to_columns* have the same values."""

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    score: float
    why: tuple[str, ...]


def infer_references(schema: Schema, store: Store | None = None) -> list[InferredReference]:
    """References that *schema* does not declare, the best per column, ordered by table and column.

    With a *store*, a sample of each table with candidates is read, and each target is queried once for the sampled
    values: at most two statements per table, and two more for UUID columns whose names are wrong or say nothing. A
    table that cannot be read is judged by names alone, without an error.
    """
    targets = Targets(schema)
    candidates = list(_candidates(schema, targets))
    if store is None:
        judged = [[_scored(it, it.score, ()) for it in several] for several in candidates]
    else:
        judged = _by_values(candidates, store)
        judged += _by_values(_strays(schema, targets, {_from(it) for several in judged for it in several}), store, _FEW)
    singles = [best for several in judged if (best := _best(several)) is not None]
    several = list(_of_several(schema, targets, singles))
    return sorted([*_unsaid(singles, several), *several], key=lambda it: (it.table, it.columns))


def _candidates(schema: Schema, targets: Targets) -> Iterator[list[InferredReference]]:
    """For each column that looks like a key, the tables that it may reference, plainest first."""
    pointers = Pointers(targets)
    for table in schema.tables.values():
        declared = _declared(table)
        for column in table.columns:
            if column.name in declared:
                continue
            found = [it for it in pointers.of(table, column) if it.plainness >= _POSSIBLE]
            if found:
                yield [
                    InferredReference(table.name, (column.name,), it.table.name, (it.key,), it.plainness, (it.why,))
                    for it in found[:_CANDIDATES_MAX]
                ]


def _declared(table: TableSchema) -> set[str]:
    return {column for key in table.foreign_keys for column in key.columns}


def _strays(schema: Schema, targets: Targets, known: Set[_Place]) -> list[list[InferredReference]]:
    """UUID columns whose names match no table, or a wrong one: any table is possible, and the values decide. Empty if
    there are too many combinations."""
    columns = [
        (table, column)
        for table in schema.tables.values()
        for column in table.columns
        if column.kind is ColumnKind.UUID
        and (table.name, column.name) not in known
        and column.name not in {*_declared(table), *table.key}
    ]
    keys = [it for it in targets.by_table.values() if it.key.kind is ColumnKind.UUID]
    if len(columns) * len(keys) > _STRAYS_MAX:
        return []
    return [
        [
            InferredReference(
                table.name, (column.name,), it.table.name, (it.key.name,), _POSSIBLE, ("it holds keys of that kind",)
            )
            for it in keys
        ]
        for table, column in columns
    ]


def _best(several: Sequence[InferredReference]) -> InferredReference | None:
    """The likeliest candidate; None if it is unlikely, or not likelier than another."""
    ranked = sorted(several, key=lambda it: -it.score)
    if not ranked or ranked[0].score < _PLAIN:
        return None
    return None if len(ranked) > 1 and ranked[1].score > ranked[0].score - _APART else ranked[0]


# --- values ---------------------------------------------------------------------------------------------------------


def _by_values(
    candidates: Sequence[Sequence[InferredReference]], store: Store, rows: int = _ROWS
) -> list[list[InferredReference]]:
    every = [it for several in candidates for it in several]
    sampled = _sampled(every, store, rows)
    present = _present(every, sampled, store)
    return [
        [
            judged
            for it in several
            if (judged := _judged(it, sampled.get(_from(it)), present.get((it.to_table, it.to_columns[0])))) is not None
        ]
        for several in candidates
    ]


def _from(it: InferredReference) -> _Place:
    return it.table, it.columns[0]


def _sampled(candidates: Sequence[InferredReference], store: Store, rows: int) -> dict[_Place, set[Scalar]]:
    """Some distinct values of each candidate column."""
    columns: dict[str, dict[str, None]] = {}
    for it in candidates:
        columns.setdefault(it.table, {})[it.columns[0]] = None
    found: dict[_Place, set[Scalar]] = {}
    for table, names in columns.items():
        try:
            read = store.sample(table, list(names), rows=rows)
        except StoreError:
            continue
        for at, name in enumerate(names):
            found[table, name] = {row[at] for row in read if row[at] is not None}
    return found


def _present(
    candidates: Sequence[InferredReference], sampled: Mapping[_Place, set[Scalar]], store: Store
) -> dict[_Place, set[Scalar]]:
    """Which of the sampled values exist in each target."""
    wanted: dict[_Place, set[Scalar]] = {}
    for it in candidates:
        wanted.setdefault((it.to_table, it.to_columns[0]), set()).update(sampled.get(_from(it), set()))
    found: dict[_Place, set[Scalar]] = {}
    for (table, column), values in wanted.items():
        if values:
            where = AnyOf((Match((column,), tuple((value,) for value in sorted(values, key=str))),))
            try:
                found[table, column] = {row[0] for row in store.read(table, [column], where)}
            except StoreError:
                continue
    return found


def _judged(it: InferredReference, values: set[Scalar] | None, present: set[Scalar] | None) -> InferredReference | None:
    """The candidate with its final score; None if the values contradict it."""
    if not values or present is None:
        return _scored(it, it.score, ("there are no values to compare",))
    part = len(values & present) / len(values)
    if part < _THERE:
        return None
    if len(values) < _ENOUGH:
        return _scored(it, it.score + 0.02, ("its few values are there",))
    return _scored(
        it, it.score + (1 - it.score) * 0.5 * part, (f"{part:.0%} of {len(values)} sampled values are there",)
    )


def _scored(it: InferredReference, score: float, why: tuple[str, ...]) -> InferredReference:
    return replace(it, score=round(min(1.0, score), 3), why=(*it.why, *why))


# --- several columns ------------------------------------------------------------------------------------------------


def _of_several(schema: Schema, targets: Targets, singles: Sequence[InferredReference]) -> Iterator[InferredReference]:
    """Repeated composite keys, which may imply what a single column says."""
    known = {_from(it): it.to_table for it in singles}
    for it in repeated_keys(schema, targets, known):
        why = ("they have the names of that table's whole key",)
        yield InferredReference(it.table.name, it.columns, it.of.name, it.of.key, _REPEATED, why)


def _unsaid(singles: Sequence[InferredReference], several: Sequence[InferredReference]) -> Iterator[InferredReference]:
    """Removes references that follow from another one: the reference to an order line implies the order."""
    known = {_from(it): it.to_table for it in singles}
    said = {
        (it.table, column)
        for it in several
        for column, to in zip(it.columns, it.to_columns, strict=True)
        if known.get((it.to_table, to)) == known.get((it.table, column))
    }
    return (it for it in singles if _from(it) not in said)
