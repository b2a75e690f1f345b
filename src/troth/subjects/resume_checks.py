"""Resuming: whether a step of an interrupted run is still to be done, told from the rows themselves.

Hours may lie between a crash and the resume, and a store keeps no note of ours. So each operation remembers by which
values a row was found, and the rows are read again: one that still holds them is to be done, one that is gone or holds
what the step writes is done, and any other has changed hands or been corrected since, and is not touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum, auto

from troth.errors import TrothError
from troth.stores import AnyOf, Match, Store, StoreConflict
from troth.subjects.operations import Operation
from troth.subjects.rescan import same


class RowsChanged(StoreConflict):
    """Rows of the plan are not what they were when it was made. None of them was touched."""

    def __init__(self, count: int, store: str) -> None:
        rows = "1 row" if count == 1 else f"{count} rows"
        super().__init__(f"{rows} of the plan changed between the interruption and now", store=store)


class HeldSince(TrothError):
    """A legal hold covers rows of an erasure by now. None of them was touched."""


class _Stands(Enum):
    AS_PLANNED = auto()
    DONE = auto()
    EITHER = auto()
    CHANGED = auto()


def is_to_do(store: Store, operations: Iterable[Operation], *, may_have_run: bool) -> bool:
    """Whether the step with these operations has to be done, or done over. Raises `RowsChanged` where somebody else
    changed its rows, unless others of them show that the step itself had committed before that."""
    found = Counter(stands for operation in operations for stands in _standing(store, operation))
    has_run = may_have_run and found[_Stands.DONE] and not found[_Stands.AS_PLANNED]
    if found[_Stands.CHANGED] and not has_run:
        raise RowsChanged(found[_Stands.CHANGED], store.name)
    return bool(found[_Stands.AS_PLANNED])


def _standing(store: Store, operation: Operation) -> Iterator[_Stands]:
    cut = len(operation.key)
    names = tuple(dict.fromkeys([*operation.key, *operation.seen, *operation.columns]))
    keys = tuple(row[:cut] for row in operation.rows)
    found = {row[:cut]: row for row in store.read(operation.table, names, AnyOf((Match(operation.key, keys),)))}
    seen_at = [names.index(name) for name in operation.seen]
    written_at = [names.index(name) for name in operation.columns]
    leaves = not operation.columns or not set(operation.key).isdisjoint(operation.columns)
    for key, planned, before in zip(keys, operation.rows, operation.before, strict=True):
        row = found.get(key)
        if row is None:
            yield _Stands.DONE if leaves else _Stands.EITHER
            continue
        now = [row[at] for at in written_at]
        is_done = bool(now) and all(
            same(value, meant) or (operation.keep_nulls and value is None)
            for value, meant in zip(now, planned[cut:], strict=True)
        )
        is_as_planned = all(map(same, [row[at] for at in seen_at], before))
        yield _STANDS[is_as_planned, is_done]


_STANDS = {
    (True, False): _Stands.AS_PLANNED,
    (False, True): _Stands.DONE,
    (True, True): _Stands.EITHER,
    (False, False): _Stands.CHANGED,
}

"""By whether the row is as it was planned, and whether it holds what the step writes."""
