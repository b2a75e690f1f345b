"""Folders of files: local, or remote through fsspec. Listing, opening, and the steps of a safe change.

Every lasting effect of a change goes through `create`, `move` or `remove`; each is durable when it returns. Our own
files are in one hidden folder, ``.troth``, which exists only during a change.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import stat
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from troth.stores.contract import StoreBusy, StoreRefused, TransportSecurity

OURS: Final = ".troth"
LOCK: Final = f"{OURS}/lock"
_BLOCK_BYTES: Final = 4 * 1024 * 1024
_LEASE_S: Final = 600.0
_PATIENCE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Stamp:
    """The version of a file: it differs as soon as someone writes to the file."""

    path: str
    size: int
    version: str


class Folder(Protocol):
    """One tree of files. Paths are relative, with ``/`` between the parts."""

    def files(self) -> dict[str, Stamp]:
        """Every regular file below, without hidden ones and ours. Links are not followed: they lead elsewhere."""
        ...

    def stamp(self, path: str) -> Stamp | None:
        """The current stamp of the file, None if it does not exist."""
        ...

    def leftovers(self) -> list[str]:
        """Our own files, other than the lock."""
        ...

    def open(self, path: str) -> BinaryIO: ...

    def create(self, path: str, *, like: str | None = None) -> contextlib.AbstractContextManager[BinaryIO]:
        """A new file, durable once closed, with the owner, mode and labels of *like*."""
        ...

    def move(self, source: str, target: str) -> None:
        """Replace *target* by *source*, atomically for every reader."""
        ...

    def remove(self, path: str) -> None:
        """Remove one of our files. Idempotent."""
        ...

    def hold(self, wait_s: float) -> contextlib.AbstractContextManager[Lease]:
        """Hold the exclusive right to change files here. Raises `StoreBusy` after *wait_s*."""
        ...


class Lease(Protocol):
    """The exclusive right to write."""

    def confirm(self) -> None:
        """Raises `StoreBusy` if the lease was lost (it expired and was taken over)."""
        ...


# --- a local folder -------------------------------------------------------------------------------------------------


class LocalFolder:
    """A folder of this machine. Changes are fsync'd files, renamed into place."""

    def __init__(self, root: str, *, store: str) -> None:
        self.root = Path(root).resolve()
        self._store = store

    def files(self) -> dict[str, Stamp]:
        found: dict[str, Stamp] = {}
        pending = [""]
        while pending:
            below = pending.pop()
            with os.scandir(self.root / below) as entries:
                for entry in entries:
                    path = f"{below}/{entry.name}" if below else entry.name
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(path)
                    elif entry.is_file(follow_symlinks=False):
                        found[path] = _local_stamp(path, entry.stat(follow_symlinks=False))
        return dict(sorted(found.items()))

    def stamp(self, path: str) -> Stamp | None:
        try:
            return _local_stamp(path, os.lstat(self.root / path))
        except FileNotFoundError:
            return None

    def leftovers(self) -> list[str]:
        ours = self.root / OURS
        found = (path.relative_to(self.root).as_posix() for path in ours.rglob("*") if not path.is_dir())
        return sorted(path for path in found if path != LOCK)

    def open(self, path: str) -> BinaryIO:
        fd = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        return os.fdopen(fd, "rb", buffering=1 << 16)

    @contextlib.contextmanager
    def create(self, path: str, *, like: str | None = None) -> Iterator[BinaryIO]:
        target = self.root / path
        target.parent.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(target, flags, 0o600), "wb", buffering=1 << 16) as file:
            if like is not None:
                self._take_after(file.fileno(), like)
            yield file
            file.flush()
            os.fsync(file.fileno())
        _sync(target.parent)

    def _take_after(self, fd: int, path: str) -> None:
        """Copy owner and mode from the file that the new one replaces, so that nobody gains or loses access."""
        old = os.lstat(self.root / path)
        if old.st_nlink > 1:
            raise StoreRefused(
                f"{path} has hard links, which would keep the old data; remove them first", store=self._store
            )
        if (old.st_uid, old.st_gid) != ((new := os.fstat(fd)).st_uid, new.st_gid):
            try:
                os.fchown(fd, old.st_uid, old.st_gid)
            except PermissionError:
                message = f"{path} belongs to another account; run as that account, or as root"
                raise StoreRefused(message, store=self._store) from None
        os.fchmod(fd, stat.S_IMODE(old.st_mode))

    def move(self, source: str, target: str) -> None:
        os.replace(self.root / source, self.root / target)
        _sync((self.root / target).parent)
        _sync((self.root / source).parent)

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.root / path)
        _sync((self.root / path).parent)

    @contextlib.contextmanager
    def hold(self, wait_s: float) -> Iterator[Lease]:
        fd = self._lock(time.monotonic() + wait_s)
        try:
            yield _Held()
        finally:
            if not self.leftovers():
                self._tidy()
            os.close(fd)

    def _lock(self, until: float) -> int:
        path = self.root / LOCK
        while True:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # the last holder has just removed it
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.fstat(fd), os.stat(path)):
                        return fd
                except (BlockingIOError, FileNotFoundError):
                    pass
                os.close(fd)
            if time.monotonic() >= until:
                raise _busy(self._store)
            time.sleep(_PATIENCE_S)

    def _tidy(self) -> None:
        """Unlink the lock file before unlocking, so that waiters notice and retry; then remove our folders."""
        os.unlink(self.root / LOCK)
        for folder in sorted((path for path in (self.root / OURS).rglob("*")), reverse=True):
            folder.rmdir()
        (self.root / OURS).rmdir()


class _Held:
    """A lock that the kernel holds while this process lives."""

    def confirm(self) -> None:
        pass


