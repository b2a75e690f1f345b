"""``troth keys approvers``, ``approve``, ``export`` and ``import``: what one person alone cannot do."""

from __future__ import annotations

import json
import re
import shutil
import signal
from pathlib import Path

import pyrage
import pytest
from tests import forks
from tests.cli.firm import TROTH, Firm
from tests.cli.house import WORDS, House

from troth.protect import Keyring


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """What age-keygen writes, and its recipient beside it."""
    made = pyrage.x25519.Identity.generate()
    file = tmp_path / "safe.key"
    file.write_text(f"{made}\n")
    file.with_suffix(".pub").write_text(str(made.to_public()))
    return file


@pytest.fixture
def exported(spent: House, identity: Path) -> House:
    """The company with an export of its keys in keys.age."""
    out = ("export", "--to", identity.with_suffix(".pub").read_text(), "--out", "keys.age")
    plan = spent.plan(*out)
    answer = spent.troth(*out, "--apply", plan)
    assert (answer.code, (spent.folder / "keys.age").exists()) == (1, False), "nobody has approved"
    spent.approve(plan)
    assert spent.troth(*out, "--apply", plan).code == 0
    return spent


# --- approvers ------------------------------------------------------------------------------------------------------


def test_the_third_approver_needs_the_other_two(house: House) -> None:
    assert "0 approvers; two are needed" in house.troth("approvers").out
    house.add_approvers()
    assert [one["role"] for one in house.troth("approvers", "--json").document] == ["custodian-a", "custodian-b"]
    plan = house.plan("approvers", "add", "custodian-c", words=WORDS["custodian-c"])
    again = ("approvers", "add", "custodian-c", "--apply", plan)
    assert "0 of 2" in house.troth(*again, words=WORDS["custodian-c"]).err
    house.approve(plan)
    answer = house.troth(*again, words="another passphrase")
    assert (answer.code, "not the plan that was approved" in answer.err) == (1, True)
    answer = house.troth(*again, words=WORDS["custodian-c"])
    assert answer.out == (
        "custodian-c is added, approved by custodian-a and custodian-b. "
        "Approvers now: custodian-a, custodian-b, custodian-c.\n"
    )
    gone = house.plan("approvers", "remove", "custodian-a")
    house.approve(gone, "custodian-b", "custodian-c")
    assert house.troth("approvers", "remove", "custodian-a", "--apply", gone).code == 0
    changes = [(entry["change"], "by" in entry) for entry in house.entries("approvers.changed")]
    assert changes == [("added", False), ("added", False), ("added", True), ("removed", True)]
    assert "custodian" not in json.dumps(house.entries("approvers.changed"))


def test_a_passphrase_is_typed_where_no_file_has_it(house: House) -> None:
    """Twice where it is new, without an echo; differing ones are refused."""
    assert "there is no terminal to type it" in house.troth("approvers", "add", "custodian-a").err
    shown = _typed(house, "custodian-a", WORDS["custodian-a"], WORDS["custodian-a"])
    assert "Passphrase of custodian-a: " in shown
    assert WORDS["custodian-a"] not in shown
    assert "the two passphrases differ" in _typed(house, "custodian-b", "one of twelve", "another one")
    assert [one["role"] for one in house.troth("approvers", "--json").document] == ["custodian-a"]


def _typed(house: House, role: str, *lines: str) -> str:
    """Add *role* at a terminal of its own, answer each question, and give what was shown."""
    command = [TROTH, "keys", "approvers", "add", role]
    return forks.typed(command, *lines, env=house.environment(), cwd=house.folder)[1]


def test_a_wrong_passphrase_is_refused_counted_and_never_shown(spent: House) -> None:
    plan = spent.plan("destroy", "field-1")
    for _ in range(5):
        answer = spent.troth("approve", plan, "--as", "custodian-a", words="another secret")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == "troth: that is not the passphrase of custodian-a\n"
    answer = spent.troth("approve", plan, "--as", "custodian-a", words=WORDS["custodian-a"])
    assert re.search(r"5 wrong passphrases for custodian-a; try again after \d{4}-", answer.err)
    spent.approve(plan, "custodian-b")
    for file in spent.home.iterdir():
        assert b"another secret" not in file.read_bytes()


@pytest.mark.parametrize("fault", ["open", "forged"])
def test_a_file_of_approvers_that_is_not_sound_is_refused(spent: House, fault: str) -> None:
    file = spent.home / "approvers.toml"
    if fault == "open":
        file.chmod(0o640)
    else:
        file.write_text(file.read_text().replace("custodian-b", "custodian-z"))
    for command in (("status",), ("approvers",), ("approve", "dg1:" + "0" * 64, "--as", "custodian-a")):
        answer = spent.troth(*command, words=WORDS["custodian-a"])
        assert (answer.code, answer.out, "approvers.toml" in answer.err) == (1, "", True)


