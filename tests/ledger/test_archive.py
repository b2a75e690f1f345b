"""Archives: the same files make the same bytes, and no byte of them can be changed without showing."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.rig.filelog import FileLog
from tests.rig.ledger import entries

from troth.ledger import LedgerError, LogReader, Verifier, sign_note, write_archive
from troth.ledger import verify_troth_ledger as offline

from .conftest import FixedSigner
from .test_offline import verify

KEY = str(Verifier.of(FixedSigner()))
ASKED: offline.Options = {"--since": [], "--witness": [], "--quorum": [], "--key": [KEY]}
SIZE = 40


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileLog]:
    with FileLog(tmp_path_factory.mktemp("ledger"), FixedSigner()) as log:
        log.append(entries(25))
        log.keep_cosigned(log.checkpoint())
        log.append(entries(SIZE - 25, start=25))
        yield log


@pytest.fixture(scope="module")
def sound(log: FileLog, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(log, tmp_path_factory.mktemp("sound")).read_bytes()


def files(log: LogReader, leaves: range = range(3, 20)) -> dict[str, bytes]:
    """What an archive has to hold, and two files more."""
    note, then = log.checkpoint(), log.cosigned()
    proofs = [
        {"leaf": leaf, "entry": text(log.entry_bytes(leaf)), "proof": list(map(text, log.inclusion(leaf, log.size)))}
        for leaf in leaves
    ]
    earlier = [{"checkpoint": then, "proof": list(map(text, log.consistency(25, log.size)))}] if then else []
    return {
        "index.html": b"<!doctype html><title>Evidence</title>",
        "policy/policy.md": "# Privacy\n\nWe keep “our” word.\n".encode(),
        "ledger/checkpoint": note.encode(),
        "ledger/entries.jsonl": lines(proofs),
        "ledger/earlier.jsonl": lines(earlier),
        "ledger/verifier-key.txt": f"{log.verifier}\n".encode(),
    }


def lines(values: Sequence[Mapping[str, object]]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def written(
    log: LogReader, folder: Path, name: str = "evidence.zip", changed: Mapping[str, bytes] = MappingProxyType({})
) -> Path:
    members = {**files(log), **changed}
    write_archive(folder / name, [(each, [data]) for each, data in members.items()], FixedSigner())
    return folder / name


def checked(archive: bytes, folder: Path) -> list[str]:
    path = folder / "spoiled.zip"
    path.write_bytes(archive)
    return offline.archive(str(path), ASKED)


# --- what an auditor may rely on ------------------------------------------------------------------------------------


def test_the_same_files_make_the_same_bytes(log: FileLog, tmp_path: Path) -> None:
    first, second = written(log, tmp_path, "one.zip"), written(log, tmp_path, "two.zip")
    assert first.read_bytes() == second.read_bytes()


def test_any_program_opens_an_archive(sound: bytes, log: FileLog) -> None:
    with zipfile.ZipFile(io.BytesIO(sound)) as opened:
        assert opened.testzip() is None
        held = {name: opened.read(name) for name in opened.namelist()}
    assert {name: held[name] for name in files(log)} == files(log)
    assert list(held)[-2:] == ["manifest.json", "manifest.note"]


def test_a_sound_archive_is_verified_without_any_package(log: FileLog, tmp_path: Path) -> None:
    (tmp_path / "verify").mkdir()
    program = tmp_path / "verify" / "verify_troth_ledger.py"
    program.write_bytes(Path(offline.__file__).read_bytes())
    written(log, tmp_path)
    code, out, err = verify(tmp_path / "verify", "archive", str(tmp_path / "evidence.zip"), "--key", KEY)
    assert (code, err) == (0, "")
    assert "verified: 8 files as they were signed, and 17 entries of the ledger" in out


def test_it_says_when_the_key_came_from_the_archive_itself(sound: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(sound)
    told = offline.archive(str(tmp_path / "a.zip"), {**ASKED, "--key": []})
    assert "TAKEN FROM THE ARCHIVE" in told[-1]


def test_it_shows_that_the_ledger_continues_what_was_kept(log: FileLog, sound: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(sound)
    (tmp_path / "earlier").write_text(log.cosigned() or "")
    told = offline.archive(str(tmp_path / "a.zip"), {**ASKED, "--since": [str(tmp_path / "earlier")]})
    assert f"begins with: the 25 entries of {tmp_path / 'earlier'}" in told


# --- what it refuses ------------------------------------------------------------------------------------------------


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", range(8))
def test_no_byte_can_be_changed(sound: bytes, tmp_path: Path, seed: int) -> None:
    """Every eighth byte, each time others: eight runs change every byte once."""
    for at in range(seed, len(sound), 8):
        changed = bytearray(sound)
        changed[at] ^= 1 << (at // 8 % 8)
        with pytest.raises(offline.Refused):
            checked(bytes(changed), tmp_path)


@given(st.data())
def test_nothing_can_be_put_in_or_cut_out(
    sound: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(sound)))
    end = data.draw(st.integers(start, min(len(sound), start + 300)))
    other = data.draw(st.binary(max_size=60))
    if sound[start:end] == other:
        return
    with pytest.raises(offline.Refused):
        checked(sound[:start] + other + sound[end:], tmp_path_factory.getbasetemp())


Spoil = Callable[[dict[str, bytes]], dict[str, bytes]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda held: {**held, "more.txt": b""},
        lambda held: {name: data for name, data in held.items() if name != "policy/policy.md"},
        lambda held: dict(reversed(held.items())),
        lambda held: {**held, "policy/policy.md": b"We sell everything.\n"},
        lambda held: {**held, "policy/policy.md": held["policy/policy.md"] + b"\0"},
        lambda held: {**held, "manifest.note": held["manifest.note"] + held["manifest.note"].splitlines(True)[-1]},
    ],
    ids=["added", "missing", "other order", "changed", "longer", "signed twice"],
)
def test_another_set_of_files_is_refused(sound: bytes, tmp_path: Path, spoil: Spoil) -> None:
    """Put together anew as a sound ZIP, with every checksum right: only the manifest's signature stands against it."""
    with zipfile.ZipFile(io.BytesIO(sound)) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    assert checked(rebuilt(held), tmp_path)
    with pytest.raises(offline.Refused):
        checked(rebuilt(spoil(held)), tmp_path)


