"""Witnesses: who cosigned, under which policy, and what no witness signs any more."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.rig.filelog import FileLog
from tests.rig.ledger import entries
from tests.rig.witness import Answer, FakeWitness, serving

from troth.ledger import (
    Checkpoint,
    LedgerError,
    NoteRefused,
    Quorum,
    ReceiptRefused,
    Verifier,
    Witness,
    WitnessRefused,
    cosign,
    export,
    receipt,
    signed_in,
    verify_receipt,
)

from .conftest import FixedSigner

# The example of C2SP tlog-cosignature: a checkpoint, cosigned.
C2SP_NOTE = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ\
qhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


@pytest.fixture
def witness(log: FileLog) -> FakeWitness:
    return FakeWitness("witness.example.org/w1", (log.verifier,))


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


@pytest.fixture
def url(witness: FakeWitness) -> Iterator[str]:
    with serving(
        lambda path, body: witness.add_checkpoint(body) if path == "/w/add-checkpoint" else (404, "", b"")
    ) as url:
        yield f"{url}/w/"


def ask(log: FileLog, witness: FakeWitness, url: str, client: httpx.Client) -> None:
    """Have one witness cosign; what it refuses is raised."""
    for refused in cosign(log, {witness.key: url}, client):
        raise refused


# --- keys and quorums -----------------------------------------------------------------------------------------------


def test_a_witness_s_key_is_of_another_type_than_a_ledger_s(witness: FakeWitness, log: FileLog) -> None:
    text = str(witness.key)
    assert Witness.parse(text) == witness.key
    assert base64.b64decode(text.split("+", 2)[2])[0] == 4
    with pytest.raises(NoteRefused, match="type 4"):
        Witness.parse(str(log.verifier))
    with pytest.raises(NoteRefused, match="type 1"):
        Verifier.parse(text)


def test_the_example_of_the_standard_is_read() -> None:
    """Its key is not published; its id, its time and its shape are."""
    from troth.ledger.note import split_note

    _, signatures = split_note(C2SP_NOTE)
    [(name, signature)] = signatures
    assert name == "witness.example.com/w1"
    assert int.from_bytes(signature[4:12], "big") == 1_679_315_147
    assert len(signature) == 4 + 8 + 64


def test_a_quorum_counts_each_witness_once(log: FileLog) -> None:
    one, two, three = (FakeWitness(f"witness.example.org/w{n}") for n in range(3))
    log.append(entries(3))
    note = log.checkpoint()
    signed = f"{note}{one.cosignature(note)}\n{one.cosignature(note)}\n{two.cosignature(note)}\n"
    keys = (one.key, two.key, three.key)
    assert [each.witness for each in Quorum(keys, 2).require(signed)] == [one.key, two.key]
    with pytest.raises(NoteRefused, match="2 of the witnesses cosigned the checkpoint, and 3 are needed"):
        Quorum(keys, 3).require(signed)
    with pytest.raises(NoteRefused, match="0 of the witnesses"):
        Quorum((three.key,), 1).require(signed)
    assert Quorum((), 0).require(note) == []


def test_a_quorum_that_cannot_be_met_is_refused(witness: FakeWitness) -> None:
    with pytest.raises(NoteRefused, match="2 witnesses are needed, but only 1 are listed"):
        Quorum((witness.key,), 2)
    with pytest.raises(NoteRefused, match="twice"):
        Quorum((witness.key, Witness("witness.example.org/again", witness.key.public_key)), 1)


def test_a_wrong_cosignature_is_not_passed_over(log: FileLog, witness: FakeWitness) -> None:
    log.append(entries(3))
    note = log.checkpoint()
    log.append(entries(1, start=3))
    stolen = f"{log.checkpoint()}{witness.cosignature(note)}\n"
    impostor = FakeWitness(witness.name)
    with pytest.raises(NoteRefused, match="does not match"):
        Quorum((witness.key,), 0).found(stolen)
    assert Quorum((witness.key,), 0).found(f"{note}{impostor.cosignature(note)}\n") == []
    with pytest.raises(NoteRefused):
        Quorum((witness.key,), 0).found(f"{note}{witness.cosignature(note, at=2**63)}\n")


def test_a_plain_signature_of_a_witness_s_key_is_no_cosignature(log: FileLog) -> None:
    """The key's type and the first line of the message keep the two apart."""
    signer = FixedSigner("witness.example.org/w1", b"7" * 32)
    log.append(entries(1))
    plain = Checkpoint("example.org/troth", 1, log.root()).sign(signer).rpartition("\n\n")[2]
    assert Quorum((Witness.of(signer),), 0).found(log.checkpoint() + plain) == []


