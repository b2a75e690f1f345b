"""Files that hold keys: written atomically, accessible to their owner only, and synced to disk."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from troth.protect.errors import HomeRefused

_READS_MAX = 1000


def instant(at: dt.datetime) -> str:
    """*at* in UTC to the second, as TOML writes it."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read(path: Path, bytes_max: int) -> bytes:
    """The content of the file at *path*, at most *bytes_max* of it. Raises `FileNotFoundError` if it does not exist,
    and `HomeRefused` if others can read it, it belongs to somebody else, or it cannot be read."""
    for _ in range(_READS_MAX):
        with _to_read(path) as handle:
            data = b""
            while len(data) < bytes_max and (some := os.read(handle, bytes_max - len(data))):
                data += some
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return data  # else the file was replaced meanwhile, and the old bytes may already be overwritten
    raise HomeRefused(f"{path} is replaced faster than it can be read; check which program keeps writing it")


def put(path: Path, data: bytes) -> None:
    """`write_new`, or `replace` if the file exists. For one process at a time: it overwrites and removes what killed
    writers left beside the file. Raises `HomeRefused` if the disk refuses."""
    with _writing(path):
        if left := list(leftovers(path)):
            sync(path.parent)  # the file itself must be durable under its name before an older one is overwritten
        for leftover in left:
            _forget(leftover)
    if path.exists():
        replace(path, data)
    else:
        write_new(path, data)


def write_new(path: Path, data: bytes) -> None:
    """Create the file at *path* (0600). Raises `FileExistsError` if something exists there, which is left untouched,
    and `HomeRefused` if the disk refuses."""
    with _writing(path):
        with _beside(path, data) as fresh:
            os.link(fresh, path)
        sync(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Replace the file at *path* by a new one (0600). Raises `HomeRefused` if the disk refuses.

    The old content survives only in what the disk, its snapshots and other names of the file keep: once the new file is
    durable, the old bytes are overwritten in place. Until then the old file has a second name, under which `put` finds
    it after a crash.
    """
    old = path.with_name(f"{path.name}.{secrets.token_hex(8)}.old")
    with _writing(path), _beside(path, data) as fresh:
        os.link(path, old)
        try:
            os.replace(fresh, path)
        except OSError:
            old.unlink()
            raise
        sync(path.parent)
        _forget(old)


def leftovers(path: Path) -> Iterator[Path]:
    """Files that killed writers left beside *path*."""
    for kind in ("new", "old"):
        yield from path.parent.glob(f"{path.name}.{'?' * 16}.{kind}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive file lock at *path* until the block ends; the lock of a killed process ends with it. Raises
    `HomeRefused` if the lock file cannot be opened."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as fault:
        raise _unwritable(path, fault) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def sync(folder: Path) -> None:
    """Sync the directory entries of *folder* to disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _to_read(path: Path) -> Iterator[int]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as fault:
        raise HomeRefused(f"{path} cannot be read ({fault.strerror}); run as its owner") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise HomeRefused(f"{path} is not a file; restore your newest copy")
        if found.st_uid != os.geteuid():
            raise HomeRefused(f"{path} belongs to another user (id {found.st_uid}); run as that user, or chown it")
        if found.st_mode & 0o077:
            raise HomeRefused(f"{path} can be read or written by others; fix it with: chmod 600 {path}")
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Translate OS errors on writing into `HomeRefused`."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as fault:
        raise _unwritable(path, fault) from None


def _unwritable(path: Path, fault: OSError) -> HomeRefused:
    return HomeRefused(
        f"{path} cannot be written ({fault.strerror}); check the disk space and the mode of the folder, and try again"
    )


@contextmanager
def _beside(path: Path, data: bytes) -> Iterator[Path]:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # independent of the umask
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _forget(path: Path) -> None:
    """Remove the name, after overwriting the file if that is its only one."""
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if found.st_nlink == 1:
            os.pwrite(handle, bytes(found.st_size), 0)
            os.fsync(handle)
        path.unlink()
    finally:
        os.close(handle)
