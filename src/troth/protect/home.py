"""The root key's file: created once, never overwritten, refused if others could read it.

``TROTH_HOME/root.key`` is a TOML text. ``wrap`` says how the secret in it is wrapped, and ``"none"`` that it is stored
in plain; see `troth.protect.wraps`. However it is wrapped, it is the same secret, so sealed data stays readable.

A home has ``keys.toml`` from its creation on, at first without keys; see `troth.protect.keychain`. So a missing file
was lost, and nothing is sealed as if it had never existed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
import stat
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.ledger import EntryRefused, KeyId
from troth.protect import files
from troth.protect.errors import HomeRefused, KeysMissing, WayRefused, WrapRefused
from troth.protect.hazmat import derive
from troth.protect.pack import texts
from troth.protect.wraps import WAYS, Wrap, options, way, wrapped

KEY_FILE = "root.key"
KEYS_FILE = "keys.toml"
KEYS_HEAD = """\
# Troth's keys below the root key, each sealed by it. Back this file up together with root.key, and keep only the newest
# copy: an older one brings destroyed keys back.
version = 1
keys = {}
"""
ROOT_BYTES = 32
_FILE_BYTES_MAX = 65_536
_PLAIN = """\
# Troth's root key. Anyone who reads this file can open everything that Troth sealed, and without it nobody can.
# Keep a copy of it apart from the data. Never commit it, never mail it.
"""
_WRAPPED = """\
# Troth's root key, wrapped: it takes this file and what unwraps it to open what Troth sealed, and without either nobody
# can. Keep a copy of it apart from the data.
"""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The content of a root key's file. *text* is the secret, wrapped in that *way*."""

    path: Path
    id: KeyId
    created: dt.datetime
    way: Wrap
    text: str = field(repr=False)

    def secret(self) -> bytes:
        """The root secret. Raises `HomeRefused` if it cannot be unwrapped, or does not match the id."""
        try:
            secret = self.way.unwrap(self.text, self.id)
        except WrapRefused as refused:
            raise WrapRefused(f"{self.path}: {refused}") from None
        if len(secret) != ROOT_BYTES or self.id != key_id(secret):
            raise HomeRefused(f"{self.path} is damaged: its secret does not match its id; restore your copy")
        return secret

    def content(self) -> bytes:
        """The bytes of the file."""
        head = _PLAIN if self.way.name == "none" else _WRAPPED
        created = self.created.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        texts = {"wrap": self.way.name, **options(self.way), "secret": self.text}
        lines = [f"{name} = {json.dumps(text, ensure_ascii=False)}\n" for name, text in texts.items()]
        return f'{head}version = 1\nid = "{self.id}"\ncreated = {created}\n{"".join(lines)}'.encode()


def create_home(home: Path, *, wrap: Wrap | None = None, now: dt.datetime | None = None) -> KeyId:
    """Create *home* (0700) if needed, and in it a root key (0600) wrapped as *wrap* says, and no key below it. Returns
    the root key's id.

    Raises `HomeRefused` if a root key exists already, or *home* is inside a git tree, is open to others or belongs to
    another user, and `WrapRefused` if wrapping fails. Then no key is created.
    """
    home = home.expanduser().absolute()
    _require_no_git(home)
    make_folder(home)
    path = home / KEY_FILE
    taken = HomeRefused(f"{path} exists already and is never overwritten; use it, or move it away")
    if os.path.lexists(path):
        raise taken
    secret, one = secrets.token_bytes(ROOT_BYTES), wrap or way("none", {})
    identity = key_id(secret)
    made = KeyFile(path, identity, now or dt.datetime.now(dt.UTC), one, wrapped(one, secret, identity))
    _write_no_keys(home)  # first, because a root key without this file is a home that lost it
    try:
        files.write_new(path, made.content())
    except FileExistsError:
        raise taken from None
    return identity


def begin_keys(home: Path) -> KeyId:
    """Create an empty keys.toml in *home*, which has a root key: for a file that was lost without any copy. What its
    keys protected stays closed. Returns the root key's id.

    Raises `HomeRefused` if the file exists, and as `read_key_file` does.
    """
    found = read_key_file(home)
    path = found.path.with_name(KEYS_FILE)
    if os.path.lexists(path):
        raise HomeRefused(f"{path} exists and is never overwritten; use it, or restore its newest copy")
    _write_no_keys(found.path.parent)
    return found.id


def make_folder(home: Path) -> None:
    """Create *home* (0700) if needed, and sync it to disk. Raises `HomeRefused` if it cannot be created, is open to
    others or belongs to another user."""
    fresh = [folder for folder in (home, *home.parents) if not os.path.lexists(folder)]
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in fresh:
            files.sync(folder.parent)
    except OSError as fault:
        raise HomeRefused(f"{home} cannot be created ({fault.strerror}); choose another TROTH_HOME") from None
    _require_private_folder(home)


