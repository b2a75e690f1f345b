"""The root key's file: made once, for its owner alone, and every unsafe state refused with its fix."""

from __future__ import annotations

import base64
import datetime as dt
import os
import tomllib
import traceback
from pathlib import Path

import pytest
from tests.protect.disk import full_disk

from troth.protect import KEY_FILE, KEYS_FILE, HomeRefused, Keyring, KeysMissing, begin_keys, create_home


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_only_its_owner_can_read_a_new_key(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_home(tmp_path / "home")
    finally:
        os.umask(before)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == [KEYS_FILE, KEY_FILE]
    for file in (tmp_path / "home").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    identity = create_home(tmp_path / "home", now=dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC))
    written = tomllib.loads((tmp_path / "home" / KEY_FILE).read_text())
    assert written.pop("id") == str(identity) == str(Keyring.open(tmp_path / "home").id)
    assert len(base64.b64decode(written.pop("secret"))) == 32
    assert written == {"version": 1, "wrap": "none", "created": dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)}


def test_every_home_has_a_key_of_its_own(tmp_path: Path) -> None:
    assert create_home(tmp_path / "one") != create_home(tmp_path / "two")


def test_a_key_is_never_overwritten(home: Path) -> None:
    before = (home / KEY_FILE).read_bytes()
    with pytest.raises(HomeRefused, match="never overwritten"):
        create_home(home)
    assert (home / KEY_FILE).read_bytes() == before
    assert sorted(path.name for path in home.iterdir()) == [KEYS_FILE, KEY_FILE]


def test_a_link_to_nowhere_is_not_written_through(home: Path, tmp_path: Path) -> None:
    (home / KEY_FILE).unlink()
    (home / KEY_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HomeRefused, match="never overwritten"):
        create_home(home)
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_key_is_told_from_an_unsafe_one(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing, match="troth keys init"):
        Keyring.open(tmp_path / "nowhere")


def test_a_new_folder_is_forced_to_disk_by_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("troth.protect.files.sync", synced.append)
    create_home(tmp_path / "deep" / "home")
    assert {tmp_path, tmp_path / "deep", tmp_path / "deep" / "home"} == set(synced)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(HomeRefused, match=r"keys.toml cannot be written \(File too large\)"):
        create_home(tmp_path / "home")
    create_home(tmp_path / "home")
    Keyring.open(tmp_path / "home")


def test_a_home_that_was_begun_is_gone_on_with(home: Path) -> None:
    """The root key comes last: with it and without keys.toml, that file is lost."""
    (home / KEY_FILE).unlink()
    create_home(home)
    chain = Keyring.open(home).chain
    assert chain is not None
    chain.rotate("field", now=dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    (home / KEY_FILE).unlink()
    with pytest.raises(HomeRefused, match="with keys of another root key"):
        create_home(home)
    assert not (home / KEY_FILE).exists()


def test_that_keys_are_lost_is_said_on_purpose(home: Path, tmp_path: Path) -> None:
    with pytest.raises(HomeRefused, match=r"keys.toml exists and is never overwritten"):
        begin_keys(home)
    (home / KEYS_FILE).unlink()
    with pytest.raises(HomeRefused, match="troth keys init --keys-lost"):
        Keyring.open(home)
    assert begin_keys(home) == Keyring.open(home).id
    with pytest.raises(KeysMissing):
        begin_keys(tmp_path / "nowhere")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_can_reach_is_refused(home: Path, mode: int) -> None:
    (home / KEY_FILE).chmod(mode)
    with pytest.raises(HomeRefused, match=f"chmod 600 {home / KEY_FILE}"):
        Keyring.open(home)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o770])
def test_a_folder_that_others_can_reach_is_refused(home: Path, mode: int) -> None:
    home.chmod(mode)
    with pytest.raises(HomeRefused, match=f"chmod 700 {home}"):
        Keyring.open(home)
    (home / KEY_FILE).unlink()
    with pytest.raises(HomeRefused, match="chmod 700"):
        create_home(home)


@pytest.mark.parametrize("git", ["home/.git", ".git"])
def test_a_home_in_a_git_tree_is_refused(tmp_path: Path, home: Path, git: str) -> None:
    (tmp_path / git).mkdir()
    with pytest.raises(HomeRefused, match="git tree"):
        Keyring.open(home)
    with pytest.raises(HomeRefused, match="git tree"):
        create_home(home / "inner")
    assert not (home / "inner").exists()


def test_a_link_into_a_git_tree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tree/.git").mkdir(parents=True)
    (tmp_path / "tree/home").mkdir(mode=0o700)
    (tmp_path / "home").symlink_to(tmp_path / "tree/home")
    with pytest.raises(HomeRefused, match="git tree"):
        create_home(tmp_path / "home")


def test_a_key_file_that_is_a_link_is_refused(home: Path, tmp_path: Path) -> None:
    (home / KEY_FILE).rename(tmp_path / "elsewhere")
    (home / KEY_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HomeRefused, match="symbolic link"):
        Keyring.open(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("given", [".", KEY_FILE, KEYS_FILE])
def test_a_key_of_somebody_else_is_refused(home: Path, given: str) -> None:
    os.chown(home / given, 12345, -1)
    with pytest.raises(HomeRefused, match="another user"):
        Keyring.open(home)


def test_a_home_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file/inner"):
        with pytest.raises(HomeRefused):
            create_home(home)


def test_a_key_file_that_is_a_folder_or_a_pipe_is_refused(home: Path) -> None:
    (home / KEY_FILE).unlink()
    (home / KEY_FILE).mkdir(mode=0o700)
    with pytest.raises(HomeRefused, match="not a file"):
        Keyring.open(home)
    (home / KEY_FILE).rmdir()
    os.mkfifo(home / KEY_FILE, 0o600)
    with pytest.raises(HomeRefused, match="not a file"):
        Keyring.open(home)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("version = 1", "version = 2", "later Troth"),
        ('wrap = "none"', 'wrap = "starlight"', "cannot unwrap"),
        ('wrap = "none"', "wrap = [1]", "cannot unwrap"),
        ('wrap = "none"', 'wrap = "aws-kms"', "damaged: aws-kms needs the option key"),
        ('wrap = "none"', 'wrap = "none"\nkey = "mine"', "damaged: none has no option key"),
        ('wrap = "none"', 'wrap = "none"\npath = "mine"', "damaged"),
        ("created = ", "made = ", "damaged"),
        ('secret = "', 'secret = "A', "damaged"),
        ('secret = "', "secret = ", "damaged"),
        ('secret = "', 'public = "', "damaged"),
        ('id = "k1:', 'id = "k1:0', "damaged"),
    ],
)
def test_a_changed_key_file_is_refused_without_quoting_it(home: Path, old: str, new: str, says: str) -> None:
    secret = tomllib.loads((home / KEY_FILE).read_text())["secret"]
    change(home / KEY_FILE, old, new)
    with pytest.raises(HomeRefused, match=says) as refused:
        Keyring.open(home)
    assert secret[:12] not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"version = 1\n" * 9000, b"[" * 60_000])
def test_a_key_file_with_anything_else_in_it_is_refused(home: Path, content: bytes) -> None:
    (home / KEY_FILE).write_bytes(content)
    with pytest.raises(HomeRefused):
        Keyring.open(home)
