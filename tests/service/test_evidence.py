"""The evidence archive: the same data makes the same bytes, and whoever gets it can read and verify it alone."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.rig.witness import witnessed
from tests.service.conftest import Live
from tests.service.team import bare_member
from tests.service.test_passes import HOUR, NOW, QUOTE, RUN
from tests.service.test_passes import office as office

from troth.controls import CheckOutcome, run
from troth.declaration import Period, Promise
from troth.ledger import DeclaredName, Entry, LedgerError
from troth.ledger import verify_troth_ledger as offline
from troth.protect import Keyring
from troth.service.assurance import jobs
from troth.service.assurance.evidence import ArchiveScope, Exported, NoSuchPromise, export_evidence
from troth.service.assurance.evidence.gather import Gathered
from troth.service.assurance.integrity import LedgerHistory, RecordsDiffer, contradictions
from troth.service.assurance.law_reviews import ReviewedTexts, record_review
from troth.service.assurance.models import ChangeRow
from troth.service.assurance.retraction import retract_checks
from troth.service.core.deployment import Deployment
from troth.service.core.disposal import dispose
from troth.service.core.journal import DatabaseJournal
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog, record
from troth.service.core.models import CheckRow, Task
from troth.service.core.retraction import plan_retraction

pytestmark = pytest.mark.sampled

OTHER = "Our law is reviewed every year."
CONTROL = "core.runs_finished"


@pytest.fixture
def kept(live: Live, office: Deployment) -> Deployment:
    """The company of the keep loop's tests, with a second promise, and a failure between two passes."""
    promises = (
        *office.declaration.promises,
        Promise(quote=OTHER, owner="dpo@example.org", controls=("law.reviewed",)),
    )
    declaration = office.declaration.model_copy(update={"promises": promises})
    here = office.but(declaration=declaration)

    def passes() -> None:
        record_review(ReviewedTexts.of(here.policy.published), by=bare_member("ann"), actor="staff", now=NOW)
        jobs.run_due(NOW, deployment=here)
        DatabaseJournal().begin(RUN)
        jobs.run_due(NOW + HOUR, deployment=here)
        DatabaseJournal().finish(RUN.id, [])
        jobs.run_due(NOW + 2 * HOUR, deployment=here)

    live("kept", passes)
    return here


def export(here: Deployment, path: Path, **wanted: Any) -> Exported:
    signer = ledger_signer(here.keyring, here.declaration.organisation)
    return export_evidence(here, signer, path, ArchiveScope(**wanted))


def held(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def told(entry: dict[str, Any]) -> dict[str, Any]:
    """What an entry of the archive says."""
    said: dict[str, Any] = json.loads(offline.unbase64(entry["entry"]).partition(b" ")[2])
    return said


def verified(path: Path, key: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(Path(offline.__file__)), "archive", str(path), "--key", key, *words]
    return subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)


# --- what it promises ------------------------------------------------------------------------------------------------