def _local_stamp(path: str, stat_result: os.stat_result) -> Stamp:
    return Stamp(path, stat_result.st_size, f"{stat_result.st_ino}.{stat_result.st_mtime_ns}.{stat_result.st_ctime_ns}")


def _sync(folder: Path) -> None:
    """Sync *folder*: only then a rename or a new name is durable."""
    with contextlib.suppress(FileNotFoundError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _busy(store: str) -> StoreBusy:
    return StoreBusy("another process is changing files here; try again when it is done", store=store, retryable=True)


# --- any other place ------------------------------------------------------------------------------------------------


class RemoteFolder:
    """A place that fsspec reaches, such as ``s3://bucket/prefix``. Objects are written atomically."""

    def __init__(self, url: str, *, store: str) -> None:
        import fsspec

        # No shared cache: writes of other processes must be visible.
        self.fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=url.startswith("s3:"))
        self.root = root.rstrip("/")
        self._store = store

    def files(self) -> dict[str, Stamp]:
        found = [self._stamp_of(info) for info in self._below(self.root)]
        if not found and not self.fs.exists(self.root.split("/")[0]):
            raise FileNotFoundError  # an empty prefix is an empty folder, but the bucket must exist
        shown = (stamp for stamp in found if not any(part.startswith(".") for part in stamp.path.split("/")))
        return {stamp.path: stamp for stamp in sorted(shown, key=lambda stamp: stamp.path)}

    def _below(self, folder: str) -> list[dict[str, Any]]:
        self.fs.invalidate_cache()
        found = self.fs.find(folder, detail=True, withdirs=False)
        return [info for info in found.values() if not info["name"].endswith("/")]

    def _stamp_of(self, info: dict[str, Any]) -> Stamp:
        moved = next((info[key] for key in ("ETag", "etag", "mtime", "LastModified", "created") if key in info), "")
        return Stamp(info["name"].removeprefix(self.root).lstrip("/"), info["size"] or 0, str(moved))

    def stamp(self, path: str) -> Stamp | None:
        self.fs.invalidate_cache()
        try:
            return self._stamp_of(self.fs.info(self._full(path)))
        except FileNotFoundError:
            return None

    def leftovers(self) -> list[str]:
        found = sorted(self._stamp_of(info).path for info in self._below(self._full(OURS)))
        return [path for path in found if path != LOCK]

    def open(self, path: str) -> BinaryIO:
        return io.BufferedReader(self.fs.open(self._full(path), "rb", block_size=_BLOCK_BYTES), 1 << 16)

    @contextlib.contextmanager
    def create(self, path: str, *, like: str | None = None) -> Iterator[BinaryIO]:
        labels = self._labels(like) if like is not None else {}
        with self.fs.open(self._full(path), "wb", **labels) as file:
            yield file

    def _labels(self, path: str) -> dict[str, Any]:
        info = self.fs.info(self._full(path))
        return {"ContentType": info["ContentType"]} if info.get("ContentType") else {}

    def move(self, source: str, target: str) -> None:
        self.fs.copy(self._full(source), self._full(target))
        self.remove(source)

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(self._full(path))

    @contextlib.contextmanager
    def hold(self, wait_s: float) -> Iterator[Lease]:
        lease = _ObjectLease(self.fs, self._full(LOCK), self._store)
        lease.take(time.monotonic() + wait_s)
        try:
            yield lease
        finally:
            lease.give_back()

    def transport(self) -> TransportSecurity:
        """Whether the endpoint uses TLS, judged by its address."""
        client = getattr(self.fs, "s3", None)
        if client is None and hasattr(self.fs, "connect"):
            client = self.fs.connect()
        endpoint = str(
            getattr(getattr(client, "meta", None), "endpoint_url", "") or self.fs.unstrip_protocol(self.root)
        )
        scheme, _, rest = endpoint.partition("://")
        host = rest.split("/")[0].rsplit("@", 1)[-1]
        return TransportSecurity(scheme in {"https", "sftp", "ssh", "memory"}, f"{scheme} to {host}")

    def keeps_old_versions(self) -> bool:
        """Whether the bucket is versioned, so that overwriting never erases anything."""
        asks = getattr(self.fs, "is_bucket_versioned", None)
        return asks is not None and bool(asks(self.root.split("/")[0]))

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}"


class _ObjectLease:
    """A lock object that only one process can create, with its expiry time."""

    def __init__(self, fs: Any, path: str, store: str) -> None:
        self._fs, self._path, self._store = fs, path, store
        self._who = uuid.uuid4().hex
        self._until = 0.0

    def take(self, patience: float) -> None:
        while True:
            try:
                self._write("xb")
            except OSError:  # FileExistsError, or the engine's own error for a failed precondition
                who, until = self._read()
                if who and until < time.time():
                    self._fs.rm_file(self._path)  # its holder died: nobody works under a lease that long
                    continue
                if time.monotonic() >= patience:
                    raise _busy(self._store) from None
                time.sleep(_PATIENCE_S)
            else:
                return

    def confirm(self) -> None:
        if self._read()[0] != self._who or time.time() > self._until:
            raise StoreBusy(
                "the lease on these files expired before the work was done", store=self._store, retryable=True
            )
        if time.time() > self._until - _LEASE_S / 2:
            self._write("wb")

    def give_back(self) -> None:
        if self._read()[0] == self._who:
            self._fs.rm_file(self._path)

    def _write(self, mode: str) -> None:
        self._until = time.time() + _LEASE_S
        with self._fs.open(self._path, mode) as file:
            file.write(f"{self._who} {self._until}".encode())

    def _read(self) -> tuple[str, float]:
        self._fs.invalidate_cache()
        try:
            who, until = self._fs.cat_file(self._path).decode().split()
        except FileNotFoundError:
            return "", 0.0
        return who, float(until)
