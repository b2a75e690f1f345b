"""Executes an approved plan exactly once, with a rescan, and a receipt for each subject.

`troth.rows` executes the steps; the ledger entries commit with the end of the run. `resume` finishes a run after a
crash or the failure of a store.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.errors import TrothError
from troth.ledger import Entry
from troth.protect import Keyring
from troth.rows import HeldSince, Operation, Progress, Run, RunInterrupted, run_context
from troth.rows.execution import STEP_REFUSALS, execute
from troth.stores import Store, StoreError
from troth.subjects import operations_codec
from troth.subjects.amend import AmendmentPlan
from troth.subjects.journal import SubjectJournal
from troth.subjects.operations import CompiledPlan, compile_work
from troth.subjects.operations_codec import plan_hash
from troth.subjects.plan import ErasurePlan, HoldScope
from troth.subjects.receipt import Receipt, failure, receipt, resumption
from troth.subjects.rescan import rescan


class NotApproved(TrothError):
    """The plan is not the one that was approved, or needs a review first. Nothing was changed."""


class RunFailed(TrothError):
    """A step cannot be executed: a store refuses it, or on resumption its rows have changed or a legal hold covers
    them. That step was not executed, and the run is closed; *receipts* are those of subjects finished before. Fix the
    cause named in the message and plan again: the new plan contains what is left."""

    def __init__(self, run_id: str, cause: TrothError, receipts: Sequence[Receipt]) -> None:
        super().__init__(f"run {run_id} ended unfinished: {cause}; fix that and plan again")
        self.run_id = run_id
        self.receipts = tuple(receipts)


def carry_out(
    plan: ErasurePlan | AmendmentPlan,
    stores: Mapping[str, Store],
    *,
    approved: str,
    declaration_hash: str,
    keyring: Keyring,
    journal: SubjectJournal,
    now: Callable[[], dt.datetime],
    progress: Progress | None = None,
    run_id: str | None = None,
) -> list[Receipt]:
    """Execute an approved plan and verify the result. Returns one receipt per subject, in order.

    *approved* is the hash of the plan that was approved, *declaration_hash* that of the declaration in force now.
    *run_id* lets the caller find the run again; by default it is random. Raises `NotApproved` before any change;
    `RunInterrupted` (to be resumed) or `RunFailed` (to be planned again) if a store fails.
    """
    known = plan_hash(plan, keyring)
    _refuse_unapproved(plan, known, approved, declaration_hash)
    work = compile_work(plan, keyring, known)
    run_id = run_id or secrets.token_hex(8)
    journal.begin(_run(run_id, work, keyring, now()))
    return _Carrying(run_id, work, stores, journal, now, progress).finish()


def _refuse_unapproved(plan: ErasurePlan | AmendmentPlan, known: str, approved: str, declaration_hash: str) -> None:
    if plan.declaration_hash != declaration_hash:
        raise NotApproved("the declaration has changed since this plan was made; plan again and check the new plan")
    if plan.reviews:
        first = plan.reviews[0]
        raise NotApproved(f"{first.place or 'the plan'}: {first.message}; {first.fix}")
    if not hmac.compare_digest(known.encode(), approved.encode()):
        raise NotApproved(
            "this is not the plan that was approved: rows, holds or the declaration have changed since, or the hash is "
            "of another plan; check the current plan"
        )


def resume(
    run: Run,
    stores: Mapping[str, Store],
    *,
    keyring: Keyring,
    journal: SubjectJournal,
    now: Callable[[], dt.datetime],
    holds: Callable[[Sequence[str]], Sequence[HoldScope]] = lambda _: (),
    progress: Progress | None = None,
) -> list[Receipt]:
    """Resume a run that was interrupted by a crash or the failure of a store, and record that.

    Steps that are done are not repeated. The others are checked first: if the rows of a step have changed since the
    plan was made, or are to be erased but now under one of the *holds* (looked up by the keyed references of the run's
    subjects), the step is not executed and the run is closed. Raises like `carry_out`.
    """
    work = operations_codec.decode(keyring.unseal(run.sealed_plan, run_context(run.id)))
    done = set(journal.steps(run.id))
    [reference] = keyring.pseudonyms("run", [run.id])
    taken_up = [resumption(work, reference, done, now())]
    return _Carrying(run.id, work, stores, journal, now, progress, done, taken_up, holds(work.subjects)).finish()


def _run(run_id: str, work: CompiledPlan, keyring: Keyring, at: dt.datetime) -> Run:
    sealed = keyring.seal(operations_codec.encode(work), run_context(run_id))
    return Run(run_id, work.action, work.plan_hash, work.declaration_hash, at, sealed)


@dataclass(slots=True)
class _Carrying:
    """One run in progress. *taken_up* are the ledger entries of its resumption; empty for a new run."""

    run_id: str
    work: CompiledPlan
    stores: Mapping[str, Store]
    journal: SubjectJournal
    now: Callable[[], dt.datetime]
    progress: Progress | None
    done: set[str] = field(default_factory=set)
    taken_up: Sequence[Entry] = ()
    holds: Sequence[HoldScope] = ()

    def finish(self) -> list[Receipt]:
        """Execute the remaining steps, rescan, and commit the receipts."""
        try:
            execute(
                self.run_id,
                self.work.operations,
                self.stores,
                self.journal,
                done=self.done,
                resumed=bool(self.taken_up),
                guard=self._require_not_held,
                progress=self.progress,
            )
        except STEP_REFUSALS as cause:
            raise self._closed(cause) from None
        try:
            receipts = self._receipts(range(len(self.work.subjects)))
        except StoreError as cause:
            raise self._interrupted(cause) from None
        self.journal.finish(self.run_id, [*self.taken_up, *(one.entry for one in receipts)], self.work.gone, receipts)
        return receipts

    def _require_not_held(self, operations: Sequence[Operation]) -> None:
        """Check the holds that are active now; the plan only considered those of its time."""
        if self.work.action != "erase":
            return
        subjects = self.work.subjects_of(operations[0].chunk)
        for hold in self.holds:
            if any(hold.covers(f"{operation.system}.{operation.table}", subjects) for operation in operations):
                raise HeldSince(f"{hold.reason} on rows of the plan, placed after it was made")

    def _receipts(self, subjects: Sequence[int]) -> list[Receipt]:
        left, at = rescan(self.work, self.stores, subjects), self.now()
        known = self.work.subjects
        final = self.journal.final_after(known, self.work.gone, at) if self.work.action == "erase" else {}
        return [
            receipt(self.work, subject, dict(left.get(subject, {})), at, final.get(known[subject]))
            for subject in subjects
        ]

    def _interrupted(self, cause: StoreError) -> RunInterrupted:
        left = len(self.work.steps()) - len(self.done)
        return RunInterrupted(self.run_id, cause, done=len(self.done), left=left)

    def _closed(self, cause: TrothError) -> TrothError:
        """Close the run, with receipts for finished subjects and a failure entry for each of the others.

        If the rescan of finished subjects fails, the run stays open, and is closed when it is resumed.
        """
        everyone = range(len(self.work.subjects))
        finished = [subject for subject in everyone if self.done.issuperset(self.work.steps_of(subject))]
        try:
            receipts = self._receipts(finished)
        except StoreError as trouble:
            return self._interrupted(trouble)
        at = self.now()
        failed = [failure(self.work, one, self.done, cause, at) for one in everyone if one not in set(finished)]
        gone = [one for one in self.work.gone if set(finished).issuperset(one.subjects)]
        entries = [*self.taken_up, *(one.entry for one in receipts), *failed]
        self.journal.finish(self.run_id, entries, gone, receipts)
        return RunFailed(self.run_id, cause, receipts)
