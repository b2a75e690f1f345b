"""Signed notes and checkpoints, against a note that other software signed, and against tampering."""

from __future__ import annotations

import pytest

from troth.ledger import Checkpoint, NoteRefused, Verifier, open_note, sign_note

from .conftest import FixedSigner

# The example of Go's golang.org/x/mod/sumdb/note package (BSD-3-Clause).
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
CHECKPOINT = Checkpoint("example.org/troth", 20852163, bytes(range(32)))


def test_a_note_that_go_signed_is_opened() -> None:
    assert open_note(GO_NOTE, Verifier.parse(GO_KEY)).startswith("If you think")


def test_a_verifier_key_is_written_as_it_was_read(signer: FixedSigner) -> None:
    assert str(Verifier.parse(GO_KEY)) == GO_KEY
    assert Verifier.parse(str(Verifier.of(signer))) == Verifier.of(signer)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "PeterNeumann",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY[:-2],
        GO_KEY.replace("+AR", "+BR"),
        GO_KEY.replace("Peter", "Peter "),
    ],
)
def test_a_damaged_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(NoteRefused):
        Verifier.parse(key)


def test_a_checkpoint_is_three_lines_and_a_signature(signer: FixedSigner) -> None:
    text = CHECKPOINT.sign(signer)
    assert text.splitlines()[:4] == [
        "example.org/troth",
        "20852163",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "",
    ]
    assert text.splitlines()[4].startswith("— example.org/troth ")
    assert Checkpoint.open(text, Verifier.of(signer)) == CHECKPOINT


def test_every_changed_character_is_refused(signer: FixedSigner) -> None:
    text, verifier = CHECKPOINT.sign(signer), Verifier.of(signer)
    for at, char in enumerate(text):
        with pytest.raises(NoteRefused):
            Checkpoint.open(text[:at] + ("A" if char != "A" else "B") + text[at + 1 :], verifier)
        with pytest.raises(NoteRefused):
            Checkpoint.open(text[:at], verifier)


def test_signatures_of_others_are_passed_over(signer: FixedSigner) -> None:
    witness = FixedSigner("witness.example", b"3" * 32)
    text = CHECKPOINT.sign(signer)
    line = CHECKPOINT.sign(witness).rpartition("\n\n")[2]
    assert Checkpoint.open(text + line, Verifier.of(signer)) == CHECKPOINT
    with pytest.raises(NoteRefused, match="not signed by"):
        Checkpoint.open(CHECKPOINT.sign(witness), Verifier.of(signer))


@pytest.mark.parametrize("size", ["-1", "01", "1.0", "٣", "", "1" * 20])
def test_a_signed_text_that_is_no_checkpoint_is_refused(signer: FixedSigner, size: str) -> None:
    note = sign_note(f"example.org/troth\n{size}\n{'A' * 43}=\n", signer)
    with pytest.raises(NoteRefused, match="not a checkpoint"):
        Checkpoint.open(note, Verifier.of(signer))


def test_a_checkpoint_of_another_ledger_is_refused(signer: FixedSigner) -> None:
    other = Checkpoint("example.org/other", 1, bytes(32)).sign(signer)
    with pytest.raises(NoteRefused, match="another ledger"):
        Checkpoint.open(other, Verifier.of(signer))
    assert Checkpoint.open(other, Verifier.of(signer), origin="example.org/other").size == 1
