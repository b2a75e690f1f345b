"""What the world does to a ledger: flipped bits, cuts, full disks, kills, clocks. Nothing acknowledged is lost, nothing
changed goes unseen, and each refusal says why."""

from __future__ import annotations

import datetime as dt
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.rig.filelog import FileLog
from tests.rig.ledger import entries
from tests.rig.logjournal import Journal

from troth.ledger import (
    DeclaredName,
    Entry,
    LedgerBroken,
    LedgerError,
    NoteRefused,
    PublishedLog,
    Verifier,
    export,
    require_begins_with,
    signed_in,
    verify_troth_ledger,
)
from troth.ledger import folder as files

from .conftest import FixedSigner

CRASHING = Path(__file__).with_name("crashing.py")
KEY = str(Verifier.of(FixedSigner()))
SIZE = 1_500


# --- flipped bits and cuts ------------------------------------------------------------------------------------------


def by_the_one_file(folder: Path) -> None:
    asked: verify_troth_ledger.Options = {"--since": [], "--witness": [], "--quorum": [], "--hashes-only": []}
    verify_troth_ledger.ledger(str(folder), {**asked, "--key": [KEY]})


def by_the_library(folder: Path) -> None:
    PublishedLog(folder, Verifier.parse(KEY)).verify()


def is_refused(verify: Callable[[Path], None], folder: Path) -> bool:
    try:
        verify(folder)
    except (LedgerError, verify_troth_ledger.Refused):
        return True
    return False


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("robust")
    with FileLog(folder / "log", FixedSigner()) as log:
        log.append(entries(SIZE))
        export(log, folder / "export")
    return folder / "export"


def signed_files(folder: Path) -> list[Path]:
    """Everything that the signature covers."""
    return sorted(path for path in [*folder.glob("tile/**/*"), folder / "checkpoint"] if path.is_file())


def any_bit(chance: random.Random, folder: Path) -> tuple[Path, bytes, bytes]:
    """A file, what it holds, and that with one bit flipped. Every bit of the ledger is as likely as any other."""
    candidates = signed_files(folder)
    path = chance.choices(candidates, [file.stat().st_size for file in candidates])[0]
    right = path.read_bytes()
    wrong = bytearray(right)
    wrong[chance.randrange(len(wrong))] ^= 1 << chance.randrange(8)
    return path, right, bytes(wrong)


def try_flips(folder: Path, trials: int, verifiers: list[Callable[[Path], None]], seed: int = 20261124) -> None:
    chance = random.Random(seed)
    for trial in range(trials):
        path, right, wrong = any_bit(chance, folder)
        path.write_bytes(wrong)
        for verify in verifiers:
            assert is_refused(verify, folder), f"trial {trial}: {verify.__name__} passed a flipped bit in {path}"
        path.write_bytes(right)
    for verify in verifiers:
        verify(folder)


def test_any_flipped_bit_is_found(exported: Path) -> None:
    try_flips(exported, 60, [by_the_one_file, by_the_library])


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_flipped_bits_are_found(exported: Path, seed: int) -> None:
    try_flips(exported, 1_000, [by_the_one_file, by_the_library], seed)


@pytest.mark.soak
def test_a_flipped_bit_in_a_million_entries_is_found(tmp_path: Path) -> None:
    with FileLog(tmp_path / "log", FixedSigner()) as log:
        for start in range(0, 1_000_000, 10_000):
            log.append(entries(10_000, start=start))
        export(log, tmp_path / "export")
    try_flips(tmp_path / "export", 50, [by_the_one_file])
    try_flips(tmp_path / "export", 10, [by_the_library])


def test_any_flipped_bit_of_the_journal_is_found(log: FileLog) -> None:
    for start in range(0, 40, 4):
        log.append(entries(4, start=start))
    journal = log.folder / "journal"
    right = journal.read_bytes()
    chance = random.Random(20261124)
    for _ in range(300):
        wrong = bytearray(right)
        wrong[chance.randrange(len(wrong))] ^= 1 << chance.randrange(8)
        journal.write_bytes(wrong)
        with pytest.raises(LedgerBroken):
            log.verify()
    journal.write_bytes(right)
    log.verify()


