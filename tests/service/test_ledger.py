"""Entries commit with their change, and the sequencer loses and repeats nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from tests.service.conftest import TestSigner

from troth.ledger import Checkpoint, Entry, LedgerBroken, Name, leaf_hash, verify_inclusion
from troth.service.record.ledger import DatabaseLog, pending, rebuild, record, sequence
from troth.service.record.models import EntryRow, Tile

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
