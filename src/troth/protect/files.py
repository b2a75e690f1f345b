"""Files that hold keys: whole or not there at all, for their owner alone, and forced to disk."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from troth.protect.errors import HomeRefused

__all__ = ["instant", "leftovers", "put", "read", "replace", "write_new"]


def instant(at: dt.datetime) -> str:
    """*at* to the second, as TOML writes it."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read(path: Path, bytes_max: int) -> bytes:
    """What is in the file at *path*, at most *bytes_max* of it. Raises `FileNotFoundError` where there is none, and
    `HomeRefused` for one that others can read, or that cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as fault:
        if isinstance(fault, FileNotFoundError):
            raise
        raise HomeRefused(f"{path} cannot be read ({fault.strerror}); run as its owner") from None
    with os.fdopen(handle, "rb") as file:
        if os.fstat(handle).st_mode & 0o077:
            raise HomeRefused(f"{path} can be read or written by others; mend it with: chmod 600 {path}")
        return file.read(bytes_max)


def put(path: Path, data: bytes) -> None:
    """`write_new`, or `replace` where the file is there. For one process at a time: what writers that were killed left
    beside it goes, and its bytes with it."""
    for leftover in leftovers(path):
        with _opened(leftover) as handle:
            leftover.unlink()
            _blank(handle)
    if path.exists():
        replace(path, data)
    else:
        write_new(path, data)


def write_new(path: Path, data: bytes) -> None:
    """Make the file at *path* (0600). Raises `FileExistsError` where something is there, which is left alone."""
    with _beside(path, data) as fresh:
        os.link(fresh, path)
    _sync(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Put another file (0600) in the place of the one at *path*.

    Of the old one nothing stays but what the disk, its snapshots and other names of the file keep: once the new one is
    safe, the old bytes are overwritten where they stand.
    """
    with _beside(path, data) as fresh, _opened(path) as old:
        os.replace(fresh, path)
        _sync(path.parent)
        _blank(old)


def leftovers(path: Path) -> Iterator[Path]:
    """What writers that were killed left beside *path*."""
    return path.parent.glob(f"{path.name}.{'?' * 16}.new")


@contextmanager
def _beside(path: Path, data: bytes) -> Iterator[Path]:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask took away
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _blank(handle: int) -> None:
    """Overwrite the file that is open, unless it still has a name."""
    found = os.fstat(handle)
    if found.st_nlink == 0:
        os.pwrite(handle, bytes(found.st_size), 0)
        os.fsync(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
