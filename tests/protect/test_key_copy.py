"""A copy of keys.toml on another disk: written before a change counts, so that a lost disk loses nobody's keys."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from troth.protect import (
    HomeRefused,
    Keychain,
    Keyring,
    KeyState,
    OpenError,
    SealingContext,
    create_home,
    take_inventory,
)

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
HERE = SealingContext(domain="test", field="note")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_home(tmp_path / "home", now=NOW)
    (tmp_path / "second").mkdir(mode=0o700)
    return tmp_path / "home"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "second/keys.toml"


def chain_of(home: Path) -> Keychain:
    chain = Keyring.open(home).chain
    assert chain is not None
    return chain


def test_after_a_lost_disk_the_copy_opens_everything(home: Path, copy: Path) -> None:
    chain_of(home).keep_copy(copy)
    keyring = Keyring.open(home)  # another process, which nobody has told
    wrapped = keyring.make_key("ps1:ann")
    sealed = keyring.open_key(wrapped, "ps1:ann").seal(b"x", HERE)
    chain = chain_of(home)
    chain.rotate("epoch", now=NOW)
    [fresh] = Keyring.open(home).rewrap([(wrapped, "ps1:ann")])
    chain.move("epoch-1", KeyState.DESTROYED, now=NOW)
    (home / "keys.toml").unlink()
    shutil.copy(copy, home / "keys.toml")
    restored = Keyring.open(home)
    assert restored.open_key(fresh, "ps1:ann").unseal(sealed, HERE) == b"x"
    with pytest.raises(OpenError):
        restored.open_key(wrapped, "ps1:ann")
    assert chain_of(home).copy == copy, "it goes on being kept"


def test_the_copy_is_for_its_owner_alone_and_as_the_file(home: Path, copy: Path) -> None:
    chain = chain_of(home)
    chain.rotate("field", now=NOW)
    chain.keep_copy(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.read_bytes() == (home / "keys.toml").read_bytes()
    chain.rotate("field", now=NOW)
    assert copy.read_bytes() == (home / "keys.toml").read_bytes()
    chain.keep_copy(None)
    chain.rotate("field", now=NOW)
    assert copy.read_bytes() != (home / "keys.toml").read_bytes()
    assert chain_of(home).copy is None


def test_where_the_copy_cannot_be_written_nothing_is_changed(home: Path, copy: Path) -> None:
    chain = chain_of(home)
    chain.keep_copy(copy)
    before = (home / "keys.toml").read_bytes()
    shutil.rmtree(copy.parent)
    with pytest.raises(HomeRefused, match=r"second/keys\.toml cannot be written"):
        chain.rotate("field", now=NOW)
    assert (home / "keys.toml").read_bytes() == before
    assert chain.active("field") is None
    with pytest.raises(HomeRefused, match="cannot be written"):
        chain.keep_copy(copy.parent / "other.toml")
    assert chain.copy == copy


def test_a_copy_on_the_same_disk_is_none(home: Path) -> None:
    with pytest.raises(HomeRefused, match="would be lost with it"):
        chain_of(home).keep_copy(home / "again.toml")


@pytest.mark.parametrize("fault", ["missing", "older", "open"])
def test_a_copy_that_is_not_sound_is_told(home: Path, copy: Path, fault: str) -> None:
    chain, keyring = chain_of(home), Keyring.open(home)
    chain.keep_copy(copy)
    assert take_inventory(home, keyring, now=NOW).unsound == ()
    if fault == "missing":
        copy.unlink()
    elif fault == "older":
        older = copy.read_bytes()
        chain.rotate("field", now=NOW)
        copy.write_bytes(older)
    else:
        copy.chmod(0o644)
    [told] = take_inventory(home, keyring, now=NOW).unsound
    said = {"missing": "is missing; write it again", "older": "differs from keys.toml", "open": "chmod 600"}
    assert said[fault] in told
    if fault != "open":
        chain.keep_copy(copy)
        assert take_inventory(home, keyring, now=NOW).unsound == ()
