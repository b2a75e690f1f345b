"""Exports: static files that lead to the signed checkpoint, continued and never rewritten; and reading them back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.rig.filelog import FileLog
from tests.rig.ledger import entries

from troth.ledger import (
    Checkpoint,
    LedgerBroken,
    LedgerError,
    NoteRefused,
    PublishedLog,
    Verifier,
    export,
    receipt,
    verify_receipt,
)

from .conftest import FixedSigner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "export"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_export_is_the_log_s_tiles_bundles_and_checkpoint(log: FileLog, folder: Path) -> None:
    log.append(entries(600))
    signed = export(log, folder)
    assert signed == Checkpoint.open(log.checkpoint(), log.verifier)
    exported = files(folder)
    assert exported["verifier-key.txt"].decode().strip() == str(log.verifier)
    assert exported["verify_troth_ledger.py"].startswith(b"#!/usr/bin/env python3\n")
    own = files(log.folder)
    for path in (path for path in exported if path.startswith(("tile/", "checkpoint"))):
        assert exported[path] == own[path], path
    assert {path for path in own if path.startswith("tile/")} <= exported.keys()


def test_an_export_reads_back_as_a_ledger(log: FileLog, folder: Path) -> None:
    log.append(entries(600))
    export(log, folder)
    again = PublishedLog(folder, log.verifier)
    assert (again.size, again.root(), again.checkpoint()) == (600, log.root(), log.checkpoint())
    assert [again.entry(leaf) for leaf in (0, 255, 256, 599)] == [entries(600)[leaf] for leaf in (0, 255, 256, 599)]
    assert receipt(again, 77) == receipt(log, 77)
    again.verify()
    with pytest.raises(IndexError):
        again.entry_bytes(600)


def test_a_folder_in_use_reads_as_far_as_it_is_signed(log: FileLog) -> None:
    log.append(entries(300))
    log.checkpoint()
    log.append(entries(500, start=300))
    reader = PublishedLog(log.folder, log.verifier)
    assert reader.size == 300
    reader.verify()
    verify_receipt(receipt(reader, 299), key=str(log.verifier), entry_bytes=reader.entry_bytes(299))


@pytest.mark.parametrize(("first", "then"), [(0, 0), (0, 5), (5, 5), (5, 256), (300, 301), (300, 70_000)])
def test_an_export_is_continued(log: FileLog, folder: Path, first: int, then: int, tmp_path: Path) -> None:
    log.append(entries(first))
    export(log, folder)
    log.append(entries(then - first, start=first))
    told: list[int] = []
    export(log, folder, told.append)
    assert told[-1:] == ([then] if then > first // 256 * 256 else [])
    PublishedLog(folder, log.verifier).verify()
    export(log, tmp_path / "whole")
    assert files(tmp_path / "whole").items() <= files(folder).items()


def test_a_ledger_that_no_longer_begins_with_its_export_is_told(log: FileLog, folder: Path, tmp_path: Path) -> None:
    log.append(entries(300))
    export(log, folder)
    kept = files(folder)
    for count, start in ((300, 1), (299, 0), (400, 1)):
        with FileLog(tmp_path / f"rewritten-{count}-{start}", FixedSigner()) as rewritten:
            rewritten.append(entries(count, start=start))
            with pytest.raises(LedgerBroken, match="rolled back or rewritten"):
                export(rewritten, folder)
    assert files(folder) == kept


def test_an_export_of_another_ledger_is_not_continued(log: FileLog, folder: Path, tmp_path: Path) -> None:
    log.append(entries(3))
    export(log, folder)
    with FileLog(tmp_path / "other", FixedSigner("example.org/other")) as other, pytest.raises(NoteRefused):
        export(other, folder)


def test_an_entry_that_was_changed_is_not_exported(log: FileLog, folder: Path) -> None:
    log.append(entries(600))
    log.checkpoint()
    bundle = log.folder / "tile/entries/001"
    bundle.write_bytes(bundle.read_bytes().replace(b'"rows":300', b'"rows":301'))
    with pytest.raises(LedgerBroken, match="do not match the signed checkpoint"):
        export(log, folder)
    assert not (folder / "checkpoint").exists()


def test_damage_in_an_earlier_export_does_not_pass_into_the_next(log: FileLog, folder: Path) -> None:
    log.append(entries(600))
    export(log, folder)
    tile = folder / "tile/1/000.p/2"
    tile.write_bytes(tile.read_bytes()[::-1])
    log.append(entries(600, start=600))
    before = (folder / "checkpoint").read_bytes()
    with pytest.raises(LedgerBroken, match="export it into an empty folder"):
        export(log, folder)
    assert (folder / "checkpoint").read_bytes() == before


def test_a_folder_with_something_else_is_left_alone(log: FileLog, folder: Path) -> None:
    log.append(entries(3))
    folder.mkdir(parents=True)
    (folder / "letter.txt").write_text("Dear Ben")
    with pytest.raises(LedgerError, match="choose an empty folder"):
        export(log, folder)
    assert files(folder) == {"letter.txt": b"Dear Ben"}


def test_a_place_that_cannot_be_written_is_told(log: FileLog, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file")
    with pytest.raises(LedgerError, match=r"cannot be written \(File exists\)"):
        export(log, folder)


def test_a_folder_without_a_checkpoint_is_no_ledger(tmp_path: Path, signer: FixedSigner) -> None:
    with pytest.raises(LedgerError, match="contains no ledger"):
        PublishedLog(tmp_path, Verifier.of(signer))
    (tmp_path / "checkpoint").write_bytes(b"\xff" * 2_000_000)
    with pytest.raises(NoteRefused):
        PublishedLog(tmp_path, Verifier.of(signer))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_missing(log: FileLog, folder: Path, make: Callable[[Path], None]) -> None:
    log.append(entries(600))
    export(log, folder)
    (folder / "tile/entries/001").unlink()
    make(folder / "tile/entries/001")
    with pytest.raises(LedgerBroken, match="tile/entries/001 is missing"):
        PublishedLog(folder, log.verifier).verify()


def test_a_file_that_cannot_be_read_is_told(log: FileLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    log.append(entries(600))
    log.checkpoint()
    reader = PublishedLog(log.folder, log.verifier)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(LedgerError, match=r"tile/entries/000 cannot be read \(Permission denied\)"):
        reader.verify()


def test_a_bundle_with_more_than_its_entries_is_broken(log: FileLog, folder: Path) -> None:
    log.append(entries(600))
    export(log, folder)
    bundle = folder / "tile/entries/000"
    bundle.write_bytes(bundle.read_bytes() + b"\x00\x01x")
    with pytest.raises(LedgerBroken, match="longer than a bundle") as broken:
        PublishedLog(folder, log.verifier).verify()
    assert broken.value.leaf == 256
