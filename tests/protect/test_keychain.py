"""The keys below the root: one in use at a time, states that follow one another, nothing left of a destroyed one."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.protect.disk import full_disk, killed_at

from troth.protect import (
    KEYS_FILE,
    NUMBER_AT,
    HomeRefused,
    Keychain,
    KeyRefused,
    Keyring,
    KeyState,
    OpenError,
    SealingContext,
    create_home,
    is_deterministic,
)

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
HERE = SealingContext(domain="test", table="customer", field="name")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def keyring(home: Path) -> Keyring:
    return Keyring.open(home)


@pytest.fixture
def chain(keyring: Keyring) -> Keychain:
    assert keyring.chain is not None
    return keyring.chain


def test_what_an_older_key_sealed_opens_after_each_rotation(keyring: Keyring, chain: Keychain, home: Path) -> None:
    sealed = [keyring.seal(b"before any rotation", HERE)]
    for number in range(1, 4):
        assert chain.rotate("field", now=NOW).number == number
        sealed.append(keyring.seal(b"%d" % number, HERE))
    opened = [Keyring.open(home).unseal(value, HERE) for value in sealed]
    assert opened == [b"before any rotation", b"1", b"2", b"3"]
    assert [(info.name, info.state) for info in chain.infos()] == [
        ("field-1", "deactivated"),
        ("field-2", "deactivated"),
        ("field-3", "active"),
    ]


def test_sealing_anew_keeps_the_value_and_the_way_it_is_sealed(keyring: Keyring, chain: Keychain) -> None:
    old = [keyring.seal(b"x", HERE), keyring.seal_deterministic(b"x", HERE)]
    chain.rotate("field", now=NOW)
    new = [keyring.reseal(value, HERE) for value in old]
    assert [value[NUMBER_AT] for value in old + new] == [bytes(4)] * 2 + [b"\x00\x00\x00\x01"] * 2
    assert [keyring.unseal(value, HERE) for value in new] == [b"x", b"x"]
    assert [is_deterministic(value) for value in new] == [False, True]
    assert new[1] == keyring.seal_deterministic(b"x", HERE)
    with pytest.raises(OpenError):
        keyring.reseal(old[0], SealingContext(domain="test", table="customer", field="email"))


def test_a_rotation_in_another_process_is_seen_at_once(keyring: Keyring, home: Path) -> None:
    other = Keyring.open(home)
    assert other.chain is not None
    other.seal(b"x", HERE)
    other.chain.rotate("field", now=NOW)
    value = other.seal(b"x", HERE)
    assert keyring.unseal(value, HERE) == b"x"
    other.chain.rotate("field", now=NOW)
    other.chain.move("field-1", KeyState.DESTROYED, now=NOW)
    with pytest.raises(OpenError):
        keyring.unseal(value, HERE)


@pytest.mark.parametrize("state", [KeyState.SUSPENDED, KeyState.DESTROYED])
def test_what_may_not_be_opened_does_not_open(keyring: Keyring, chain: Keychain, state: KeyState) -> None:
    chain.rotate("field", now=NOW)
    value = keyring.seal(b"x", HERE)
    if state is KeyState.DESTROYED:
        chain.move("field-1", KeyState.DEACTIVATED, now=NOW)
    chain.move("field-1", state, now=NOW)
    with pytest.raises(OpenError):
        keyring.unseal(value, HERE)


def test_a_suspended_key_comes_back(keyring: Keyring, chain: Keychain) -> None:
    chain.rotate("field", now=NOW)
    value = keyring.seal(b"x", HERE)
    chain.move("field-1", KeyState.SUSPENDED, now=NOW)
    chain.move("field-1", KeyState.ACTIVE, now=NOW)
    assert keyring.unseal(value, HERE) == b"x"


def test_a_destroyed_key_leaves_its_facts_and_not_its_secret(chain: Keychain, home: Path) -> None:
    chain.rotate("field", now=NOW)
    secret = (home / KEYS_FILE).read_text().partition('secret = "')[2].partition('"')[0]
    chain.rotate("field", now=NOW)
    info = chain.move("field-1", KeyState.DESTROYED, now=NOW + dt.timedelta(days=1))
    assert info.since[KeyState.DESTROYED] == NOW + dt.timedelta(days=1)
    assert secret not in (home / KEYS_FILE).read_text()
    assert chain.infos()[0] == info
    assert chain.rotate("field", now=NOW).number == 3, "a number is never used again"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (KeyState.DESTROYED, "field-1 is active and cannot become destroyed; rotate first"),
        (KeyState.PRE_ACTIVATION, "cannot become pre_activation"),
    ],
)
def test_a_state_that_may_not_follow_is_refused(chain: Keychain, state: KeyState, message: str) -> None:
    chain.rotate("field", now=NOW)
    with pytest.raises(KeyRefused, match=message):
        chain.move("field-1", state, now=NOW)
    assert chain.infos()[0].state is KeyState.ACTIVE


def test_two_keys_are_never_active_at_once(chain: Keychain) -> None:
    chain.rotate("field", now=NOW)
    chain.move("field-1", KeyState.SUSPENDED, now=NOW)
    chain.rotate("field", now=NOW)
    with pytest.raises(KeyRefused, match="another field key is active"):
        chain.move("field-1", KeyState.ACTIVE, now=NOW)


def test_an_unknown_key_is_named_with_those_that_there_are(chain: Keychain) -> None:
    chain.rotate("epoch", now=NOW)
    with pytest.raises(KeyRefused, match="no key 'field-1'; known are: epoch-1"):
        chain.move("field-1", KeyState.DEACTIVATED, now=NOW)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.chmod(0o640), "can be read or written by others; fix it with: chmod 600"),
        (lambda path: path.write_text("version = 2\n"), "use a later Troth"),
        (lambda path: path.write_text("[[key]]\n"), "is damaged; restore your newest copy"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "is damaged"),
    ],
)
def test_a_file_that_is_not_sound_is_refused(
    chain: Keychain, home: Path, spoil: Callable[[Path], object], message: str
) -> None:
    chain.rotate("field", now=NOW)
    spoil(home / KEYS_FILE)
    with pytest.raises(HomeRefused, match=message):
        Keyring.open(home).seal(b"x", HERE)


def test_a_secret_that_was_moved_to_another_name_does_not_open(keyring: Keyring, chain: Keychain, home: Path) -> None:
    chain.rotate("field", now=NOW)
    value = keyring.seal(b"x", HERE)
    text = (home / KEYS_FILE).read_text()
    (home / KEYS_FILE).write_text(text.replace("number = 1", "number = 2"))
    with pytest.raises(OpenError):
        Keyring.open(home).unseal(value[:13] + b"\x00\x00\x00\x02" + value[17:], HERE)


def test_a_file_that_is_missing_is_damage_and_not_the_first_day(keyring: Keyring, chain: Keychain, home: Path) -> None:
    """Nothing is sealed under the key that is derived from the root, and no number is used again."""
    chain.rotate("field", now=NOW)
    keyring.make_key("ps1:ann")
    (home / KEYS_FILE).unlink()
    for work in (
        lambda: keyring.seal(b"x", HERE),
        lambda: keyring.make_key("ps1:ann"),
        lambda: chain.rotate("field", now=NOW),
        lambda: Keyring.open(home),
    ):
        with pytest.raises(HomeRefused, match=r"keys.toml is missing: restore its newest copy"):
            work()
    assert not (home / KEYS_FILE).exists()


@pytest.mark.parametrize("state", [KeyState.SUSPENDED, KeyState.DEACTIVATED, KeyState.COMPROMISED])
def test_where_no_key_is_in_use_nothing_is_protected(keyring: Keyring, chain: Keychain, state: KeyState) -> None:
    before = keyring.seal(b"x", HERE)
    for made in (chain.rotate("field", now=NOW), chain.rotate("epoch", now=NOW)):
        chain.move(made.name, state, now=NOW)
    works: list[Callable[[], object]] = [
        lambda: keyring.seal(b"x", HERE),
        lambda: keyring.seal_deterministic(b"x", HERE),
        lambda: keyring.reseal(before, HERE),
        lambda: keyring.make_key("ps1:ann"),
    ]
    for work in works:
        with pytest.raises(KeyRefused, match=r"no (field|epoch) key is active, so nothing is protected"):
            work()
    assert len(chain.infos()) == 2


def test_a_number_that_somebody_else_knows_is_never_used_again(chain: Keychain, home: Path) -> None:
    for _ in range(3):
        chain.rotate("field", now=NOW)
    (home / KEYS_FILE).write_text("version = 1\nkeys = 0\n")
    assert [chain.rotate("field", now=NOW, above=3).number, chain.rotate("field", now=NOW, above=3).number] == [4, 5]


def test_the_period_of_a_key_that_was_suspended_begins_with_its_first_day(chain: Keychain) -> None:
    chain.rotate("field", now=NOW)
    chain.move("field-1", KeyState.SUSPENDED, now=NOW + dt.timedelta(days=1))
    info = chain.move("field-1", KeyState.ACTIVE, now=NOW + dt.timedelta(days=2))
    assert info.since[KeyState.ACTIVE] == NOW


def test_a_full_disk_is_told_and_changes_nothing(keyring: Keyring, chain: Keychain, home: Path) -> None:
    chain.rotate("field", now=NOW)
    before = chain.infos()
    with (
        full_disk(),
        pytest.raises(HomeRefused, match=r"keys.toml cannot be written \(File too large\); check the disk"),
    ):
        chain.rotate("field", now=NOW)
    assert chain.infos() == Keyring.open(home).chain.infos() == before  # type: ignore[union-attr]
    assert chain.rotate("field", now=NOW).number == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused_while_running(keyring: Keyring, chain: Keychain, home: Path) -> None:
    chain.rotate("field", now=NOW)
    os.chown(home / KEYS_FILE, 12345, -1)
    with pytest.raises(HomeRefused, match=r"keys.toml belongs to another user \(id 12345\)"):
        keyring.seal(b"x", HERE)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_anywhere_the_bytes_of_an_older_file_go_with_the_next_change(chain: Keychain, home: Path) -> None:
    """It holds keys that are destroyed since, sealed by the root key alone."""
    call, killed = 0, True
    while killed:
        with (home / KEYS_FILE).open("rb") as before:
            killed, _ = killed_at(call, lambda: chain.rotate("epoch", now=NOW))
            chain.rotate("epoch", now=NOW)
            assert set(before.read()) == {0}
        assert sorted(path.name for path in home.iterdir()) == ["keys.lock", KEYS_FILE, "root.key"]
        call += 1
    assert call > 10


def _rotate_for_ever(home: Path) -> None:
    chain = Keyring.open(home).chain
    assert chain is not None
    while True:
        chain.rotate("field", now=NOW)


def test_kill_9_leaves_the_keys_as_they_were_or_as_they_were_to_be(home: Path, keyring: Keyring) -> None:
    """Readers beside a process that rotates without end, and dies in the middle of it, always find every key."""
    assert keyring.chain is not None
    seen = {keyring.seal(b"x", HERE)}
    for _ in range(4):
        child = multiprocessing.get_context("fork").Process(target=_rotate_for_ever, args=(home,))
        child.start()
        assert child.pid is not None
        before = len(keyring.chain.infos())
        while len(keyring.chain.infos()) < before + 5:
            seen.add(keyring.seal(b"x", HERE))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert {keyring.unseal(value, HERE) for value in seen} == {b"x"}
        assert sum(info.state.seals for info in keyring.chain.infos()) == 1


def test_what_a_killed_writer_left_goes_with_its_bytes(chain: Keychain, home: Path) -> None:
    """It holds keys that are destroyed later, sealed by the root key alone."""
    chain.rotate("epoch", now=NOW)
    left = home / f"{KEYS_FILE}.{'0' * 16}.new"
    left.write_bytes((home / KEYS_FILE).read_bytes())
    with left.open("rb") as file:
        chain.rotate("epoch", now=NOW)
        assert not left.exists()
        assert set(file.read()) == {0}


# --- keys of subjects --------------------------------------------------------------------------------------------


def test_a_subject_s_key_opens_for_its_owner_alone(keyring: Keyring) -> None:
    wrapped = keyring.make_key("ps1:ann")
    value = keyring.open_key(wrapped, "ps1:ann").seal(b"x", HERE)
    assert keyring.open_key(wrapped, "ps1:ann").unseal(value, HERE) == b"x"
    with pytest.raises(OpenError):
        keyring.open_key(wrapped, "ps1:ben")
    with pytest.raises(OpenError):
        keyring.unseal(value, HERE)


def test_a_key_outlives_its_epoch_only_where_it_is_wrapped_anew(keyring: Keyring, chain: Keychain) -> None:
    ann, ben = keyring.make_key("ps1:ann"), keyring.make_key("ps1:ben")
    value = keyring.open_key(ben, "ps1:ben").seal(b"x", HERE)
    chain.rotate("epoch", now=NOW)
    [kept] = keyring.rewrap([(ben, "ps1:ben")])
    chain.move("epoch-1", KeyState.DESTROYED, now=NOW)
    assert keyring.open_key(kept, "ps1:ben").unseal(value, HERE) == b"x"
    for wrapped, owner in ((ann, "ps1:ann"), (ben, "ps1:ben")):
        with pytest.raises(OpenError):
            keyring.open_key(wrapped, owner)


def test_trying_every_key_finds_what_any_of_them_opens(keyring: Keyring, chain: Keychain) -> None:
    """Also one that may not be used, and a wrapping whose header names another epoch."""
    ann = keyring.make_key("ps1:ann")
    chain.rotate("epoch", now=NOW)
    ben, chloe = keyring.make_key("ps1:ben"), keyring.make_key("ps1:chloe")
    chain.move("epoch-2", KeyState.SUSPENDED, now=NOW)
    tried = [(ann, "ps1:ann"), (ben, "ps1:ben"), (ben, "ps1:ann"), (chloe[:4] + ben[4:8] + chloe[8:], "ps1:chloe")]
    found = keyring.try_every_key(tried)
    assert [key is not None for key in found] == [True, True, False, True]
    assert found == [keyring.open_key(ann, "ps1:ann").id, *keyring.try_every_key(tried[1:])]
    chain.move("epoch-1", KeyState.DESTROYED, now=NOW)
    assert [key is not None for key in keyring.try_every_key(tried)] == [False, True, False, True]


def test_a_damaged_wrapping_does_not_open(keyring: Keyring) -> None:
    wrapped = keyring.make_key("ps1:ann")
    broken = [wrapped[:cut] for cut in range(len(wrapped))]
    broken += [wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :] for at in range(len(wrapped))]
    for damaged in broken:
        with pytest.raises(OpenError):
            keyring.open_key(damaged, "ps1:ann")


def test_a_keyring_that_stands_alone_keeps_no_keys_of_subjects() -> None:
    with pytest.raises(KeyRefused, match="has no keychain"):
        Keyring(bytes(32)).make_key("ps1:ann")
