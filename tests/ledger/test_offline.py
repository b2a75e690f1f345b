"""The one-file verifier, run as an auditor runs it: without packages, outside the project, on good and bad folders."""

from __future__ import annotations

import ast
import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rig.filelog import FileLog
from tests.rig.ledger import entries
from tests.scale import scaled

from troth.ledger import Checkpoint, Verifier, export, receipt
from troth.ledger import verify_troth_ledger as offline

from .conftest import FixedSigner

SIZE = 700
NOTHING_ELSE: offline.Options = {"--entry": [], "--witness": [], "--quorum": []}
KEY = str(Verifier.of(FixedSigner()))


def verify(folder: Path, *words: str) -> tuple[int, str, str]:
    """Run the exported program with nothing but Python's own library: exit code, output, complaint."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify_troth_ledger.py"), *words],
        cwd=folder.parent,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileLog]:
    with FileLog(tmp_path_factory.mktemp("ledger"), FixedSigner()) as log:
        log.append(entries(SIZE))
        yield log


@pytest.fixture(scope="module")
def sound(log: FileLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "export"
    export(log, folder)
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """An export of one's own, to be spoiled."""
    return Path(shutil.copytree(sound, tmp_path / "export"))


def exported(folder: Path, start: int = 0, count: int = SIZE, signer: FixedSigner | None = None) -> Path:
    """An export that the operator made of another history, under the true key where no other is given."""
    with FileLog(folder.with_name(f"{folder.name}.log"), signer or FixedSigner()) as log:
        log.append(entries(count, start=start))
        export(log, folder)
    return folder


# --- what an auditor may rely on ------------------------------------------------------------------------------------


def test_it_is_one_short_file_of_the_standard_library() -> None:
    source = Path(offline.__file__).read_text("utf-8")
    assert len(source.splitlines()) <= 740
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert imported <= sys.stdlib_module_names
    assert not imported & {"socket", "urllib", "http", "ssl", "subprocess"}


def test_a_sound_export_is_verified(sound: Path, log: FileLog) -> None:
    code, out, err = verify(sound, "ledger", str(sound), "--key", KEY)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"verified: {SIZE} entries",
        f"ledger: example.org/troth, root {base64.b64encode(log.root()).decode()}",
    ]


def test_a_key_from_the_folder_itself_is_said_to_be_one(sound: Path) -> None:
    code, out, _ = verify(sound, "ledger", str(sound))
    assert code == 0
    assert "TAKEN FROM THE FOLDER; compare it" in out


@pytest.mark.parametrize(
    "size", [0, 1, 2, 255, 256, 257, 511, 512, pytest.param(65_536, marks=pytest.mark.soak), 65_537]
)
def test_every_shape_of_tree_is_verified(tmp_path: Path, size: int) -> None:
    folder = exported(tmp_path / "export", count=size)
    assert verify(folder, "ledger", str(folder), "--key", KEY)[:2][0] == 0


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 513, 700])
def test_a_grown_ledger_begins_with_every_earlier_checkpoint(
    log: FileLog, sound: Path, tmp_path: Path, size: int
) -> None:
    kept = tmp_path / "kept"
    kept.write_text(Checkpoint("example.org/troth", size, log.root(size)).sign(FixedSigner()))
    code, out, _ = verify(sound, "ledger", str(sound), "--key", KEY, "--since", str(kept))
    assert code == 0
    assert out.splitlines()[-1] == f"begins with: the {size} entries of {kept}"


def test_what_a_running_ledger_has_published_is_verified_as_it_is(log: FileLog, sound: Path) -> None:
    log.checkpoint()
    assert verify(sound, "ledger", str(log.folder), "--key", KEY)[0] == 0


def test_a_mirror_of_the_hashes_is_verified_when_that_is_asked(folder: Path) -> None:
    shutil.rmtree(folder / "tile/entries")
    assert verify(folder, "ledger", str(folder), "--key", KEY)[0] == 1
    code, out, _ = verify(folder, "ledger", str(folder), "--key", KEY, "--hashes-only")
    assert (code, out.splitlines()[0]) == (0, f"verified: {SIZE} hashes; no entry was looked at")
    spoil("tile/0/001", 40)(folder)
    assert verify(folder, "ledger", str(folder), "--key", KEY, "--hashes-only")[0] == 1


