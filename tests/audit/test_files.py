"""An audit of a folder of files tells of each file, and one that cannot be read hides none of the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.audit import world
from tests.audit.conftest import places, told

from troth.audit import AuditReport, as_data, audit, draft
from troth.stores import StoreError, open_store

PEOPLE = "name,email,shoe\nAnn Example,ann@example.org,40\nBen Example,ben@example.org,44\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports"


def audited(folder: Path, policy: str = "") -> AuditReport:
    stores = {"exports": open_store("exports", f"files:{folder}", read_only=True)}
    return audit(stores, world.policy(policy) if policy else None, now=world.NOW)


def test_one_bad_line_hides_no_other_file(folder: Path) -> None:
    (folder / "people.csv").write_text(PEOPLE)
    (folder / "bad.jsonl").write_text('{"a": 1}\n{"a": 2}\nann@example.org\n{"a": 3}\n')
    (folder / "cut.parquet").write_text("ann@example.org")
    report = audited(folder)
    assert places(report, "store.unreachable") == []
    assert places(report, "store.part-unread") == ["exports.bad.jsonl", "exports.cut.parquet"]
    assert places(report, "personal-data.held") == ["exports.people"]
    messages = dict(told(report, "store.part-unread"))
    assert messages["exports.bad.jsonl"] == "bad.jsonl: line 3 is not JSON; fix the file, or move it out of the folder"
    assert as_data(report)["systems"][0]["files_unread"].keys() == {"bad.jsonl", "cut.parquet"}
    assert "TODO: bad.jsonl was not read" in draft(report.facts.systems)


def test_a_bad_file_of_a_table_leaves_its_others(folder: Path) -> None:
    (folder / "calls").mkdir()
    (folder / "calls/good.jsonl").write_text('{"email": "ann@example.org", "at": "2020-01-01"}\n')
    (folder / "calls/bad.jsonl").write_text("no JSON\n")
    report = audited(folder, "We delete calls after ninety days.")
    assert places(report, "store.part-unread") == ["exports.calls/bad.jsonl"]
    assert [table.rows for table in report.facts.systems[0].tables] == [1]
    assert len(told(report, "policy.overdue")) == 1


def test_a_bad_line_far_down_is_told_with_its_table(folder: Path) -> None:
    (folder / "calls.jsonl").write_text('{"email": "ann@example.org"}\n' * 1_500 + "no JSON\n")
    report = audited(folder)
    [(place, message)] = told(report, "store.part-unread")
    assert (place, "line 1501 is not JSON" in message) == ("exports.calls", True)
    assert places(report, "personal-data.held") == ["exports.calls"]


def test_a_request_still_needs_every_file(folder: Path) -> None:
    (folder / "people.csv").write_text(PEOPLE)
    (folder / "bad.jsonl").write_text("no JSON\n")
    store = open_store("exports", f"files:{folder}")
    audit({"exports": store}, now=world.NOW)
    with pytest.raises(StoreError, match=r"bad\.jsonl: line 1 is not JSON; fix the file"):
        store.describe()


def test_files_of_other_kinds_are_counted(folder: Path) -> None:
    for name in ("one.xlsx", "two.xlsx", "three.pdf", "README", "ben@example.organisation"):
        (folder / name).touch()
    report = audited(folder)
    said = "5 files of unsupported formats skipped: 2 without ending, 2 .xlsx, 1 .pdf"
    assert told(report, "store.part-unread") == [("exports", said)]
    assert said in draft(report.facts.systems)


def test_columns_that_only_say_where_a_row_stands_are_not_counted(folder: Path) -> None:
    (folder / "people.csv").write_text(PEOPLE)
    report = audited(folder)
    assert told(report, "personal-data.held")[0][1].startswith("2 of 3 columns, 2 rows")
    assert as_data(report)["systems"][0]["tables"][0]["columns"] == 3


@pytest.mark.parametrize(("mode", "expected"), [(0o644, ["exports"]), (0o600, [])])
def test_a_file_that_every_account_can_read_is_told_with_how_to_close_it(
    folder: Path, mode: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from troth.stores import os_accounts

    (folder / "people.csv").write_text(PEOPLE)
    (folder / "people.csv").chmod(mode)
    # The folders of a test are its account's alone; here only the file's own mode is in question.
    monkeypatch.setattr(os_accounts, "_enters", lambda account, chain: True)
    report = audited(folder)
    found = [it for it in report.findings if it.rule.id == "access.everyone"]
    assert [str(it.place) for it in found] == expected
    for it in found:
        assert it.message == "every account of this machine can read the folder's files"
        assert it.fix.startswith("chmod -R o-rwx the folder's files")