# --- asking ---------------------------------------------------------------------------------------------------------


def test_a_growing_ledger_is_cosigned_again_and_again(
    log: FileLog, witness: FakeWitness, url: str, client: httpx.Client
) -> None:
    for size in (1, 2, 255, 256, 300, 300, 1_000):
        log.append(entries(size - log.size, start=log.size))
        ask(log, witness, url, client)
        assert witness.seen["example.org/troth"] == (size, log.root())
        assert len(log.checkpoint().splitlines()) == 6
        Quorum((witness.key,), 1).require(log.checkpoint())
        Checkpoint.open(log.checkpoint(), log.verifier)


@contextlib.contextmanager
def served(*witnesses: FakeWitness) -> Iterator[dict[Witness, str]]:
    with contextlib.ExitStack() as stack:
        yield {
            each.key: stack.enter_context(serving(lambda _, body, each=each: each.add_checkpoint(body)))  # type: ignore[misc]
            for each in witnesses
        }


def three(log: FileLog) -> list[FakeWitness]:
    return [FakeWitness(f"witness.example.org/w{n}", (log.verifier,)) for n in range(3)]


def test_several_witnesses_sign_the_same_checkpoint(log: FileLog, client: httpx.Client) -> None:
    """Also when something is recorded while they are asked."""
    witnesses = three(log)

    class Busy(FakeWitness):
        def add_checkpoint(self, body: bytes) -> Answer:
            log.append(entries(1, start=log.size))
            log.checkpoint()
            return super().add_checkpoint(body)

    witnesses[0] = Busy(witnesses[0].name, (log.verifier,))
    log.append(entries(5))
    with served(*witnesses) as prefixes:
        for size in (5, 6, 7):
            assert cosign(log, prefixes, client) == []
            note = log.cosigned() or ""
            assert signed_in(note, log.verifier).size == size
            assert len(Quorum(tuple(prefixes), 3).require(note)) == 3
            assert len(note.splitlines()) == 8


def test_what_enough_have_signed_gives_way_only_to_what_enough_have_signed(log: FileLog, client: httpx.Client) -> None:
    witnesses = three(log)
    log.append(entries(5))
    with served(*witnesses) as prefixes:
        assert cosign(log, prefixes, client, needed=2) == []
        full = log.cosigned()
        log.append(entries(1, start=5))
        witnesses[0].knows = witnesses[1].knows = ()
        assert len(cosign(log, prefixes, client, needed=2)) == 2
        assert log.cosigned() == full, "one is not enough"
        witnesses[1].knows = (log.verifier,)
        assert len(cosign(log, prefixes, client, needed=2)) == 1
        assert signed_in(log.cosigned() or "", log.verifier).size == 6


def test_a_witness_that_signs_again_is_verified_again(
    log: FileLog, witness: FakeWitness, url: str, client: httpx.Client
) -> None:
    log.append(entries(3))
    ask(log, witness, url, client)
    before = log.checkpoint()
    forged = before.splitlines()[-1].replace("A", "B")
    with serving(lambda _, body: said(f"{forged}\n")) as odd, pytest.raises(WitnessRefused, match=NO_COSIGNATURE):
        ask(log, witness, odd, client)
    assert log.checkpoint() == before


