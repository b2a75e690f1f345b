"""Entries commit with their change, and the sequencer loses and repeats nothing."""

from __future__ import annotations

import datetime as dt
import logging
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from tests.service.conftest import Start, TestSigner

from troth.ledger import (
    Checkpoint,
    DeclaredName,
    Entry,
    LedgerBroken,
    PublishedLog,
    export,
    leaf_hash,
    signed_in,
    verify_consistency,
    verify_inclusion,
)
from troth.service.core.ledger import DatabaseLog, clock_fault, pending, record, sequence, sequence_if_sound
from troth.service.core.models import EntryRow, Tile, Tree

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


def entry(number: int = 0) -> Entry:
    return Entry("demo.fault_planted", NOW, {"fault": DeclaredName("overdue"), "rows": number})


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


@pytest.mark.sampled
def test_a_proof_leads_to_the_signed_checkpoint(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    log = DatabaseLog(signer)
    checkpoint = Checkpoint.open(log.checkpoint(), log.verifier)
    verify_inclusion(
        leaf_hash(log.entry_bytes(7)), 7, checkpoint.size, log.inclusion(7, checkpoint.size), checkpoint.root
    )


@pytest.mark.sampled
def test_a_changed_entry_is_found(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    sequence(signer, now=NOW)
    EntryRow.objects.filter(leaf=17).update(content=entry(99).encoded)
    with pytest.raises(LedgerBroken) as broken:
        DatabaseLog(signer).verify()
    assert broken.value.leaf == 17


@pytest.mark.sampled
def test_a_tree_that_was_put_back_is_found(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    sequence(signer, now=NOW)
    before = Tree.objects.get()
    record(entry(300))
    sequence(signer, now=NOW)
    before.save()
    with pytest.raises(LedgerBroken, match="restored from an older copy") as broken:
        DatabaseLog(signer).verify()
    assert broken.value.leaf == 300


@pytest.mark.sampled
def test_the_ledger_is_exported_and_reads_back(database: str, signer: TestSigner, tmp_path: Path) -> None:
    record(*[entry(n) for n in range(300)])
    log = DatabaseLog(signer)
    assert export(log, tmp_path / "export").size == 300
    record(*[entry(n) for n in range(300)])
    assert export(log, tmp_path / "export").size == 600
    again = PublishedLog(tmp_path / "export", log.verifier)
    assert again.root() == log.root()
    again.verify()


@pytest.mark.sampled
def test_tiles_can_be_rebuilt(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(700)])
    sequence(signer, now=NOW)
    log = DatabaseLog(signer)
    root = log.root()
    Tile.objects.all().update(data=b"")
    assert log.rebuild() == 700
    assert log.root() == root
    log.verify()


@pytest.mark.sampled
def test_changed_entries_are_never_signed_by_making_the_tiles_again(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    log = DatabaseLog(signer)
    signed, tiles = log.checkpoint(), list(Tile.objects.order_by("path").values_list("path", "data"))
    EntryRow.objects.filter(leaf=17).update(content=entry(99).encoded)
    with pytest.raises(LedgerBroken, match="differ from those that the last checkpoint signed"):
        log.rebuild()
    assert log.checkpoint() == signed
    assert list(Tile.objects.order_by("path").values_list("path", "data")) == tiles
    with pytest.raises(LedgerBroken) as broken:
        log.verify()
    assert broken.value.leaf == 17


@pytest.mark.sampled
@pytest.mark.parametrize("path", ["tile/0/001", "tile/1/000"])
def test_nothing_is_signed_after_a_damaged_tile(database: str, signer: TestSigner, path: str) -> None:
    record(*[entry(n) for n in range(300)])
    log = DatabaseLog(signer)
    before = signed_in(log.checkpoint(), log.verifier)
    tile = Tile.objects.get(path=path)
    Tile.objects.filter(path=path).update(data=bytes([tile.data[0] ^ 1, *tile.data[1:]]))
    record(entry(300))
    with pytest.raises(LedgerBroken, match="troth ledger rebuild"):
        sequence(signer, now=NOW)
    with pytest.raises(LedgerBroken, match="troth ledger rebuild"):
        log.append([entry(301)])
    assert (log.size, pending()) == (300, 1)
    assert log.rebuild() == 300
    assert sequence(signer, now=NOW) == 1
    after = signed_in(log.checkpoint(), log.verifier)
    verify_consistency(before.size, after.size, before.root, after.root, log.consistency(before.size, after.size))
    log.verify()


@pytest.mark.sampled
def test_nothing_is_signed_after_a_tree_that_was_put_back(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    sequence(signer, now=NOW)
    before = Tree.objects.get()
    record(entry(300))
    sequence(signer, now=NOW)
    now = Tree.objects.get()
    record(entry(301))
    for put_back in (before, Tree(pk=1), Tree(pk=1, size=301)):
        put_back.save()
        with pytest.raises(LedgerBroken, match="restore all tables of the ledger from one copy"):
            sequence(signer, now=NOW)
        with pytest.raises(LedgerBroken, match="restore all tables of the ledger from one copy"):
            DatabaseLog(signer).rebuild()
    now.save()
    assert sequence(signer, now=NOW) == 1
    DatabaseLog(signer).verify()


@pytest.mark.sampled
def test_work_goes_on_beside_a_broken_ledger_and_its_entries_wait(database: str, signer: TestSigner) -> None:
    record(entry(0))
    assert sequence_if_sound(signer, now=NOW) == (1, "")
    Tile.objects.update(data=bytes(32))
    record(entry(1))
    count, why = sequence_if_sound(signer, now=NOW)
    assert (count, pending()) == (0, 1)
    assert "troth ledger rebuild" in why


@pytest.mark.sampled
def test_an_append_comes_after_what_was_waiting(database: str, signer: TestSigner) -> None:
    record(entry(1), entry(2))
    log = DatabaseLog(signer)
    assert log.append([entry(3), entry(4)]) == range(2, 4)
    assert log.entry(3).fields["rows"] == 4


@pytest.mark.sampled
def test_any_flipped_bit_of_a_row_is_found(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(600)])
    sequence(signer, now=NOW)
    log, chance = DatabaseLog(signer), random.Random(20261124)
    for model, column in ((EntryRow, "content"), (Tile, "data")):
        for key in chance.sample(list(model.objects.values_list("pk", flat=True)), 3):
            right = bytes(model.objects.values_list(column, flat=True).get(pk=key))
            wrong = bytearray(right)
            wrong[chance.randrange(len(wrong))] ^= 1 << chance.randrange(8)
            model.objects.filter(pk=key).update(**{column: bytes(wrong)})
            with pytest.raises(LedgerBroken):
                log.verify()
            model.objects.filter(pk=key).update(**{column: right})
    log.verify()


@pytest.mark.sampled
def test_a_process_that_began_earlier_is_no_clock_that_went_back(
    database: str, signer: TestSigner, caplog: pytest.LogCaptureFixture
) -> None:
    for number, at in enumerate((NOW, NOW - dt.timedelta(minutes=1))):
        record(entry(number))
        with caplog.at_level(logging.WARNING, "troth.ledger"):
            sequence(signer, now=at)
    assert caplog.text == ""
    assert Tree.objects.get().checkpoint_at == NOW


@pytest.mark.sampled
def test_a_clock_that_goes_back_moves_no_entry_and_no_checkpoint(
    database: str, signer: TestSigner, caplog: pytest.LogCaptureFixture
) -> None:
    record(entry(0))
    sequence(signer, now=NOW)
    earlier = NOW - dt.timedelta(hours=3)
    record(Entry("demo.fault_planted", earlier, {"fault": DeclaredName("overdue"), "rows": 1}))
    with caplog.at_level(logging.WARNING, "troth.ledger"):
        sequence(signer, now=earlier)
    assert "the clock went back" in caplog.text
    assert "fix the clock" in clock_fault(earlier)
    assert clock_fault(NOW - dt.timedelta(minutes=15)) == ""
    assert Tree.objects.get().checkpoint_at == NOW
    log = DatabaseLog(signer)
    assert rows_in_order(log) == [0, 1]
    log.verify()
    record(entry(2))
    sequence(signer, now=NOW + dt.timedelta(seconds=1))
    assert Tree.objects.get().checkpoint_at == NOW + dt.timedelta(seconds=1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_full_disk_refuses_and_loses_nothing_that_was_acknowledged(database: str, signer: TestSigner) -> None:
    record(*[entry(n) for n in range(300)])
    sequence(signer, now=NOW)
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 4}")
        acknowledged = 300
        with pytest.raises(OperationalError, match="full"):  # noqa: PT012 - which write it is does not matter
            while True:
                record(*[entry(n) for n in range(acknowledged, acknowledged + 10)])
                acknowledged += 10
        with pytest.raises(OperationalError, match="full"):
            sequence(signer, now=NOW)
        assert DatabaseLog(signer).size == 300
        DatabaseLog(signer).verify()
        cursor.execute(f"PRAGMA max_page_count = {pages + 10_000}")
    assert sequence(signer, now=NOW) == acknowledged - 300
    assert rows_in_order(DatabaseLog(signer)) == list(range(acknowledged))
    DatabaseLog(signer).verify()


def kill_writers(start: Start, first: int, after: int) -> list[int]:
    """Kill two writers and a sequencer at some moment after so many acknowledgements; all that they acknowledged."""
    sequencer = start("sequence")
    writers = [start("acknowledge", str(first + number * 100_000)) for number in range(2)]
    assert sequencer.stdout.readline() == "begun\n"  # nobody is killed before it is at work
    said = []
    for writer in writers:
        said += [writer.stdout.readline() for _ in range(after)]
    for process in (*writers, sequencer):
        process.kill()
        process.wait()
    for writer in writers:
        said += writer.stdout.readlines()
    return [int(line) for line in said if line.endswith("\n")]


@pytest.mark.few(2)
@pytest.mark.parametrize("after", [1, 40])
def test_writers_killed_under_load_lose_nothing_they_acknowledged(
    database: str, start: Start, signer: TestSigner, after: int
) -> None:
    require_kept(kill_writers(start, 0, after), signer)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_killed_writers_lose_nothing(database: str, start: Start, signer: TestSigner, seed: int) -> None:
    chance, acknowledged = random.Random(seed), list[int]()
    for kill in range(25):  # of two writers each, on each of two databases
        acknowledged += kill_writers(start, kill * 200_000, chance.randrange(1, 60))
    require_kept(acknowledged, signer)


def require_kept(acknowledged: list[int], signer: TestSigner) -> None:
    sequence(signer, now=NOW)
    log = DatabaseLog(signer)
    log.verify()
    kept = Counter(rows_in_order(log))
    assert set(acknowledged) <= kept.keys()
    assert set(kept.values()) == {1}


def rows_in_order(log: DatabaseLog) -> list[object]:
    return [log.entry(leaf).fields["rows"] for leaf in range(log.size)]


@pytest.mark.few(1)
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


@pytest.mark.sampled
def test_a_sequencer_killed_at_any_point_leaves_a_sound_ledger(database: str, start: Start, signer: TestSigner) -> None:
    chance = random.Random(20261124)
    for round_ in range(3):
        sequencer = start("sequence")
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
    assert Counter(rows_in_order(log)) == Counter(range(120))
