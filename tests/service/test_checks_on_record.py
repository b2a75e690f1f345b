"""What a check saw is on record before anybody can change it: in our own rows, in an archive, and years later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.rig.witness import witnessed
from tests.service.test_core_actions import made
from tests.service.test_evidence import CONTROL, export, held, lines, told, verified
from tests.service.test_evidence import kept as kept
from tests.service.test_passes import HOUR, NOW
from tests.service.test_passes import office as office

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Period
from troth.ledger import Entry
from troth.service.assurance import jobs
from troth.service.assurance.evidence import gather
from troth.service.assurance.integrity import LedgerHistory, RecordsDiffer, contradictions
from troth.service.assurance.retraction import retract_checks
from troth.service.core import checks
from troth.service.core.deployment import Deployment
from troth.service.core.disposal import dispose
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog
from troth.service.core.models import CheckRow, EntryRow, Retraction, Task
from troth.service.core.retraction import plan_retraction

pytestmark = pytest.mark.sampled

FAILED = {"control": CONTROL, "outcome": "fail"}


def changed(**fields: Any) -> None:
    assert CheckRow.objects.filter(**FAILED).update(**fields) == 1


def a_figure() -> None:
    row = CheckRow.objects.get(**FAILED)
    changed(figures={**row.figures, "left_half_done": 0})


def a_finding() -> None:
    changed(findings=[])


def the_words_of_a_finding() -> None:
    (finding,) = CheckRow.objects.get(**FAILED).findings
    changed(findings=[{**finding, "message": "it is finished"}])


def the_period() -> None:
    evidence = CheckRow.objects.get(**FAILED).evidence
    changed(evidence={**evidence, "period": [NOW.isoformat(), NOW.isoformat()]})


def the_population() -> None:
    evidence = CheckRow.objects.get(**FAILED).evidence
    changed(evidence={**evidence, "population": 1_000, "tested": 1_000})


def how_long_it_counts() -> None:
    changed(valid_until=NOW + dt.timedelta(days=365))


def the_declaration_it_was_made_with() -> None:
    changed(declaration_hash="sha256:" + "1" * 64)


def its_moment_by_less_than_an_entry_tells() -> None:
    changed(at=NOW + HOUR + dt.timedelta(microseconds=1))


def the_salt() -> None:
    changed(salt=bytes(32))


def its_tie_to_the_ledger() -> None:
    changed(entry=None, salt=None)


def another_check_s_entry() -> None:
    other = CheckRow.objects.exclude(control=CONTROL).first()
    assert other is not None
    entry, salt = other.entry, other.salt
    other.delete()
    changed(entry=entry, salt=salt)


def a_pass_is_gone() -> None:
    Task.objects.all().delete()
    newest = CheckRow.objects.filter(control="law.reviewed").order_by("-at").first()
    assert newest is not None
    newest.delete()


REWRITTEN = [
    a_figure,
    a_finding,
    the_words_of_a_finding,
    the_period,
    the_population,
    how_long_it_counts,
    the_declaration_it_was_made_with,
    its_moment_by_less_than_an_entry_tells,
    the_salt,
    its_tie_to_the_ledger,
    another_check_s_entry,
    a_pass_is_gone,
]


@pytest.mark.few(3)
@pytest.mark.parametrize("rewrite", REWRITTEN)
def test_what_a_check_saw_is_not_exported_once_it_was_changed(
    kept: Deployment, tmp_path: Path, rewrite: Callable[[], None]
) -> None:
    rewrite()
    with pytest.raises(RecordsDiffer, match="ledger"):
        export(kept, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.few(3)
@pytest.mark.parametrize("rewrite", REWRITTEN)
def test_a_stranger_sees_that_what_a_check_saw_was_changed(
    kept: Deployment, tmp_path: Path, rewrite: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite()
    monkeypatch.setattr(LedgerHistory, "required", lambda told, control, checks, since: checks)
    done = export(kept, tmp_path / "a.zip")
    answer = verified(done.path, done.key)
    assert answer.returncode == 1
    assert "the ledger" in answer.stderr


@pytest.mark.parametrize("rewrite", REWRITTEN)
def test_a_check_that_was_changed_is_found(kept: Deployment, rewrite: Callable[[], None]) -> None:
    now, log = NOW + 3 * HOUR, DatabaseLog(ledger_signer(kept.keyring, kept.declaration.organisation))
    seen = {"declaration": witnessed(kept.declaration, log, now=now), "log": log, "now": now}
    seen["contradicted"] = lambda: contradictions(now)
    assert run("ledger.intact", seen).outcome is CheckOutcome.PASS
    rewrite()
    found = run("ledger.intact", seen)
    assert found.outcome is CheckOutcome.FAIL
    assert {finding.place for finding in found.findings} <= {CONTROL, "law.reviewed"}


def test_a_control_of_which_every_check_is_gone_is_found(kept: Deployment) -> None:
    Task.objects.all().delete()
    CheckRow.objects.filter(control=CONTROL).delete()
    assert [finding.place for finding in contradictions(NOW + 3 * HOUR)] == [CONTROL]


# --- what the ledger holds of it --------------------------------------------------------------------------------------


def test_the_entry_says_how_the_check_ended_and_nothing_that_it_saw(database: str) -> None:
    row = checks.keep(made(CheckOutcome.FAIL))
    assert row.entry is not None
    entry = Entry.decode(bytes(row.entry.content))
    assert (entry.kind, entry.fields["outcome"], set(entry.fields)) == (
        "check.made",
        "fail",
        {"control", "outcome", "evidence"},
    )


def test_equal_checks_make_different_entries_so_that_none_is_guessed(database: str) -> None:
    checks.keep(made(CheckOutcome.PASS))
    checks.keep(made(CheckOutcome.PASS))
    one, two = EntryRow.objects.values_list("content", flat=True)
    assert bytes(one) != bytes(two)


@pytest.mark.parametrize(
    "figure", [3.0, 0.1, -0.0, 1e22, 1e23, -1.2345678901234567e20, 1e300, 5e-324, 2**53, True, "2026-11-24"]
)
def test_every_figure_is_read_back_as_the_one_that_is_on_record(database: str, figure: float | bool | str) -> None:
    checks.keep(replace(made(CheckOutcome.PASS), figures={"figure": figure}))
    log_is_silent(NOW + HOUR)


def log_is_silent(now: dt.datetime) -> None:
    """Nothing in our rows contradicts the ledger."""
    assert CheckRow.objects.exists()
    assert list(contradictions(now)) == []


# --- what became of it ------------------------------------------------------------------------------------------------


def test_a_retracted_check_is_still_the_one_that_was_made(kept: Deployment, tmp_path: Path) -> None:
    plan = plan_retraction(CONTROL, since=NOW.date(), until=NOW.date())
    retract_checks(kept, plan, "it asked the wrong table", now=NOW + 3 * HOUR)
    done = export(kept, tmp_path / "a.zip")
    assert verified(done.path, done.key).returncode == 0
    log_is_silent(NOW + 4 * HOUR)


def a_reason() -> None:
    assert Retraction.objects.update(reason="it was a holiday") == 1


def a_longer_time() -> None:
    assert Retraction.objects.update(until=NOW + dt.timedelta(days=30)) == 1


def an_opening_that_is_none() -> None:
    assert Retraction.objects.update(opening=b"op1 {}") == 1


def one_more_check() -> None:
    retraction = Retraction.objects.get()
    assert CheckRow.objects.filter(retraction=None).update(retraction=retraction)


def one_check_less() -> None:
    marked = CheckRow.objects.exclude(retraction=None).first()
    assert marked is not None
    assert CheckRow.objects.filter(pk=marked.pk).update(retraction=None) == 1


def all_of_it() -> None:
    assert CheckRow.objects.update(retraction=None)
    assert Retraction.objects.all().delete()


@pytest.mark.parametrize(
    "rewrite", [a_reason, a_longer_time, an_opening_that_is_none, one_more_check, one_check_less, all_of_it]
)
def test_a_retraction_that_the_ledger_does_not_tell_of_is_found(
    kept: Deployment, tmp_path: Path, rewrite: Callable[[], None]
) -> None:
    plan = plan_retraction(CONTROL, since=NOW.date(), until=NOW.date())
    retract_checks(kept, plan, "it asked the wrong table", now=NOW + 3 * HOUR)
    rewrite()
    assert [finding.place for finding in contradictions(NOW + 4 * HOUR)] == [CONTROL]
    with pytest.raises(RecordsDiffer, match="its retraction of"):
        export(kept, tmp_path / "a.zip")


@pytest.mark.parametrize("rewrite", [a_reason, a_longer_time])
def test_a_stranger_sees_that_a_retraction_was_changed(
    kept: Deployment, tmp_path: Path, rewrite: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_retraction(CONTROL, since=NOW.date(), until=NOW.date())
    retract_checks(kept, plan, "it asked the wrong table", now=NOW + 3 * HOUR)
    rewrite()
    monkeypatch.setattr(gather, "require_retracted", lambda row: None)
    done = export(kept, tmp_path / "a.zip")
    assert "does not tell of its retraction as it is" in verified(done.path, done.key).stderr


def test_a_stranger_sees_that_a_retraction_was_removed(
    kept: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_retraction(CONTROL, since=NOW.date(), until=NOW.date())
    retract_checks(kept, plan, "it asked the wrong table", now=NOW + 3 * HOUR)
    all_of_it()
    monkeypatch.setattr(LedgerHistory, "require_retractions", lambda *_: None)
    done = export(kept, tmp_path / "a.zip")
    answer = verified(done.path, done.key)
    assert answer.returncode == 1
    assert "tells of a retraction that is not in the archive" in answer.stderr


def test_a_retraction_of_which_a_later_archive_holds_no_entry_is_not_missed(kept: Deployment, tmp_path: Path) -> None:
    plan = plan_retraction(CONTROL, since=NOW.date(), until=NOW.date())
    retract_checks(kept, plan, "it asked the wrong table", now=NOW + 3 * HOUR)
    for wanted in ({"since": NOW.date()}, {"since": (NOW + dt.timedelta(days=1)).date()}):
        done = export(kept, tmp_path / f"{wanted['since']}.zip", **wanted)
        answer = verified(done.path, done.key)
        assert answer.returncode == 0, answer.stderr


def test_of_disposed_checks_the_entries_stay_and_the_verifier_says_so(kept: Deployment, tmp_path: Path) -> None:
    later = NOW + dt.timedelta(days=400)
    jobs.run_due(later, deployment=kept)
    Task.objects.all().delete()
    gone = dispose(later, evidence=Period(count=1, unit="year"))["troth_checks"]
    jobs.run_due(later + HOUR, deployment=kept)
    done = export(kept, tmp_path / "a.zip")
    answer = verified(done.path, done.key)
    assert f"{gone} checks were disposed of after their time" in answer.stdout, answer.stderr
    log_is_silent(later + 2 * HOUR)


def test_a_check_that_is_gone_before_its_time_was_not_disposed_of(kept: Deployment, tmp_path: Path) -> None:
    later = NOW + dt.timedelta(days=400)
    jobs.run_due(later, deployment=kept)
    Task.objects.all().delete()
    dispose(later, evidence=Period(count=1, unit="year"))
    CheckRow.objects.filter(control="law.reviewed", at__gte=later).delete()
    with pytest.raises(RecordsDiffer, match="in the ledger but not in the database"):
        export(kept, tmp_path / "a.zip")


def test_with_a_day_to_begin_the_checks_that_a_status_rests_on_are_shown_whole(
    kept: Deployment, tmp_path: Path
) -> None:
    done = export(kept, tmp_path / "a.zip", since=(NOW + dt.timedelta(days=1)).date())
    assert "evidence: 2 checks with all that they saw" in verified(done.path, done.key).stdout
    assert {told(each)["kind"] for each in lines(held(done.path)["ledger/entries.jsonl"])} == {"check.made"}


# --- a history that was begun before there were such entries ----------------------------------------------------------


KEEP = checks.keep


def as_before(check: Check) -> CheckRow:
    """Keep a check as it was kept then."""
    row = KEEP(check)
    entry, row.entry, row.salt = row.entry, None, None
    row.save()
    assert entry is not None
    entry.delete()
    return row


def test_older_checks_are_said_to_be_signed_in_the_archive_only(
    database: str, office: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(checks, "keep", as_before)
        jobs.run_due(NOW, deployment=office)
        jobs.run_due(NOW + HOUR, deployment=office)
    jobs.run_due(NOW + 2 * HOUR, deployment=office)
    done = export(office, tmp_path / "a.zip")
    said = verified(done.path, done.key).stdout
    assert "evidence: 1 checks with all that they saw" in said
    assert "evidence: 2 older checks are signed in this archive only" in said
    log_is_silent(NOW + 3 * HOUR)


def test_a_check_that_was_made_in_time_does_not_become_an_older_one(
    database: str, office: Deployment, tmp_path: Path
) -> None:
    jobs.run_due(NOW, deployment=office)
    row = CheckRow.objects.get()
    row.pk, row.entry, row.salt, row.at = None, None, None, NOW + HOUR
    row.save(force_insert=True)
    with pytest.raises(RecordsDiffer, match="the ledger has no entry"):
        export(office, tmp_path / "a.zip")