def _write_no_keys(home: Path) -> None:
    path, none = home / KEYS_FILE, KEYS_HEAD.format(0).encode()
    try:
        files.write_new(path, none)
    except FileExistsError:  # left by a process killed before the root key was written, or by a concurrent one
        if files.read(path, len(none) + 1) != none:
            raise HomeRefused(
                f"{path} exists already, with keys of another root key; restore that root key, or use another home"
            ) from None


def read_root(home: Path) -> bytes:
    """The root secret. Raises `KeysMissing` if there is none, `HomeRefused` if it is not safe or not readable."""
    return read_key_file(home).secret()


def read_key_file(home: Path) -> KeyFile:
    """The content of the root key's file, its secret still wrapped. Raises as `read_root` does."""
    home = home.expanduser().absolute()
    _require_no_git(home)
    path = home / KEY_FILE
    while True:
        with _opened(path) as handle:
            _require_private_folder(home)
            _require_private_file(path, os.fstat(handle))
            data = os.read(handle, _FILE_BYTES_MAX + 1)
            try:
                return _parse(path, data)
            except HomeRefused:  # the file may have been replaced just now, and the old bytes overwritten
                if not _is_replaced(path, handle):
                    raise


def key_id(secret: bytes) -> KeyId:
    """The id of a root key; it reveals nothing about the key."""
    return KeyId("k1:" + derive(secret, texts("troth/v1", "key id"), 8).hex())


def _parse(path: Path, data: bytes) -> KeyFile:
    try:
        found = tomllib.loads(data.decode("utf-8"))
    except ValueError:  # the parser's message could quote the secret
        raise HomeRefused(f"{path} is damaged: it is not the TOML text that was written; restore your copy") from None
    if found.pop("version", None) != 1:
        raise HomeRefused(f"{path} has a version that this Troth does not support; use a later Troth")
    name = found.pop("wrap", None)
    if not isinstance(name, str) or name not in WAYS:
        raise HomeRefused(f"{path} is wrapped in a way that this Troth cannot unwrap; use a later Troth")
    try:
        return _file(path, name, **found)
    except WayRefused as refused:
        raise HomeRefused(f"{path} is damaged: {refused}; restore your copy") from None
    except (TypeError, EntryRefused):
        raise HomeRefused(f"{path} is damaged: a line is missing or wrong; restore your copy") from None


def _file(path: Path, name: str, *, id: str, created: Any, secret: str, **given: str) -> KeyFile:  # noqa: A002
    if not (isinstance(created, dt.datetime) and all(isinstance(text, str) for text in (id, secret, *given.values()))):
        raise TypeError("no file of ours")
    return KeyFile(path, KeyId(id), created, way(name, given), secret)


def _is_replaced(path: Path, handle: int) -> bool:
    with contextlib.suppress(OSError):
        return not os.path.samestat(os.fstat(handle), path.stat())
    return False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeysMissing(f"there is no root key at {path}; create one with: troth keys init") from None
    except OSError as fault:
        if path.is_symlink():
            raise HomeRefused(f"{path} is a symbolic link; put the key file itself there") from None
        raise HomeRefused(f"{path} cannot be read ({fault.strerror}); run as its owner") from None
    try:
        yield handle
    finally:
        os.close(handle)


def _require_no_git(home: Path) -> None:
    for folder in (home, *home.resolve().parents, home.resolve()):
        if (folder / ".git").exists():
            raise HomeRefused(
                f"{home} is inside the git tree {folder}, where a key could be committed; set TROTH_HOME elsewhere"
            )


def _require_private_folder(home: Path) -> None:
    found = home.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise HomeRefused(f"{home} is not a folder; set TROTH_HOME to one")
    _require_own(home, found)
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise HomeRefused(f"{home} can be accessed by others; fix it with: chmod 700 {home}")


def _require_private_file(path: Path, stat_result: os.stat_result) -> None:
    if not stat.S_ISREG(stat_result.st_mode):
        raise HomeRefused(f"{path} is not a file; restore your copy of the root key")
    _require_own(path, stat_result)
    if stat.S_IMODE(stat_result.st_mode) & 0o077:
        raise HomeRefused(f"{path} can be read by others; fix it with: chmod 600 {path}")


def _require_own(path: Path, stat_result: os.stat_result) -> None:
    if stat_result.st_uid != os.geteuid():
        raise HomeRefused(f"{path} belongs to another user (id {stat_result.st_uid}); run as that user, or chown it")
