"""Executes the plan of a disposal exactly once, with a journal, and says how many rows it changed."""

from __future__ import annotations

import datetime as dt
import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from troth.errors import TrothError
from troth.ledger import Entry
from troth.protect import Keyring
from troth.rows.disposal import ACTION, DisposalPlan, Held
from troth.rows.execution import STEP_REFUSALS, Progress, execute
from troth.rows.journal import Journal, Run, run_context
from troth.rows.operations import Operation
from troth.rows.resume_checks import HeldSince
from troth.stores import Row, Store


@dataclass(frozen=True, slots=True)
class DisposalResult:
    """Number of rows by place: those that the finished steps of a run deleted, those that they wrote without deleting
    them, and those that stay, by `StayReason`."""

    run_id: str
    plan_hash: str
    deleted: Mapping[str, int]
    written: Mapping[str, int]
    stayed: Mapping[str, Mapping[str, int]]
    is_resumed: bool


class DisposalFailed(TrothError):
    """A step cannot be executed: a store refuses it, its rows have changed since the plan was made, or a legal hold
    covers them. That step was not executed, and the run is closed; *result* is that of the finished steps. Fix the
    cause named in the message; the next disposal contains what is left."""

    def __init__(self, cause: TrothError, result: DisposalResult) -> None:
        super().__init__(f"run {result.run_id} ended unfinished: {cause}; the next disposal selects what is left")
        self.result = result


Entries = Callable[[DisposalResult], Sequence[Entry]]
"""The ledger entries of a run, which commit with its end."""


def carry_out(
    plan: DisposalPlan,
    stores: Mapping[str, Store],
    *,
    keyring: Keyring,
    journal: Journal,
    now: Callable[[], dt.datetime],
    entries: Entries = lambda _: (),
    held: Held = lambda place, key: False,
    progress: Progress | None = None,
    run_id: str | None = None,
) -> DisposalResult:
    """Execute a plan. Rows that have changed since it was made are not touched.

    *held* are the legal holds of now. Raises `RunInterrupted` (to be resumed) or `DisposalFailed` (to be planned
    again).
    """
    run_id = run_id or secrets.token_hex(8)
    sealed = keyring.seal(plan.encode(), run_context(run_id))
    journal.begin(Run(run_id, ACTION, plan.hash, plan.declaration_hash, now(), sealed))
    return _finish(run_id, plan, stores, journal, entries, held, progress)


def resume(
    run: Run,
    stores: Mapping[str, Store],
    *,
    keyring: Keyring,
    journal: Journal,
    entries: Entries = lambda _: (),
    held: Held = lambda place, key: False,
    progress: Progress | None = None,
) -> DisposalResult:
    """Resume a disposal that was interrupted by a crash or the failure of a store. Steps that are done are not
    repeated. Raises like `carry_out`, and `WorkUnreadable`."""
    plan = DisposalPlan.decode(keyring.unseal(run.sealed_plan, run_context(run.id)))
    return _finish(
        run.id, plan, stores, journal, entries, held, progress, done=set(journal.steps(run.id)), resumed=True
    )


def _finish(
    run_id: str,
    plan: DisposalPlan,
    stores: Mapping[str, Store],
    journal: Journal,
    entries: Entries,
    held: Held,
    progress: Progress | None,
    *,
    done: set[str] | None = None,
    resumed: bool = False,
) -> DisposalResult:
    def guard(operations: Sequence[Operation]) -> None:
        for operation in operations:
            place, width = f"{operation.system}.{operation.table}", len(operation.key)
            if any(held(place, row[:width]) for row in operation.rows):
                raise HeldSince("a legal hold on rows of the plan was placed after it was made")

    done = set() if done is None else done
    try:
        execute(
            run_id,
            plan.operations,
            stores,
            journal,
            done=done,
            resumed=resumed,
            first_look=True,
            guard=guard,
            progress=progress,
        )
    except STEP_REFUSALS as cause:
        result = _result(run_id, plan, done, resumed=resumed)
        journal.finish(run_id, entries(result))
        raise DisposalFailed(cause, result) from None
    result = _result(run_id, plan, done, resumed=resumed)
    journal.finish(run_id, entries(result))
    return result


def _result(run_id: str, plan: DisposalPlan, done: Collection[str], *, resumed: bool) -> DisposalResult:
    deleted: dict[str, set[Row]] = defaultdict(set)
    written: dict[str, set[Row]] = defaultdict(set)
    for operation in plan.operations:
        if operation.step in done:
            keys = {row[: len(operation.key)] for row in operation.rows}
            (written if operation.columns else deleted)[f"{operation.system}.{operation.table}"] |= keys
    remaining = {place: len(keys - deleted.get(place, set())) for place, keys in written.items()}
    return DisposalResult(
        run_id,
        plan.hash,
        {place: len(keys) for place, keys in deleted.items()},
        {place: count for place, count in remaining.items() if count},
        plan.stayed,
        resumed,
    )
