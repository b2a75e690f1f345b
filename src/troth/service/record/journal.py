"""The journal of runs as rows: `finish` commits the run's entries and destroys its plan in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from troth.ledger import Entry
from troth.service.record.ledger import record
from troth.service.record.models import RunRow, StepRow
from troth.service.record.tombstones import Erased, Tombstones
from troth.subjects import Gone, JournalError, Run

__all__ = ["TOMBSTONES_KEPT", "DatabaseJournal"]

TOMBSTONES_KEPT = dt.timedelta(days=2 * 365)
"""Longer than any backup or export that could bring an erased person back should live."""


class DatabaseJournal:
    """`troth.subjects.Journal` in Troth's own database. Use it outside of transactions: every method is durable when it
    returns. With *tombstones* it sets one for each identifier that a run takes away (clause C07)."""

    def __init__(self, tombstones: Tombstones | None = None) -> None:
        self._tombstones = tombstones

    def begin(self, run: Run) -> None:
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
        except IntegrityError:
            raise JournalError(f"run {run.id} has begun already; carry out a fresh plan") from None

    def intend(self, run_id: str, step: str) -> None:
        with transaction.atomic(durable=True):
            StepRow.objects.get_or_create(run=_unfinished(run_id), step=step)

    def done(self, run_id: str, step: str) -> None:
        with transaction.atomic(durable=True):
            StepRow.objects.update_or_create(run=_unfinished(run_id), step=step, defaults={"done": True})

    def steps(self, run_id: str) -> Mapping[str, bool]:
        return dict(StepRow.objects.filter(run__run_id=run_id).order_by("id").values_list("step", "done"))

    def finish(self, run_id: str, entries: Sequence[Entry], gone: Sequence[Gone] = ()) -> None:
        with transaction.atomic(durable=True):
            row = RunRow.objects.select_for_update().filter(run_id=run_id, finished_at__isnull=True).first()
            if row is None:
                return
            record(*entries)
            row.finished_at = now = timezone.now()
            if self._tombstones is not None:
                buried = [Erased(one.system, one.kind, one.value) for one in gone]
                self._tombstones.bury(buried, erased_at=now, until=now + TOMBSTONES_KEPT)
            row.sealed_plan = None
            row.save(update_fields=["finished_at", "sealed_plan"])
            row.steps.all().delete()

    def unfinished(self) -> Iterator[Run]:
        for row in RunRow.objects.filter(finished_at__isnull=True).order_by("begun_at", "id"):
            assert row.sealed_plan is not None, "a constraint keeps the plan until the run is finished"
            yield Run(
                id=row.run_id,
                action=row.action,
                plan_hash=row.plan_hash,
                declaration_hash=row.declaration_hash,
                begun=row.begun_at,
                sealed_plan=bytes(row.sealed_plan),
            )


def _unfinished(run_id: str) -> RunRow:
    row = RunRow.objects.filter(run_id=run_id, finished_at__isnull=True).first()
    if row is None:
        raise JournalError(f"run {run_id} has not begun or has finished; begin it before its steps")
    return row
