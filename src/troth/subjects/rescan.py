"""The rescan: repeats all queries after execution to check what is still there.

It proves, for every declared link to the subjects' rows, that nothing remains except declared exceptions: deleted rows
are gone, and rows that stay contain exactly the values that the plan wrote. One statement per table.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from troth.rows.execution import opened
from troth.rows.identifiers import dialled
from troth.rows.values import picker, same, without_collection
from troth.stores import AnyOf, Match, Row, Scalar, Store
from troth.subjects.operations import CompiledPlan, LinkValues, RescanQuery, moved


@without_collection()
def rescan(work: CompiledPlan, stores: Mapping[str, Store], subjects: Collection[int]) -> dict[int, Counter[str]]:
    """Number of rows that the plan does not allow: subject → place → rows. Empty means clean. Raises `StoreError`."""
    left: dict[int, Counter[str]] = defaultdict(Counter)
    for system in sorted({question.system for question in work.questions}):
        opened(stores, system)  # before anything is read
    wanted = frozenset(subjects)
    nulls_stay = any(operation.keep_nulls for operation in work.operations)
    for question in work.questions:
        written = _written(work, question)
        for owners in _residue(question, written, stores[question.system], wanted, nulls_stay=nulls_stay):
            for subject in owners & wanted:
                left[subject][f"{question.system}.{question.table}"] += 1
    return dict(left)


Written = Mapping[Row, tuple[tuple[str, ...], Row]]
"""Key of a row → columns and values written into it."""


def _written(work: CompiledPlan, question: RescanQuery) -> Written:
    """Values that the run wrote into rows of this table that it did not delete."""
    written: dict[Row, tuple[tuple[str, ...], Row]] = {}
    gone: set[Row] = set()
    cut = len(question.key)
    for operation in work.operations:
        if (operation.system, operation.table) != (question.system, question.table):
            continue
        columns = operation.columns
        if not columns:
            gone.update(operation.rows)
            continue
        moves = not set(question.key).isdisjoint(columns)
        for row in operation.rows:
            key, values = row[:cut], row[cut:]
            if moves:
                key = moved(question.key, key, dict(zip(columns, values, strict=True)))
            before = written.get(key)
            written[key] = (columns, values) if before is None else _later(before, columns, values)
    return {key: values for key, values in written.items() if key not in gone} if gone else written


def _later(before: tuple[tuple[str, ...], Row], columns: tuple[str, ...], values: Row) -> tuple[tuple[str, ...], Row]:
    """What two operations wrote into one row."""
    both = dict(zip(*before, strict=True)) | dict(zip(columns, values, strict=True))
    return tuple(both), tuple(both.values())


def _residue(
    question: RescanQuery, written: Written, store: Store, wanted: frozenset[int], *, nulls_stay: bool
) -> Iterator[set[int]]:
    """Owners of each row that should not exist, or that has wrong values."""
    asked = [narrowed for asked in question.asked if (narrowed := _narrow(asked, wanted)).values]
    if not asked:
        return
    treated = {columns: None for columns, _ in written.values()}
    columns = tuple(dict.fromkeys(itertools.chain(question.key, *(link.columns for link in asked), *treated)))
    key_of = picker(columns, question.key)
    values_of = {some: picker(columns, some) for some in treated}
    where = AnyOf(tuple(Match(link.columns, tuple(link.values), link.fold, link.digits) for link in asked))
    for row in store.read(question.table, columns, where):
        key = key_of(row)
        expected = written.get(key)
        if expected is None:
            is_allowed = key in question.kept
        else:
            is_allowed = _holds(values_of[expected[0]](row), expected[1], nulls_stay=nulls_stay)
        if not is_allowed and (owners := _owners(row, columns, asked)):
            yield owners


def _holds(stored: Row, expected: Row, *, nulls_stay: bool) -> bool:
    """True if a row contains what was written into it; with *nulls_stay*, NULL is also accepted."""
    return stored == expected or all(
        (nulls_stay and value is None) or same(value, meant) for value, meant in zip(stored, expected, strict=True)
    )


def _narrow(asked: LinkValues, wanted: frozenset[int]) -> LinkValues:
    """The same query, limited to values that name one of the *wanted* subjects."""
    if all(wanted.issuperset(owners) for owners in asked.values.values()):
        return asked
    return replace(asked, values={v: owners for v, owners in asked.values.items() if wanted & {*owners}})


def _owners(row: Row, columns: Sequence[str], asked: Sequence[LinkValues]) -> set[int]:
    """Subjects of a row; empty if it matches no queried value exactly, which a collation may cause."""
    owners: set[int] = set()
    for link in asked:
        value = picker(columns, link.columns)(row)
        owners.update(link.values.get(value) or link.values.get(tuple([_spelled(part, link) for part in value])) or ())
    return owners


def _spelled(value: Scalar, asked: LinkValues) -> Scalar:
    if not isinstance(value, str):
        return value
    if asked.digits:
        return dialled(value)
    return value.strip().lower() if asked.fold else value.strip()
