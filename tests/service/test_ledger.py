"""Entries commit with their change, and the sequencer loses and repeats nothing."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import transaction
from tests.service.conftest import Start, TestSigner

from troth.ledger import (
    Checkpoint,
    Entry,
    LedgerBroken,
    Name,
    PublishedLog,
    export,
    leaf_hash,
    verify_inclusion,
)
from troth.service.record.ledger import DatabaseLog, pending, rebuild, record, sequence
from troth.service.record.models import EntryRow, Tile, Tree

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


def entry(number: int = 0) -> Entry:
    return Entry("demo.fault_planted", NOW, {"fault": Name("overdue"), "rows": number})


def test_an_entry_commits_with_its_change(database: str) -> None:
    with transaction.atomic():
        record(entry())
        transaction.set_rollback(True)
    assert pending() == 0
    with transaction.atomic():
        record(entry())
    assert pending() == 1


def test_sequencing_numbers_what_has_committed(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(600)])
    assert sequence(signer, now=NOW) == 600
    assert sequence(signer, now=NOW) == 0
    log = DatabaseLog(signer)
    assert log.size == 600
    assert [log.entry(n).fields["rows"] for n in (0, 255, 256, 599)] == [0, 255, 256, 599]
    log.verify()


def test_a_proof_leads_to_the_signed_checkpoint(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    log = DatabaseLog(signer)
    checkpoint = Checkpoint.open(log.checkpoint(), log.verifier)
    verify_inclusion(
        leaf_hash(log.entry_bytes(7)), 7, checkpoint.size, log.inclusion(7, checkpoint.size), checkpoint.root
    )


def test_a_changed_entry_is_found(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    sequence(signer, now=NOW)
    EntryRow.objects.filter(leaf=17).update(content=entry(99).encoded)
    with pytest.raises(LedgerBroken) as broken:
        DatabaseLog(signer).verify()
    assert broken.value.leaf == 17


def test_a_tree_that_was_put_back_is_found(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    sequence(signer, now=NOW)
    before = Tree.objects.get()
    record(entry(300))
    sequence(signer, now=NOW)
    before.save()
    with pytest.raises(LedgerBroken, match="put back") as broken:
        DatabaseLog(signer).verify()
    assert broken.value.leaf == 300


def test_the_ledger_is_exported_and_reads_back(database: str, signer: TestSigner, tmp_path: Path) -> None:
    record(*[entry(n) for n in range(300)])
    log = DatabaseLog(signer)
    assert export(log, tmp_path / "export").size == 300
    record(*[entry(n) for n in range(300)])
    assert export(log, tmp_path / "export").size == 600
    again = PublishedLog(tmp_path / "export", log.verifier)
    assert again.root() == log.root()
    again.verify()


def test_tiles_can_be_rebuilt(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(700)])
    sequence(signer, now=NOW)
    log = DatabaseLog(signer)
    root = log.root()
    Tile.objects.all().update(data=b"")
    assert rebuild(signer, now=NOW) == 700
    assert log.root() == root
    log.verify()


def test_an_append_comes_after_what_was_waiting(database: str, signer: TestSigner) -> None:
    record(entry(1), entry(2))
    log = DatabaseLog(signer)
    assert log.append([entry(3), entry(4)]) == range(2, 4)
    assert log.entry(3).fields["rows"] == 4


def rows_in_order(log: DatabaseLog) -> list[object]:
    return [log.entry(leaf).fields["rows"] for leaf in range(log.size)]


def test_many_writers_and_sequencers_lose_and_repeat_nothing(database: str, start: Start, signer: TestSigner) -> None:
    sequencers = [start("sequence") for _ in range(2)]
    writers = [start("write", str(first), "60") for first in range(0, 240, 60)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
    for sequencer in sequencers:
        assert sequencer.poll() is None
        sequencer.kill()
        sequencer.wait()
    sequence(signer, now=NOW)
    log = DatabaseLog(signer)
    log.verify()
    assert Counter(rows_in_order(log)) == Counter(range(240))


def test_a_sequencer_killed_at_any_point_leaves_a_sound_ledger(database: str, start: Start, signer: TestSigner) -> None:
    chance = random.Random(20261124)
    for round_ in range(6):
        sequencer = start("sequence")
        assert sequencer.stdout is not None
        sequencer.stdout.readline()
        writer = start("write", str(round_ * 40), "40")
        time.sleep(chance.uniform(1, 2))  # where among the writes the kill lands is the point of the test
        sequencer.kill()
        sequencer.wait()
        assert writer.wait(timeout=120) == 0
        DatabaseLog(signer).verify()
    log = DatabaseLog(signer)
    assert log.size > 0
    sequence(signer, now=NOW)
    log.verify()
    assert Counter(rows_in_order(log)) == Counter(range(240))
