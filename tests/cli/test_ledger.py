"""``troth ledger``: the record shown, verified, proven and handed out, and every way in which it can be wrong."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.firm import TROTH, Answer, Firm, lay
from tests.rig.witness import FakeWitness, authority, serving

from troth.ledger import Verifier

ANN, BEN = ("--email", "ann@example.org"), ("--email", "ben@example.org")


@pytest.fixture(scope="module")
def busy_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its TROTH_HOME after Ann was looked at twice, Ben once, and the controls ran; to be copied."""
    firm = lay(tmp_path_factory.mktemp("busy"))
    shutil.copytree(home, firm.home)
    for command in (("view", *ANN), ("view", *BEN), ("view", *ANN, "--purpose", "support"), ("keep",)):
        assert firm.troth(*command).code == 0
    return firm.home


@pytest.fixture
def busy(busy_home: Path, tmp_path: Path) -> Firm:
    firm = lay(tmp_path)
    shutil.copytree(busy_home, firm.home)
    return firm


def database(firm: Firm, statement: str) -> None:
    with closing(sqlite3.connect(firm.home / "troth.sqlite3")) as connection, connection:
        connection.execute(statement)


def shown(firm: Firm, *words: str) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = firm.troth("ledger", "show", "--json", *words).document["entries"]
    return entries


