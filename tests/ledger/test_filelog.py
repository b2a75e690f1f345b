"""The ledger in a folder: the contract, crashes, damage, one writer."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from tests.rig.filelog import FileLog, LedgerBusy
from tests.rig.ledger import LogContract, entries

from troth.ledger import (
    TILE_WIDTH,
    Checkpoint,
    LedgerBroken,
    LedgerError,
    Log,
    NoteRefused,
    PublishedLog,
    leaf_hash,
    unpack_bundle,
)
from troth.ledger import folder as files

from .conftest import FixedSigner

CRASHING = Path(__file__).with_name("crashing.py")


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


class TestFileLog(LogContract):
    def spoil(self, log: Log, leaf: int) -> None:
        """In the bundle, or in the journal under a checksum that fits again."""
        assert isinstance(log, FileLog)
        folder, wanted = log.folder, log.entry_bytes(leaf)
        spoiled = bytes([*wanted[:-3], wanted[-3] ^ 1, *wanted[-2:]])
        bundle = folder / "tile/entries" / f"{leaf // TILE_WIDTH:03d}"
        if bundle.exists():
            bundle.write_bytes(bundle.read_bytes().replace(wanted, spoiled))
        else:
            rewrite_journal(folder / "journal", lambda stored: [spoiled if one == wanted else one for one in stored])


def rewrite_journal(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    from tests.rig.logjournal import Journal

    base, stored = Journal.read(path)
    Journal.create(path, base, change(stored)).close()


# --- what is on disk ------------------------------------------------------------------------------------------------


def test_the_folder_is_a_c2sp_tiled_log(log: FileLog) -> None:
    log.append(entries(300))
    log.checkpoint()
    bundles = [log.folder / "tile/entries/000", log.folder / "tile/entries/001.p/44"]
    stored = [entry for path in bundles for entry in unpack_bundle(path.read_bytes())]
    assert stored == [entry.encoded for entry in entries(300)]
    tiles = [log.folder / "tile/0/000", log.folder / "tile/0/001.p/44"]
    assert b"".join(path.read_bytes() for path in tiles) == b"".join(map(leaf_hash, stored))
    assert len((log.folder / "tile/1/000.p/1").read_bytes()) == 32
    assert (log.folder / "checkpoint").read_text().splitlines()[:2] == ["example.org/troth", "300"]


def test_partial_tiles_give_way_to_full_ones(log: FileLog) -> None:
    log.append(entries(300))
    log.checkpoint()
    log.append(entries(300, start=300))
    log.checkpoint()
    assert not (log.folder / "tile/0/001.p").exists()
    assert not (log.folder / "tile/entries/001.p").exists()
    log.verify()


def test_what_was_appended_is_there_again(log: FileLog, signer: FixedSigner) -> None:
    log.append(entries(700))
    before = log.checkpoint()
    log.close()
    with FileLog(log.folder, signer) as again:
        assert again.checkpoint() == before
        assert [again.entry(leaf) for leaf in range(700)] == entries(700)
        again.verify()


def test_the_journal_is_cut_and_stays_short(log: FileLog, signer: FixedSigner) -> None:
    for start in range(0, 40_000, 2_000):
        log.append(entries(2_000, start=start))
    assert (log.folder / "journal").stat().st_size < 20_000 * 120
    before = log.root()
    log.close()
    with FileLog(log.folder, signer) as again:
        assert (again.size, again.root()) == (40_000, before)
        again.verify()


# --- one writer, one name -------------------------------------------------------------------------------------------


def test_a_second_writer_is_refused(log: FileLog, signer: FixedSigner) -> None:
    with pytest.raises(LedgerBusy, match="one writer"):
        FileLog(log.folder, signer)
    log.close()
    FileLog(log.folder, signer).close()


def test_a_closed_ledger_takes_nothing_more(log: FileLog) -> None:
    log.close()
    with pytest.raises(LedgerError, match="open it again"):
        log.append(entries(1))


@pytest.mark.parametrize("other", [FixedSigner(seed=b"1" * 32), FixedSigner(name="example.org/other")])
def test_a_ledger_is_not_continued_under_another_key(log: FileLog, other: FixedSigner) -> None:
    log.append(entries(1))
    log.checkpoint()
    log.close()
    with pytest.raises(NoteRefused):
        FileLog(log.folder, other)


# --- crashes --------------------------------------------------------------------------------------------------------


def test_a_torn_write_is_cut_off_wherever_it_tore(log: FileLog, signer: FixedSigner) -> None:
    log.append(entries(3))
    journal = log.folder / "journal"
    whole = journal.stat().st_size
    log.append(entries(2, start=3))
    log.close()
    torn = journal.read_bytes()
    for end in range(whole, len(torn)):
        journal.write_bytes(torn[:end])
        with FileLog(log.folder, signer) as again:
            assert again.size == 3
            assert again.append(entries(1, start=3)) == range(3, 4)
            again.verify()


@pytest.mark.parametrize("garbage", [b"\x00" * 4096, b"GRP1" + b"\xff" * 60, os.urandom(500)])
def test_garbage_behind_the_last_write_is_cut_off(log: FileLog, signer: FixedSigner, garbage: bytes) -> None:
    log.append(entries(3))
    log.close()
    whole = (log.folder / "journal").read_bytes()
    (log.folder / "journal").write_bytes(whole + garbage)
    with FileLog(log.folder, signer) as again:
        assert again.size == 3
        assert (log.folder / "journal").read_bytes() == whole
        again.append(entries(300, start=3))
        again.verify()


def test_a_failed_disk_closes_the_ledger(log: FileLog, monkeypatch: pytest.MonkeyPatch, signer: FixedSigner) -> None:
    log.append(entries(2))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(LedgerError, match="disk"):
            log.append(entries(1, start=2))
    with pytest.raises(LedgerError, match="open it again"):
        log.append(entries(1, start=2))
    log.close()
    with FileLog(log.folder, signer) as again:
        assert again.size >= 2
        again.verify()


def test_nothing_is_acknowledged_before_the_disk_has_it(log: FileLog, monkeypatch: pytest.MonkeyPatch) -> None:
    forced = []
    monkeypatch.setattr(os, "fdatasync", lambda handle: forced.append(os.fstat(handle).st_size))
    for start in range(3):
        log.append(entries(1, start=start))
        assert (len(forced), forced[-1]) == (start + 1, (log.folder / "journal").stat().st_size)


def test_callers_that_wait_together_share_a_write(log: FileLog, monkeypatch: pytest.MonkeyPatch) -> None:
    forced, begun, go_on = [], Event(), Event()

    def slowly(handle: int) -> None:
        forced.append(handle)
        begun.set()
        assert go_on.wait(30)

    monkeypatch.setattr(os, "fdatasync", slowly)
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(log.append, entries(1))
        assert begun.wait(30)
        rest = [threads.submit(log.append, entries(1, start=number)) for number in range(1, 9)]
        while len(log._waiting) < 8:
            os.sched_yield()
        go_on.set()
    assert sorted(leaf for done in (first, *rest) for leaf in done.result()) == list(range(9))
    assert len(forced) == 2


def fail(handle: int) -> None:
    raise OSError(5, "Input/output error")


def kill_while_appending(folder: Path, after: int) -> list[int]:
    """Kill the writer at some moment once it acknowledged *after* entries: the leaves it had acknowledged by then."""
    command = [sys.executable, str(CRASHING), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(next(writer.stdout)) for _ in range(after)]
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    return acknowledged


@pytest.mark.parametrize("after", [1, 40, 130])
def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path, signer: FixedSigner, after: int) -> None:
    acknowledged = kill_while_appending(tmp_path / "ledger", after)
    with FileLog(tmp_path / "ledger", signer) as log:
        assert log.size >= acknowledged[-1]
        assert [log.entry(leaf) for leaf in range(log.size)] == entries(log.size)
        log.verify()
        log.append(entries(1, start=log.size))
        log.verify()


@pytest.mark.soak
@pytest.mark.parametrize("ledger", range(50))
def test_a_thousand_kills_lose_nothing(tmp_path: Path, signer: FixedSigner, ledger: int) -> None:
    for kill in range(20):
        acknowledged = kill_while_appending(tmp_path / "ledger", (20 * ledger + kill) % 60 + 1)
        with FileLog(tmp_path / "ledger", signer) as log:
            assert log.size >= acknowledged[-1]
            log.verify()


def test_what_a_power_cut_took_is_made_again_from_the_journal(log: FileLog, signer: FixedSigner) -> None:
    log.append(entries(300))
    log.checkpoint()
    log.append(entries(7, start=300))
    log.close()
    for lost in [path for path in log.folder.glob("tile/**/*.p/*") if path.is_file()]:
        lost.unlink()
    with FileLog(log.folder, signer) as again:
        PublishedLog(log.folder, again.verifier).verify()  # of the 300 that are signed
        again.verify()
        again.append(entries(300, start=307))
        PublishedLog(log.folder, again.verifier).verify()


def test_a_checkpoint_is_published_once_the_disk_has_what_it_signs(
    log: FileLog, signer: FixedSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced, published = set[str](), []
    monkeypatch.setattr(files, "_sync", lambda path: forced.add(os.path.relpath(path, log.folder)))
    monkeypatch.setattr("tests.rig.filelog.write_durably", lambda path, data: published.append((path, set(forced))))
    log.append(entries(300))
    with pytest.raises(LedgerError, match="No such file"):  # it is read back, and was not written
        log.checkpoint()
    stored = {str(path.relative_to(log.folder)) for path in log.folder.glob("tile/**/*")}
    assert [(path.name, stored <= before) for path, before in published] == [("checkpoint", True)]


def test_a_new_folder_s_name_is_on_disk_before_anything_is_acknowledged(
    tmp_path: Path, signer: FixedSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[Path | str] = []
    monkeypatch.setattr(files, "_sync", forced.append)
    FileLog(tmp_path / "of" / "ours", signer).close()
    assert forced[:2] == [tmp_path / "of", tmp_path]


@pytest.mark.parametrize("note", ["garbage", "forged"])
def test_a_note_that_is_no_checkpoint_of_ours_is_not_kept(log: FileLog, note: str) -> None:
    log.append(entries(3))
    log.checkpoint()
    if note == "forged":
        note = Checkpoint("example.org/troth", 3, log.root()).sign(FixedSigner(seed=b"2" * 32))
    with pytest.raises(NoteRefused):
        log.keep_cosigned(note)
    assert log.cosigned() is None
    assert log.append(entries(1, start=3)) == range(3, 4)


def test_a_signer_that_fails_does_not_stop_appends(log: FileLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append(entries(3))
    with monkeypatch.context() as patch:
        patch.setattr(FixedSigner, "sign", lambda *_: fail(0))
        with pytest.raises(OSError, match="Input"):
            log.checkpoint()
    assert log.append(entries(1, start=3)) == range(3, 4)
    log.checkpoint()


def test_appends_go_on_while_the_ledger_is_verified(log: FileLog) -> None:
    log.append(entries(600))
    log.checkpoint()
    log.append(entries(100, start=600))
    seen = []
    with ThreadPoolExecutor(1) as thread:

        def append_meanwhile(leaves: int) -> None:
            seen.append(leaves)
            start = log.size
            assert thread.submit(log.append, entries(200, start=start)).result(10).start == start
            thread.submit(log.checkpoint).result(10)

        log.verify(append_meanwhile)
    assert seen[-1] == 700
    log.verify()


# --- damage ---------------------------------------------------------------------------------------------------------


def test_tiles_are_made_again_from_the_entries(log: FileLog, signer: FixedSigner) -> None:
    for start in range(0, 20_000, 1_000):
        log.append(entries(1_000, start=start))
    before = log.checkpoint()
    log.close()
    for tile in (log.folder / "tile").glob("[0-9]/**/*"):
        if tile.is_file():
            tile.unlink()
    with FileLog(log.folder, signer) as again:
        assert again.checkpoint() == before
        again.verify()


def test_a_damaged_tile_is_found(log: FileLog) -> None:
    log.append(entries(600))
    log.checkpoint()
    flip(log.folder / "tile/0/001", 5 * 32)
    with pytest.raises(LedgerBroken, match="leaf 261") as broken:
        log.verify()
    assert broken.value.leaf == 261


def test_a_damaged_partial_tile_is_found(log: FileLog) -> None:
    log.append(entries(300))
    log.checkpoint()
    log.append(entries(10, start=300))
    flip(log.folder / "tile/0/001.p/44", 40 * 32)
    with pytest.raises(LedgerBroken, match="leaf 296") as broken:
        log.verify()
    assert broken.value.leaf == 296


def test_a_start_reads_what_is_new_and_leaves_the_rest_to_verify(log: FileLog, signer: FixedSigner) -> None:
    for start in range(0, 20_000, 1_000):
        log.append(entries(1_000, start=start))
    log.checkpoint()
    log.close()
    flip(log.folder / "tile/entries/000", 40)
    with FileLog(log.folder, signer) as again, pytest.raises(LedgerBroken, match="leaf 0 "):
        again.verify()


def test_a_lost_bundle_is_found(log: FileLog) -> None:
    log.append(entries(600))
    (log.folder / "tile/entries/001").unlink()
    with pytest.raises(LedgerBroken) as broken:
        log.verify()
    assert broken.value.leaf == 256


def test_damage_before_a_good_write_is_not_taken_for_a_torn_one(log: FileLog, signer: FixedSigner) -> None:
    log.append(entries(3))
    journal = log.folder / "journal"
    end = journal.stat().st_size
    log.append(entries(2, start=3))
    log.close()
    flip(journal, end - 3)
    with pytest.raises(LedgerBroken, match="damaged from leaf 0"):
        FileLog(log.folder, signer)


def test_a_ledger_that_lost_signed_entries_is_not_opened(log: FileLog, signer: FixedSigner) -> None:
    log.append(entries(3))
    end = (log.folder / "journal").stat().st_size
    log.append(entries(2, start=3))
    log.checkpoint()
    log.close()
    os.truncate(log.folder / "journal", end)
    with pytest.raises(LedgerBroken, match="5 leaves, but only 3 are left"):
        FileLog(log.folder, signer)


def test_a_rewritten_history_is_not_opened(log: FileLog, signer: FixedSigner, tmp_path: Path) -> None:
    log.append(entries(300))
    signed = log.checkpoint()
    log.close()
    with FileLog(tmp_path / "forged", signer) as forged:
        forged.append(entries(300, start=1))
    (tmp_path / "forged/checkpoint").write_text(signed)
    with pytest.raises(LedgerBroken, match="rewritten"):
        FileLog(tmp_path / "forged", signer)


def test_a_ledger_without_its_journal_is_not_begun_anew(log: FileLog, signer: FixedSigner) -> None:
    log.append(entries(300))
    log.close()
    (log.folder / "journal").unlink()
    with pytest.raises(LedgerBroken, match="journal is missing"):
        FileLog(log.folder, signer)


def test_a_forged_checkpoint_is_refused(log: FileLog, signer: FixedSigner) -> None:
    log.append(entries(3))
    log.close()
    forger = FixedSigner(seed=b"2" * 32)
    forged = Checkpoint("example.org/troth", 1, base64.b64decode("A" * 43 + "="))
    (log.folder / "checkpoint").write_text(forged.sign(forger))
    with pytest.raises(NoteRefused):
        FileLog(log.folder, signer)
