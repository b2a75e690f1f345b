"""Carrying out: the effects of an approved plan, exactly once, with a rescan and a receipt for each subject.

Per store and chunk there is one transaction. The journal says *intended*, the store commits, the journal says *done*;
the ledger entries commit with the end of the run. `resume` finishes what a crash or a lost store left over.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from troth.errors import TrothError
from troth.ledger import Entry, Hash, Pseudonym, Value
from troth.protect import Context, Keyring
from troth.stores import Store, StoreBusy, StoreConflict, StoreError, StoreRefused, StoreUnreachable, UnknownName
from troth.subjects import sealing
from troth.subjects.amend import AmendmentPlan
from troth.subjects.journal import Journal, Run
from troth.subjects.plan import ErasurePlan
from troth.subjects.rescan import rescan
from troth.subjects.sealing import plan_hash
from troth.subjects.work import Operation, Tally, Work, compile_work

__all__ = ["NotApproved", "Receipt", "RunFailed", "RunInterrupted", "carry_out", "resume"]

Progress = Callable[[str], None]
"""Called with each step's name when it is done."""


class NotApproved(TrothError):
    """The plan is not the one that was approved, or somebody has to review it first. Nothing was changed."""


class RunInterrupted(TrothError):
    """A store failed in mid-run, and waiting or mending may help. What had committed stays; `resume` does the rest."""

    def __init__(self, run_id: str, cause: StoreError, *, done: int, left: int) -> None:
        super().__init__(
            f"run {run_id} stopped after {done} of {done + left} steps: {cause}; "
            "`troth keep` takes it up again, and repeats nothing that is done"
        )
        self.run_id = run_id
        self.retryable = cause.retryable


class RunFailed(TrothError):
    """A store forbids a step of the plan. That step was rolled back and the run is closed; *receipts* are those of the
    subjects that were finished before. Mend what the message says and plan again: the new plan holds what is left."""

    def __init__(self, run_id: str, cause: StoreError, receipts: Sequence[Receipt]) -> None:
        super().__init__(f"run {run_id} is closed unfinished: {cause}; mend that and plan again")
        self.run_id = run_id
        self.receipts = tuple(receipts)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What happened for one subject: what went, what stayed and why, and what the rescan found (place → rows)."""

    subject: Pseudonym
    action: str
    plan_hash: str
    at: dt.datetime
    lines: tuple[Tally, ...]
    residue: Mapping[str, int]
    entry: Entry

    @property
    def is_clean(self) -> bool:
        """Whether the rescan found nothing outside the declared exceptions."""
        return not self.residue


def carry_out(
    plan: ErasurePlan | AmendmentPlan,
    stores: Mapping[str, Store],
    *,
    approved: str,
    declaration_hash: str,
    keyring: Keyring,
    journal: Journal,
    now: Callable[[], dt.datetime],
    progress: Progress | None = None,
) -> list[Receipt]:
    """Do what was approved, and show that it is done. Returns one receipt per subject, in order.

    *approved* is the hash of the plan that somebody has seen, *declaration_hash* that of the declaration in force now.
    Raises `NotApproved` before anything is touched; `RunInterrupted` (to be resumed) or `RunFailed` (to be planned
    again) when a store fails.
    """
    known = plan_hash(plan, keyring)
    _refuse_unapproved(plan, known, approved, declaration_hash)
    work = compile_work(plan, keyring, known)
    run_id = secrets.token_hex(8)
    sealed = keyring.seal(sealing.encode(work), _context(run_id))
    journal.begin(Run(run_id, work.action, known, work.declaration_hash, now(), sealed))
    return _finish(run_id, work, stores, journal, now, progress)


def _refuse_unapproved(plan: ErasurePlan | AmendmentPlan, known: str, approved: str, declaration_hash: str) -> None:
    if plan.declaration_hash != declaration_hash:
        raise NotApproved("the declaration has changed since this plan was made; plan again and look at the new plan")
    if plan.reviews:
        first = plan.reviews[0]
        raise NotApproved(f"{first.place or 'the plan'}: {first.message}; {first.mend}")
    if not hmac.compare_digest(known.encode(), approved.encode()):
        raise NotApproved("this is not the plan that was approved: rows have changed since; look at the new plan")


def resume(
    run: Run,
    stores: Mapping[str, Store],
    *,
    keyring: Keyring,
    journal: Journal,
    now: Callable[[], dt.datetime],
    progress: Progress | None = None,
) -> list[Receipt]:
    """Take up a run that a crash or a lost store interrupted. Steps that are done are not repeated; one that had
    committed without being noted is, and that is harmless. Raises as `carry_out` does."""
    work = sealing.decode(keyring.unseal(run.sealed_plan, _context(run.id)))
    return _finish(run.id, work, stores, journal, now, progress)


def _context(run_id: str) -> Context:
    return Context(domain="subjects.run", field=run_id)


def _finish(
    run_id: str,
    work: Work,
    stores: Mapping[str, Store],
    journal: Journal,
    now: Callable[[], dt.datetime],
    progress: Progress | None,
) -> list[Receipt]:
    steps = work.steps()
    done = {step for step, is_done in journal.steps(run_id).items() if is_done}
    everyone = range(len(work.subjects))
    for step, operations in steps.items():
        if step in done:
            continue
        try:
            store = _store(stores, operations[0].system)
            journal.intend(run_id, step)
            _execute(store, operations)
        except (StoreConflict, UnknownName) as cause:
            raise _closed(run_id, work, stores, journal, now, done, cause) from None
        except StoreError as cause:
            raise RunInterrupted(run_id, cause, done=len(done), left=len(steps.keys() - done)) from None
        journal.done(run_id, step)
        done.add(step)
        if progress is not None:
            progress(step)
    try:
        receipts = _receipts(work, stores, everyone, now())
    except StoreError as cause:
        raise RunInterrupted(run_id, cause, done=len(done), left=0) from None
    journal.finish(run_id, [receipt.entry for receipt in receipts], work.gone)
    return receipts


def _closed(
    run_id: str,
    work: Work,
    stores: Mapping[str, Store],
    journal: Journal,
    now: Callable[[], dt.datetime],
    done: set[str],
    cause: StoreError,
) -> TrothError:
    """Close a run whose next step is forbidden, with receipts for the finished and a failure for each of the others.

    Where the finished cannot be looked at again just now, the run stays open: to be closed when it is resumed.
    """
    steps = work.steps()
    everyone = range(len(work.subjects))
    finished = {subject for subject in everyone if _is_finished(work, subject, steps, done)}
    try:
        receipts = _receipts(work, stores, finished, now())
    except StoreError as trouble:
        return RunInterrupted(run_id, trouble, done=len(done), left=len(steps.keys() - done))
    failed = [_failure(work, subject, steps, done, cause, now()) for subject in everyone if subject not in finished]
    gone = [one for one in work.gone if finished.issuperset(one.subjects)]
    journal.finish(run_id, [*(receipt.entry for receipt in receipts), *failed], gone)
    return RunFailed(run_id, cause, receipts)


def _store(stores: Mapping[str, Store], name: str) -> Store:
    if name not in stores:
        raise StoreUnreachable("the declaration has no such system any more; declare it again", store=name)
    return stores[name]


def _execute(store: Store, operations: Iterable[Operation]) -> None:
    """One step: all operations of one chunk on one store, in one transaction."""
    with store.writing() as writer:
        for operation in operations:
            if operation.columns:
                writer.amend(
                    operation.table, operation.key, operation.columns, operation.rows, keep_nulls=operation.keep_nulls
                )
            else:
                writer.erase(operation.table, operation.key, operation.rows)


def _is_finished(work: Work, subject: int, steps: Iterable[str], done: set[str]) -> bool:
    """Whether every step of this subject's chunk is done."""
    chunk = f"{work.chunk(subject)}/"
    return all(step in done for step in steps if step.startswith(chunk))