def test_the_same_data_makes_the_same_bytes(kept: Deployment, tmp_path: Path) -> None:
    export(kept, tmp_path / "one.zip")
    export(kept, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_exporting_leaves_nothing_behind(kept: Deployment, tmp_path: Path) -> None:
    log = DatabaseLog(ledger_signer(kept.keyring, kept.declaration.organisation))
    before = log.size
    export(kept, tmp_path / "a.zip")
    assert log.size == before


def test_a_stranger_verifies_it_with_nothing_but_python(kept: Deployment, tmp_path: Path) -> None:
    done = export(kept, tmp_path / "a.zip")
    answer = verified(done.path, done.key)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith(f"verified: {done.files + 2} files as they were signed")


def test_a_changed_byte_anywhere_is_refused(kept: Deployment, tmp_path: Path) -> None:
    done = export(kept, tmp_path / "a.zip")
    sound = done.path.read_bytes()
    for at in range(0, len(sound), 4_999):
        done.path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        with pytest.raises(offline.Refused):
            offline.archive(str(done.path), {"--key": [done.key], "--since": [], "--witness": [], "--quorum": []})


def test_it_verifies_when_no_promise_names_a_control_any_more(kept: Deployment, tmp_path: Path) -> None:
    declaration = kept.declaration
    promises = [promise for promise in declaration.promises if promise.quote == OTHER]
    fewer = declaration.model_copy(update={"promises": tuple(promises)})
    done = export(kept.but(declaration=fewer), tmp_path / "a.zip")
    assert f"checks/{CONTROL}.jsonl" not in held(done.path)
    answer = verified(done.path, done.key)
    assert answer.returncode == 0, answer.stderr


def test_it_holds_the_policy_the_declaration_and_the_record_of_processing(kept: Deployment, tmp_path: Path) -> None:
    files = held(export(kept, tmp_path / "a.zip").path)
    assert QUOTE in files["policy/policy.md"]
    assert json.loads(files["record/controller.json"])["troth_ropa"] == 1
    assert json.loads(files["record/processor.json"])["role"] == "processor"
    assert files["record/map.svg"].startswith("<svg ")
    assert "gdpr" in [each["id"] for each in json.loads(files["law.json"])["rule_sets"]]
    assert json.loads(files["manifest.json"])["as_of"] == (NOW + 2 * HOUR).isoformat()


def test_it_tells_each_promise_with_its_history(kept: Deployment, tmp_path: Path) -> None:
    promises = json.loads(held(export(kept, tmp_path / "a.zip").path)["promises.json"])
    told = {each["quote"]: each for each in promises}[QUOTE]
    assert [(change["before"], change["status"]) for change in told["history"]] == [
        (None, "kept"),
        ("kept", "broken"),
        ("broken", "kept"),
    ]
    assert told["status"] == "kept"


def test_each_check_comes_with_its_provenance(kept: Deployment, tmp_path: Path) -> None:
    checks = lines(held(export(kept, tmp_path / "a.zip").path)[f"checks/{CONTROL}.jsonl"])
    assert [check["outcome"] for check in checks] == ["pass", "fail", "pass"]
    assert {"population", "tested", "excluded", "period", "query", "in_scope", "observed"} <= checks[1][
        "evidence"
    ].keys()
    assert all(check["collector"].startswith("troth ") for check in checks)
    assert checks[1]["findings"]


def test_each_change_of_status_has_its_entry_and_proof(kept: Deployment, tmp_path: Path) -> None:
    files = held(export(kept, tmp_path / "a.zip").path)
    leaves = {entry["leaf"] for entry in lines(files["ledger/entries.jsonl"])}
    told = {change["leaf"] for each in json.loads(files["promises.json"]) for change in each["history"]}
    assert told
    assert told <= leaves


# --- what may be asked for -------------------------------------------------------------------------------------------


def test_one_promise_brings_its_own_controls_and_entries_only(kept: Deployment, tmp_path: Path) -> None:
    (id_,) = [
        each["id"]
        for each in json.loads(held(export(kept, tmp_path / "a.zip").path)["promises.json"])
        if each["quote"] == OTHER
    ]
    files = held(export(kept, tmp_path / "b.zip", promises=(id_,)).path)
    assert [each["quote"] for each in json.loads(files["promises.json"])] == [OTHER]
    assert [name for name in files if name.startswith("checks/")] == ["checks/law.reviewed.jsonl"]
    about = [told(entry) for entry in lines(files["ledger/entries.jsonl"])]
    assert {entry["control"] for entry in about if "control" in entry} == {"law.reviewed"}


def test_an_id_that_nothing_bears_is_refused(kept: Deployment, tmp_path: Path) -> None:
    with pytest.raises(NoSuchPromise, match="no promise of the policy"):
        export(kept, tmp_path / "a.zip", promises=("p-ffff",))
    assert not (tmp_path / "a.zip").exists()


def test_what_was_before_a_day_is_left_out_but_for_what_a_status_rests_on(kept: Deployment, tmp_path: Path) -> None:
    files = held(export(kept, tmp_path / "a.zip", since=(NOW + dt.timedelta(days=1)).date()).path)
    assert [check["outcome"] for check in lines(files[f"checks/{CONTROL}.jsonl"])] == ["pass"]
    (entry,) = [told(each) for each in lines(files["ledger/entries.jsonl"]) if told(each)["control"] == CONTROL]
    assert (entry["kind"], entry["at"]) == ("check.made", "2026-11-24T11:41:00.000Z")
    assert json.loads(files["promises.json"])[0]["status"] == "kept"


def test_it_shows_that_the_ledger_continues_a_checkpoint_that_somebody_kept(kept: Deployment, tmp_path: Path) -> None:
    first = export(kept, tmp_path / "a.zip")
    (tmp_path / "kept").write_text(held(first.path)["ledger/checkpoint"])
    jobs.run_due(NOW + 40 * HOUR, deployment=kept)
    record(Entry("demo.fault_planted", NOW, {"fault": DeclaredName("a_fault")}))
    second = export(kept, tmp_path / "b.zip", earlier=((tmp_path / "kept").read_text(),))
    answer = verified(second.path, second.key, "--since", str(tmp_path / "kept"))
    assert f"begins with: the {first.entries} entries of" in answer.stdout, answer.stderr


def test_a_checkpoint_of_another_ledger_is_refused(kept: Deployment, tmp_path: Path) -> None:
    from troth.ledger import Checkpoint

    signer = ledger_signer(kept.keyring, kept.declaration.organisation)
    other = Checkpoint(signer.name, 3, bytes(32)).sign(signer)
    with pytest.raises(LedgerError, match="does not continue the checkpoint over 3 entries"):
        export(kept, tmp_path / "a.zip", earlier=(other,))


def test_what_was_retracted_is_there_and_says_so(kept: Deployment, tmp_path: Path) -> None:
    plan = plan_retraction(CONTROL, since=NOW.date(), until=NOW.date())
    retract_checks(kept, plan, "it asked the wrong table", now=NOW + 3 * HOUR)
    files = held(export(kept, tmp_path / "a.zip").path)
    checks = lines(files[f"checks/{CONTROL}.jsonl"])
    assert [check["retracted"]["because"] for check in checks] == ["it asked the wrong table"] * 3
    assert "it asked the wrong table" in files["index.html"]
    assert json.loads(files["retractions.json"])[0]["leaf"] in {e["leaf"] for e in lines(files["ledger/entries.jsonl"])}
    assert {each["quote"]: each["status"] for each in json.loads(files["promises.json"])}[QUOTE] == "unproven"


def test_a_retracted_control_runs_again_at_once(kept: Deployment) -> None:
    plan = plan_retraction(CONTROL, since=NOW.date(), until=NOW.date())
    retract_checks(kept, plan, "it asked the wrong table", now=NOW + 2.5 * HOUR)
    assert CONTROL in [check.control for check in jobs.run_due(NOW + 2.5 * HOUR, deployment=kept).checks]


# --- what it never does ----------------------------------------------------------------------------------------------


def test_entries_about_people_stay_out(kept: Deployment, tmp_path: Path) -> None:
    keyring = Keyring(b"\x01" * 32)
    ann = keyring.pseudonym("subject", "ann@example.org")
    record(Entry("letter.sent", NOW, {"letter": DeclaredName("receipt"), "to": ann}))
    files = held(export(kept, tmp_path / "a.zip").path)
    kinds = {told(entry)["kind"] for entry in lines(files["ledger/entries.jsonl"])}
    assert "check.changed" in kinds
    assert "letter.sent" not in kinds
    assert not [name for name, text in files.items() if "ann@example.org" in text]


@pytest.mark.few(1)
def test_a_large_ledger_takes_little_memory(database: str, office: Deployment, tmp_path: Path) -> None:
    jobs.run_due(NOW, deployment=office)
    for _ in range(4):
        record(
            *[Entry("control.unbound", NOW, {"control": DeclaredName(CONTROL), "promise": DeclaredName("a_promise")})]
            * 2_000
        )
    export(office, tmp_path / "warm.zip")
    tracemalloc.start()
    done = export(office, tmp_path / "a.zip")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert done.path.stat().st_size > 4_000_000
    assert most < 4_000_000


# --- its page --------------------------------------------------------------------------------------------------------


def test_its_page_needs_nothing_from_elsewhere_and_links_only_what_is_there(kept: Deployment, tmp_path: Path) -> None:
    files = held(export(kept, tmp_path / "a.zip").path)
    page = files["index.html"]
    links = re.findall(r'(?:href|src)="([^"#]+)"', page)
    assert links
    assert set(links) <= files.keys()
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


# --- history is what the ledger tells ---------------------------------------------------------------------------------


def rewrite_a_status() -> None:
    assert ChangeRow.objects.filter(status="broken").update(status="kept")


def drop_a_change() -> None:
    assert ChangeRow.objects.filter(status="broken").delete()


def rewrite_a_moment() -> None:
    assert ChangeRow.objects.filter(status="broken").update(at=NOW + 1.5 * HOUR)


def rewrite_an_outcome() -> None:
    assert CheckRow.objects.filter(control=CONTROL, outcome="fail").update(outcome="pass")


def drop_a_failure() -> None:
    Task.objects.all().delete()
    assert CheckRow.objects.filter(control=CONTROL, outcome="fail").delete()


REWRITTEN = [rewrite_a_status, drop_a_change, rewrite_a_moment, rewrite_an_outcome, drop_a_failure]


@pytest.mark.parametrize("rewrite", REWRITTEN)
def test_a_history_that_the_ledger_does_not_tell_is_not_exported(
    kept: Deployment, tmp_path: Path, rewrite: Callable[[], None]
) -> None:
    export(kept, tmp_path / "a.zip")
    rewrite()
    with pytest.raises(RecordsDiffer, match="ledger"):
        export(kept, tmp_path / "b.zip")
    assert [path.name for path in tmp_path.glob("*.zip*")] == ["a.zip"]


@pytest.mark.parametrize("rewrite", REWRITTEN)
def test_a_stranger_sees_a_history_that_the_ledger_does_not_tell(
    kept: Deployment, tmp_path: Path, rewrite: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite()
    monkeypatch.setattr(LedgerHistory, "require_changes", lambda *_: None)
    monkeypatch.setattr(LedgerHistory, "required", lambda told, control, checks, since: checks)
    done = export(kept, tmp_path / "a.zip")
    answer = verified(done.path, done.key)
    assert answer.returncode == 1
    assert re.search("the ledger|entry", answer.stderr)


@pytest.mark.parametrize("rewrite", REWRITTEN)
def test_rows_that_say_other_than_the_ledger_are_found(kept: Deployment, rewrite: Callable[[], None]) -> None:
    now, log = NOW + 3 * HOUR, DatabaseLog(ledger_signer(kept.keyring, kept.declaration.organisation))
    seen = {"declaration": witnessed(kept.declaration, log, now=now), "log": log, "now": now}
    seen["contradicted"] = lambda: contradictions(now)
    assert run("ledger.intact", seen).outcome is CheckOutcome.PASS
    rewrite()
    found = run("ledger.intact", seen)
    assert (found.outcome, found.figures["contradicted"]) == (CheckOutcome.FAIL, 1)


def test_what_was_retracted_before_and_disposed_of_is_no_contradiction(kept: Deployment, tmp_path: Path) -> None:
    plan = plan_retraction(CONTROL, since=NOW.date(), until=NOW.date())
    retract_checks(kept, plan, "it asked the wrong table", now=NOW + 3 * HOUR)
    later = NOW + dt.timedelta(days=400)
    jobs.run_due(later, deployment=kept)
    Task.objects.all().delete()
    dispose(later, evidence=Period(count=1, unit="year"))
    jobs.run_due(later + HOUR, deployment=kept)
    assert not CheckRow.objects.filter(control=CONTROL, outcome="fail").exists()
    done = export(kept, tmp_path / "a.zip")
    assert verified(done.path, done.key).returncode == 0
    assert not list(contradictions(later + 2 * HOUR))


def test_a_check_that_the_signed_ledger_does_not_tell_of_is_left_for_the_next_archive(
    kept: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = DatabaseLog.checkpoint

    def then_a_pass(log: DatabaseLog) -> str:
        note = sign(log)
        DatabaseJournal().begin(replace(RUN, id="r-2"))
        jobs.run_due(NOW + 40 * HOUR, deployment=kept)
        return note

    monkeypatch.setattr(DatabaseLog, "checkpoint", then_a_pass)
    done = export(kept, tmp_path / "a.zip")
    assert [check["outcome"] for check in lines(held(done.path)[f"checks/{CONTROL}.jsonl"])] == ["pass", "fail", "pass"]
    assert verified(done.path, done.key).returncode == 0


def test_the_verifier_says_that_no_entry_shows_nothing(
    kept: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = export(kept, tmp_path / "a.zip")
    assert "compared: " in verified(whole.path, whole.key).stdout
    monkeypatch.setattr(Gathered, "entries", lambda *_: iter(()))
    CheckRow.objects.update(entry=None, salt=None)
    empty = export(kept, tmp_path / "b.zip", since=(NOW + dt.timedelta(days=1)).date())
    answer = verified(empty.path, empty.key)
    assert (answer.returncode, "NOTHING IS SHOWN" in answer.stdout) == (0, True)
    assert "compared: " not in answer.stdout


def test_a_reader_who_has_read_enough_breaks_nothing(kept: Deployment, tmp_path: Path) -> None:
    done = export(kept, tmp_path / "a.zip")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-I", "-S", str(Path(offline.__file__)), "archive", str(done.path), "--key", done.key]
    answer = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_an_outcome_between_two_changes_cannot_be_rewritten_either(
    kept: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.run_due(NOW + 3 * HOUR, deployment=kept)
    assert CheckRow.objects.filter(control=CONTROL, at=NOW + 3 * HOUR).update(outcome="fail")
    with pytest.raises(RecordsDiffer, match="is fail; the ledger has pass"):
        export(kept, tmp_path / "a.zip")
    assert [it.place for it in contradictions(NOW + 4 * HOUR)] == [CONTROL]
    monkeypatch.setattr(LedgerHistory, "required", lambda told, control, checks, since: checks)
    done = export(kept, tmp_path / "a.zip")
    assert "says fail, and the ledger pass" in verified(done.path, done.key).stderr
