"""Tiles, bundles and checkpoints as files: the storage of every ledger in a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from troth.ledger.errors import LedgerBroken, LedgerError
from troth.ledger.tiles import TILE_WIDTH, bundle_path, unpack_bundle

_SYNCS_AT_ONCE = 8


def write_durably(path: Path, data: bytes) -> None:
    """Replace the file at *path* atomically and durably: it then holds all of *data*, even after a power failure."""
    fresh = path.with_name(path.name + ".new")
    _write(fresh, data)
    _sync(fresh)
    fresh.replace(path)
    _sync(path.parent)


def _write(path: Path | str, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:
        write_all(file.fileno(), data)


def write_all(handle: int, data: bytes) -> None:
    """Write all of *data*, in as many calls as necessary."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _sync(path: Path | str) -> None:
    """Sync a file, or the entries of a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderStore:
    """A `TileStore` over files. Writes become durable with `sync`."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._unsynced = dict[str, None]()

    # Paths are strings here: building a Path takes longer than writing a tile.

    def get(self, path: str) -> bytes | None:
        """The content at *path*, None if there is no file. Raises `LedgerError` if it cannot be read."""
        source = f"{self._folder}/{path}"
        if not os.path.isfile(source):  # a folder from elsewhere may hold a pipe
            return None
        try:
            with open(source, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise LedgerError(f"{source} cannot be read ({fault.strerror}); fix its permissions, or the disk") from None

    def put(self, path: str, data: bytes) -> None:
        target = f"{self._folder}/{path}"
        fresh = f"{target}.new"
        try:
            _write(fresh, data)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target))
            _write(fresh, data)
        os.replace(fresh, target)
        self._unsynced[target] = None
        if ".p/" not in path and os.path.exists(f"{target}.p"):
            shutil.rmtree(f"{target}.p", ignore_errors=True)  # C2SP: a full tile replaces its partial ones

    def bundle(self, index: int, width: int = TILE_WIDTH) -> list[bytes]:
        """The *width* entries of a bundle; fewer if it holds fewer. Raises `LedgerBroken`."""
        path, first = bundle_path(index, width), index * TILE_WIDTH
        stored = self.get(path)
        if stored is None:
            stored = self.get(bundle_path(index))  # the full bundle replaces a partial one
        if stored is None:
            raise LedgerBroken(f"{path} is missing; restore it from a copy", leaf=first)
        try:
            entries = unpack_bundle(stored)
        except ValueError:
            raise LedgerBroken(f"{path} ends inside an entry; restore it from a copy", leaf=first) from None
        if len(entries) > TILE_WIDTH:
            raise LedgerBroken(
                f"{path} is longer than a bundle can be; restore it from a copy", leaf=first + TILE_WIDTH
            )
        return entries[:width]

    def _slashes(self, path: str) -> Iterator[int]:
        """Positions where the folder names in *path* end, from our own folder inwards."""
        at = len(self._folder)
        while (at := path.find("/", at + 1)) != -1:
            yield at

    def sync(self) -> None:
        """Sync all files written since the last call, and their folders, to disk."""
        paths = [path for path in self._unsynced if os.path.exists(path)]
        folders = {self._folder, *(path[:slash] for path in paths for slash in self._slashes(path))}
        with ThreadPoolExecutor(_SYNCS_AT_ONCE) as threads:  # a disk syncs many in one go
            for _ in (*threads.map(_sync, paths), *threads.map(_sync, folders)):
                pass  # raises what failed
        self._unsynced.clear()
