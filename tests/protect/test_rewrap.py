"""Wrapping the root key anew: the same key before and after, whenever it is interrupted, and nothing without a plan."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from tests.protect.agefile import age_file
from tests.protect.disk import CALLS, killed_at
from tests.rig.keyservices import FakeKms, FakeTransit

from troth.protect import (
    KEY_FILE,
    KEYS_FILE,
    HomeRefused,
    Keyring,
    KeysMissing,
    SealingContext,
    Wrap,
    WrapRefused,
    create_home,
    options,
    plan_rewrap,
    read_key_file,
    rewrap,
    way,
)
from troth.protect import files as files_module
from troth.protect.wraps.text import encoded

PLACE = SealingContext(domain="shop", table="shop.customer", field="email", subject="1")


@pytest.fixture
def then(transit: FakeTransit, monkeypatch: pytest.MonkeyPatch) -> Wrap:
    """Another way than the one that the home is in."""
    for name, value in transit.environment.items():
        monkeypatch.setenv(name, value)
    return way("transit", {"key": transit.make_key("troth", derived=True)})


def carry_out(home: Path, then: Wrap) -> None:
    rewrap(home, then, approved=plan_rewrap(home, then).hash.text)


def test_what_was_sealed_opens_after_every_move(
    home: Path, then: Wrap, kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in kms.environment.items():
        monkeypatch.setenv(name, value)
    before = Keyring.open(home)
    sealed, created = before.seal(b"ann@example.org", PLACE), read_key_file(home).created
    for one in (then, way("aws-kms", {"key": kms.make_key()}), then, way("none", {})):
        carry_out(home, one)
        found = read_key_file(home)
        assert (found.way, found.id, found.created) == (one, before.id, created)
        assert Keyring.open(home).unseal(sealed, PLACE) == b"ann@example.org"
        assert (home / KEY_FILE).stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in home.iterdir()) == [KEYS_FILE, KEY_FILE]


def test_a_plan_says_what_changes_and_changes_nothing(home: Path, then: Wrap) -> None:
    before = (home / KEY_FILE).read_bytes()
    plan = plan_rewrap(home, then)
    assert (plan.key, plan.file) == (Keyring.open(home).id, home / KEY_FILE)
    assert (plan.now.name, plan.then.name, options(plan.then)) == ("none", "transit", options(then))
    assert (home / KEY_FILE).read_bytes() == before


def test_only_the_approved_plan_is_carried_out(home: Path, then: Wrap, transit: FakeTransit) -> None:
    before = (home / KEY_FILE).read_bytes()
    other = way("transit", {"key": transit.make_key("other")})
    for approved in ("", "dg1:" + "0" * 64, "§", plan_rewrap(home, other).hash.text):
        with pytest.raises(HomeRefused, match="not the plan that was approved"):
            rewrap(home, then, approved=approved)
    assert (home / KEY_FILE).read_bytes() == before


def test_a_plan_is_good_for_one_file_and_once(home: Path, then: Wrap, tmp_path: Path) -> None:
    create_home(tmp_path / "other")
    approved = plan_rewrap(home, then).hash.text
    with pytest.raises(HomeRefused, match="not the plan that was approved"):
        rewrap(tmp_path / "other", then, approved=approved)
    rewrap(home, then, approved=approved)
    with pytest.raises(HomeRefused, match="not the plan that was approved"):
        rewrap(home, then, approved=approved)


def test_where_the_new_way_refuses_the_old_file_stays(home: Path, then: Wrap, transit: FakeTransit) -> None:
    before, approved = (home / KEY_FILE).read_bytes(), plan_rewrap(home, then).hash.text
    for denied in ("encrypt/troth", "decrypt/troth"):
        transit.denied = {denied}
        with pytest.raises(WrapRefused, match="lacks update"):
            rewrap(home, then, approved=approved)
    assert (home / KEY_FILE).read_bytes() == before
    assert sorted(path.name for path in home.iterdir()) == [KEYS_FILE, KEY_FILE]


def test_without_the_old_way_there_is_no_plan(home: Path, then: Wrap, transit: FakeTransit) -> None:
    carry_out(home, then)
    transit.sealed = True
    with pytest.raises(WrapRefused, match="is sealed"):
        plan_rewrap(home, way("none", {}))


def test_a_home_without_a_key_has_nothing_to_wrap(tmp_path: Path, then: Wrap) -> None:
    with pytest.raises(KeysMissing):
        plan_rewrap(tmp_path, then)
    with pytest.raises(HomeRefused):
        rewrap(tmp_path / "nowhere", then, approved="")


# --- the old passphrase and the new -----------------------------------------------------------------------------------


@pytest.fixture
def aged(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that age opens at once, and writes with little work."""
    found = read_key_file(home)
    sealed = encoded(age_file(found.secret(), "the old passphrase"))
    (home / KEY_FILE).write_text(f'version = 1\nid = "{found.id}"\ncreated = 2026-11-24T09:41:00Z\nwrap = "age"\n')
    with (home / KEY_FILE).open("a") as file:
        file.write(f'secret = "{sealed}"\n')
    monkeypatch.setattr("pyrage.passphrase.encrypt", age_file)
    monkeypatch.setenv("TROTH_PASSPHRASE", "the old passphrase")
    return home


