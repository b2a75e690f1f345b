"""Executes the operations of a run exactly once, one transaction per store and chunk.

The store commits, then the journal records the step as *done*. After a crash, steps that are done are not repeated, and
the rows of the next one are checked first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from troth.errors import TrothError
from troth.rows.journal import Journal
from troth.rows.operations import Operation, steps
from troth.rows.resume_checks import HeldSince, is_to_do
from troth.stores import Store, StoreConflict, StoreError, StoreUnreachable, UnknownName

Progress = Callable[[str], None]
"""Called with the name of each step when it is done."""

STEP_REFUSALS = (StoreConflict, UnknownName, HeldSince)
"""Why a step cannot be executed, now or later: the run has to be closed and planned again."""


class RunInterrupted(TrothError):
    """A store failed during the run; waiting or a fix may help. Committed steps remain; resuming does the rest."""

    def __init__(self, run_id: str, cause: StoreError, *, done: int, left: int) -> None:
        super().__init__(
            f"run {run_id} stopped after {done} of {done + left} steps: {cause}; "
            "`troth keep` resumes it, and does not repeat finished steps"
        )
        self.run_id = run_id
        self.retryable = cause.retryable


def execute(
    run_id: str,
    operations: Iterable[Operation],
    stores: Mapping[str, Store],
    journal: Journal,
    *,
    done: set[str],
    resumed: bool,
    first_look: bool = False,
    guard: Callable[[Sequence[Operation]], None] = lambda _: None,
    progress: Progress | None = None,
) -> None:
    """Execute the steps that are not *done*, and add them to it.

    The rows of a step are compared with the plan first if the run is *resumed*, or with *first_look*; rows that have
    changed are not touched. *guard* may refuse a step by raising `HeldSince`. Raises one of `STEP_REFUSALS`, before the
    step has changed anything, or `RunInterrupted`.
    """
    planned = steps(operations)
    may_have_run = resumed  # the first step not done may have committed; no later one has begun
    for step, those in planned.items():
        if step in done:
            continue
        try:
            store = opened(stores, those[0].system)
            if not (resumed or first_look) or is_to_do(store, those, may_have_run=may_have_run):
                guard(those)
                _execute(store, those)
        except STEP_REFUSALS:
            raise
        except StoreError as cause:
            raise RunInterrupted(run_id, cause, done=len(done), left=len(planned) - len(done)) from None
        journal.done(run_id, step)
        done.add(step)
        may_have_run = False
        if progress is not None:
            progress(step)


def opened(stores: Mapping[str, Store], name: str) -> Store:
    """The store of that name. Raises `StoreUnreachable` if there is none."""
    if name not in stores:
        raise StoreUnreachable("the declaration no longer has this system; declare it again", store=name)
    return stores[name]


def _execute(store: Store, operations: Iterable[Operation]) -> None:
    """Execute one step: all operations of one chunk on one store, in one transaction."""
    with store.writing() as writer:
        for operation in operations:
            if operation.columns:
                writer.amend(
                    operation.table, operation.key, operation.columns, operation.rows, keep_nulls=operation.keep_nulls
                )
            else:
                writer.erase(operation.table, operation.key, operation.rows)