def test_a_file_of_approvers_that_was_taken_away_is_noticed(spent: House) -> None:
    (spent.home / "approvers.toml").unlink()
    answer = spent.troth("status")
    assert (answer.code, "approvers on record are custodian-a, custodian-b" in answer.out) == (1, True)


# --- export and import ----------------------------------------------------------------------------------------------


def test_keys_go_to_another_machine_with_two_approvals_at_each_end(
    exported: House, identity: Path, tmp_path: Path
) -> None:
    tokens, there = exported.tokens(), tmp_path / "there"
    shutil.copy(exported.home / "troth.sqlite3", tmp_path / "restored.sqlite3")
    other = House(Firm(exported.folder), f"sqlite:///{tmp_path}/restored.sqlite3")
    arrive = ("import", "keys.age", "--identity", str(identity))
    opened = ("--import", "keys.age", "--identity", str(identity))
    answer = other.troth(*arrive, home=there)
    assert "Two of these must approve: custodian-a, custodian-b." in answer.out
    plan = other.plan(*arrive, home=there)
    answer = other.troth(*arrive, "--apply", plan, home=there)
    assert (answer.code, "0 of 2" in answer.err) == (1, True)
    other.approve(plan, by=opened, home=there)
    assert not (there / "root.key").exists()
    answer = other.troth(*arrive, "--apply", plan, home=there)
    assert (answer.code, "approved by custodian-a and custodian-b" in answer.out) == (0, True), answer.err
    assert other.troth("status", home=there).code == 0
    other.home = there
    assert other.values(tokens) == [f"value {number}" for number in range(5)]

    keyring = Keyring.open(there)
    [out], [into] = exported.entries("keys.exported"), other.entries("keys.imported")
    for entry in (out, into):
        assert (entry["key"], entry["by"]) == (str(keyring.id), str(keyring.pseudonym("approver", "custodian-a")))
    assert (out["keys"], out["recipients"]) == (3, 1)


def test_approvals_of_an_export_are_used_up(exported: House, identity: Path) -> None:
    [entry] = exported.entries("keys.exported")
    to = identity.with_suffix(".pub").read_text()
    answer = exported.troth("export", "--to", to, "--out", "again.age", "--apply", entry["plan"])
    assert (answer.code, "0 of 2" in answer.err) == (1, True)
    assert not (exported.folder / "again.age").exists()


def test_an_export_never_takes_the_place_of_a_file(exported: House, identity: Path) -> None:
    before = (exported.folder / "keys.age").read_bytes()
    out = ("export", "--to", identity.with_suffix(".pub").read_text(), "--out", "keys.age")
    plan = exported.plan(*out)
    exported.approve(plan)
    answer = exported.troth(*out, "--apply", plan)
    assert (answer.code, "exists already" in answer.err) == (1, True)
    assert (exported.folder / "keys.age").read_bytes() == before
    assert exported.troth(*out[:-1], "other.age", "--apply", plan).code == 0, "the approvals are still there"


def test_keys_are_never_imported_over_others(exported: House, identity: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    assert exported.troth("init", home=there).code == 0
    before = (there / "root.key").read_bytes()
    answer = exported.troth("import", "keys.age", "--identity", str(identity), home=there)
    assert (answer.code, "keys are never overwritten" in answer.err) == (1, True)
    assert (there / "root.key").read_bytes() == before


def test_an_import_that_is_killed_goes_on_where_it_was(exported: House, identity: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    arrive = ("import", "keys.age", "--identity", str(identity))
    plan = exported.plan(*arrive, home=there)
    exported.approve(plan, by=("--import", "keys.age", "--identity", str(identity)), home=there)
    for made in range(3):
        ended = exported.killed(_KILLED, str(made), *arrive, "--apply", plan, TROTH_HOME=str(there))
        assert (ended, (there / "root.key").exists()) == (-signal.SIGKILL, False)
    assert exported.troth(*arrive, "--apply", plan, home=there).code == 0
    assert Keyring.open(there).id == Keyring.open(exported.home).id


_KILLED = """
import os, signal, sys
from troth.cli import main
from troth.protect import files

left, write = int(sys.argv[1]), files.write_new
def killed(path, data):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    write(path, data)

files.write_new = killed
main(["keys", *sys.argv[2:]])
"""