def test_any_cut_is_found(exported: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported, tmp_path / "cut"))
    chance = random.Random(20261124)
    for path in signed_files(folder):
        right = path.read_bytes()
        for length in {0, len(right) - 1, chance.randrange(len(right))}:
            path.write_bytes(right[:length])
            assert is_refused(by_the_one_file, folder)
            assert is_refused(by_the_library, folder)
        path.unlink()
        assert is_refused(by_the_one_file, folder)
        assert is_refused(by_the_library, folder)
        path.write_bytes(right)


def test_a_journal_cut_below_what_was_signed_is_not_opened(log: FileLog, signer: FixedSigner) -> None:
    log.append(entries(3))
    log.append(entries(3, start=3))
    log.checkpoint()
    log.close()
    journal = log.folder / "journal"
    right = journal.read_bytes()
    for length in range(0, len(right), 11):
        journal.write_bytes(right[:length])
        with pytest.raises(LedgerBroken):
            FileLog(log.folder, signer)
        journal.write_bytes(right)
    FileLog(log.folder, signer).close()


# --- what somebody puts in its place --------------------------------------------------------------------------------


def test_an_older_copy_opens_and_does_not_begin_with_the_newer_checkpoint(
    log: FileLog, signer: FixedSigner, tmp_path: Path
) -> None:
    log.append(entries(300))
    log.checkpoint()
    copy = Path(shutil.copytree(log.folder, tmp_path / "copy"))
    log.append(entries(300, start=300))
    newer = signed_in(log.checkpoint(), log.verifier)
    require_begins_with(log, newer, "what Ann kept")
    with FileLog(copy, signer) as restored:
        restored.verify()
        with pytest.raises(LedgerBroken, match="rolled back or rewritten; keep what Ann kept as evidence"):
            require_begins_with(restored, newer, "what Ann kept")
        restored.append(entries(400, start=7))  # it outgrows the checkpoint, by another way
        with pytest.raises(LedgerBroken, match="rolled back"):
            require_begins_with(restored, newer, "what Ann kept")


@pytest.mark.parametrize("seed", [b"1" * 32, b"2" * 32])
def test_a_checkpoint_of_somebody_else_is_refused_wherever_it_is_read(
    exported: Path, seed: bytes, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(exported, tmp_path / "forged"))
    with FileLog(tmp_path / "log", FixedSigner(seed=seed)) as forger:
        forger.append(entries(SIZE))
        (folder / "checkpoint").write_text(forger.checkpoint())
    with pytest.raises(NoteRefused, match="not signed"):
        by_the_library(folder)
    with pytest.raises(verify_troth_ledger.Refused, match="not signed"):
        by_the_one_file(folder)


# --- clocks ---------------------------------------------------------------------------------------------------------


def test_entries_keep_their_order_when_the_clock_goes_back(log: FileLog) -> None:
    moments = [dt.datetime(2026, 11, 24, hour, tzinfo=dt.UTC) for hour in (9, 12, 3, 10)]
    for moment in moments:
        log.append([Entry("demo.fault_planted", moment, {"fault": DeclaredName("overdue")})])
    assert [log.entry(leaf).at for leaf in range(4)] == moments
    log.verify()


