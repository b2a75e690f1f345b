"""Files that hold keys: whole or not there at all, for their owner alone, and forced to disk."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["leftovers", "replace", "write_new"]


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
    with _beside(path, data) as fresh:
        old = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.replace(fresh, path)
            _sync(path.parent)
            if os.fstat(old).st_nlink == 0:
                os.pwrite(old, bytes(os.fstat(old).st_size), 0)
                os.fsync(old)
        finally:
            os.close(old)


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


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
