"""The floor: what the machine takes for the same bytes, without order, tiles, locks or recovery.

Each entry is hashed once with SHA-256 and written to one file, which is flushed once for each group; proofs are read
from one flat file of hashes, and a whole tree is hashed from one file of entries.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import statistics
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

_HASH_BYTES = 32


def flush(file: Path) -> float:
    """What it takes to flush 16 KiB that were appended, in seconds: the median of a hundred."""
    handle, times = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), []
    for _ in range(100):
        os.write(handle, bytes(16_384))
        started = time.perf_counter()
        os.fdatasync(handle)
        times.append(time.perf_counter() - started)
    os.close(handle)
    return statistics.median(times)


def insert(file: Path, groups: Sequence[Sequence[bytes]]) -> None:
    """Insert every group into a table of SQLite in a durable transaction of its own."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB NOT NULL)"
        )
        for group in groups:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO entry (content) VALUES (?)", [(entry,) for entry in group])
            database.execute("COMMIT")


def append(file: Path, groups: Sequence[Sequence[bytes]]) -> None:
    """Hash every entry, write each group at once and wait until the disk has it."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for group in groups:
        for entry in group:
            sha256(entry).digest()
        os.write(handle, b"".join(group))
        os.fdatasync(handle)
    os.close(handle)


def read_hashes(file: Path, proofs: Sequence[Sequence[int]]) -> None:
    """Read as many hashes as each proof has, each by its place in the file."""
    handle = os.open(file, os.O_RDONLY)
    for proof in proofs:
        for place in proof:
            os.pread(handle, _HASH_BYTES, place * _HASH_BYTES)
    os.close(handle)


def walk(lengths: Sequence[int]) -> None:
    """Hash once for each step of each proof."""
    node = b"\x01" + bytes(2 * _HASH_BYTES)
    for length in lengths:
        for _ in range(length):
            sha256(node).digest()


def whole_tree(file: Path, ends: Sequence[int]) -> None:
    """Read all entries and hash them, then pair after pair up to the root."""
    data = memoryview(file.read_bytes())
    level = [sha256(data[start:end]).digest() for start, end in zip([0, *ends], ends, strict=False)]
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [*(sha256(b"\x01" + left + right).digest() for left, right in pairs), *odd]
