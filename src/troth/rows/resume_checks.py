"""Decides from the rows whether a step of an interrupted run must still be executed.

Hours may pass between a crash and its resumption, and stores keep no record of Troth's steps. So each operation stores
the values by which its rows were found, and the rows are read again. A row that still has them is to be changed; a row
that is gone, or has the values that the step writes, is done; any other was changed by others and is not touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum, auto

from troth.errors import TrothError
from troth.rows.operations import Operation
from troth.rows.values import same
from troth.stores import AnyOf, Match, Store, StoreConflict


class RowsChanged(StoreConflict):
    """Rows have changed since the plan was made. None of them was touched."""

    def __init__(self, count: int, store: str) -> None:
        rows = "1 row" if count == 1 else f"{count} rows"
        super().__init__(f"{rows} of the plan changed after it was made", store=store)


class HeldSince(TrothError):
    """A legal hold now covers rows of an erasure. None of them was touched."""


class _Stands(Enum):
    AS_PLANNED = auto()
    DONE = auto()
    EITHER = auto()
    CHANGED = auto()


def is_to_do(store: Store, operations: Iterable[Operation], *, may_have_run: bool) -> bool:
    """True if the step with these operations must be executed, or repeated. Raises `RowsChanged` if others changed its
    rows, unless other rows show that the step itself had committed before."""
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

"""State by whether the row is as planned, and whether it has the values that the step writes."""
