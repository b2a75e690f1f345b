"""Receipts: what a subject or an auditor checks offline."""

from __future__ import annotations

import pytest
from tests.rig.filelog import FileLog
from tests.rig.ledger import entries

from troth.ledger import Commitment, EntryRefused, Opening, ReceiptRefused, receipt, receipt_extra, verify_receipt

from .conftest import FixedSigner

LEAF = 41


@pytest.fixture
def text(log: FileLog) -> str:
    log.append(entries(70))
    return receipt(log, LEAF, extra=b"the opening that Ann holds")


@pytest.fixture
def key(log: FileLog) -> str:
    return str(log.verifier)


def test_a_receipt_reads_as_c2sp_says(text: str) -> None:
    lines = text.splitlines()
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == f"index {LEAF}"
    assert all(len(line) == 44 for line in lines[3:10])
    assert lines[10:13] == ["", "example.org/troth", "70"]


def test_its_extra_travels_along(text: str, log: FileLog) -> None:
    assert receipt_extra(text) == b"the opening that Ann holds"
    assert receipt_extra(receipt(log, LEAF)) == b""


def test_it_proves_its_own_entry_only(text: str, key: str) -> None:
    assert verify_receipt(text, key=key, entry_bytes=entries(70)[LEAF].encoded) == entries(70)[LEAF]
    for other in (entries(70)[LEAF + 1].encoded, entries(70)[LEAF].encoded[:-1], b""):
        with pytest.raises(ReceiptRefused):
            verify_receipt(text, key=key, entry_bytes=other)


def test_it_holds_under_its_own_key_only(text: str) -> None:
    other = FixedSigner(seed=b"4" * 32)
    from troth.ledger import Verifier

    with pytest.raises(ReceiptRefused, match="not signed"):
        verify_receipt(text, key=str(Verifier.of(other)), entry_bytes=entries(70)[LEAF].encoded)


def test_every_changed_character_is_refused(log: FileLog, key: str) -> None:
    log.append(entries(70))
    text, entry = receipt(log, LEAF), entries(70)[LEAF].encoded
    for at, char in enumerate(text):
        for changed in (
            text[:at] + ("A" if char != "A" else "B") + text[at + 1 :],
            text[:at],
            text[:at] + text[at + 1 :],
        ):
            with pytest.raises(ReceiptRefused):
                verify_receipt(changed, key=key, entry_bytes=entry)


def test_an_old_receipt_holds_when_the_ledger_has_grown(text: str, key: str, log: FileLog) -> None:
    log.append(entries(1_000, start=70))
    verify_receipt(text, key=key, entry_bytes=log.entry_bytes(LEAF))


# --- openings ---------------------------------------------------------------------------------------------------------


def test_an_opening_shows_what_was_committed_to() -> None:
    opening = Opening("waiver.given/reason", "the old shop closes in March")
    Opening.load(opening.dump()).require(opening.commitment)
    assert "shop" not in repr(opening)


def test_the_same_words_are_committed_to_differently_each_time() -> None:
    made = {Opening("waiver.given/reason", "the same").commitment for _ in range(20)}
    assert len(made) == 20


@pytest.mark.parametrize(
    "other", [Opening("waiver.given/reason", "x", bytes(32)), Opening("attestation.given/says", "y", bytes(32))]
)
def test_another_opening_does_not_fit(other: Opening) -> None:
    with pytest.raises(EntryRefused, match="does not match"):
        other.require(Opening("waiver.given/reason", "y", bytes(32)).commitment)


def test_the_commitment_of_an_opening_never_changes() -> None:
    fixed = Opening("waiver.given/reason", "y", bytes(32))
    assert fixed.dump() == b'op1 {"about":"waiver.given/reason","salt":"%s=","text":"y"}' % (b"A" * 43)
    assert fixed.commitment == Commitment("cm1:ab07c17ccbccea4b01de19d2b01bbccad70e1e06e08c499e086b6491bd09be16")


@pytest.mark.parametrize(
    "dumped", [b"", b"op1 ", b"op1 {}", b"op1 []", b'op2 {"about":"a","salt":"","text":""}', b"op1 " + b"[" * 9999]
)
def test_bytes_that_are_no_opening_are_refused(dumped: bytes) -> None:
    with pytest.raises(EntryRefused):
        Opening.load(dumped)
