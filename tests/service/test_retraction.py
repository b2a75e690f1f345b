"""Evidence of a control that was wrong: it stays to be seen, and counts for nothing; and evidence has an end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.service import test_status_history as history
from tests.service.test_core_actions import made
from tests.service.test_passes import office as office
from tests.service.test_status_history import happened as happened
from tests.service.test_status_history import served as served

from troth.controls import CheckOutcome
from troth.declaration import Period, Promise
from troth.ledger import Entry, Opening
from troth.service.assurance.retraction import retracted_for
from troth.service.core import checks, tasks
from troth.service.core.disposal import dispose
from troth.service.core.models import CheckRow, EntryRow, Retraction
from troth.service.core.retraction import NothingToRetract, plan_retraction, retract

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CONTROL = "core.runs_finished"
TODAY = NOW.date()


def kept(*outcomes: CheckOutcome, start: dt.datetime = NOW) -> None:
    """A check a day, the last of them at *start*."""
    for days, outcome in enumerate(reversed(outcomes)):
        checks.keep(made(outcome, start - days * DAY))


def said(kind: str) -> list[Entry]:
    entries = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("id")]
    return [entry for entry in entries if entry.kind == kind]


def test_a_plan_counts_what_it_would_retract_and_changes_nothing(database: str) -> None:
    kept(CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.PASS)
    plan = plan_retraction(CONTROL, since=(NOW - DAY).date(), until=TODAY)
    assert plan.outcomes == {"fail": 1, "pass": 1}
    assert not CheckRow.objects.exclude(retraction=None).exists()


def test_what_was_retracted_counts_for_nothing_and_stays(database: str) -> None:
    kept(CheckOutcome.FAIL, CheckOutcome.PASS, CheckOutcome.PASS)
    retract(plan_retraction(CONTROL, since=(NOW - DAY).date(), until=TODAY), "it asked the wrong table", now=NOW)
    latest = checks.latest(CONTROL)
    assert latest is not None
    assert latest.outcome is CheckOutcome.FAIL
    assert [check.outcome for check in checks.history([CONTROL])[CONTROL]] == [CheckOutcome.FAIL]
    assert CheckRow.objects.count() == 3


def test_a_retracted_failure_makes_nothing_kept_before_the_control_has_run_again(database: str) -> None:
    kept(CheckOutcome.PASS, CheckOutcome.FAIL)
    retract(plan_retraction(CONTROL, since=TODAY, until=TODAY), "it asked the wrong table", now=NOW)
    assert checks.history([CONTROL]) == {CONTROL: []}
    checks.keep(made(CheckOutcome.PASS, NOW + DAY))
    assert [check.outcome for check in checks.history([CONTROL])[CONTROL]] == [CheckOutcome.PASS]


def test_a_retraction_fixes_no_failure_that_it_leaves(database: str) -> None:
    kept(CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.FAIL)
    retract(plan_retraction(CONTROL, since=TODAY, until=TODAY), "it asked the wrong table", now=NOW)
    assert [check.outcome for check in checks.history([CONTROL])[CONTROL]] == [CheckOutcome.FAIL]


def test_a_retraction_is_on_record_and_its_reason_can_be_shown(database: str) -> None:
    kept(CheckOutcome.PASS)
    retract(plan_retraction(CONTROL, since=TODAY, until=TODAY), "it asked\n the wrong table", now=NOW)
    (entry,) = said("check.retracted")
    row = Retraction.objects.get()
    opening = Opening.load(bytes(row.opening))
    opening.require(entry.fields["reason"])  # type: ignore[arg-type]
    assert (opening.text, row.reason) == ("it asked the wrong table", "it asked the wrong table")
    assert entry.fields["checks"] == 1


def test_the_reason_is_not_in_the_ledger(database: str) -> None:
    kept(CheckOutcome.PASS)
    retract(plan_retraction(CONTROL, since=TODAY, until=TODAY), "it asked the wrong table", now=NOW)
    assert not [row for row in EntryRow.objects.all() if b"wrong table" in bytes(row.content)]


@pytest.mark.parametrize("reason", ["", " \n", "x" * 2_001])
def test_without_a_reason_nothing_is_retracted(database: str, reason: str) -> None:
    kept(CheckOutcome.PASS)
    plan = plan_retraction(CONTROL, since=TODAY, until=TODAY)
    with pytest.raises(NothingToRetract, match="give a reason"):
        retract(plan, reason, now=NOW)
    assert not said("check.retracted")


def test_what_was_retracted_once_is_not_retracted_again(database: str) -> None:
    kept(CheckOutcome.PASS)
    plan = plan_retraction(CONTROL, since=TODAY, until=TODAY)
    retract(plan, "it asked the wrong table", now=NOW)
    with pytest.raises(NothingToRetract, match="none of its checks"):
        plan_retraction(CONTROL, since=TODAY, until=TODAY)
    with pytest.raises(NothingToRetract, match="make a new plan"):
        retract(plan, "it asked the wrong table", now=NOW)
    assert (Retraction.objects.count(), len(said("check.retracted"))) == (1, 1)


def test_a_time_without_checks_is_refused(database: str) -> None:
    with pytest.raises(NothingToRetract, match="never checked"):
        plan_retraction(CONTROL, since=TODAY, until=TODAY)
    with pytest.raises(NothingToRetract, match="before the first"):
        plan_retraction(CONTROL, since=TODAY, until=TODAY - DAY)


# --- how long evidence stays ----------------------------------------------------------------------------------------

YEARS = dt.timedelta(days=4 * 366)


def test_old_checks_end_and_that_is_on_record(database: str) -> None:
    kept(CheckOutcome.PASS, CheckOutcome.PASS, start=NOW - YEARS)
    kept(CheckOutcome.PASS)
    assert dispose(NOW)["troth_checks"] == 2
    (entry,) = said("evidence.disposed")
    assert entry.fields["checks"] == 2
    assert CheckRow.objects.count() == 1
    assert dispose(NOW)["troth_checks"] == 0
    assert len(said("evidence.disposed")) == 1


def test_what_a_status_rests_on_stays_whatever_its_age(database: str) -> None:
    kept(
        CheckOutcome.PASS,
        CheckOutcome.PASS,
        CheckOutcome.FAIL,
        CheckOutcome.FAIL,
        CheckOutcome.ERROR,
        start=NOW - YEARS,
    )
    before = checks.history([CONTROL])
    assert dispose(NOW)["troth_checks"] == 1
    assert checks.history([CONTROL]) == before


def test_what_a_task_rests_on_stays(database: str) -> None:
    tasks.follow(checks.keep(made(CheckOutcome.FAIL, NOW - YEARS)))
    kept(CheckOutcome.PASS, start=NOW - YEARS + DAY)
    kept(CheckOutcome.PASS)
    assert dispose(NOW)["troth_checks"] == 1
    assert CheckRow.objects.filter(outcome="fail").exists()


def test_a_company_says_how_long_its_evidence_stays(database: str) -> None:
    kept(CheckOutcome.PASS, start=NOW - YEARS)
    kept(CheckOutcome.PASS)
    assert dispose(NOW, evidence=Period.model_validate("5 years"))["troth_checks"] == 0
    assert dispose(NOW, evidence=Period.model_validate("1 year"))["troth_checks"] == 1


def test_a_retraction_outlives_what_it_retracted(database: str) -> None:
    kept(CheckOutcome.PASS, start=NOW - YEARS)
    retract(plan_retraction(CONTROL, since=(NOW - YEARS).date(), until=TODAY), "it asked the wrong table", now=NOW)
    kept(CheckOutcome.PASS)
    assert dispose(NOW)["troth_checks"] == 1
    assert Retraction.objects.exists()


# --- what pages say of it -------------------------------------------------------------------------------------------


def test_who_sees_a_promise_sees_that_checks_were_retracted_and_staff_see_why(database: str) -> None:
    kept(CheckOutcome.PASS, CheckOutcome.PASS)
    retract(plan_retraction(CONTROL, since=(NOW - DAY).date(), until=TODAY), "it asked the wrong table", now=NOW)
    promise = Promise(quote="We keep our word.", owner="dpo@example.org", controls=(CONTROL,))
    (inside,) = retracted_for(promise, until=NOW, is_inside=True)
    (outside,) = retracted_for(promise, until=NOW, is_inside=False)
    assert (inside.checks, inside.since, inside.until) == (2, (NOW - DAY).date(), TODAY)
    assert inside.because == "it asked the wrong table"
    assert (outside.checks, outside.because, outside.leaf) == (2, "", None)
    assert retracted_for(promise, until=NOW - DAY, is_inside=True) == []
    assert retracted_for(promise.model_copy(update={"controls": ("law.reviewed",)}), until=NOW, is_inside=True) == []


@pytest.mark.parametrize("audience", ["staff", "public"])
def test_the_page_of_a_promise_tells_of_it(served: Any, audience: str) -> None:
    retract(
        plan_retraction(CONTROL, since=history.NOW.date(), until=history.TODAY.date()), "it was wrong", now=history.NOW
    )
    visitor = Client(REMOTE_ADDR="127.0.0.1" if audience == "staff" else "203.0.113.9")
    page = visitor.get(reverse("promise", kwargs=dict(served)), {"as": audience}).content.decode()
    assert "Checks that do not count" in page
    assert ("it was wrong" in page) is (audience == "staff")
