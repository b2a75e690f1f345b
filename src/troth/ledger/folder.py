"""Tiles, bundles and checkpoints as files: what every ledger in a folder stands on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from troth.ledger.errors import LedgerBroken
from troth.ledger.tiles import TILE_WIDTH, bundle_path, unpack_bundle

__all__ = ["FolderStore", "write_durably"]


def write_durably(path: Path, data: bytes) -> None:
    """Replace the file at *path* at once and for good: afterwards it holds all of *data*, also after a power cut."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in *folder* to disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderStore:
    """A `TileStore` over files. What was put becomes durable with `sync`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unsynced = dict[Path, None]()

    def get(self, path: str) -> bytes | None:
        try:
            return (self._folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, path: str, data: bytes) -> None:
        target = self._folder / path
        fresh = target.with_name(target.name + ".new")
        try:
            fresh.write_bytes(data)
        except FileNotFoundError:
            target.parent.mkdir(parents=True)
            fresh.write_bytes(data)
        fresh.replace(target)
        self._unsynced[target] = None
        if ".p/" not in path:
            shutil.rmtree(f"{target}.p", ignore_errors=True)  # C2SP: a full tile stands for its partial ones

    def bundle(self, index: int, width: int = TILE_WIDTH) -> list[bytes]:
        """The *width* entries of a bundle; fewer where that many are not there. Raises `LedgerBroken`."""
        path, first = bundle_path(index, width), index * TILE_WIDTH
        stored = self.get(path)
        if stored is None:
            stored = self.get(bundle_path(index))  # a partial bundle gives way to the full one
        if stored is None:
            raise LedgerBroken(f"{path} is missing; restore it from a copy", leaf=first)
        try:
            entries = unpack_bundle(stored)
        except ValueError:
            raise LedgerBroken(f"{path} ends inside an entry; restore it from a copy", leaf=first) from None
        if len(entries) > TILE_WIDTH:
            raise LedgerBroken(f"{path} holds more than a bundle does; restore it from a copy", leaf=first + TILE_WIDTH)
        return entries[:width]

    def sync(self) -> None:
        """Force everything that was put since the last time to disk, and the names of it."""
        folders = set[Path]()
        for path in filter(Path.exists, self._unsynced):
            with path.open("rb") as file:
                os.fsync(file.fileno())
            folders.update(parent for parent in path.parents if parent.is_relative_to(self._folder))
        for folder in folders:
            sync_folder(folder)
        self._unsynced.clear()
