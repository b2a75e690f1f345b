"""Keys that go from one machine to another: encrypted to recipients, complete, and never over other keys."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.protect.agefile import age_file

from troth.protect import (
    KEY_FILE,
    KEYS_FILE,
    HomeRefused,
    KeyRefused,
    Keyring,
    KeyState,
    SealingContext,
    create_home,
    open_export,
    plan_approver,
    plan_export,
    read_approvers,
    way,
    write_approvers,
    write_export,
)

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
HERE = SealingContext(domain="test", field="name")
PLAIN = way("none", {})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.protect.hazmat.scrypt._COST", 2**8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Keys with a past, and two approvers."""
    home = tmp_path / "home"
    create_home(home)
    keyring = Keyring.open(home)
    assert keyring.chain is not None
    keyring.make_key("ps1:ann")
    for _ in range(2):
        keyring.chain.rotate("field", now=NOW)
    keyring.chain.move("field-1", KeyState.DESTROYED, now=NOW)
    for letter in "ab":
        there = read_approvers(home, keyring)
        write_approvers(
            home, keyring, plan_approver(keyring, there, f"custodian-{letter}", f"six words for {letter}", now=NOW)
        )
    return home


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """What age-keygen writes: an identity, and its recipient in a comment."""
    made = pyrage.x25519.Identity.generate()
    file = tmp_path / "identity"
    file.write_text(f"# public key: {made.to_public()}\n{made}\n")
    return file


def recipient(identity: Path) -> str:
    return identity.read_text().partition(": ")[2].partition("\n")[0]


def export(home: Path, *to: str) -> Path:
    keyring, file = Keyring.open(home), home.parent / "keys.age"
    assert write_export(plan_export(keyring, to), home, keyring, file, now=NOW) == 4
    return file


def test_what_was_sealed_opens_where_the_keys_came_to(home: Path, identity: Path, tmp_path: Path) -> None:
    keyring = Keyring.open(home)
    sealed, wrapped = keyring.seal(b"x", HERE), keyring.make_key("ps1:ann")
    found = open_export(export(home, recipient(identity)), identity)
    infos = found.put_into(tmp_path / "other", PLAIN)
    there = Keyring.open(tmp_path / "other")
    assert (there.id, there.unseal(sealed, HERE)) == (keyring.id, b"x")
    assert there.open_key(wrapped, "ps1:ann").id == keyring.open_key(wrapped, "ps1:ann").id
    assert keyring.chain is not None
    assert infos == keyring.chain.infos()
    assert read_approvers(tmp_path / "other", there) == found.approvers == read_approvers(home, keyring)
    for file in (tmp_path / "other").iterdir():
        assert file.stat().st_mode & 0o077 == 0


def test_an_export_is_for_its_recipients_alone(home: Path, identity: Path, tmp_path: Path) -> None:
    file = export(home, recipient(identity))
    secret = (home / KEY_FILE).read_text().partition('secret = "')[2].partition('"')[0]
    assert (file.stat().st_mode & 0o077, secret in file.read_text()) == (0, False)
    (tmp_path / "stranger").write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(KeyRefused, match="cannot be decrypted with the identities in"):
        open_export(file, tmp_path / "stranger")


def test_identities_may_have_a_passphrase_or_be_ssh_keys(home: Path, identity: Path, tmp_path: Path) -> None:
    key, ssh = Ed25519PrivateKey.generate(), tmp_path / "ssh"
    ssh.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    file = export(home, recipient(identity), public.decode())
    locked = tmp_path / "locked"
    locked.write_bytes(age_file(identity.read_bytes(), "words of the safe"))
    hashes = {open_export(file, ssh).hash, open_export(file, locked, passphrase=lambda: "words of the safe").hash}
    assert hashes == {open_export(file, identity).hash}
    with pytest.raises(KeyRefused, match="encrypted with a passphrase, but none was given"):
        open_export(file, locked)
    with pytest.raises(KeyRefused, match="the passphrase of the identities is wrong"):
        open_export(file, locked, passphrase=lambda: "other words")


