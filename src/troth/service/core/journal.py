"""Journal of runs as rows: `finish` commits the run's entries and destroys its plan in one transaction.

A run is a job of the process that began it. If that dies or releases it, a worker, `troth keep` or `troth replay`
finishes it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from pydantic import TypeAdapter

from troth.ledger import Entry, Pseudonym
from troth.protect import Keyring
from troth.rows import JournalError, Run
from troth.service.core import control_events
from troth.service.core.jobs import held
from troth.service.core.jobs.models import Job
from troth.service.core.ledger import record
from troth.service.core.models import EntryRow, RunRow, StepRow
from troth.service.core.subject_keys import SubjectKeys, scrub
from troth.service.core.tombstones import Erased, Tombstones
from troth.service.duty import named
from troth.subjects import Gone, Receipt, ReceiptLine, references_of

TOMBSTONES_KEPT = dt.timedelta(days=2 * 365)
"""How long tombstones are kept: longer than any backup or export that could bring an erased person back should live."""

RUN = "core.run"
"""Kind of the job that finishes a run; its key is the run's id."""


class DatabaseJournal:
    """A `troth.subjects.SubjectJournal` in Troth's own database. Use it outside transactions: every method is durable
    when it returns. With a *keyring* it sets a tombstone for each identifier that a run erases (clause C07), and
    destroys the keys of the erased."""

    def __init__(self, keyring: Keyring | None = None) -> None:
        self._keyring = keyring
        self._tombstones = Tombstones(keyring) if keyring is not None else None
        self._keys = SubjectKeys(keyring) if keyring is not None and keyring.chain is not None else None

    def begin(self, run: Run) -> None:
        holder = held.holder()
        lease = holder.lease()
        try:
            with transaction.atomic(durable=True):
                RunRow.objects.create(
                    run_id=run.id,
                    action=run.action,
                    plan_hash=run.plan_hash,
                    declaration_hash=run.declaration_hash,
                    begun_at=run.begun,
                    sealed_plan=run.sealed_plan,
                )
                holder.hold(RUN, run.id, lease)
        except IntegrityError:
            raise JournalError(f"run {run.id} has begun already; make a new plan") from None

    def done(self, run_id: str, step: str) -> None:
        with transaction.atomic(durable=True):
            run = RunRow.objects.filter(run_id=run_id, finished_at__isnull=True).first()
            if run is None:
                raise JournalError(f"run {run_id} has ended or never began; another worker may have finished it")
            StepRow.objects.get_or_create(run=run, step=step)

    def steps(self, run_id: str) -> frozenset[str]:
        return frozenset(StepRow.objects.filter(run__run_id=run_id).values_list("step", flat=True))

    def finish(
        self, run_id: str, entries: Sequence[Entry], gone: Sequence[Gone] = (), receipts: Sequence[Receipt] = ()
    ) -> None:
        keys_destroyed = 0
        with transaction.atomic(durable=True):
            row = RunRow.objects.select_for_update().filter(run_id=run_id, finished_at__isnull=True).first()
            if row is None:
                return
            entry_ids = {id(entry): saved.pk for entry, saved in zip(entries, record(*entries), strict=True)}
            kept = [(entry_ids[id(r.entry)], r.at, r.lines, dict(r.residue), r.final_after) for r in receipts]
            row.receipts = _KEPT.dump_python(kept, mode="json")
            row.finished_at = now = timezone.now()
            if self._tombstones is not None:
                buried = [Erased(one.system, one.kind, one.value) for one in gone]
                self._tombstones.bury(buried, erased_at=now, until=now + TOMBSTONES_KEPT)
            if self._keys is not None:
                erased = [str(entry.fields["subject"]) for entry in entries if entry.kind == "subject.erased"]
                keys_destroyed = self._keys.erase([*erased, *self._named(gone)], now=now)
            if row.action == "erase":
                control_events.note("erasure.done", now=now)
                for follow in named("people_erased") if self._keyring is not None and gone else ():
                    follow(self._named(gone), now)
            row.sealed_plan = None
            row.save(update_fields=["finished_at", "sealed_plan", "receipts"])
            row.steps.all().delete()
            held.done(RUN, run_id)
        if keys_destroyed:
            scrub()

    def final_after(self, subjects: Sequence[str], gone: Sequence[Gone], now: dt.datetime) -> Mapping[str, dt.date]:
        if self._keys is None:
            return {}
        whose = {reference: reference for reference in subjects}
        for one, name in zip(gone, self._named(gone), strict=True):
            for owner in one.subjects:
                whose[name] = subjects[owner]
        return {whose[name]: day for name, day in self._keys.final_after(whose, now=now).items()}

    def _named(self, gone: Sequence[Gone]) -> list[str]:
        assert self._keyring is not None, "subject keys need a keyring"
        return [str(name) for name in references_of(gone, self._keyring)]

    def unfinished(self) -> Iterator[Run]:
        return map(_run, _unfinished())

    def take_up(self) -> Iterator[Run]:
        """Claim the unfinished runs that no living process has."""
        for row in _unfinished():
            if _claim(row.run_id):
                yield _run(row)

    def take_up_one(self, run_id: str) -> Run | None:
        """Claim the unfinished run *run_id*, also if this process has it already; None if it has finished, or another
        process has it."""
        run = read_run(run_id)
        return run if run is not None and _claim(run_id, again=True) else None

    def let_go(self, run_id: str) -> None:
        """Release the run, so that any process may claim it."""
        held.holder().release(RUN, run_id)


