"""A run and its entries commit together, once, and the sealed plan goes with them."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.utils import timezone

from troth.ledger import DeclaredName, Entry, Hash, Pseudonym, Value
from troth.rows import JournalError, Run
from troth.service.core import journal as journal_module
from troth.service.core.jobs.held import Holder
from troth.service.core.jobs.lease import CLOCKS_DIFFER
from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.journal import DatabaseJournal, receipts_of
from troth.service.core.ledger import pending
from troth.service.core.models import EntryRow, RunRow, StepRow
from troth.subjects import Receipt, ReceiptLine

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
RUN = Run("r-1", "erase", "dg1:" + "0" * 64, "sha256:" + "0" * 64, NOW, b"sealed")
ENTRY = Entry("demo.fault_planted", NOW, {"fault": DeclaredName("overdue")})


@pytest.mark.sampled
def test_a_run_is_unfinished_until_it_is_finished(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    assert list(journal.unfinished()) == [RUN]
    journal.finish(RUN.id, [ENTRY])
    assert list(journal.unfinished()) == []


def test_a_run_begins_once(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    with pytest.raises(JournalError, match="has begun already"):
        journal.begin(RUN)


@pytest.mark.sampled
def test_steps_are_done_and_may_be_told_twice(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    assert journal.steps(RUN.id) == frozenset()
    for _ in range(2):
        journal.done(RUN.id, "shop:1")
    assert journal.steps(RUN.id) == {"shop:1"}


@pytest.mark.sampled
def test_finishing_keeps_the_entries_and_destroys_the_plan_once(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    journal.done(RUN.id, "shop:1")
    for _ in range(2):
        journal.finish(RUN.id, [ENTRY, ENTRY])
    assert pending() == 2
    assert RunRow.objects.get().sealed_plan is None
    assert not StepRow.objects.exists()


@pytest.mark.sampled
def test_a_finished_run_keeps_its_receipts(database: str) -> None:
    subject = Pseudonym("ps1:" + "0a" * 16)
    fields: dict[str, Value] = {
        "subject": subject,
        "plan": Hash(RUN.plan_hash),
        "rescan": "clean",
        "systems": 1,
        "tables": 1,
    }
    entry = Entry("subject.erased", NOW, {**fields, "rows": {"delete": 2}, "kept": 1})
    line = ReceiptLine("shop.invoice", 1, ("mask", "keep"), "kept", "GDPR Art. 17(3)", NOW.date(), "tax")
    receipt = Receipt(subject, "erase", RUN.plan_hash, NOW, (line,), {"shop.login": 1}, NOW.date(), entry)
    journal = DatabaseJournal()
    assert receipts_of(RUN.id) is None
    journal.begin(RUN)
    assert receipts_of(RUN.id) is None
    journal.finish(RUN.id, [ENTRY, entry], receipts=[receipt])
    assert receipts_of(RUN.id) == {EntryRow.objects.latest("id").pk: receipt}


def test_a_finish_that_breaks_leaves_the_run_as_it_was(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    with pytest.raises(AttributeError):
        journal.finish(RUN.id, [ENTRY, None])  # type: ignore[list-item]
    assert pending() == 0
    assert list(journal.unfinished()) == [RUN]


@pytest.mark.sampled
def test_a_step_of_no_run_is_refused(database: str) -> None:
    with pytest.raises(JournalError, match="never began"):
        DatabaseJournal().done("r-unknown", "shop:1")


def test_a_run_is_its_process_s_own_while_that_lives(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    assert list(journal.take_up()) == []
    assert journal.take_up_one(RUN.id) == RUN


def test_a_run_whose_process_is_gone_is_taken_up_once(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    WorkerRow.objects.update(process=_ended_process())
    assert list(journal.take_up()) == [RUN]
    assert list(journal.take_up()) == []


def test_a_run_that_was_let_go_may_be_taken_up_at_once(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    journal.let_go(RUN.id)
    assert list(journal.take_up()) == [RUN]


def test_a_run_of_another_machine_is_left_alone_while_its_lease_lasts(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    _move_elsewhere()
    assert list(journal.take_up()) == []
    assert journal.take_up_one(RUN.id) is None
    WorkerRow.objects.filter(name="elsewhere").update(lease_until=timezone.now() - CLOCKS_DIFFER)
    assert list(journal.take_up()) == [RUN]


def test_the_job_of_a_run_ends_with_it_whichever_process_has_it(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    _move_elsewhere()
    journal.finish(RUN.id, [])
    assert not Job.objects.exists()
    assert journal.take_up_one(RUN.id) is None


def test_a_run_that_does_not_begin_leaves_no_job(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    journal.finish(RUN.id, [])
    with pytest.raises(JournalError):
        journal.begin(RUN)
    assert not Job.objects.exists()


def _ended_process() -> str:
    """A process of this machine that has ended."""
    code = "from troth.service.core.jobs.process import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _move_elsewhere() -> None:
    """As if a process of another machine had the run."""
    WorkerRow.objects.update(name="elsewhere", process="another machine")
    Job.objects.update(worker="elsewhere")


def test_a_run_whose_job_is_missing_can_be_taken_up(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    Job.objects.all().delete()
    assert journal.take_up_one(RUN.id) == RUN
    assert Job.objects.get().state == "running"


class _Runtime:
    """Time that a test sets, and threads that it runs itself."""

    process = ""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.tasks: list[Callable[[], None]] = []

    def now(self) -> dt.datetime:
        return timezone.now()

    def monotonic(self) -> float:
        return self.seconds

    def rest(self, seconds: float) -> None: ...

    def wake(self) -> None: ...

    def sleep(self, seconds: float) -> None: ...

    def spawn(self, do: Callable[[], None]) -> None:
        self.tasks.append(do)

    def close(self) -> None: ...


def test_a_lease_that_is_about_to_be_used_does_not_end_for_want_of_use(database: str) -> None:
    holder = Holder(runtime := _Runtime())
    name = holder.lease()
    runtime.seconds = 25.0
    assert holder.lease() == name  # somebody begins a run now
    runtime.seconds = 40.0
    assert not holder._lease._ends_unneeded()
    assert holder.lease() == name


def test_a_lease_without_jobs_ends_and_so_does_one_whose_job_could_not_be_released(database: str) -> None:
    holder = Holder(runtime := _Runtime())
    for key in ("r-1", "r-2"):
        name = holder.lease()
        holder.hold(journal_module.RUN, key, name)
    runtime.seconds = 29.0
    holder.lease()
    runtime.seconds = 100.0
    holder._lease._valid_until = 1e9
    assert not holder._lease._ends_unneeded()  # both are worked on
    holder._active.clear()  # as when the database was away while they were released
    assert holder._lease._ends_unneeded()
    assert not WorkerRow.objects.exists()


def test_a_process_whose_lease_ran_out_goes_on_with_its_own_job(database: str) -> None:
    """As when the database was locked for longer than the lease: others wait five minutes more, this one does not."""
    holder, other = Holder(runtime := _Runtime()), Holder(_Runtime())
    holder.hold(journal_module.RUN, "r-1", holder.lease())
    runtime.seconds = 31.0
    assert not other.claim(journal_module.RUN, "r-1", again=True)
    assert not holder.claim(journal_module.RUN, "r-1")
    assert holder.claim(journal_module.RUN, "r-1", again=True)
    runtime.seconds = 62.0
    holder.lease()
    holder.release(journal_module.RUN, "r-1")
    assert other.claim(journal_module.RUN, "r-1")
    assert not holder.claim(journal_module.RUN, "r-1", again=True)