# --- what does not get past it --------------------------------------------------------------------------------------


def spoil(path: str, at: int = -1) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[at] ^= 1
        (folder / path).write_bytes(data)

    return change


def cut(path: str) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / path, (folder / path).stat().st_size - 1)


def remove(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


def instead(path: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        (folder / path).unlink()
        make(folder / path)

    return changed


def rewrite(path: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        (folder / path).write_bytes(change((folder / path).read_bytes()))

    return changed


def swap(bundle: bytes) -> bytes:
    """The first two entries of a bundle in the other order."""
    one = 2 + int.from_bytes(bundle[:2], "big")
    two = one + 2 + int.from_bytes(bundle[one : one + 2], "big")
    return bundle[one:two] + bundle[:one] + bundle[two:]


def sign(size: int, root: bytes = bytes(32), seed: bytes = bytes(32)) -> Callable[[Path], None]:
    note = Checkpoint("example.org/troth", size, root).sign(FixedSigner(seed=seed))
    return rewrite("checkpoint", lambda _: note.encode())


ATTACKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a bit of an entry": (spoil("tile/entries/000", 100), "from entry 0 on"),
    "a bit of a late entry": (spoil("tile/entries/002.p/188"), "from entry 699 on"),
    "a bit of a length": (spoil("tile/entries/001", 0), "tile/entries/001"),
    "a hash of a leaf": (spoil("tile/0/001", 5 * 32), "from entry 261 on"),
    "a hash of a last leaf": (spoil("tile/0/002.p/188"), "from entry 699 on"),
    "a hash above": (spoil("tile/1/000.p/2", 32), "from entry 256 on"),
    "a bundle that ends early": (cut("tile/entries/000"), "see entry"),
    "a last bundle that ends early": (cut("tile/entries/002.p/188"), "see entry"),
    "a tile that ends early": (cut("tile/0/000"), "tile/0/000"),
    "a hash too many": (rewrite("tile/0/000", lambda data: data + bytes(32)), "tile/0/000 disagree from entry 256 on"),
    "a last hash too many": (rewrite("tile/0/002.p/188", lambda data: data + bytes(32)), "tile/0/002"),
    "an entry too many": (rewrite("tile/entries/000", lambda data: data + b"\x00\x01x"), "too many"),
    "an entry dropped": (rewrite("tile/entries/000", lambda data: data[2 + data[1] :]), "too few"),
    "two entries swapped": (rewrite("tile/entries/001", swap), "from entry 256 on"),
    "a bundle gone": (remove("tile/entries/001"), "tile/entries/001 is missing"),
    "a tile gone": (remove("tile/0/000"), "tile/0/000 is missing"),
    "an upper tile gone": (remove("tile/1/000.p/2"), "tile/1/000 is missing"),
    "no checkpoint": (remove("checkpoint"), "checkpoint is missing"),
    "a bit of the checkpoint": (spoil("checkpoint", 5), "not signed by"),
    "a bit of the signature": (spoil("checkpoint", -30), "not signed by"),
    "a checkpoint of another key": (sign(SIZE, seed=b"1" * 32), "not signed by"),
    "a checkpoint of another root": (sign(SIZE), "do not lead to the signed root"),
    "a checkpoint of a shorter ledger": (sign(5), "do not lead to the signed root"),
    "a checkpoint of an endless ledger": (sign(10**18), "is missing"),
    "a checkpoint of nothing": (sign(0, bytes(32)), "do not lead to the signed root"),
    "a checkpoint that is none": (rewrite("checkpoint", lambda _: os.urandom(1000)), "not a signed note"),
    "a checkpoint of control characters": (rewrite("checkpoint", lambda data: b"\x1b[2J" + data), "not a signed note"),
    "a huge checkpoint": (rewrite("checkpoint", lambda data: data * 100_000), ""),
    "a folder for a bundle": (instead("tile/entries/001", Path.mkdir), "missing"),
    "a pipe for a bundle": (instead("tile/entries/001", os.mkfifo), "missing"),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_spoiled_export_is_not_verified(folder: Path, attack: str) -> None:
    change, complaint = ATTACKS[attack]
    change(folder)
    code, out, err = verify(folder, "ledger", str(folder), "--key", KEY)
    assert (code, out) == (1, "")
    assert err.startswith("NOT VERIFIED: ")
    assert complaint in err
    assert len(err.splitlines()) == 1
    assert all(" " <= char <= "~" for char in err.rstrip("\n"))


def test_another_s_ledger_is_not_taken_for_the_company_s(tmp_path: Path) -> None:
    """A whole forged ledger is sound in itself; who has the key from elsewhere is not deceived."""
    forged = exported(tmp_path / "forged", signer=FixedSigner(seed=b"2" * 32))
    assert verify(forged, "ledger", str(forged))[0] == 0
    code, _, err = verify(forged, "ledger", str(forged), "--key", KEY)
    assert (code, "not signed by example.org/troth" in err) == (1, True)


def test_a_rewritten_history_is_noticed_by_the_holder_of_a_receipt(log: FileLog, sound: Path, tmp_path: Path) -> None:
    """The operator has the key, so what they rewrite is sound in itself. Ann kept the receipt of her entry."""
    with FileLog(tmp_path / "before", FixedSigner()) as before:
        before.append(entries(300))
        ann = tmp_path / "ann.tlog-proof"
        ann.write_text(receipt(before, 41, extra=before.entry_bytes(41)))
    assert verify(sound, "receipt", str(ann), "--key", KEY)[0] == 0
    assert verify(sound, "ledger", str(sound), "--key", KEY, "--since", str(ann))[0] == 0
    history = [*entries(41), *entries(1, start=9_999), *entries(SIZE - 42, start=42)]  # Ann's entry is another now
    with FileLog(tmp_path / "rewritten", FixedSigner()) as rewritten:
        rewritten.append(history)
        export(rewritten, tmp_path / "export")
        ben = tmp_path / "ben.tlog-proof"
        ben.write_text(receipt(rewritten, 5, extra=rewritten.entry_bytes(5)))
    folder = str(tmp_path / "export")
    assert verify(sound, "ledger", folder, "--key", KEY, "--since", str(ben))[0] == 0
    code, out, err = verify(sound, "ledger", folder, "--key", KEY, "--since", str(ben), "--since", str(ann))
    assert (code, out) == (1, "")
    assert err == f"NOT VERIFIED: the first 300 entries were rewritten: they are not those of {ann}\n"


def test_a_ledger_that_was_rolled_back_is_noticed(sound: Path, tmp_path: Path) -> None:
    older = exported(tmp_path / "older", count=600)
    code, _, err = verify(sound, "ledger", str(older), "--key", KEY, "--since", str(sound / "checkpoint"))
    assert code == 1
    assert "shows 700 entries, and 600 are left: the ledger was rolled back" in err


def test_an_earlier_checkpoint_that_nobody_signed_shows_nothing(sound: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(Checkpoint("example.org/troth", 5, bytes(32)).sign(FixedSigner(seed=b"1" * 32)))
    assert verify(sound, "ledger", str(sound), "--key", KEY, "--since", str(kept))[0] == 1


# --- receipts -------------------------------------------------------------------------------------------------------


@pytest.fixture
def proof(log: FileLog, tmp_path: Path) -> Path:
    path = tmp_path / "ann.tlog-proof"
    path.write_text(receipt(log, 41, extra=log.entry_bytes(41)))
    return path


def test_a_receipt_is_verified_and_its_entry_shown(proof: Path, sound: Path) -> None:
    code, out, err = verify(sound, "receipt", str(proof), "--key", str(sound / "verifier-key.txt"))
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"verified: entry 41 of example.org/troth, which had {SIZE} entries",
        f"entry: {entries(42)[41].encoded.decode()}",
    ]


@pytest.mark.parametrize("leaf", [0, 255, 256, 511, 512, 699])
def test_every_place_is_proven(log: FileLog, sound: Path, tmp_path: Path, leaf: int) -> None:
    (tmp_path / "r").write_text(receipt(log, leaf))
    (tmp_path / "entry").write_bytes(log.entry_bytes(leaf))
    (tmp_path / "other").write_bytes(log.entry_bytes(leaf - 1 if leaf else 1))
    words = ("receipt", str(tmp_path / "r"), "--key", KEY, "--entry")
    assert verify(sound, *words, str(tmp_path / "entry"))[0] == 0
    assert verify(sound, *words, str(tmp_path / "other"))[0] == 1


def test_a_receipt_without_its_entry_says_how_to_give_it(log: FileLog, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "r").write_text(receipt(log, 41))
    code, _, err = verify(sound, "receipt", str(tmp_path / "r"), "--key", KEY)
    assert (code, "--entry FILE" in err) == (1, True)


def test_an_entry_that_is_not_there_is_said_to_be_missing(proof: Path, sound: Path, tmp_path: Path) -> None:
    for no_file in (tmp_path / "nowhere", tmp_path):
        code, out, err = verify(sound, "receipt", str(proof), "--key", KEY, "--entry", str(no_file))
        assert (code, out, err) == (1, "", f"NOT VERIFIED: {no_file} is missing, or no file\n")


@pytest.mark.parametrize("command", ["ledger", "receipt"])
def test_a_key_that_is_no_text_is_refused_in_a_line(proof: Path, sound: Path, command: str) -> None:
    there = proof if command == "receipt" else sound
    code, out, err = verify(sound, command, str(there), "--key", os.fsdecode(b"example.org/\xff+00000000+AQAA"))
    assert (code, out) == (1, "")
    assert err.startswith("NOT VERIFIED: a key is not whole")
    assert len(err.splitlines()) == 1


def test_every_changed_character_of_a_receipt_is_refused(proof: Path, log: FileLog) -> None:
    text = proof.read_text()
    asked = {**NOTHING_ELSE, "--key": [KEY]}
    assert len(offline.receipt(str(proof), asked)) == 2
    for at in range(0, len(text), 7):
        for changed in (
            text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :],
            text[:at],
            text[:at] + text[at + 1 :],
        ):
            proof.write_text(changed)
            with pytest.raises(offline.Refused):
                offline.receipt(str(proof), asked)


@settings(max_examples=scaled(50, 200))
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_lies_there_is_refused_in_a_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "anything"
    for head in (b"", b"c2sp.org/tlog-proof@v1\n", b"c2sp.org/tlog-proof@v1\nindex 0\n\n"):
        path.write_bytes(head + content)
        asked = {**NOTHING_ELSE, "--key": [KEY]}
        with pytest.raises(offline.Refused):
            offline.receipt(str(path), asked)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("ledger",),
        ("receipt", "r"),
        ("burn", "folder"),
        ("ledger", "folder", "--entry", "x"),
        ("receipt", "r", "--key"),
        ("receipt", "r", "--key", KEY, "--since", "x"),
        ("receipt", "r", "--key", KEY, "--key", KEY),
        ("receipt", "r", "--key", KEY, "--entry"),
        ("ledger", "folder", "--quorum", ""),
    ],
)
def test_what_is_asked_wrongly_ends_with_two(sound: Path, words: tuple[str, ...]) -> None:
    code, out, err = verify(sound, *words)
    assert (code, out) == (2, "")
    assert "python3 verify_troth_ledger.py ledger FOLDER" in err