def test_a_witness_that_knows_more_than_we_remember_is_followed(
    log: FileLog, witness: FakeWitness, url: str, client: httpx.Client
) -> None:
    log.append(entries(7))
    ask(log, witness, url, client)
    (log.folder / "cosigned").unlink()
    log.append(entries(7, start=7))
    ask(log, witness, url, client)
    assert witness.seen["example.org/troth"][0] == 14


def test_no_witness_signs_a_ledger_that_was_rolled_back(
    log: FileLog, witness: FakeWitness, url: str, client: httpx.Client, tmp_path: Path
) -> None:
    log.append(entries(7))
    ask(log, witness, url, client)
    with FileLog(tmp_path / "restored", FixedSigner()) as restored:
        restored.append(entries(5))
        with pytest.raises(
            WitnessRefused, match="cosigned 7 entries of this ledger, which has 5: it was rolled back"
        ) as refused:
            ask(restored, witness, url, client)
        assert refused.value.conflict
        assert restored.cosigned() is None


@pytest.mark.parametrize("size", [7, 9, 300])
def test_no_witness_signs_a_rewritten_ledger(
    log: FileLog, witness: FakeWitness, url: str, client: httpx.Client, tmp_path: Path, size: int
) -> None:
    log.append(entries(7))
    ask(log, witness, url, client)
    with FileLog(tmp_path / "rewritten", FixedSigner()) as rewritten:
        rewritten.append(entries(size, start=1))
        for _ in range(2):
            with pytest.raises(WitnessRefused, match="ours was rewritten") as refused:
                ask(rewritten, witness, url, client)
            assert refused.value.conflict
    assert witness.seen["example.org/troth"] == (7, log.root())


def test_a_memory_of_more_than_there_is_is_a_conflict(
    log: FileLog, witness: FakeWitness, url: str, client: httpx.Client, tmp_path: Path
) -> None:
    log.append(entries(7))
    ask(log, witness, url, client)
    with FileLog(tmp_path / "restored", FixedSigner()) as restored:
        restored.append(entries(5))
        (tmp_path / "restored/cosigned").write_text(log.checkpoint())
        with pytest.raises(WitnessRefused, match="rolled back"):
            ask(restored, witness, url, client)
        with pytest.raises(LedgerError):
            receipt(restored, 3)


@pytest.mark.parametrize(
    ("knows", "says"),
    [((), "does not know this ledger"), ((Verifier("example.org/troth", b"1" * 32),), "does not accept our signature")],
)
def test_a_witness_that_does_not_know_us_says_so(
    log: FileLog, witness: FakeWitness, url: str, client: httpx.Client, knows: tuple[Verifier, ...], says: str
) -> None:
    witness.knows = knows
    log.append(entries(1))
    with pytest.raises(WitnessRefused, match=says) as refused:
        ask(log, witness, url, client)
    assert not refused.value.conflict


def said(text: str, status: int = 200) -> Answer:
    return status, "text/plain", text.encode()


NO_COSIGNATURE = "without a valid cosignature"
ODD_ANSWERS: dict[str, tuple[Answer, str]] = {
    "nothing": (said(""), NO_COSIGNATURE),
    "a page": (said("<html>hello</html>\n"), NO_COSIGNATURE),
    "another's": (said(f"{FakeWitness('else').cosignature('a')}\n"), NO_COSIGNATURE),
    "an impostor's": (said(f"{FakeWitness('witness.example.org/w1').cosignature('a')}\n"), NO_COSIGNATURE),
    "not text": ((200, "text/plain", os.urandom(500)), NO_COSIGNATURE),
    "a flood": (said("x" * 100_000), "more than a witness should"),
    "a size that is none": (said("-1\n", 409), "another ledger of this size"),
    "a size without end": (said("9" * 5_000 + "\n", 409), "another ledger of this size"),
    "a larger size": (said("4000000000\n", 409), "rolled back"),
    "a fault": (said("oh", 500), "answered with status 500"),
    "elsewhere": (said("", 302), "answered with status 302"),
}


