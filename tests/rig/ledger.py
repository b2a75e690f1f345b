"""What every ledger promises, as tests: `troth.ledger.Log` in executable form.

A driver's test module subclasses `LogContract`, gives one fixture, ``log``: an empty ledger, fresh for each test, and
says in `spoil` how to damage what it stored.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.rig.witness import FakeWitness, serving

from troth.ledger import (
    EMPTY_ROOT,
    Checkpoint,
    DeclaredName,
    Entry,
    LedgerBroken,
    Log,
    ProofRefused,
    Quorum,
    cosign,
    leaf_hash,
    receipt,
    verify_consistency,
    verify_inclusion,
    verify_receipt,
)

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


def entries(count: int, *, start: int = 0) -> list[Entry]:
    """*count* entries, each different from the others."""
    fault = {"fault": DeclaredName("a_planted_fault")}
    return [Entry("demo.fault_planted", NOW, {**fault, "rows": start + number}) for number in range(count)]


def head(log: Log) -> Checkpoint:
    """The checkpoint of now, its signature verified."""
    return Checkpoint.open(log.checkpoint(), log.verifier)


class LogContract:
    """Subclass it, give the fixture ``log``, and implement `spoil`."""

    def spoil(self, log: Log, leaf: int) -> None:
        """Change one bit of the stored bytes of *leaf* behind the ledger's back."""
        raise NotImplementedError

    def test_an_empty_ledger_has_the_empty_root(self, log: Log) -> None:
        assert (log.size, log.root()) == (0, EMPTY_ROOT)
        assert (head(log).size, head(log).root) == (0, EMPTY_ROOT)
        log.verify()

    def test_leaves_are_numbered_in_order(self, log: Log) -> None:
        assert log.append(entries(3)) == range(3)
        assert log.append(entries(2, start=3)) == range(3, 5)
        assert [log.entry(leaf) for leaf in range(5)] == entries(5)

    def test_appending_nothing_changes_nothing(self, log: Log) -> None:
        log.append(entries(2))
        assert log.append([]) == range(2, 2)
        assert log.size == 2

    def test_the_stored_bytes_are_the_entry_s_own(self, log: Log) -> None:
        log.append(entries(1))
        assert log.entry_bytes(0) == entries(1)[0].encoded

    @pytest.mark.parametrize(("first", "stop"), [(0, 0), (0, 600), (3, 4), (255, 257), (300, 600)])
    def test_a_stretch_of_leaves_is_read_in_order(self, log: Log, first: int, stop: int) -> None:
        log.append(entries(600))
        assert list(log.stored(first, stop)) == [entry.encoded for entry in entries(600)[first:stop]]

    def test_a_stretch_that_goes_beyond_the_end_is_told(self, log: Log) -> None:
        log.append(entries(3))
        with pytest.raises(LedgerBroken) as broken:
            list(log.stored(0, 4))
        assert broken.value.leaf == 3

    def test_verifying_says_how_far_it_has_come(self, log: Log) -> None:
        log.append(entries(600))
        log.checkpoint()
        seen: list[int] = []
        log.verify(seen.append)
        assert seen == sorted(seen)
        assert seen[-1] == 600

    @pytest.mark.parametrize("leaf", [-1, 3, 10**9])
    def test_there_is_no_leaf_beyond_the_end(self, log: Log, leaf: int) -> None:
        log.append(entries(3))
        with pytest.raises(IndexError):
            log.entry_bytes(leaf)

    def test_every_leaf_is_proven_at_every_checkpoint(self, log: Log) -> None:
        for size in (1, 2, 7, 255, 256, 257, 520):
            log.append(entries(size - log.size, start=log.size))
            signed = head(log)
            assert signed.size == size
            for leaf in {0, size // 3, size - 1}:
                hashed = leaf_hash(log.entry_bytes(leaf))
                verify_inclusion(hashed, leaf, size, log.inclusion(leaf, size), signed.root)

    def test_checkpoints_are_consistent_with_one_another(self, log: Log) -> None:
        signed = []
        for size in (1, 3, 256, 300, 513):
            log.append(entries(size - log.size, start=log.size))
            signed.append(head(log))
        for old, new in itertools.combinations(signed, 2):
            verify_consistency(old.size, new.size, old.root, new.root, log.consistency(old.size, new.size))
            assert log.root(old.size) == old.root

    def test_a_checkpoint_stands_until_something_is_appended(self, log: Log) -> None:
        log.append(entries(1))
        first = log.checkpoint()
        assert log.checkpoint() == first
        log.append(entries(1, start=1))
        assert log.checkpoint() != first

    @pytest.mark.parametrize(("old", "new"), [(0, 3), (2, 1), (1, 4), (-1, 3)])
    def test_a_consistency_proof_that_shows_nothing_is_refused(self, log: Log, old: int, new: int) -> None:
        log.append(entries(3))
        with pytest.raises(ProofRefused):
            log.consistency(old, new)

    @pytest.mark.parametrize(("leaf", "size"), [(3, 3), (0, 4), (-1, 3), (0, 0)])
    def test_a_proof_of_what_is_not_there_is_refused(self, log: Log, leaf: int, size: int) -> None:
        log.append(entries(3))
        with pytest.raises(ProofRefused):
            log.inclusion(leaf, size)

    def test_a_receipt_proves_its_entry_offline(self, log: Log) -> None:
        log.append(entries(300))
        text = receipt(log, 77)
        assert verify_receipt(text, key=str(log.verifier), entry_bytes=log.entry_bytes(77)) == entries(300)[77]

    def test_what_was_cosigned_is_kept_and_goes_into_receipts(self, log: Log) -> None:
        witness = FakeWitness("witness.example.org/w1", (log.verifier,))
        assert log.cosigned() is None
        log.append(entries(3))
        with serving(lambda _, body: witness.add_checkpoint(body)) as url, httpx.Client() as client:
            assert cosign(log, {witness.key: url}, client) == []
            note = log.checkpoint()
            assert log.cosigned() == note
            log.append(entries(2, start=3))
            assert log.cosigned() == note
            assert receipt(log, 2).endswith(note)
            assert receipt(log, 3).endswith(log.checkpoint())
            assert cosign(log, {witness.key: url}, client) == []
        quorum = Quorum((witness.key,), 1)
        for leaf in range(5):
            stored = log.entry_bytes(leaf)
            verify_receipt(receipt(log, leaf), key=str(log.verifier), entry_bytes=stored, quorum=quorum)
        assert head(log).size == witness.seen[log.verifier.name][0] == 5
        log.verify()

    @pytest.mark.parametrize("leaf", [0, 255, 256, 299])
    def test_a_spoiled_entry_is_named(self, log: Log, leaf: int) -> None:
        log.append(entries(300))
        log.checkpoint()
        log.verify()
        self.spoil(log, leaf)
        with pytest.raises(LedgerBroken) as broken:
            log.verify()
        assert broken.value.leaf == leaf

    def test_threads_share_the_ledger(self, log: Log) -> None:
        def append(batch: Sequence[Entry]) -> range:
            return log.append(batch)

        batches = [entries(3, start=3 * number) for number in range(40)]
        with ThreadPoolExecutor(8) as threads:
            given = list(threads.map(append, batches))
        assert sorted(leaf for leaves in given for leaf in leaves) == list(range(120))
        assert all([log.entry(leaf) for leaf in leaves] == batch for leaves, batch in zip(given, batches, strict=True))
        log.verify()