# --- receipts and entries -------------------------------------------------------------------------------------------


def _receipts(work: Work, stores: Mapping[str, Store], subjects: Iterable[int], at: dt.datetime) -> list[Receipt]:
    subjects = list(subjects)
    left = rescan(work, stores, subjects)
    return [_receipt(work, subject, dict(left.get(subject, {})), at) for subject in subjects]


def _receipt(work: Work, subject: int, residue: Mapping[str, int], at: dt.datetime) -> Receipt:
    lines = work.tallies[subject]
    return Receipt(
        subject=Pseudonym(work.subjects[subject]),
        action=work.action,
        plan_hash=work.plan_hash,
        at=at,
        lines=lines,
        residue=residue,
        entry=_entry(work, subject, lines, residue, at),
    )


def _entry(work: Work, subject: int, lines: Sequence[Tally], residue: Mapping[str, int], at: dt.datetime) -> Entry:
    fields: dict[str, Value] = {
        "subject": Pseudonym(work.subjects[subject]),
        "plan": Hash(work.plan_hash),
        "rescan": "residue" if residue else "clean",
        "systems": len({line.place.partition(".")[0] for line in lines}),
        "tables": len({line.place for line in lines}),
    }
    changed = [line for line in lines if line.strategies != ("keep",)]
    if work.action == "amend":
        values = sum(line.rows * len(line.strategies) for line in changed)
        return Entry("subject.amended", at, {**fields, "rows": sum(line.rows for line in changed), "fields": values})
    rows = Counter({"keep": sum(line.rows for line in lines if line.strategies == ("keep",))})
    for line in changed:
        for strategy in set(line.strategies):
            rows[strategy] += line.rows
    untils = [line.until for line in lines if line.until is not None]
    fields |= {"rows": {name: count for name, count in rows.items() if count}, "kept": rows["keep"]}
    fields |= {"residue": sum(residue.values())} if residue else {}
    fields |= {"kept_until": max(untils)} if untils else {}
    return Entry("subject.erased", at, fields)


_WHY: Mapping[type[StoreError], str] = {
    StoreUnreachable: "unreachable",
    StoreRefused: "refused",
    StoreBusy: "busy",
    StoreConflict: "conflict",
    UnknownName: "unknown_name",
}


def _failure(
    work: Work, subject: int, steps: Iterable[str], done: set[str], cause: StoreError, at: dt.datetime
) -> Entry:
    mine = [step for step in steps if step.startswith(f"{work.chunk(subject)}/")]
    fields: dict[str, Value] = {
        "subject": Pseudonym(work.subjects[subject]),
        "plan": Hash(work.plan_hash),
        "why": _WHY[type(cause)],
        "done": sum(step in done for step in mine),
        "left": sum(step not in done for step in mine),
    }
    return Entry("erasure.failed", at, fields)
