"""A run and its entries commit together, once, and the sealed plan goes with them."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from django.utils import timezone

from troth.ledger import DeclaredName, Entry
from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.journal import DatabaseJournal
from troth.service.core.ledger import pending
from troth.service.core.models import RunRow, StepRow
from troth.subjects import JournalError, Run

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
    WorkerRow.objects.filter(name="elsewhere").update(lease_until=timezone.now() - dt.timedelta(seconds=1))
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
