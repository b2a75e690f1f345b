"""A clock that is far ahead ends and destroys nothing, until it is fixed or somebody confirms it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from tests.service.requests.conftest import Office

from troth.ledger import Entry, Pseudonym
from troth.service.assurance import jobs
from troth.service.assurance.actions import Last
from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.cases.deadlines import watch
from troth.service.cases.models import Case, CaseState, WaitReason
from troth.service.core import clock, timestamps
from troth.service.core.clock import GAP_MAX, Pulse, beat, confirm, doubt
from troth.service.core.deployment import load_deployment
from troth.service.core.jobs.models import Job
from troth.service.core.jobs.queue import enqueue
from troth.service.core.keys import keyring
from troth.service.core.models import EntryRow
from troth.service.requests.fulfilment.queue import _let_waiting_go_on
from troth.service.requests.models import Package
from troth.service.staff.rights import StaffRight

pytestmark = pytest.mark.sampled

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
AHEAD = 400 * DAY
BY = Pseudonym("ps1:" + "0" * 32)


def entries(kind: str) -> list[Entry]:
    found = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("pk")]
    return [entry for entry in found if entry.kind == kind]


def test_a_service_that_was_off_for_a_week_needs_no_word(database: str) -> None:
    assert beat(NOW, Pulse()) is None
    assert beat(NOW + GAP_MAX, Pulse()) is None
    assert beat(NOW + GAP_MAX + 6 * DAY, Pulse()) is None


def test_a_clock_that_is_far_ahead_is_doubted_and_put_on_record_once(database: str) -> None:
    beat(NOW, Pulse())
    for minutes in range(3):
        found = beat(NOW + AHEAD + dt.timedelta(minutes=minutes), Pulse())
        assert found is not None
        assert (found.seen, found.noticed, found.days) == (NOW, NOW + AHEAD, 400)
    assert [entry.fields["days"] for entry in entries("clock.doubted")] == [400]


def test_the_clock_of_a_running_process_may_not_jump_by_days(database: str) -> None:
    pulse = Pulse()
    assert beat(NOW, pulse) is None
    assert beat(NOW + 23 * HOUR, pulse) is None  # a change of the time zone, or a test of backups
    assert beat(NOW + 3 * DAY, pulse) is not None
    assert doubt(NOW + 3 * DAY + HOUR) is not None  # in every other process, too


def test_a_machine_that_sleeps_has_not_jumped(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran_s = 0.0
    monkeypatch.setattr(clock, "uptime_s", lambda: ran_s)
    pulse = Pulse()
    beat(NOW, pulse)
    ran_s = (3 * DAY).total_seconds()
    assert beat(NOW + 3 * DAY, pulse) is None


def test_the_doubt_ends_when_the_clock_is_back(database: str) -> None:
    pulse = Pulse()
    beat(NOW, pulse)
    assert beat(NOW + AHEAD, pulse) is not None
    enqueue("requests.deadlines", "", not_before=NOW + AHEAD)
    assert beat(NOW + HOUR, pulse) is None
    assert doubt(NOW + HOUR) is None
    assert Job.objects.get(kind="requests.deadlines").due_at == NOW + HOUR
    assert beat(NOW + AHEAD, pulse) is not None


def test_the_doubt_ends_when_somebody_confirms_the_clock(database: str) -> None:
    pulse = Pulse()
    beat(NOW, pulse)
    assert not confirm(NOW, by=BY)
    beat(NOW + AHEAD, pulse)
    assert confirm(NOW + AHEAD + HOUR, by=BY)
    assert doubt(NOW + AHEAD + HOUR) is None
    assert beat(NOW + AHEAD + 2 * HOUR, pulse) is None
    assert [(entry.fields["days"], entry.fields["by"]) for entry in entries("clock.confirmed")] == [(400, BY)]


def test_a_clock_that_was_ahead_before_the_first_pass_is_seen_by_the_ledger(office: Office) -> None:
    run(office, office.now())
    timestamps.forget("clock:seen")  # as before an update
    assert beat(office.now() + AHEAD, Pulse()) is not None


# --- what does not end -----------------------------------------------------------------------------------------------


def run(office: Office, now: dt.datetime, last: Last | None = None) -> jobs.PassReport:
    here = load_deployment(office.settings).but(keyring=keyring(office.settings.home))
    return jobs.run_due(now, deployment=here, last=last)


def test_nothing_ends_by_a_clock_that_is_far_ahead(office: Office) -> None:
    last, now = Last(), office.now()
    office.declare(requests="{window: 14 days}")
    unproved = office.ask("view", "ben@example.org")
    windowed = office.answered("erase")
    assert Case.objects.get(pk=windowed.pk).needs == WaitReason.WINDOW
    done = office.answered("view", "chloe@example.org")
    run(office, office.now(), last)
    report = run(office, now + AHEAD, last)
    assert any("is ahead" in words for words in report.unsigned)
    watch(now + AHEAD)
    unproved.refresh_from_db()
    done.refresh_from_db()
    assert unproved.state == CaseState.VERIFYING
    assert Package.objects.filter(case=done).exists()
    _let_waiting_go_on(now + AHEAD)
    assert Case.objects.get(pk=windowed.pk).needs == WaitReason.WINDOW

    confirm(now + AHEAD, by=BY)
    run(office, now + AHEAD, last)
    watch(now + AHEAD)
    _let_waiting_go_on(now + AHEAD)
    unproved.refresh_from_db()
    done.refresh_from_db()
    assert unproved.state == CaseState.CLOSED
    assert not Package.objects.exists()
    assert Case.objects.get(pk=windowed.pk).needs == ""


def test_people_are_reminded_of_deadlines_all_the_same(office: Office) -> None:
    case = office.ask("view", "ben@example.org")
    beat(office.now(), Pulse())
    watch(office.now() + AHEAD)
    assert case.events.filter(what="reminded").exists()


def test_staff_is_asked_in_the_console(office: Office, staff_member: Callable[..., Client]) -> None:
    ben, chloe = staff_member(StaffRight.CASES_HANDLE), staff_member(EVIDENCE_READ)
    beat(office.now(), Pulse())
    assert "Is the clock right?" not in ben.get("/console/work/").content.decode()
    timestamps.note("clock:seen", office.now() - 30 * DAY)
    assert "I have checked: the clock is right" in ben.get("/console/work/").content.decode()
    shown = chloe.get("/console/work/").content.decode()
    assert "Is the clock right?" in shown
    assert "I have checked" not in shown
    assert chloe.post("/console/work/clock/confirm").status_code == 403
    assert doubt(office.now()) is not None
    assert ben.post("/console/work/clock/confirm").status_code == 302
    assert doubt(office.now()) is None
    [entry] = entries("clock.confirmed")
    assert entry.fields["days"] == 30
