"""A run and its entries commit together, once, and the sealed plan goes with them."""

from __future__ import annotations

import datetime as dt

import pytest

from troth.ledger import Entry, Name
from troth.service.record.journal import DatabaseJournal
from troth.service.record.ledger import pending
from troth.service.record.models import RunRow, StepRow
from troth.subjects import JournalError, Run

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
RUN = Run("r-1", "erase", "dg1:" + "0" * 64, "sha256:" + "0" * 64, NOW, b"sealed")
ENTRY = Entry("demo.fault_planted", NOW, {"fault": Name("overdue")})


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


def test_steps_are_intended_then_done_and_may_be_told_twice(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    for _ in range(2):
        journal.intend(RUN.id, "shop:1")
        journal.intend(RUN.id, "shop:2")
        journal.done(RUN.id, "shop:1")
    journal.intend(RUN.id, "shop:1")
    assert journal.steps(RUN.id) == {"shop:1": True, "shop:2": False}


def test_finishing_keeps_the_entries_and_destroys_the_plan_once(database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    journal.intend(RUN.id, "shop:1")
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


@pytest.mark.parametrize("step", ["intend", "done"])
def test_a_step_of_no_run_is_refused(database: str, step: str) -> None:
    with pytest.raises(JournalError, match="begin it before its steps"):
        getattr(DatabaseJournal(), step)("r-unknown", "shop:1")
