"""Batches: one entry for many acts; each member proves itself and nothing about the others."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.filelog import FileLog
from tests.tables import each_row

from troth.ledger import (
    Batch,
    BatchMember,
    Commitment,
    DeclaredName,
    Entry,
    EntryRefused,
    Opening,
    Value,
    leaf_hash,
    node_hash,
    receipt,
    verify_receipt,
)

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


def openings(count: int) -> list[Opening]:
    return [Opening("batch.recorded/root", f"token {number}") for number in range(count)]


@each_row("count", [1, 2, 3, 7, 8, 9, 255, 256, 257])
def test_every_member_is_shown_to_be_one(count: int) -> None:
    acts = openings(count)
    batch = Batch(acts)
    assert batch.count == count
    for index in range(count):
        member = batch.member(index)
        assert member.opening == acts[index]
        member.require(root=batch.root, count=count)


def test_the_root_is_that_of_rfc_9162_over_the_commitments() -> None:
    acts = openings(3)
    one, two, three = (leaf_hash(act.commitment.text.encode()) for act in acts)
    assert Batch(acts).root == Commitment("cm2:" + node_hash(node_hash(one, two), three).hex())
    assert Batch(acts[:1]).root == Commitment("cm2:" + one.hex())


@given(count=st.integers(2, 40), data=st.data())
def test_nothing_else_passes_for_a_member(count: int, data: st.DataObject) -> None:
    acts = openings(count)
    batch = Batch(acts)
    index = data.draw(st.integers(0, count - 1))
    member = batch.member(index)
    other = data.draw(st.integers(0, count - 1).filter(lambda at: at != index))
    for wrong in (
        replace(member, opening=Opening("batch.recorded/root", acts[index].text)),
        replace(member, opening=acts[other]),
        replace(member, index=other),
        replace(member, index=-1),
        replace(member, proof=member.proof[:-1]),
        replace(member, proof=(*member.proof, bytes(32))),
        replace(member, proof=(bytes(32), *member.proof[1:])),
        replace(member, count=count + 1),
    ):
        with pytest.raises(EntryRefused, match="not a member of the batch"):
            wrong.require(root=batch.root, count=count)
    for root, size in ((Batch(openings(count)).root, count), (batch.root, count + 1), (acts[0].commitment, count)):
        with pytest.raises(EntryRefused, match="not a member of the batch"):
            member.require(root=root, count=size)


def test_a_member_says_nothing_in_its_name() -> None:
    member = Batch(openings(3)).member(1)
    assert repr(member) == "BatchMember(index=1, count=3)"


def test_a_member_is_read_back_and_nothing_else_is() -> None:
    member = Batch(openings(9)).member(4)
    assert BatchMember.load(member.dump()) == member
    for wrong in (b"", b"mb1 ", b"mb1 {}", b"mb1 []", member.dump()[:-1], member.dump() + b" ", b"mb1 " + b"[" * 9_999):
        with pytest.raises(EntryRefused):
            BatchMember.load(wrong)


def test_an_empty_batch_is_none() -> None:
    with pytest.raises(EntryRefused, match="at least one"):
        Batch([])


def test_one_entry_stands_for_all_of_them(log: FileLog) -> None:
    """From the act to the ledger: member, entry, receipt."""
    batch = Batch(openings(1_000))
    fields: dict[str, Value] = {"what": DeclaredName("tokens_read"), "count": batch.count, "root": batch.root}
    [leaf] = log.append([Entry("batch.recorded", NOW, fields)])
    handed_out = batch.member(417).dump(), receipt(log, leaf, extra=log.entry_bytes(leaf))
    entry = verify_receipt(handed_out[1], key=str(log.verifier), entry_bytes=log.entry_bytes(leaf))
    root, count = entry.fields["root"], entry.fields["count"]
    assert isinstance(root, Commitment)
    assert isinstance(count, int)
    member = BatchMember.load(handed_out[0])
    member.require(root=root, count=count)
    assert member.opening.text == "token 417"
