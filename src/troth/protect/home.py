"""The root key's file: made once, never overwritten, refused when others could read it.

``TROTH_HOME/root.key`` is a TOML text. ``wrap = "none"`` says that the secret stands in it as it is; other ways to wrap
the same secret (a passphrase, a key service) get other words, and what was sealed stays readable.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import os
import secrets
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

from troth.ledger import KeyId
from troth.protect.errors import HomeRefused, KeysMissing
from troth.protect.hazmat import derive
from troth.protect.pack import texts

__all__ = ["KEY_FILE", "ROOT_BYTES", "create_home", "key_id", "read_root"]

KEY_FILE = "root.key"
ROOT_BYTES = 32
_FILE_BYTES_MAX = 65_536
_TEXT = """\
# Troth's root key. Whoever reads this file can open everything that Troth sealed, and without it nobody can.
# Keep a copy of it apart from the data. Never commit it, never mail it.
version = 1
id = "{id}"
created = {created}
wrap = "none"
secret = "{secret}"
"""


def create_home(home: Path, *, now: dt.datetime | None = None) -> KeyId:
    """Make *home* (0700) where it is not there, and a root key in it (0600). The key's id.

    Raises `HomeRefused` where a root key is there already, where *home* is inside a git tree, is open to others or
    belongs to somebody else.
    """
    home = home.expanduser().absolute()
    _require_no_git(home)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise HomeRefused(f"{home} cannot be made ({fault.strerror}); choose another TROTH_HOME") from None
    _require_private_folder(home)
    secret = secrets.token_bytes(ROOT_BYTES)
    identity = key_id(secret)
    created = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    text = _TEXT.format(id=identity, created=created, secret=base64.b64encode(secret).decode())
    _write_once(home / KEY_FILE, text.encode())
    return identity


def read_root(home: Path) -> bytes:
    """The root secret. Raises `KeysMissing` where there is none, `HomeRefused` where it is not safe or not readable."""
    home = home.expanduser().absolute()
    _require_no_git(home)
    path = home / KEY_FILE
    with _opened(path) as handle:
        _require_private_folder(home)
        _require_private_file(path, os.fstat(handle))
        data = os.read(handle, _FILE_BYTES_MAX + 1)
    return _parse(path, data)


def key_id(secret: bytes) -> KeyId:
    """Which root key it is; it says nothing about the key."""
    return KeyId("k1:" + derive(secret, texts("troth/v1", "key id"), 8).hex())


def _parse(path: Path, data: bytes) -> bytes:
    try:
        found = tomllib.loads(data.decode("utf-8"))
    except ValueError:  # the parser's own text could quote the secret
        raise HomeRefused(f"{path} is damaged: it is not the TOML text that was written; restore your copy") from None
    if found.get("version") != 1:
        raise HomeRefused(f"{path} is of a version that this Troth does not read; use a later Troth")
    if found.get("wrap") != "none":
        raise HomeRefused(f"{path} is wrapped in a way that this Troth cannot unwrap; use a later Troth")
    try:
        secret = base64.b64decode(found["secret"], validate=True)
    except (KeyError, ValueError, TypeError):
        secret = b""
    if len(secret) != ROOT_BYTES or found.get("id") != key_id(secret).text:
        raise HomeRefused(f"{path} is damaged: its secret does not fit its id; restore your copy")
    return secret


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeysMissing(f"there is no root key at {path}; make one with: troth keys init") from None
    except OSError as fault:
        if path.is_symlink():
            raise HomeRefused(f"{path} is a symbolic link; put the key file itself there") from None
        raise HomeRefused(f"{path} cannot be read ({fault.strerror}); run as its owner") from None
    try:
        yield handle
    finally:
        os.close(handle)


def _write_once(path: Path, data: bytes) -> None:
    """The whole file or none of it, and never over another: it is written beside and then linked into place."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask took away
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            raise HomeRefused(f"{path} is there already and is never overwritten; use it, or move it away") from None
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _require_no_git(home: Path) -> None:
    for folder in (home, *home.resolve().parents, home.resolve()):
        if (folder / ".git").exists():
            raise HomeRefused(
                f"{home} is inside the git tree {folder}, where a key gets committed; set TROTH_HOME elsewhere"
            )


def _require_private_folder(home: Path) -> None:
    found = home.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise HomeRefused(f"{home} is not a folder; set TROTH_HOME to one")
    _require_own(home, found)
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise HomeRefused(f"{home} is open to others; mend it with: chmod 700 {home}")


def _require_private_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise HomeRefused(f"{path} is not a file; restore your copy of the root key")
    _require_own(path, found)
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise HomeRefused(f"{path} can be read by others; mend it with: chmod 600 {path}")


def _require_own(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise HomeRefused(f"{path} belongs to another user (id {found.st_uid}); run as that user, or chown it")