# --- full and failing disks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [30_000, 70_001, pytest.param(1_500_000, marks=pytest.mark.soak)])
def test_a_full_disk_is_refused_and_loses_nothing_that_was_acknowledged(
    tmp_path: Path, signer: FixedSigner, limit: int
) -> None:
    command = [sys.executable, str(CRASHING), str(tmp_path / "ledger"), "1", str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    *acknowledged, refusal = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert refusal == f"the disk under {tmp_path / 'ledger'} failed (File too large); fix it and open the ledger again"
    with FileLog(tmp_path / "ledger", signer) as log:
        log.verify()
        require_acknowledged(log, acknowledged)
        log.append(entries(300, start=log.size))
        log.verify()


def half_written(handle: int, data: bytes) -> int:
    os.pwrite(handle, data[: len(data) // 2], os.lseek(handle, 0, os.SEEK_CUR))
    return full()


def full(*_: object, **__: object) -> int:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("place", "name", "fault"),
    [
        (os, "write", half_written),
        (os, "fdatasync", full),
        (files.FolderStore, "put", full),
        (os, "replace", full),
    ],
    ids=["half a write", "the flush", "a bundle", "a name"],
)
def test_wherever_a_disk_fails_what_was_acknowledged_is_there_again(
    log: FileLog, signer: FixedSigner, monkeypatch: pytest.MonkeyPatch, place: object, name: str, fault: object
) -> None:
    log.append(entries(250))
    before = log.checkpoint()
    with monkeypatch.context() as patch:
        patch.setattr(place, name, fault)
        with pytest.raises(LedgerError, match="No space left on device"):
            log.append(entries(20, start=250))
    with pytest.raises(LedgerError, match="open it again"):
        log.append(entries(1))
    log.close()
    with FileLog(log.folder, signer) as again:
        assert again.size in (250, 270)
        require_begins_with(again, signed_in(before, again.verifier), "the checkpoint")
        again.append(entries(300, start=again.size))
        assert [again.entry(leaf) for leaf in range(again.size)] == entries(again.size)
        again.verify()


@pytest.mark.parametrize("place", [files, Journal], ids=["a checkpoint", "the journal's cut"])
def test_a_disk_that_fails_between_two_writes_loses_nothing(
    log: FileLog, signer: FixedSigner, monkeypatch: pytest.MonkeyPatch, place: object
) -> None:
    log.append(entries(300))
    with monkeypatch.context() as patch:
        if place is Journal:
            patch.setattr("tests.rig.filelog._JOURNAL_ENTRIES_MAX", 310)
            patch.setattr(Journal, "create", full)
        else:
            patch.setattr("tests.rig.filelog.write_durably", full)
        with pytest.raises(LedgerError, match="No space left on device"):
            log.append(entries(20, start=300)) if place is Journal else log.checkpoint()
    log.close()
    with FileLog(log.folder, signer) as again:
        assert [again.entry(leaf) for leaf in range(again.size)] == entries(again.size)
        assert again.size >= 300
        again.checkpoint()
        again.verify()


@pytest.mark.parametrize("fails", ["mkdir", "journal", "tiles"])
def test_a_full_disk_at_opening_is_refused_in_plain_words(
    log: FileLog, signer: FixedSigner, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    log.append(entries(300))
    log.checkpoint()
    log.close()
    folder = log.folder if fails == "tiles" else log.folder / "new"
    with monkeypatch.context() as patch:
        place, name = {
            "mkdir": (Path, "mkdir"),
            "journal": ("tests.rig.logjournal", "write_durably"),
            "tiles": (files.FolderStore, "put"),
        }[fails]
        patch.setattr(f"{place}.{name}", full) if isinstance(place, str) else patch.setattr(place, name, full)
        with pytest.raises(LedgerError, match="failed \\(No space left on device\\); fix it and open"):
            FileLog(folder, signer)
    FileLog(folder, signer).close()


# --- kills under load -----------------------------------------------------------------------------------------------


def killed_under_load(folder: Path, after: int) -> list[str]:
    """Kill a writer with eight threads at some moment after so many acknowledgements; all that it acknowledged."""
    command = [sys.executable, str(CRASHING), str(folder), "8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [next(writer.stdout) for _ in range(after)]
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout
    return [line for line in lines if re.fullmatch(r"\d+ \d+ \d+\n", line)]


def require_acknowledged(log: FileLog, lines: list[str]) -> None:
    """Every acknowledged entry stands at the leaf that its caller was given."""
    for line in lines:
        leaf, number, count = map(int, line.split())
        assert list(log.stored(leaf, leaf + count)) == [entry.encoded for entry in entries(count, start=number)]


@pytest.mark.parametrize("after", [1, 90, 400])
def test_a_kill_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path, signer: FixedSigner, after: int) -> None:
    lines = killed_under_load(tmp_path / "ledger", after)
    assert len(lines) >= after
    with FileLog(tmp_path / "ledger", signer) as log:
        require_acknowledged(log, lines)
        log.verify()


@pytest.mark.soak
@pytest.mark.parametrize("ledger", range(50))
def test_a_thousand_kills_under_load_lose_nothing(tmp_path: Path, signer: FixedSigner, ledger: int) -> None:
    chance = random.Random(ledger)
    for kill in range(20):
        lines = killed_under_load(tmp_path / f"ledger-{kill}", chance.randrange(1, 500))
        with FileLog(tmp_path / f"ledger-{kill}", signer) as log:
            require_acknowledged(log, lines)
            log.verify()