def offline(folder: Path, *words: str) -> Answer:
    """The exported verifier, run as an auditor runs it."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify_troth_ledger.py"), *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


# --- show -----------------------------------------------------------------------------------------------------------


def test_everything_that_was_done_is_shown_in_order(busy: Firm) -> None:
    entries = shown(busy)
    assert [entry["leaf"] for entry in entries] == list(range(len(entries)))
    kinds = [entry["kind"] for entry in entries]
    assert kinds[:3] == ["subject.viewed"] * 3
    assert "check.changed" in kinds
    text = busy.troth("ledger", "show").out
    assert len(text.splitlines()) == len(entries) + 1
    assert text.splitlines()[-1] == f"{len(entries)} shown, of {len(entries)} entries"


def test_a_person_s_entries_are_shown_and_nobody_else_s(busy: Firm) -> None:
    ann, ben = shown(busy, *ANN), shown(busy, *BEN)
    assert [entry["purpose"] for entry in ann] == ["subject_request", "support"]
    assert len(ben) == 1
    assert {entry["subject"] for entry in ann} != {entry["subject"] for entry in ben}
    assert shown(busy, "--id", "shop.customer=3") == []


def test_a_person_is_found_by_the_identifiers_of_the_request(busy: Firm) -> None:
    both = (*ANN, "--phone", "07700 900001")
    assert shown(busy, *both) == []
    busy.troth("view", *both)
    assert len(shown(busy, *both)) == 1
    assert len(shown(busy, *ANN)) == 2


def test_nothing_that_is_shown_names_a_person(busy: Firm) -> None:
    for command in (("ledger", "show"), ("ledger", "show", *ANN), ("ledger", "show", "--json")):
        out = busy.troth(*command).out
        assert "ann" not in out.lower().replace("planned", "")
        assert "900001" not in out


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--kind", "subject.viewed"), 3),
        (("--kind", "subject"), 3),
        (("--kind", "subject", "--last", "2"), 2),
        (("--since", "2100-01-01"), 0),
        (("--until", "2000-01-01"), 0),
        (("--since", "2000-01-01", "--until", "2100-01-01", "--kind", "subject"), 3),
    ],
)
def test_only_what_fits_is_shown(busy: Firm, words: tuple[str, ...], count: int) -> None:
    assert len(shown(busy, *words)) == count


def test_the_latest_are_shown_first_of_all(busy: Firm) -> None:
    assert shown(busy, "--last", "2") == shown(busy)[-2:]


def test_what_waits_for_its_number_is_counted(busy: Firm) -> None:
    database(busy, "INSERT INTO core_entry (content, leaf) SELECT content, NULL FROM core_entry WHERE leaf = 0")
    assert busy.troth("ledger", "show", "--json").document["waiting"] == 1
    assert "1 more are committed" in busy.troth("ledger", "show").out


def test_an_entry_of_a_later_troth_is_passed_over_and_not_lost(busy: Firm) -> None:
    database(busy, "UPDATE core_entry SET content = CAST('troth2 {}' AS BLOB) WHERE leaf = 0")
    assert "(of a later version)" in busy.troth("ledger", "show").out


def test_a_damaged_entry_is_told_by_its_number(busy: Firm) -> None:
    database(busy, "UPDATE core_entry SET content = CAST('troth1 {\x1b[2J' AS BLOB) WHERE leaf = 1")
    answer = busy.troth("ledger", "show")
    assert answer.code == 1
    assert answer.err.startswith("troth: leaf 1: ")


# --- verify ---------------------------------------------------------------------------------------------------------


def test_a_sound_ledger_is_verified(busy: Firm) -> None:
    size = len(shown(busy))
    answer = busy.troth("ledger", "verify")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"{size} entries verified, root ")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("UPDATE core_entry SET content = substr(content, 1, 50) WHERE leaf = 2", "leaf 2 is not"),
        ("DELETE FROM core_entry WHERE leaf = 1", "leaf 1 is missing"),
        ("UPDATE core_tile SET data = zeroblob(length(data))", "leaf 0 is not"),
        ("UPDATE core_tree SET size = 3, checkpoint_size = 3", "was restored from an older copy"),
        ("UPDATE core_tree SET checkpoint = replace(checkpoint, 'localhost', 'elsewhere')", "signed"),
    ],
)
def test_what_was_changed_behind_its_back_is_found(busy: Firm, fault: str, says: str) -> None:
    database(busy, fault)
    answer = busy.troth("ledger", "verify", "--json")
    assert (answer.code, answer.out) == (1, "")
    assert says in answer.err


def test_a_ledger_begins_with_every_receipt_from_it(busy: Firm) -> None:
    busy.troth("ledger", "receipt", *ANN, "--out", "ann")
    busy.troth("view", *BEN)
    found = busy.troth("ledger", "verify", "--checkpoint", "ann/0.tlog-proof", "--json").document
    assert found["begins_with"] == [{"file": "ann/0.tlog-proof", "size": found["size"] - 1}]


def test_a_backup_that_was_put_back_is_noticed_by_a_later_receipt(busy: Firm) -> None:
    """The deployment has its key, and signs whatever it finds: only what was kept elsewhere shows it."""
    shutil.copytree(busy.home, busy.folder / "backup")
    busy.troth("view", *ANN)
    busy.troth("ledger", "receipt", *ANN, "--out", "ann")
    shutil.rmtree(busy.home)
    (busy.folder / "backup").rename(busy.home)
    assert busy.troth("ledger", "verify").code == 0
    answer = busy.troth("ledger", "verify", "--checkpoint", "ann/0.tlog-proof")
    assert (answer.code, answer.out) == (1, "")
    assert "rolled back or rewritten; keep ann/0.tlog-proof as evidence" in answer.err
    for _ in range(3):  # it grows past the receipt again, by another way
        busy.troth("view", *BEN)
    assert busy.troth("ledger", "verify", "--checkpoint", "ann/0.tlog-proof").code == 1


def test_a_ledger_that_was_put_back_is_noticed_by_what_witnesses_cosigned(busy: Firm) -> None:
    ours = Verifier.parse(busy.troth("ledger", "verify", "--json").document["key"])
    witness = FakeWitness("witness.example.org/w1", (ours,))
    shutil.copytree(busy.home, busy.folder / "backup")
    with serving(lambda _, body: witness.add_checkpoint(body)) as url:
        with busy.declaration.open("a") as declaration:
            declaration.write(f"ledger: {{witnesses: [{{key: '{witness.key}', url: '{url}'}}]}}\n")
        assert busy.troth("keep").code == 0
    size = len(shown(busy))
    answer = busy.troth("ledger", "verify")
    assert answer.out.splitlines()[1] == f"begins with the {size} entries that witnesses cosigned"
    assert busy.troth("ledger", "verify", "--json").document["cosigned"] == size
    with closing(sqlite3.connect(busy.home / "troth.sqlite3")) as connection, connection:
        connection.execute("ATTACH ? AS old", [f"{busy.folder}/backup/troth.sqlite3"])
        for table in ("core_entry", "core_tile", "core_tree"):
            connection.execute(f"DELETE FROM main.{table}")
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM old.{table}")
    answer = busy.troth("ledger", "verify")
    assert (answer.code, answer.out) == (1, "")
    assert f"does not begin with the {size} entries of the cosigned checkpoint" in answer.err


def test_a_damaged_tile_stops_no_work_and_is_made_again(busy: Firm) -> None:
    size = len(shown(busy))
    database(busy, "UPDATE core_tile SET data = zeroblob(length(data))")
    view = busy.troth("view", *ANN)
    assert (view.code, "Ann" in view.out) == (0, True)
    kept = busy.troth("keep")
    told = "ledger: the tiles do not match the signed checkpoint"
    assert (kept.code, told in kept.out) == (0, True)
    assert busy.troth("ledger", "show", "--json").document["waiting"] > 0
    answer = busy.troth("ledger", "rebuild")
    assert (answer.code, answer.out.startswith(f"the tiles over {size} entries were rebuilt")) == (0, True)
    assert "ledger:" not in busy.troth("keep").out
    assert busy.troth("ledger", "verify", "--json").document["waiting"] == 0


def test_changed_entries_are_not_made_sound_by_making_the_tiles_again(busy: Firm) -> None:
    database(busy, "UPDATE core_entry SET content = CAST(content || ' ' AS BLOB) WHERE leaf = 1")
    for _ in range(2):
        answer = busy.troth("ledger", "rebuild", "--json")
        assert (answer.code, answer.out) == (1, "")
        assert "restore it from a copy" in answer.err
        assert "leaf 1 is not" in busy.troth("ledger", "verify").err


@pytest.mark.parametrize("text", ["", "a letter", "example.org\n1\nAAAA\n\n— example.org AAAA\n"])
def test_a_file_that_is_no_checkpoint_is_refused(busy: Firm, text: str) -> None:
    (busy.folder / "kept").write_text(text)
    answer = busy.troth("ledger", "verify", "--checkpoint", "kept")
    assert (answer.code, answer.out) == (1, "")


@pytest.mark.parametrize("kib", [1, 36])
def test_a_full_disk_under_our_own_database_is_told_in_a_line_and_loses_nothing(busy: Firm, kib: int) -> None:
    size = len(shown(busy))
    command = ["bash", "-c", f'ulimit -f {kib}; exec "$@"', "-", TROTH, "view", *ANN]
    environment = {**os.environ, **busy.environment, "PYTHONDONTWRITEBYTECODE": "1"}  # it would be cut off too
    done = subprocess.run(command, env=environment, cwd=busy.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"troth: Troth's own database refused or did not answer \(OperationalError\); check TROTH_DATABASE_URL, "
        r"the disk space, and that the database is up and accepts us\n",
        done.stderr,
    )
    assert busy.troth("view", *ANN).code == 0
    assert len(shown(busy)) in (size + 1, size + 2)
    assert busy.troth("ledger", "verify").code == 0


# --- receipts and exports -------------------------------------------------------------------------------------------


def test_a_receipt_and_an_export_are_verified_without_troth(busy: Firm) -> None:
    assert busy.troth("ledger", "receipt", *ANN, "--out", "ann").out.splitlines() == [
        "ann/0.tlog-proof",
        "ann/2.tlog-proof",
    ]
    exported = busy.troth("ledger", "export", "out", "--json").document
    folder, key = busy.folder / "out", exported["key"]
    assert exported["size"] == len(shown(busy))
    whole = offline(folder, "ledger", ".", "--key", key, "--since", "../ann/2.tlog-proof")
    assert (whole.code, whole.out.splitlines()[0]) == (0, f"verified: {exported['size']} entries")
    one = offline(folder, "receipt", "../ann/2.tlog-proof", "--key", key)
    assert one.code == 0
    assert '"purpose":"support"' in one.out


def test_a_timestamp_that_we_got_lies_beside_an_export(busy: Firm) -> None:
    with authority() as tsa:
        shutil.copy(tsa.root, busy.folder / "tsa-root.pem")
        with busy.declaration.open("a") as declaration:
            declaration.write(f"ledger: {{timestamp: {{url: '{tsa.url}', certificate: tsa-root.pem}}}}\n")
        assert busy.troth("keep").code == 0
    key = busy.troth("ledger", "export", "out", "--json").document["key"]
    command = ["openssl", "ts", "-verify", "-data", "out/timestamped", "-in", "out/timestamped.tsr"]
    done = subprocess.run([*command, "-CAfile", "tsa-root.pem"], cwd=busy.folder, capture_output=True, check=False)
    assert done.returncode == 0
    assert offline(busy.folder / "out", "ledger", ".", "--key", key, "--since", "timestamped").code == 0


def test_an_outsider_that_cannot_be_asked_is_told_by_keep(busy: Firm) -> None:
    with busy.declaration.open("a") as declaration:
        declaration.write("ledger: {timestamp: {url: 'http://127.0.0.1:1', certificate: tsa-root.pem}}\n")
    said = "the certificate of the timestamp authority cannot be read (No such file or directory): tsa-root.pem"
    answer = busy.troth("keep")
    assert (answer.code, f"ledger: {said}" in answer.out.splitlines()) == (0, True)


def test_one_receipt_goes_to_standard_output(busy: Firm) -> None:
    answer = busy.troth("ledger", "receipt", "0")
    (busy.folder / "r").write_text(answer.out)
    assert busy.troth("ledger", "receipt", "0", "--json").document[0]["receipt"] == answer.out
    busy.troth("ledger", "export", "out")
    assert offline(busy.folder / "out", "receipt", "../r", "--key", "verifier-key.txt").code == 0


def test_an_export_is_continued_as_long_as_the_ledger_begins_with_it(busy: Firm) -> None:
    shutil.copytree(busy.home, busy.folder / "backup")
    busy.troth("view", *ANN)
    assert busy.troth("ledger", "export", "out").code == 0
    busy.troth("view", *BEN)
    assert busy.troth("ledger", "export", "out").code == 0
    shutil.rmtree(busy.home)
    (busy.folder / "backup").rename(busy.home)
    answer = busy.troth("ledger", "export", "out")
    assert answer.code == 1
    assert "rolled back or rewritten" in answer.err


def test_an_export_is_read_with_our_key_or_the_one_that_is_given(busy: Firm, tmp_path: Path) -> None:
    key = busy.troth("ledger", "export", "out", "--json").document["key"]
    entries = shown(busy)
    assert shown(busy, "--folder", "out") == entries
    assert shown(busy, "--folder", "out", "--key", key, *ANN) == shown(busy, *ANN)
    assert shown(busy, "--folder", "out", "--key", "out/verifier-key.txt") == entries
    assert busy.troth("ledger", "verify", "--folder", "out").code == 0
    assert busy.troth("ledger", "receipt", "0", "--folder", "out").out == busy.troth("ledger", "receipt", "0").out
    busy.troth("ledger", "export", "again", "--folder", "out")
    assert (busy.folder / "again/checkpoint").read_text() == (busy.folder / "out/checkpoint").read_text()
    (busy.folder / "home/root.key").unlink()
    busy.declaration.unlink()
    assert busy.troth("ledger", "verify", "--folder", "out", "--key", key).code == 0
    assert busy.troth("ledger", "verify", "--folder", "out").code == 1
    spoiled = bytearray((busy.folder / f"out/tile/entries/000.p/{len(entries)}").read_bytes())
    spoiled[-3] ^= 1
    (busy.folder / f"out/tile/entries/000.p/{len(entries)}").write_bytes(spoiled)
    answer = busy.troth("ledger", "verify", "--folder", "out", "--key", key)
    assert (answer.code, f"leaf {len(entries) - 1} is not" in answer.err) == (1, True)


def test_what_cannot_be_given_is_told(busy: Firm) -> None:
    assert "has no leaf 99" in busy.troth("ledger", "receipt", "99").err
    assert "the ledger has no entry" in busy.troth("ledger", "receipt", "--id", "shop.customer=3", "--out", "x").err
    (busy.folder / "full").mkdir()
    (busy.folder / "full/letter").touch()
    assert "choose an empty folder" in busy.troth("ledger", "export", "full").err
    assert "contains no ledger" in busy.troth("ledger", "show", "--folder", "full").err


@pytest.mark.parametrize(
    "words",
    [
        ("receipt",),
        ("receipt", "0", *ANN),
        ("receipt", *ANN),
        ("receipt", "-1"),
        ("receipt", "first"),
        ("show", "--kind", "nothing"),
        ("show", "--since", "yesterday"),
        ("show", "--last", "0"),
        ("show", "--email", "ann"),
        ("show", "--key", "k"),
        ("show", "--folder", ".", "--key", "k"),
        ("verify", "--checkpoint", "not-there"),
        ("verify", "-d", "not-there.yaml"),
        ("export",),
        ("export", "troth.yaml"),
    ],
    ids=" ".join,
)
def test_what_is_asked_wrongly_ends_with_two(firm: Firm, words: tuple[str, ...]) -> None:
    answer = firm.troth("ledger", *words)
    assert (answer.code, answer.out) == (2, "")
    assert "Traceback" not in answer.err


def test_an_empty_ledger_is_shown_verified_and_exported(firm: Firm) -> None:
    assert shown(firm) == []
    assert firm.troth("ledger", "verify").out.startswith("0 entries verified")
    key = firm.troth("ledger", "export", "out", "--json").document["key"]
    assert offline(firm.folder / "out", "ledger", ".", "--key", key).code == 0
