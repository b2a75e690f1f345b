"""Key export and import: moving keys to another machine in one file, encrypted to age identities.

It holds the root secret, ``keys.toml`` and ``approvers.toml``. The file and one of the identities that it is encrypted
to are enough to get the keys, with or without approvers; so an identity belongs in a safe that takes two people to
open. The approvers are in the file too, and approve the import at the other end.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.errors import needs
from troth.ledger import Hash, KeyId
from troth.protect import files
from troth.protect.approvers import APPROVERS_FILE, Approver, approvers_text, parse_approvers, read_approvers
from troth.protect.errors import HomeRefused, KeyRefused, KeysMissing, OpenError
from troth.protect.home import KEY_FILE, KEYS_FILE, KeyFile, key_id, make_folder, read_key_file
from troth.protect.keychain import KeyInfo
from troth.protect.keyring import Keyring
from troth.protect.states import KeyState
from troth.protect.wraps import Wrap, wrapped

_FILE_BYTES_MAX = 16 * 1024 * 1024
_RECIPIENTS_MAX = 20


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """A plan to export all keys, root key included, encrypted to *recipients*. *hash* is what two roles approve."""

    key: KeyId
    recipients: tuple[str, ...]
    hash: Hash


def plan_export(keyring: Keyring, recipients: Sequence[str]) -> ExportPlan:
    """Plan `write_export`. Raises `KeyRefused` for an invalid recipient."""
    wanted = tuple(sorted(set(recipients)))
    if not 0 < len(wanted) <= _RECIPIENTS_MAX:
        raise KeyRefused(f"give 1 to {_RECIPIENTS_MAX} recipients; age-keygen creates one")
    for one in wanted:
        _recipient(one)
    return ExportPlan(keyring.id, wanted, keyring.digest("keys export", keyring.id.text, *wanted))


def write_export(plan: ExportPlan, home: Path, keyring: Keyring, target: Path, *, now: dt.datetime) -> int:
    """Write the current keys of *home* into *target* (0600), which must not exist. Returns the number of keys.

    Raises `HomeRefused` if it exists or cannot be written.
    """
    file = read_key_file(home)
    assert keyring.chain is not None, "the keyring of this home"
    content = {
        "version": 1,
        "made": files.instant(now),
        "root": base64.b64encode(file.secret()).decode(),
        "created": files.instant(file.created),
        "keys": files.read(home / KEYS_FILE, _FILE_BYTES_MAX).decode(),
        "approvers": approvers_text(keyring, read_approvers(home, keyring)),
    }
    sealed = _pyrage().encrypt(json.dumps(content).encode(), [_recipient(one) for one in plan.recipients], armored=True)
    try:
        files.write_new(target, sealed)
    except FileExistsError:
        raise HomeRefused(f"{target} exists already; give a file that does not exist") from None
    return 1 + len(keyring.chain.infos())


def require_free(target: Path) -> None:
    """Raises `HomeRefused` if an export cannot be written to *target*, as far as that can be checked beforehand."""
    if os.path.lexists(target) or not os.access(target.absolute().parent, os.W_OK):
        raise HomeRefused(f"{target} exists already, or cannot be created; give another file")


@dataclass(frozen=True, slots=True)
class KeyExport:
    """An opened export. *hash* is what two of *approvers* approve; it covers everything in the export."""

    id: KeyId
    made: dt.datetime
    created: dt.datetime
    approvers: tuple[Approver, ...]
    hash: Hash
    _secret: bytes = field(repr=False)
    _keys: str = field(repr=False)
    _approvers: str = field(repr=False)

    def is_in(self, home: Path) -> bool:
        """Whether *home* already has this root key. Raises `HomeRefused` if it has another one."""
        try:
            there = read_key_file(home).id
        except KeysMissing:
            return False
        if there != self.id:
            raise HomeRefused(
                f"{home} already has the root key {there}, and keys are never overwritten; use another home"
            )
        return True

    def put_into(self, home: Path, wrap: Wrap) -> tuple[KeyInfo, ...]:
        """Make these the keys of *home*, writing the root key last, wrapped as *wrap* says. Returns the keys below it.

        Resumes if it is called again after a crash. Raises `HomeRefused` if other keys exist already, or a key in the
        export does not open.
        """
        is_there = self.is_in(home)
        make_folder(home)
        for name, text in ((KEYS_FILE, self._keys), (APPROVERS_FILE, self._approvers)):
            self._put(home / name, text.encode())
        keyring = Keyring(self._secret, home=home)
        assert keyring.chain is not None, "it has a home"
        try:
            for info in keyring.chain.infos():
                if info.state is not KeyState.DESTROYED:
                    keyring.chain.secret(info.purpose, info.number)
        except OpenError:
            raise HomeRefused(
                f"a key in the export cannot be decrypted; nothing is in use yet, so empty {home}"
            ) from None
        if not is_there:
            file = KeyFile(home / KEY_FILE, self.id, self.created, wrap, wrapped(wrap, self._secret, self.id))
            self._put(file.path, file.content())
        return keyring.chain.infos()

    def _put(self, path: Path, data: bytes) -> None:
        try:
            files.write_new(path, data)
        except FileExistsError:
            if files.read(path, _FILE_BYTES_MAX) != data:
                raise HomeRefused(f"{path} exists already, and keys are never overwritten; use another home") from None


def open_export(file: Path, identities: Path, *, passphrase: Callable[[], str] | None = None) -> KeyExport:
    """The export in *file*, opened with the age identities in the file *identities*; *passphrase* is called if that
    file is encrypted itself. Raises `KeyRefused` if it does not open or is no export."""
    pyrage = _pyrage()
    try:
        content = pyrage.decrypt(_bytes(file), _identities(_bytes(identities), passphrase))
    except pyrage.DecryptError:
        raise KeyRefused(f"{file} cannot be decrypted with the identities in {identities}, or was changed") from None
    try:
        return _export(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyRefused(
            f"{file} is not an export of keys that this Troth supports; use a later Troth, or another file"
        ) from None


def _export(document: dict[str, Any]) -> KeyExport:
    if document["version"] != 1:
        raise ValueError("of a later Troth")
    secret = base64.b64decode(document["root"], validate=True)
    keyring = Keyring(secret)
    keys, approvers = str(document["keys"]), str(document["approvers"])
    made, created = (dt.datetime.fromisoformat(document[name]) for name in ("made", "created"))
    plan = keyring.digest("keys import", made, created, keys, approvers)
    return KeyExport(key_id(secret), made, created, parse_approvers(approvers, keyring), plan, secret, keys, approvers)


def _recipient(text: str) -> Any:
    pyrage = _pyrage()
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise KeyRefused(
            f"{text[:24]!r} is not an age recipient; it must begin with age1, ssh-ed25519 or ssh-rsa"
        ) from None


def _identities(data: bytes, passphrase: Callable[[], str] | None) -> list[Any]:
    pyrage = _pyrage()
    if data.startswith((b"age-encryption.org/", b"-----BEGIN AGE ")):
        if passphrase is None:
            raise KeyRefused("the identities are encrypted with a passphrase, but none was given")
        try:
            data = pyrage.passphrase.decrypt(data, passphrase())
        except pyrage.DecryptError:
            raise KeyRefused("the passphrase of the identities is wrong") from None
    try:
        if b"OPENSSH PRIVATE KEY" in data:
            return [pyrage.ssh.Identity.from_buffer(data)]
        lines = [line.strip() for line in data.decode().splitlines()]
        return [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (pyrage.IdentityError, ValueError):
        raise KeyRefused("there is no age identity in that file; age-keygen writes one") from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_BYTES_MAX)
    except OSError as fault:
        raise KeyRefused(f"{path} cannot be read ({fault.strerror}); check the path") from None


def _pyrage() -> Any:
    with needs("age", KeyRefused, "exporting keys needs age, which is not installed"):
        import pyrage
    return pyrage
