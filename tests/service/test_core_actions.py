"""Shared rows: constraints, tombstones, checks, tasks, disposal, and what Troth declares about itself."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from troth.controls import Check, CheckOutcome, ControlFinding, Evidence
from troth.controls.controls import declaration_complete
from troth.declaration import IdentityKind, check
from troth.protect import Keyring
from troth.service.core import checks, tasks
from troth.service.core.disposal import dispose
from troth.service.core.models import CheckRow, LegalHold, RunRow, Subject, Task, Tombstone
from troth.service.core.own_tables import own, with_own
from troth.service.core.tasks import TaskChange
from troth.service.core.tombstones import Erased, Tombstones

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ANN = Erased("shop", IdentityKind.EMAIL, "ann@example.org")


def made(outcome: CheckOutcome, at: dt.datetime = NOW, control: str = "core.runs_finished") -> Check:
    scope = frozenset({"journal"})
    findings = (ControlFinding("run r-1", "is not finished"),) if outcome is CheckOutcome.FAIL else ()
    evidence = Evidence(scope, scope, population=3, tested=2, excluded=1, period=(at - DAY, at), query="dg1:00")
    return Check(control, 1, outcome, "2 runs.", at, at + DAY, "sha256:0", evidence, {"runs": 2}, findings)


@pytest.fixture
def tombstones() -> Tombstones:
    return Tombstones(Keyring(b"\x01" * 32))


def test_models_and_migrations_agree(database: str) -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=io.StringIO())


@pytest.mark.parametrize(
    "row",
    [
        Tombstone(system="shop", kind="email", mark=b"m", erased_at=NOW, until=NOW),
        Subject(pseudonym="ps1:0", wrapped_key=b"k", created_at=NOW, erased_at=NOW),
        RunRow(run_id="r", begun_at=NOW, finished_at=NOW, sealed_plan=b"p"),
        RunRow(run_id="r", begun_at=NOW),
        LegalHold(matter="m", citation="c", placed_at=NOW, review_at=NOW + DAY),
        CheckRow(control="c", control_version=1, outcome="fine", at=NOW, valid_until=NOW),
    ],
    ids=lambda row: type(row).__name__,
)
def test_the_database_refuses_what_must_not_be(database: str, row: models.Model) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


# --- tombstones ------------------------------------------------------------------------------------------------------


def test_an_erased_identifier_is_recognised_in_any_spelling(database: str, tombstones: Tombstones) -> None:
    phone = Erased("shop", IdentityKind.PHONE, "+44 1632 960001")
    tombstones.bury([ANN, phone], erased_at=NOW, until=NOW + DAY)
    assert tombstones.reappeared("shop", IdentityKind.EMAIL, ["ben@example.org", " Ann@Example.ORG "], now=NOW) == 1
    assert tombstones.reappeared("shop", IdentityKind.PHONE, ["01632 960001"], now=NOW) == 1


def test_a_tombstone_is_for_one_system_and_one_period(database: str, tombstones: Tombstones) -> None:
    tombstones.bury([ANN], erased_at=NOW, until=NOW + DAY)
    assert tombstones.reappeared("tickets", IdentityKind.EMAIL, [ANN.value], now=NOW) == 0
    assert tombstones.reappeared("shop", IdentityKind.EMAIL, [ANN.value], now=NOW + DAY) == 0


def test_burying_twice_keeps_one_until_the_later_date(database: str, tombstones: Tombstones) -> None:
    tombstones.bury([ANN], erased_at=NOW, until=NOW + 2 * DAY)
    tombstones.bury([ANN], erased_at=NOW, until=NOW + DAY)
    assert Tombstone.objects.get().until == NOW + 2 * DAY


def test_burying_again_tells_the_later_erasure(database: str, tombstones: Tombstones) -> None:
    tombstones.bury([ANN], erased_at=NOW - DAY, until=NOW + DAY)
    tombstones.bury([ANN], erased_at=NOW, until=NOW + DAY)
    [grave] = tombstones.erased("shop", IdentityKind.EMAIL, [" Ann@Example.org"], now=NOW).values()
    assert grave.erased_at == NOW


def test_someone_who_came_back_of_their_own_accord_is_remembered_and_no_fault(
    database: str, tombstones: Tombstones
) -> None:
    tombstones.bury([ANN], erased_at=NOW, until=NOW + DAY)
    assert tombstones.lift([ANN], at=NOW) == 1
    assert tombstones.reappeared("shop", IdentityKind.EMAIL, [ANN.value], now=NOW) == 0
    assert tombstones.count("shop", now=NOW) == {}
    assert tombstones.erased("shop", IdentityKind.EMAIL, [ANN.value], now=NOW)[ANN.value].is_lifted


def test_who_is_erased_once_more_is_not_taken_for_back(database: str, tombstones: Tombstones) -> None:
    tombstones.bury([ANN], erased_at=NOW - DAY, until=NOW + DAY)
    tombstones.lift([ANN], at=NOW - DAY / 2)
    tombstones.bury([ANN], erased_at=NOW, until=NOW + DAY)
    assert tombstones.reappeared("shop", IdentityKind.EMAIL, [ANN.value], now=NOW) == 1


def test_no_identifier_reaches_the_database(database: str, tombstones: Tombstones) -> None:
    with CaptureQueriesContext(connection) as sent:
        tombstones.bury([ANN], erased_at=NOW, until=NOW + DAY)
        tombstones.reappeared("shop", IdentityKind.EMAIL, [ANN.value], now=NOW)
    assert sent.captured_queries
    assert "example.org" not in str(sent.captured_queries)
    assert "example.org" not in repr(ANN)


# --- checks and tasks ------------------------------------------------------------------------------------------------


def test_a_check_is_read_back_as_it_was(database: str) -> None:
    check = made(CheckOutcome.FAIL)
    checks.keep(check)
    assert checks.latest(check.control) == check


def test_the_history_goes_back_to_the_last_pass(database: str) -> None:
    outcomes = [
        CheckOutcome.FAIL,
        CheckOutcome.PASS,
        CheckOutcome.FAIL,
        CheckOutcome.ERROR,
        CheckOutcome.FAIL,
        CheckOutcome.ERROR,
    ]
    for hour, outcome in enumerate(outcomes):
        checks.keep(made(outcome, NOW + dt.timedelta(hours=hour)))
    found = checks.history(["core.runs_finished"])["core.runs_finished"]
    assert [check.outcome for check in found] == [
        CheckOutcome.PASS,
        CheckOutcome.FAIL,
        CheckOutcome.FAIL,
        CheckOutcome.ERROR,
    ]


def test_failures_open_one_task_and_only_a_pass_closes_it(database: str) -> None:
    for outcome in (CheckOutcome.FAIL, CheckOutcome.FAIL, CheckOutcome.ERROR):
        tasks.follow(checks.keep(made(outcome)))
    assert Task.objects.filter(closed_at__isnull=True).count() == 1
    [closed] = tasks.follow(checks.keep(made(CheckOutcome.PASS))).closed
    assert closed.closed_by is not None
    assert closed.closed_by.outcome == "pass"
    tasks.follow(checks.keep(made(CheckOutcome.FAIL)))
    assert Task.objects.count() == 2


def test_an_error_opens_no_task(database: str) -> None:
    assert tasks.follow(checks.keep(made(CheckOutcome.ERROR))) == TaskChange()


# --- our own retention -----------------------------------------------------------------------------------------------


def test_what_is_past_its_period_goes_and_the_rest_stays(database: str, tombstones: Tombstones) -> None:
    tombstones.bury([ANN], erased_at=NOW - 9 * DAY, until=NOW - 2 * DAY)
    tombstones.bury([replace(ANN, value="ben@example.org")], erased_at=NOW, until=NOW + DAY)
    RunRow.objects.create(run_id="old", begun_at=NOW - 200 * DAY, finished_at=NOW - 199 * DAY)
    RunRow.objects.create(run_id="open", begun_at=NOW - 200 * DAY, sealed_plan=b"p")
    gone = dispose(NOW)
    assert (gone["troth_tombstones"], gone["troth_runs"]) == (1, 1)
    assert [row.run_id for row in RunRow.objects.all()] == ["open"]
    assert set(dispose(NOW).values()) == {0}


def test_old_evidence_stays_while_a_status_or_a_task_rests_on_it(database: str) -> None:
    old = NOW - 1_200 * DAY
    checks.keep(made(CheckOutcome.PASS, old))
    tasks.follow(checks.keep(made(CheckOutcome.FAIL, old + DAY)))
    checks.keep(made(CheckOutcome.ERROR, old + 2 * DAY))
    checks.keep(made(CheckOutcome.ERROR, NOW))
    dispose(NOW)
    assert [row.outcome for row in CheckRow.objects.order_by("id")] == ["pass", "fail", "error"]


def held(**covers: str) -> LegalHold:
    """A hold that was placed a year ago and is not released."""
    at = NOW - 365 * DAY
    return LegalHold.objects.create(matter="M-1", citation="CPR 31", placed_at=at, review_at=NOW + DAY, **covers)


@pytest.mark.parametrize("scope", ["troth", "troth.core_run"])
def test_what_a_hold_covers_stays_past_its_period_until_it_is_released(
    database: str, tombstones: Tombstones, scope: str
) -> None:
    tombstones.bury([ANN], erased_at=NOW - 9 * DAY, until=NOW - 2 * DAY)
    RunRow.objects.create(run_id="old", begun_at=NOW - 200 * DAY, finished_at=NOW - 199 * DAY)
    hold = held(scope=scope)
    gone = dispose(NOW)
    assert (gone["troth_runs"], gone["troth_tombstones"]) == (0, 0 if scope == "troth" else 1)
    LegalHold.objects.filter(pk=hold.pk).update(released_at=NOW)
    assert dispose(NOW)["troth_runs"] == 1


@pytest.mark.parametrize("scope", ["shop", "troth.record", "tro"])
def test_a_hold_on_another_place_keeps_nothing(database: str, scope: str) -> None:
    RunRow.objects.create(run_id="old", begun_at=NOW - 200 * DAY, finished_at=NOW - 199 * DAY)
    held(scope=scope)
    assert dispose(NOW)["troth_runs"] == 1


@pytest.mark.parametrize("scope", ["", "troth.core_subject"])
def test_a_hold_on_a_subject_keeps_the_key_of_nobody_else(database: str, scope: str) -> None:
    for number in (1, 2):
        pseudonym = f"ps1:{number}"
        Subject.objects.create(pseudonym=pseudonym, created_at=NOW - 99 * DAY, erased_at=NOW - 60 * DAY)
    RunRow.objects.create(run_id="old", begun_at=NOW - 200 * DAY, finished_at=NOW - 199 * DAY)
    held(subject="ps1:1", scope=scope)
    gone = dispose(NOW)
    assert (gone["troth_subjects"], gone["troth_runs"]) == (1, 1)
    assert [row.pseudonym for row in Subject.objects.all()] == ["ps1:1"]


def test_troth_declares_every_table_and_column_of_its_own_database(database: str) -> None:
    tables = own().systems["troth"].tables
    declared = {
        name: {*table.fields, *table.ignore, *table.belongs_to, *(table.key or ("id",))}
        for name, table in tables.items()
    }
    with connection.cursor() as cursor:
        real = {
            table.name: {column.name for column in connection.introspection.get_table_description(cursor, table.name)}
            for table in connection.introspection.get_table_list(cursor)
        }
    assert declared == real


def test_what_troth_declares_about_itself_has_no_faults() -> None:
    assert check(own()) == []
    assert declaration_complete(own()).outcome is CheckOutcome.PASS
    assert with_own(own(), accounts=("ann",)) is own()