def rebuilt(held: dict[str, bytes]) -> bytes:
    from troth.ledger.archive import _Zip

    out = io.BytesIO()
    made = _Zip(out)
    for name, data in held.items():
        made.add(name, [data])
    made.finish()
    return out.getvalue()


def test_another_keys_signature_is_refused(log: FileLog, sound: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(sound)) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    text = held["manifest.note"].decode().partition("\n\n")[0] + "\n"
    held["manifest.note"] = sign_note(text, FixedSigner(seed=bytes([9] * 32))).encode()
    with pytest.raises(offline.Refused, match="not signed by"):
        checked(rebuilt(held), tmp_path)


def test_a_signature_over_something_else_is_refused(log: FileLog, sound: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(sound)) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    signed = log.checkpoint().rpartition("\n\n")[2]
    held["manifest.note"] = held["manifest.note"].partition(b"\n\n")[0] + b"\n\n" + signed.encode()
    with pytest.raises(offline.Refused, match="signature under the manifest is wrong"):
        checked(rebuilt(held), tmp_path)


def test_a_signed_entry_that_is_not_in_the_ledger_is_refused(log: FileLog, tmp_path: Path) -> None:
    told = [json.loads(line) for line in files(log)["ledger/entries.jsonl"].splitlines()]
    told[0]["entry"] = text(entries(1, start=99)[0].encoded)
    path = written(log, tmp_path, changed={"ledger/entries.jsonl": lines(told)})
    with pytest.raises(offline.Refused, match="leads to another root"):
        offline.archive(str(path), ASKED)


def test_an_earlier_checkpoint_that_is_not_continued_is_refused(log: FileLog, tmp_path: Path) -> None:
    with FileLog(tmp_path / "other", FixedSigner()) as other:
        other.append(entries(25, start=500))
        told = {"checkpoint": other.checkpoint(), "proof": list(map(text, log.consistency(25, log.size)))}
    path = written(log, tmp_path, changed={"ledger/earlier.jsonl": lines([told])})
    with pytest.raises(offline.Refused, match="it was rewritten"):
        offline.archive(str(path), ASKED)


def test_a_kept_checkpoint_that_the_archive_does_not_speak_of_is_not_passed_over(
    log: FileLog, sound: bytes, tmp_path: Path
) -> None:
    with FileLog(tmp_path / "other", FixedSigner()) as other:
        other.append(entries(7))
        (tmp_path / "earlier").write_text(other.checkpoint())
    (tmp_path / "a.zip").write_bytes(sound)
    with pytest.raises(offline.Refused, match="cannot show that the ledger begins with the 7 entries"):
        offline.archive(str(tmp_path / "a.zip"), {**ASKED, "--since": [str(tmp_path / "earlier")]})


@given(st.binary(max_size=200))
@example(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, 0, 0, 0))
@example(b"PK\3\4" * 9)
def test_no_bytes_make_it_do_anything_but_refuse(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    with pytest.raises(offline.Refused):
        checked(junk, tmp_path_factory.getbasetemp())


def test_consistency_is_shown_for_every_pair_of_sizes(log: FileLog) -> None:
    for new in range(1, SIZE + 1):
        for old in range(1, new + 1):
            then, now = (offline.Checkpoint("o", size, log.root(size)) for size in (old, new))
            offline.require_consistency(then, log.consistency(old, new), now)
            wrong = offline.Checkpoint("o", old, bytes(32))
            with pytest.raises(offline.Refused):
                offline.require_consistency(wrong, log.consistency(old, new), now)


# --- writing --------------------------------------------------------------------------------------------------------


def test_nothing_is_left_of_an_archive_that_broke(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"begun"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_archive(tmp_path / "a.zip", [("a", broken())], FixedSigner())
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("mine")
    with pytest.raises(LedgerError, match="exists already"):
        write_archive(tmp_path / "a.zip", [], FixedSigner())
    assert (tmp_path / "a.zip").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "../a", "/a", "a//b", "a/../b", "ä", "a b", ".hidden", "a" * 3 + "\0"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LedgerError):
        write_archive(tmp_path / "a.zip", [(name, [b""])], FixedSigner())


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="two files called a"):
        write_archive(tmp_path / "a.zip", [("a", [b"1"]), ("a", [b"2"])], FixedSigner())


def test_a_large_file_takes_no_memory(tmp_path: Path) -> None:
    import tracemalloc

    tracemalloc.start()
    write_archive(tmp_path / "a.zip", [("large", (bytes(1 << 16) for _ in range(800)))], FixedSigner())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "a.zip").stat().st_size > 50_000_000
    assert most < 5_000_000
