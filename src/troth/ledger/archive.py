"""Archives: several files under one signature of the ledger's key, in a ZIP whose every byte is determined.

Members are stored uncompressed, in writing order, all with the same time; a manifest holds the size and the SHA-256 of
each, and a signed note that of the manifest. So the same files give the same bytes on every machine, and
``verify_troth_ledger.py`` refuses a ZIP in which anything is changed, missing or added: it recomputes every byte
outside of the members, and compares. Compressed data is not deterministic like that; compress the archive itself to
send it.
"""

from __future__ import annotations

import binascii
import json
import os
import re
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final

from troth.ledger.errors import LedgerError
from troth.ledger.note import Signer, sign_note

MANIFEST: Final = "manifest.json"
NOTE: Final = "manifest.note"
NOTE_HEAD: Final = "troth archive v1"
"""The first line of the signed text. No checkpoint begins so: a ledger's name has no spaces."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_MEMBERS_MAX = 0xFFFE
_BYTES_MAX = 0xFFFF_FFFE
_ANY_TIME = (0, 0x21)  # 1980-01-01 00:00, the earliest time in a ZIP

Piece = bytes
Member = tuple[str, Iterable[Piece]]
"""A name, and the content in pieces."""


def write_archive(
    path: Path, members: Iterable[Member], signer: Signer, *, about: Mapping[str, Any] = MappingProxyType({})
) -> list[str]:
    """Write *members* into a new file at *path*, as they come, and sign them; returns their names.

    *about* holds more JSON values for the manifest. The file appears only when it is complete. Raises `LedgerError` if
    it exists already, cannot be written, or exceeds the limits of a ZIP.
    """
    if path.exists():
        raise LedgerError(f"{path} exists already; choose another name, or move it away")
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with half.open("xb") as file:
            names = _write(_Zip(file), members, signer, about)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
    except OSError as fault:
        raise LedgerError(f"{path} cannot be written ({fault.strerror}); choose another place") from None
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)
    return names


def _write(archive: _Zip, members: Iterable[Member], signer: Signer, about: Mapping[str, Any]) -> list[str]:
    files = dict[str, tuple[int, bytes]]()
    for name, content in members:
        if name in {MANIFEST, NOTE} or name in files:
            raise LedgerError(f"the archive has two files called {name}")
        files[name] = archive.add(name, content)
    listed = [{"name": name, "bytes": size, "sha256": digest.hex()} for name, (size, digest) in files.items()]
    manifest = json.dumps({**about, "files": listed}, indent=1, sort_keys=True, ensure_ascii=True).encode() + b"\n"
    _, digest = archive.add(MANIFEST, [manifest])
    archive.add(NOTE, [sign_note(f"{NOTE_HEAD}\nsha256 {digest.hex()}\n", signer).encode()])
    archive.finish()
    return list(files)


class _Zip:
    """A deterministic ZIP: stored members, no comments, no extra fields (APPNOTE 6.3.10, version 2.0)."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._directory: list[bytes] = []

    def add(self, name: str, content: Iterable[Piece]) -> tuple[int, bytes]:
        """Write one member; returns its size and its SHA-256. Its header is filled in once both are known."""
        if not _NAME.fullmatch(name) or len(self._directory) >= _MEMBERS_MAX:
            raise LedgerError(f"an archive has at most {_MEMBERS_MAX:,} files, with plain names")
        start = self._file.tell()
        self._file.write(bytes(len(_local(name, 0, 0))))
        size, crc, digest = 0, 0, sha256()
        for piece in content:
            size, crc = size + len(piece), binascii.crc32(piece, crc)
            digest.update(piece)
            self._file.write(piece)
            if start + size > _BYTES_MAX:
                raise LedgerError("an archive holds at most 4 GiB; export less, for example from a later day on")
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(_local(name, crc, size))
        self._file.seek(end)
        self._directory.append(_central(name, crc, size, start))
        return size, digest.digest()

    def finish(self) -> None:
        """Write the central directory, which ends the file."""
        start, directory = self._file.tell(), b"".join(self._directory)
        count = len(self._directory)
        self._file.write(directory)
        self._file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), start, 0))


def _local(name: str, crc: int, size: int) -> bytes:
    head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, *_ANY_TIME, crc, size, size, len(name), 0)
    return head + name.encode("ascii")


def _central(name: str, crc: int, size: int, start: int) -> bytes:
    made_on_unix, readable = 0x0314, 0o100644 << 16
    parts = (made_on_unix, 20, 0, 0, *_ANY_TIME, crc, size, size, len(name), 0, 0, 0, 0, readable, start)
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", *parts) + name.encode("ascii")
