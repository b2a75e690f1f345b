"""The rescan: repeats all queries after execution to check what is still there.

It proves, for every declared link to the subjects' rows, that nothing remains except declared exceptions: deleted rows
are gone, and rows that stay contain exactly the values that the plan wrote. One statement per table.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from troth.rows.execution import opened
from troth.rows.identifiers import dialled
from troth.rows.values import same
from troth.stores import AnyOf, Match, Row, Scalar, Store
from troth.subjects.operations import CompiledPlan, LinkValues, RescanQuery, moved


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


Written = Mapping[Row, Mapping[str, Scalar]]
"""Key of a row → values written into it."""


def _written(work: CompiledPlan, question: RescanQuery) -> Written:
    """Values that the run wrote into rows of this table that it did not delete."""
    written: dict[Row, dict[str, Scalar]] = {}
    gone: set[Row] = set()
    cut = len(question.key)
    for operation in work.operations:
        if (operation.system, operation.table) != (question.system, question.table):
            continue
        if not operation.columns:
            gone.update(operation.rows)
        moves = bool(set(question.key).intersection(operation.columns))
        for row in operation.rows if operation.columns else ():
            values = dict(zip(operation.columns, row[cut:], strict=True))
            key = moved(question.key, row[:cut], values) if moves else row[:cut]
            written.setdefault(key, {}).update(values)
    return {key: values for key, values in written.items() if key not in gone} if gone else written


def _residue(
    question: RescanQuery, written: Written, store: Store, wanted: frozenset[int], *, nulls_stay: bool
) -> Iterator[set[int]]:
    """Owners of each row that should not exist, or that has wrong values."""
    asked = [narrowed for asked in question.asked if (narrowed := _narrow(asked, wanted)).values]
    if not asked:
        return
    treated = dict.fromkeys(column for values in written.values() for column in values)
    columns = tuple(dict.fromkeys([*question.key, *(name for each in asked for name in each.columns), *treated]))
    at = {name: index for index, name in enumerate(columns)}
    where = AnyOf(tuple(Match(each.columns, tuple(each.values), each.fold, each.digits) for each in asked))
    for row in store.read(question.table, columns, where):
        owners = _owners(row, asked, at)
        key = tuple(row[at[name]] for name in question.key)
        expected = written.get(key, {} if key in question.kept else None)
        if owners and (expected is None or not _holds(row, at, expected, nulls_stay=nulls_stay)):
            yield owners


def _holds(row: Row, at: Mapping[str, int], expected: Mapping[str, Scalar], *, nulls_stay: bool) -> bool:
    """True if the row contains what was written into it; with *nulls_stay*, NULL is also accepted."""
    stored = ((row[at[name]], value) for name, value in expected.items())
    return all((nulls_stay and value is None) or same(value, meant) for value, meant in stored)


def _narrow(asked: LinkValues, wanted: frozenset[int]) -> LinkValues:
    """The same query, limited to values that name one of the *wanted* subjects."""
    if all(wanted.issuperset(owners) for owners in asked.values.values()):
        return asked
    return replace(asked, values={v: owners for v, owners in asked.values.items() if wanted & {*owners}})


def _owners(row: Row, asked: list[LinkValues], at: Mapping[str, int]) -> set[int]:
    """Subjects of a row; empty if it matches no queried value exactly, which a collation may cause."""
    owners: set[int] = set()
    for each in asked:
        value = tuple([row[at[name]] for name in each.columns])
        found = each.values.get(value) or each.values.get(tuple([_spelled(part, each) for part in value]))
        if found:
            owners.update(found)
    return owners


def _spelled(value: Scalar, asked: LinkValues) -> Scalar:
    if not isinstance(value, str):
        return value
    if asked.digits:
        return dialled(value)
    return value.strip().lower() if asked.fold else value.strip()
