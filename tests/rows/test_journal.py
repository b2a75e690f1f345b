"""The journal: durable before anything is touched, exactly once at the end, and nothing kept afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.rig.filejournal import FileJournal
from tests.rig.filelog import FileLog

from troth.ledger import DeclaredName, Entry
from troth.protect import Keyring, create_home
from troth.rows import JournalError, Run

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
RUN = Run("a1b2c3d4", "erase", "dg1:" + "1" * 64, "sha256:" + "2" * 64, NOW, b"sealed")
ENTRIES = [Entry("demo.fault_planted", NOW, {"fault": DeclaredName(name)}) for name in ("one", "two")]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FileLog]:
    create_home(tmp_path / "home")
    with FileLog(tmp_path / "ledger", Keyring.open(tmp_path / "home").signer("ledger")) as log:
        yield log


@pytest.fixture
def journal(tmp_path: Path, log: FileLog) -> FileJournal:
    return FileJournal(tmp_path / "runs", log)


def test_a_run_is_there_until_it_finishes(journal: FileJournal) -> None:
    journal.begin(RUN)
    assert list(journal.unfinished()) == [RUN]
    journal.finish(RUN.id, ENTRIES)
    assert list(journal.unfinished()) == []


def test_finishing_leaves_no_copy_of_the_plan(journal: FileJournal, tmp_path: Path) -> None:
    journal.begin(RUN)
    journal.finish(RUN.id, ENTRIES)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_begins_once(journal: FileJournal) -> None:
    journal.begin(RUN)
    with pytest.raises(JournalError, match="begun already"):
        journal.begin(RUN)


def test_steps_are_done_one_by_one(journal: FileJournal) -> None:
    journal.begin(RUN)
    assert journal.steps(RUN.id) == frozenset()
    journal.done(RUN.id, "0/shop")
    assert journal.steps(RUN.id) == {"0/shop"}


def test_a_repeated_finish_adds_nothing(journal: FileJournal, log: FileLog) -> None:
    journal.begin(RUN)
    journal.finish(RUN.id, ENTRIES)
    journal.finish(RUN.id, ENTRIES)
    assert log.size == 2


def test_a_finish_that_broke_off_after_the_ledger_adds_nothing_again(
    journal: FileJournal, log: FileLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.begin(RUN)
    with monkeypatch.context() as broken:
        broken.setattr("tests.rig.filejournal._forget", _break)
        with pytest.raises(OSError, match="power"):
            journal.finish(RUN.id, ENTRIES)
    journal.finish(RUN.id, ENTRIES)
    assert log.size == 2
    assert list(journal.unfinished()) == []


@pytest.mark.parametrize("appended", [0, 1, 2])
def test_a_finish_that_broke_off_keeps_its_first_entries(
    journal: FileJournal, log: FileLog, monkeypatch: pytest.MonkeyPatch, appended: int
) -> None:
    append = log.append

    def break_off(entries: Sequence[Entry]) -> range:
        append(entries[:appended])
        raise OSError("power cut")

    journal.begin(RUN)
    with monkeypatch.context() as broken:
        broken.setattr(log, "append", break_off)
        with pytest.raises(OSError, match="power"):
            journal.finish(RUN.id, ENTRIES)
    later = [Entry(entry.kind, NOW + dt.timedelta(hours=3), entry.fields) for entry in ENTRIES]
    journal.finish(RUN.id, later)
    assert [log.entry(index) for index in range(log.size)] == ENTRIES


def test_a_torn_line_loses_no_other(journal: FileJournal, tmp_path: Path) -> None:
    journal.begin(RUN)
    journal.done(RUN.id, "0/shop")
    with (tmp_path / "runs" / RUN.id / "steps.jsonl").open("ab") as steps:
        steps.write(b'{"done": "0/de')
    journal.done(RUN.id, "0/news")
    assert journal.steps(RUN.id) == {"0/shop", "0/news"}


def test_a_run_that_never_became_durable_is_swept_away(journal: FileJournal, tmp_path: Path) -> None:
    (tmp_path / "runs" / "half").mkdir()
    (tmp_path / "runs" / "half" / "plan.sealed").write_bytes(b"half")
    assert list(journal.unfinished()) == []
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_later_version_is_not_misread(journal: FileJournal, tmp_path: Path) -> None:
    journal.begin(RUN)
    head = tmp_path / "runs" / RUN.id / "run.json"
    head.write_text(head.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(JournalError, match="newer Troth"):
        list(journal.unfinished())


def _break(_home: Path) -> None:
    raise OSError("power cut")