def test_a_passphrase_is_changed(aged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_NEW_PASSPHRASE", "the new passphrase")
    carry_out(aged, way("age", {}))
    with pytest.raises(WrapRefused, match="the passphrase does not unwrap"):
        Keyring.open(aged)
    monkeypatch.setenv("TROTH_PASSPHRASE", "the new passphrase")
    Keyring.open(aged)


def test_the_old_passphrase_does_not_pass_for_a_new_one(aged: Path) -> None:
    before = (aged / KEY_FILE).read_bytes()
    with pytest.raises(WrapRefused, match="the new passphrase equals the old one"):
        carry_out(aged, way("age", {}))
    assert (aged / KEY_FILE).read_bytes() == before


# --- interrupted ------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("away", [True, False], ids=["away", "back"])
def test_killed_anywhere_the_key_is_there_one_way_or_the_other(home: Path, then: Wrap, away: bool) -> None:
    plain, identity = way("none", {}), Keyring.open(home).id
    old, new = (plain, then) if away else (then, plain)
    ways, handles = [], []
    call, killed = 0, True
    while killed:
        if read_key_file(home).way != old:
            carry_out(home, old)
        approved = plan_rewrap(home, new).hash.text
        handles.append(os.open(home / KEY_FILE, os.O_RDONLY))
        killed, _ = killed_at(call, lambda approved=approved: rewrap(home, new, approved=approved))  # type: ignore[misc]
        assert Keyring.open(home).id == identity
        assert (home / KEY_FILE).stat().st_mode & 0o777 == 0o600
        ways.append(read_key_file(home).way.name)
        call += 1
    assert call > len(CALLS)
    assert sorted(ways, key=lambda name: name == new.name) == ways, "old until the rename, and new from then on"
    assert {old.name, new.name} == set(ways)
    carry_out(home, old)
    for handle in handles:
        assert set(os.pread(handle, 65_536, 0)) == {0}, "nothing is left of an older file"
        os.close(handle)
    assert sorted(path.name for path in home.iterdir()) == [KEYS_FILE, KEY_FILE], (
        "what the killed ones left is taken away"
    )


def test_two_that_wrap_at_once_take_turns(home: Path, then: Wrap, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[Path] = []
    real = files_module.put

    def put(path: Path, data: bytes) -> None:
        another = os.open(home, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(another)
        real(path, data)
        turns.append(path)

    monkeypatch.setattr(files_module, "put", put)
    carry_out(home, then)
    assert turns == [home / KEY_FILE]


def test_the_old_secret_is_overwritten_where_it_stood(home: Path, then: Wrap) -> None:
    with (home / KEY_FILE).open("rb") as old:
        carry_out(home, then)
        assert set(old.read()) == {0}


def test_another_name_of_the_old_file_keeps_it(home: Path, then: Wrap, tmp_path: Path) -> None:
    os.link(home / KEY_FILE, tmp_path / "backup")
    before = (tmp_path / "backup").read_bytes()
    carry_out(home, then)
    assert (tmp_path / "backup").read_bytes() == before


def test_who_reads_while_the_file_is_replaced_reads_the_new_one(
    home: Path, then: Wrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, real = read_key_file(home).content() + b"# the new one\n", os.read
    reads: list[bytes] = []

    def read(handle: int, size: int) -> bytes:
        if not reads:
            files_module.replace(home / KEY_FILE, fresh)
        reads.append(real(handle, size))
        return reads[-1]

    monkeypatch.setattr(os, "read", read)
    assert read_key_file(home).id
    assert set(reads[0]) == {0}
    assert reads[1] == fresh
