"""Records of releases: in memory, or in a file that any number of processes share.

The file is ``troth <what> 1 sha256:<hash of all that follows>``, a line of JSON with the terms, which never change, and
a line for each record. It is always rewritten as a whole, so a killed process leaves the old or the new file, and a
file that was truncated or changed by accident does not match its hash.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from troth.protect import files
from troth.protect.anonymity.errors import KeptRefused
from troth.protect.errors import HomeRefused

Record = dict[str, Any]


class Records(Protocol):
    """Append-only records, and the *terms* that they were created with. Safe to use from several threads."""

    terms: Record

    def read(self) -> list[Record]:
        """All records, in their order."""
        ...

    def changing(self) -> AbstractContextManager[list[Record]]:
        """Context manager for appending records; saved if the block ends without an error. Others wait."""
        ...

    def attach(self, number: int, data: bytes) -> Record:
        """Store *data* for record *number*, which the caller adds next, with the returned fields in it."""
        ...

    def attached(self, number: int, record: Record) -> bytes:
        """The data that was attached to record *number*."""
        ...


class InMemory:
    """`Records` for as long as this object lives."""

    def __init__(self, terms: Record) -> None:
        self.terms = terms
        self._records: list[Record] = []
        self._attached: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def read(self) -> list[Record]:
        return list(self._records)

    @contextmanager
    def changing(self) -> Iterator[list[Record]]:
        with self._lock:
            records = list(self._records)
            yield records
            self._records = records

    def attach(self, number: int, data: bytes) -> Record:
        self._attached[number] = data
        return {}

    def attached(self, number: int, record: Record) -> bytes:
        return self._attached[number]


class InFile:
    """`Records` in the file at *path* (0600), with a lock file and attachments beside it. Every method raises
    `KeptRefused` if the file is missing, damaged or accessible to others."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path.absolute(), what
        with self._locked():
            self.terms, _ = self._parsed()

    @classmethod
    def create(cls, path: Path, what: str, terms: Record) -> InFile:
        """Create the file, which must not exist."""
        begun = cls.__new__(cls)
        begun._path, begun._what, begun.terms = path.absolute(), what, terms
        with begun._locked(), begun._disk():
            try:
                files.write_new(begun._path, begun._text([]))
            except FileExistsError:
                raise KeptRefused(
                    f"{path} exists already, with the releases so far: open it instead of creating it"
                ) from None
        return begun

    def read(self) -> list[Record]:
        with self._locked():  # a replaced file is overwritten with blanks once its name is gone
            return self._current()

    @contextmanager
    def changing(self) -> Iterator[list[Record]]:
        with self._locked() as lock:
            records = self._current()
            yield records
            with self._disk():
                if not os.path.samestat(os.fstat(lock), os.stat(self._beside("lock"))):
                    raise KeptRefused(f"the lock of {self._path} was removed meanwhile; nothing was added, try again")
                files.put(self._path, self._text(records))

    def attach(self, number: int, data: bytes) -> Record:
        with self._disk():
            files.put(self._beside(number), data)
        return {"sha256": hashlib.sha256(data).hexdigest()}

    def attached(self, number: int, record: Record) -> bytes:
        path = self._beside(number)
        data = self._content(path)
        if hashlib.sha256(data).hexdigest() != record["sha256"]:
            raise self._damaged(path)
        return data

    # --- the file -----------------------------------------------------------------------------------------------------

    def _beside(self, name: object) -> Path:
        return self._path.with_name(f"{self._path.name}.{name}")

    @contextmanager
    def _locked(self) -> Iterator[int]:
        with self._disk():
            lock = os.open(self._beside("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with self._disk():
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            os.close(lock)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise KeptRefused(f"{self._path} cannot be locked or written ({fault.strerror}); fix its folder") from None
        except HomeRefused as refused:
            raise KeptRefused(str(refused)) from None

    def _text(self, records: Sequence[Record]) -> bytes:
        body = "".join(f"{json.dumps(line)}\n" for line in (self.terms, *records)).encode()
        return f"{self._version}{hashlib.sha256(body).hexdigest()}\n".encode() + body

    @property
    def _version(self) -> str:
        return f"troth {self._what} 1 sha256:"

    def _current(self) -> list[Record]:
        terms, records = self._parsed()
        if terms != self.terms:
            raise KeptRefused(f"{self._path} is not the {self._what} that was opened, but another one that replaced it")
        return records

    def _parsed(self) -> tuple[Record, list[Record]]:
        head, _, body = self._content(self._path).partition(b"\n")
        if head != f"{self._version}{hashlib.sha256(body).hexdigest()}".encode():
            raise self._damaged(self._path)
        terms, *records = map(json.loads, body.splitlines())
        return terms, records

    def _content(self, path: Path) -> bytes:
        try:
            return files.read(path, path.lstat().st_size)
        except FileNotFoundError:
            raise KeptRefused(f"there is no {path}: {self._fix}") from None
        except (HomeRefused, OSError) as refused:
            raise KeptRefused(str(refused)) from None

    def _damaged(self, path: Path) -> KeptRefused:
        return KeptRefused(f"{path} is damaged, or was not written by this version of Troth: {self._fix}")

    @property
    def _fix(self) -> str:
        return (
            f"restore a copy of it and check what was released since, or create a {self._what} if there never was one; "
            "until then nothing is released"
        )