def test_help_says_what_it_does(sound: Path) -> None:
    code, out, _ = verify(sound, "--help")
    assert code == 0
    assert "ledger FOLDER --key KEY" in out


# --- Ed25519 --------------------------------------------------------------------------------------------------------

# RFC 8032 §7.1, TEST 1 to 3: public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_hold(key: str, message: str, signature: str) -> None:
    assert offline.is_signature(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))


@settings(max_examples=scaled(15, 60))
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_it_agrees_with_openssl_on_every_signature_and_every_flipped_bit(seed: bytes, message: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert offline.is_signature(key, message, signature)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not offline.is_signature(key, message, bytes(flipped))
    assert not offline.is_signature(key, message + b"\x00", signature)


def test_a_signature_has_one_form() -> None:
    """S + L would verify, too, where nobody looks (RFC 8032 §5.1.7: S is below L)."""
    key, message, signature = (bytes.fromhex(part) for part in RFC_8032[1])
    s = int.from_bytes(signature[32:], "little") + offline.ORDER
    assert not offline.is_signature(key, message, signature[:32] + s.to_bytes(32, "little"))
    assert not offline.is_signature(key, message, signature[:63])


@pytest.mark.parametrize(
    "key",
    [(2).to_bytes(32, "little"), offline.P.to_bytes(32, "little"), b"\xff" * 32, b"\x01" + b"\x00" * 30 + b"\x80"],
)
def test_a_key_that_is_no_point_is_refused(key: bytes) -> None:
    with pytest.raises(offline.Refused):
        offline.decompress(key)