def _claim(run_id: str, *, again: bool = False) -> bool:
    """Claim the job of a run, or begin it if it has none. False if another process has it, or the run has finished."""
    holder = held.holder()
    if holder.claim(RUN, run_id, again=again):
        return True
    if Job.objects.filter(kind=RUN, key=run_id).exists():
        return False
    lease = holder.lease()
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):
        if RunRow.objects.select_for_update().filter(run_id=run_id, finished_at__isnull=True).exists():
            holder.hold(RUN, run_id, lease)
            return True
    return False


_KEPT = TypeAdapter(list[tuple[int, dt.datetime, tuple[ReceiptLine, ...], dict[str, int], dt.date | None]])
"""Of each receipt: the id of its entry's row, time, lines, residue, and until when a backup could restore its key. The
entry names the subject."""


def receipts_of(run_id: str) -> dict[int, Receipt] | None:
    """What the finished run *run_id* did for each subject whose steps were all done, by the id of the entry's row; None
    if the run never began or is unfinished."""
    row = RunRow.objects.filter(run_id=run_id, finished_at__isnull=False).first()
    if row is None:
        return None
    receipts, kept = dict[int, Receipt](), _KEPT.validate_python(row.receipts)
    rows = EntryRow.objects.in_bulk([number for number, *_ in kept])
    for number, at, lines, residue, final_after in kept:
        entry = Entry.decode(bytes(rows[number].content))
        subject = entry.fields["subject"]
        assert isinstance(subject, Pseudonym), "entries of runs name their subject"
        receipts[number] = Receipt(subject, row.action, row.plan_hash, at, lines, residue, final_after, entry)
    return receipts


def _unfinished() -> Iterator[RunRow]:
    return iter(RunRow.objects.filter(finished_at__isnull=True).order_by("begun_at", "id"))


def read_run(run_id: str) -> Run | None:
    """The unfinished run *run_id*, if there is one."""
    row = RunRow.objects.filter(run_id=run_id, finished_at__isnull=True).first()
    return None if row is None else _run(row)


def _run(row: RunRow) -> Run:
    assert row.sealed_plan is not None, "a constraint keeps the plan until the run is finished"
    return Run(
        id=row.run_id,
        action=row.action,
        plan_hash=row.plan_hash,
        declaration_hash=row.declaration_hash,
        begun=row.begun_at,
        sealed_plan=bytes(row.sealed_plan),
    )
