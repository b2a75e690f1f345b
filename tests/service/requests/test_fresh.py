"""What happened shows at once: the controls that it concerns run with the next pass, however often it happened."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from tests.service.requests.conftest import DECLARATION, Office

from troth.controls import catalogue
from troth.service.assurance import jobs
from troth.service.assurance.rules import CHECK
from troth.service.core import control_events
from troth.service.core.deployment import load_deployment
from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.models import CheckRow, ControlEvent
from troth.service.disclosures.actions import record_disclosures
from troth.service.duty import duties

pytestmark = pytest.mark.sampled

ERASED = "retention.erased_stays_erased"
PROMISES = f"""
promises:
  - quote: We answer.
    owner: privacy@example.org
    controls: [requests.answered_in_time, requests.recipients_told, disclosures.answerable, {ERASED}]
"""
MINUTE = dt.timedelta(minutes=1)


def declare(office: Office) -> None:
    text = DECLARATION.replace("REQUESTS", "{}").replace("SYSTEMS", "") + PROMISES
    (office.folder / "troth.yaml").write_text(text, encoding="utf-8")


def a_pass(office: Office, at: dt.datetime) -> list[str]:
    """The controls that one pass of the loop has asked."""
    here = load_deployment(office.settings).but(keyring=office.deployment.keyring)
    return sorted(check.control for check in jobs.run_due(at, deployment=here).checks)


def summary(control: str) -> str:
    return CheckRow.objects.filter(control=control).order_by("-at", "-id")[0].summary


def test_an_erasure_shows_with_the_next_pass(office: Office) -> None:
    declare(office)
    begun = office.now()
    assert ERASED in a_pass(office, begun)
    assert summary(ERASED) == "Nobody has been erased yet."
    assert a_pass(office, begun + 2 * MINUTE) == []
    assert office.answered("erase").state == "closed"
    assert a_pass(office, office.now() + 2 * MINUTE) == [
        "disclosures.answerable",
        "requests.answered_in_time",
        "requests.recipients_told",
        ERASED,
    ]
    assert summary(ERASED) != "Nobody has been erased yet."
    assert not ControlEvent.objects.exists()
    assert a_pass(office, office.now() + 4 * MINUTE) == []


def test_a_thousand_closings_in_a_minute_are_one_check(office: Office) -> None:
    declare(office)
    begun = office.now()
    a_pass(office, begun)
    ran = []
    for second in range(0, 60, 5):  # the loop passes every five seconds
        at = begun + 2 * MINUTE + dt.timedelta(seconds=second)
        with transaction.atomic():
            for _ in range(84):
                control_events.note("case.closed", now=at)
        ran += a_pass(office, at)
    assert ran.count("requests.answered_in_time") == 1
    assert a_pass(office, begun + 3 * MINUTE) == ["requests.answered_in_time", "requests.recipients_told"]
    assert a_pass(office, begun + 5 * MINUTE) == []


def test_what_happens_while_a_control_runs_is_not_lost(office: Office) -> None:
    declare(office)
    begun = office.now()
    a_pass(office, begun)
    later = begun + 2 * MINUTE
    WorkerRow.objects.create(name="another", begun_at=later, lease_until=later + MINUTE)
    running = Job.objects.filter(kind=CHECK, key=ERASED)
    running.update(state="running", worker="another", due_at=None)
    control_events.note("erasure.done", now=later)
    assert a_pass(office, later) == [], "it may have looked already"
    running.update(state="queued", worker="", due_at=later + 60 * MINUTE)
    assert a_pass(office, later) == [ERASED]


def test_what_is_undone_never_happened(office: Office) -> None:
    declare(office)
    begun = office.now()
    a_pass(office, begun)
    with transaction.atomic():
        control_events.note("erasure.done", now=begun)
        transaction.set_rollback(True)
    assert a_pass(office, begun + 2 * MINUTE) == []


def test_restrictions_and_disclosures_are_noted(office: Office) -> None:
    office.answered("restrict")  # of which a recipient is told
    noted = {"case.closed", "choice.changed", "disclosures.changed"}
    assert set(ControlEvent.objects.values_list("event", flat=True)) == noted
    ControlEvent.objects.all().delete()
    record_disclosures(
        [], declaration=office.deployment.declaration, keyring=office.deployment.keyring, now=office.now()
    )
    assert not ControlEvent.objects.exists()
    office.answered("erase", "ben@example.org")
    assert "erasure.done" in set(ControlEvent.objects.values_list("event", flat=True))


def test_each_event_is_one_that_some_control_waits_for() -> None:
    assert {id_ for duty in duties().values() for ids in duty.after.values() for id_ in ids} <= catalogue().keys()