def test_the_plan_of_an_export_is_bound_to_its_recipients(home: Path, identity: Path) -> None:
    keyring, other = Keyring.open(home), str(pyrage.x25519.Identity.generate().to_public())
    to = recipient(identity)
    assert plan_export(keyring, [to, other]) == plan_export(keyring, [other, to, to])
    assert plan_export(keyring, [to]).hash != plan_export(keyring, [other]).hash


@pytest.mark.parametrize("wrong", ["age1ann", "ann@example.org", "ssh-ed25519 AAAA", ""])
def test_what_is_no_recipient_is_refused(home: Path, wrong: str) -> None:
    with pytest.raises(KeyRefused, match="not an age recipient"):
        plan_export(Keyring.open(home), [wrong])


def test_an_export_never_takes_the_place_of_a_file(home: Path, identity: Path) -> None:
    file = export(home, recipient(identity))
    before = file.read_bytes()
    with pytest.raises(HomeRefused, match="give a file that does not exist"):
        export(home, recipient(identity))
    assert file.read_bytes() == before


def test_keys_never_come_over_other_keys(home: Path, identity: Path, tmp_path: Path) -> None:
    found = open_export(export(home, recipient(identity)), identity)
    create_home(tmp_path / "other")
    before = (tmp_path / "other" / KEY_FILE).read_bytes()
    with pytest.raises(HomeRefused, match=r"already has the root key .*, and keys are never overwritten"):
        found.put_into(tmp_path / "other", PLAIN)
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == [KEYS_FILE, KEY_FILE]
    assert (tmp_path / "other" / KEY_FILE).read_bytes() == before
    (tmp_path / "third").mkdir(mode=0o700)
    (tmp_path / "third" / KEYS_FILE).touch(0o600)
    with pytest.raises(HomeRefused, match=r"keys.toml exists already"):
        found.put_into(tmp_path / "third", PLAIN)
    assert not (tmp_path / "third" / KEY_FILE).exists()


def test_an_import_that_was_cut_short_is_gone_on_with(
    home: Path, identity: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, other = open_export(export(home, recipient(identity)), identity), tmp_path / "other"
    for cut in range(3):
        with monkeypatch.context() as broken:
            left = iter(range(cut))

            def write(path: Path, data: bytes, left: Iterator[int] = left) -> None:
                if next(left, None) is None:
                    raise KeyboardInterrupt
                (path.parent / path.name).touch(0o600)
                path.write_bytes(data)

            broken.setattr("troth.protect.files.write_new", write)
            with pytest.raises((KeyboardInterrupt, HomeRefused)):
                found.put_into(other, PLAIN)
        assert not (other / KEY_FILE).exists()
        found.put_into(other, PLAIN)
        found.put_into(other, PLAIN)
        assert Keyring.open(other).id == found.id
        for file in other.iterdir():
            file.unlink()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version": 2}', b'{"version": 1, "root": "AAAA"}', b"\xff"])
def test_what_is_no_export_is_refused(home: Path, identity: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keys.age"
    file.write_bytes(pyrage.encrypt(content, [pyrage.x25519.Recipient.from_str(recipient(identity))]))
    with pytest.raises(KeyRefused, match="is not an export of keys"):
        open_export(file, identity)


def test_a_key_in_an_export_that_does_not_open_is_found_before_the_root_key_is_in_use(
    home: Path, identity: Path, tmp_path: Path
) -> None:
    made = pyrage.x25519.Identity.from_str(identity.read_text().splitlines()[1])
    content = json.loads(pyrage.decrypt(export(home, recipient(identity)).read_bytes(), [made]))
    spoilt = (
        (content["keys"].replace("number = 2", "number = 3"), "a key in the export cannot be decrypted"),
        ("", "damaged"),
    )
    for number, (keys, message) in enumerate(spoilt):
        file, there = tmp_path / f"{number}.age", tmp_path / f"there-{number}"
        file.write_bytes(pyrage.encrypt(json.dumps({**content, "keys": keys}).encode(), [made.to_public()]))
        with pytest.raises(HomeRefused, match=message):
            open_export(file, identity).put_into(there, PLAIN)
        assert not (there / KEY_FILE).exists()


def test_without_age_the_extra_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(KeyRefused, match=r"pip install '.\[age\]'"):
        plan_export(Keyring.open(home), ["age1ann"])
