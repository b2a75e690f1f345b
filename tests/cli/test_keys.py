"""``troth keys``: made once, for one owner, never where it could be committed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Ask


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_the_root_key_is_made_for_its_owner_alone(ask: Ask, home: Path) -> None:
    answer = ask("keys", "init", "--json", TROTH_HOME=str(home))
    assert answer.document["file"] == str(home / "root.key")
    assert stat.S_IMODE((home / "root.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert ask("keys", "status", "--json", TROTH_HOME=str(home)).document["key"] == answer.document["key"]


def test_an_existing_key_is_never_touched(ask: Ask, home: Path) -> None:
    ask("keys", "init", TROTH_HOME=str(home))
    before = (home / "root.key").read_bytes()
    answer = ask("keys", "init", TROTH_HOME=str(home))
    assert (answer.code, answer.out) == (1, "")
    assert "never overwritten" in answer.err
    assert (home / "root.key").read_bytes() == before


def test_a_git_tree_is_no_place_for_a_key(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    answer = ask("keys", "init", TROTH_HOME=str(tmp_path / "deep" / "home"))
    assert (answer.code, answer.out) == (1, "")
    assert "git" in answer.err
    assert not (tmp_path / "deep").exists()


def test_the_secret_is_never_shown(ask: Ask, home: Path) -> None:
    made = ask("keys", "init", TROTH_HOME=str(home))
    secret = (home / "root.key").read_text().partition('secret = "')[2].partition('"')[0]
    assert len(secret) == 44
    for answer in (made, ask("keys", "status", TROTH_HOME=str(home)), ask("keys", "init", TROTH_HOME=str(home))):
        assert secret not in answer.out + answer.err


@pytest.mark.parametrize("fault", ["open", "damaged", "folder"])
def test_a_key_that_is_not_safe_is_refused(ask: Ask, home: Path, fault: str) -> None:
    ask("keys", "init", TROTH_HOME=str(home))
    match fault:
        case "open":
            (home / "root.key").chmod(0o640)
        case "damaged":
            (home / "root.key").write_text("version = 1\n")
        case _:
            home.chmod(0o755)
    answer = ask("keys", "status", TROTH_HOME=str(home))
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("troth: ")


def test_no_key_is_told_with_the_command_that_makes_one(ask: Ask, home: Path) -> None:
    answer = ask("keys", "status", TROTH_HOME=str(home))
    assert answer.code == 1
    assert answer.err.rstrip().endswith("troth keys init")


def test_a_home_that_cannot_be_made_is_told(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = ask("keys", "init", TROTH_HOME=str(tmp_path / "file" / "home"))
    assert answer.code == 1
    assert "choose another TROTH_HOME" in answer.err


def test_that_no_copy_of_the_keys_is_left_is_said_on_purpose(ask: Ask, home: Path) -> None:
    made = ask("keys", "init", "--json", TROTH_HOME=str(home)).document["key"]
    answer = ask("keys", "init", "--keys-lost", TROTH_HOME=str(home))
    assert (answer.code, answer.out, "is never overwritten" in answer.err) == (1, "", True)
    (home / "keys.toml").unlink()
    answer = ask("keys", "status", TROTH_HOME=str(home))
    assert (answer.code, answer.out, "keys.toml is missing: restore its newest copy" in answer.err) == (1, "", True)
    assert ask("keys", "init", "--keys-lost", "--json", TROTH_HOME=str(home)).document["key"] == made
    assert ask("keys", "status", TROTH_HOME=str(home)).code == 0
