"""The journal of a ledger in files: what was acknowledged and does not yet lie in bundles that are safely on disk.

A group of entries is written with its checksum and forced to disk at once. After a crash a torn group at the very end
was never acknowledged and is cut off; a bad group with a good one behind it is damage, and is said so.

The file: ``troth-journal 1\\n``, the first leaf number (uint64) and a CRC-32 of these; then groups. A group: ``GRP1``,
bytes of payload (uint32), entries (uint32), first leaf (uint64), CRC-32 of these and the payload, and the payload, an
entry bundle. All numbers are big-endian.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from troth.ledger.errors import LedgerBroken
from troth.ledger.folder import write_all, write_durably
from troth.ledger.tiles import pack_bundle, unpack_bundle

_HEADER = struct.Struct(">16sQ")
_MAGIC = b"troth-journal 1\n"
_GROUP = struct.Struct(">4sIIQ")
_GROUP_MAGIC = b"GRP1"
_CRC = struct.Struct(">I")


class Journal:
    """The journal at *path*, open for appending. *base* is its first leaf number."""

    def __init__(self, path: Path) -> None:
        """Open it and cut off a torn end. Raises `LedgerBroken`, ``FileNotFoundError``."""
        self.base, self.entries, end = _parse(path.read_bytes())
        self._file = os.open(path, os.O_WRONLY)
        if os.fstat(self._file).st_size != end:
            os.ftruncate(self._file, end)
            os.fsync(self._file)
        os.lseek(self._file, end, os.SEEK_SET)
        self.next = self.base + len(self.entries)

    @classmethod
    def create(cls, path: Path, base: int, entries: Sequence[bytes] = ()) -> Journal:
        """Write a new journal over whatever stands at *path*, durably."""
        header = _HEADER.pack(_MAGIC, base)
        group = _group(base, entries) if entries else b""
        write_durably(path, header + _CRC.pack(zlib.crc32(header)) + group)
        return cls(path)

    @classmethod
    def read(cls, path: Path) -> tuple[int, list[bytes]]:
        """Its first leaf number and its entries as they stand on disk, torn end left out. Raises `LedgerBroken`."""
        base, entries, _ = _parse(path.read_bytes())
        return base, entries

    def append(self, entries: Sequence[bytes]) -> None:
        """Write one group and force it to disk. After an ``OSError`` the journal must not be used again."""
        write_all(self._file, _group(self.next, entries))
        os.fdatasync(self._file)
        self.next += len(entries)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)


def _group(first: int, entries: Sequence[bytes]) -> bytes:
    payload = pack_bundle(entries)
    head = _GROUP.pack(_GROUP_MAGIC, len(payload), len(entries), first)
    return head + _CRC.pack(zlib.crc32(payload, zlib.crc32(head))) + payload


def _parse(data: bytes) -> tuple[int, list[bytes], int]:
    """First leaf number, entries, and where the last good group ends."""
    at = _HEADER.size + _CRC.size
    if (
        len(data) < at
        or data[:16] != _MAGIC
        or _CRC.unpack_from(data, _HEADER.size)[0] != zlib.crc32(data[: _HEADER.size])
    ):
        raise LedgerBroken("the ledger's journal does not start as a journal does; restore it from a copy", leaf=0)
    base: int = _HEADER.unpack_from(data)[1]
    entries = list[bytes]()
    while (group := _read_group(data, at)) and group[0] == base + len(entries):
        entries += group[1]
        at = group[2]
    _require_torn(data, at, base + len(entries))
    return base, entries, at


def _read_group(data: bytes, at: int) -> tuple[int, list[bytes], int] | None:
    """First leaf, entries and end of the good group at *at*, or None."""
    start = at + _GROUP.size + _CRC.size
    if start > len(data):
        return None
    magic, length, count, first = _GROUP.unpack_from(data, at)
    payload = data[start : start + length]
    crc = zlib.crc32(payload, zlib.crc32(data[at : at + _GROUP.size]))
    if magic != _GROUP_MAGIC or len(payload) != length or crc != _CRC.unpack_from(data, at + _GROUP.size)[0]:
        return None
    entries = unpack_bundle(payload)
    assert len(entries) == count, "the checksum covers the count"
    return first, entries, start + length


def _require_torn(data: bytes, at: int, leaf: int) -> None:
    """Groups are forced to disk one after the other, so a good one behind a bad one means that the bad one was good."""
    found = at
    while (found := data.find(_GROUP_MAGIC, found + 1)) != -1:
        if _read_group(data, found):
            raise LedgerBroken(
                f"the ledger's journal is damaged from leaf {leaf} on; restore it from a copy", leaf=leaf
            )