@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_an_odd_answer_is_refused_and_changes_nothing(
    log: FileLog, witness: FakeWitness, client: httpx.Client, odd: str
) -> None:
    answer, says = ODD_ANSWERS[odd]
    log.append(entries(3))
    before = log.checkpoint()
    with serving(lambda _, body: answer) as url, pytest.raises(WitnessRefused, match=says):
        ask(log, witness, url, client)
    assert (log.checkpoint(), log.cosigned()) == (before, None)


def test_a_witness_that_changes_its_mind_is_not_asked_for_ever(
    log: FileLog, witness: FakeWitness, client: httpx.Client
) -> None:
    asked = []

    def answer(_: str, body: bytes) -> Answer:
        asked.append(body)
        return 409, "text/x.tlog.size", b"%d\n" % (len(asked) % 2)

    log.append(entries(3))
    with serving(answer) as url, pytest.raises(WitnessRefused):
        ask(log, witness, url, client)
    assert len(asked) <= 3


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ftp://example.org", "nonsense", "http://[::1"])
def test_a_witness_that_is_not_there_is_told(
    log: FileLog, witness: FakeWitness, client: httpx.Client, url: str
) -> None:
    log.append(entries(1))
    with pytest.raises(WitnessRefused, match="cannot be reached"):
        ask(log, witness, url, client)


# --- the witness itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 1\n", 400),
        (b"old 01\n\n{note}", 400),
        (b"old 9\n\n{note}", 400),
        (b"old 1\n\n{note}", 409),
        (b"old 0\n" + b"A" * 43 + b"=\n\n{note}", 422),
        (b"old 0\n\n{note}", 200),
    ],
)
def test_the_witness_answers_as_the_protocol_says(log: FileLog, witness: FakeWitness, body: bytes, status: int) -> None:
    log.append(entries(3))
    answer = witness.add_checkpoint(body.replace(b"{note}", log.checkpoint().encode()))
    assert answer[0] == status
    if status == 409:
        assert answer[1:] == ("text/x.tlog.size", b"0\n")


# --- receipts and the one file --------------------------------------------------------------------------------------


def test_a_receipt_holds_the_cosignatures_that_its_reader_asks_for(
    log: FileLog, witness: FakeWitness, url: str, client: httpx.Client, tmp_path: Path
) -> None:
    log.append(entries(5))
    plain = receipt(log, 3, extra=log.entry_bytes(3))
    ask(log, witness, url, client)
    cosigned = receipt(log, 3, extra=log.entry_bytes(3))
    key, stored, quorum = str(log.verifier), log.entry_bytes(3), Quorum((witness.key,), 1)
    verify_receipt(cosigned, key=key, entry_bytes=stored, quorum=quorum)
    with pytest.raises(ReceiptRefused, match="0 of the witnesses"):
        verify_receipt(plain, key=key, entry_bytes=stored, quorum=quorum)
    export(log, tmp_path / "export")
    other = FakeWitness("witness.example.org/other")
    for name, text in (("plain", plain), ("cosigned", cosigned)):
        (tmp_path / name).write_text(text)
    for words, code in (
        (("receipt", "cosigned", "--witness", str(witness.key)), 0),
        (("receipt", "plain"), 0),
        (("receipt", "plain", "--witness", str(witness.key)), 1),
        (("receipt", "cosigned", "--witness", str(witness.key), "--witness", str(other.key)), 1),
        (("receipt", "cosigned", "--witness", str(witness.key), "--witness", str(other.key), "--quorum", "1"), 0),
        (("receipt", "cosigned", "--witness", str(witness.key), "--witness", str(witness.key), "--quorum", "2"), 1),
        (("receipt", "cosigned", "--witness", key), 1),
        (("ledger", "export", "--witness", str(witness.key)), 0),
        (("ledger", "export", "--witness", str(other.key)), 1),
    ):
        command = [sys.executable, "-I", "-S", "export/verify_troth_ledger.py", *words, "--key", key]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == code, (words, done.stderr)
        assert ("cosigned by witness.example.org/w1 at " in done.stdout) == (code == 0 and "--witness" in words)
