"""A ledger in a folder, for tests: C2SP tiles that any web server can publish, a journal, a lock.

An append is one write and one ``fdatasync`` of the journal. Bundles and tiles follow without waiting; they become
durable when the journal is cut, and after a crash they are made again from it.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.rig.logjournal import Journal

from troth.ledger import folder as files
from troth.ledger.checkpoint import Checkpoint
from troth.ledger.entry import Entry
from troth.ledger.errors import LedgerBroken, LedgerError
from troth.ledger.folder import FolderStore, write_durably
from troth.ledger.log import Progress, TiledLog, require_signed, silently
from troth.ledger.merkle import leaf_hash
from troth.ledger.note import Signer, Verifier
from troth.ledger.tiles import TILE_WIDTH, TileTree, bundle_path, pack_bundle, tilewise

_JOURNAL_ENTRIES_MAX = 64 * TILE_WIDTH
"""When the journal is cut: what a start after a crash has to make again."""


class LedgerBusy(LedgerError):
    """Another process writes to this ledger; there is one writer at a time."""


class FileLog(TiledLog):
    """The ledger *origin* in *folder*, which is made where it is not there. One process at a time has it open.

    Checkpoints are signed by *signer*, whose name outsiders expect to be the origin. Raises `LedgerBusy` while another
    process has it open, `LedgerBroken` when what is stored does not fit the last checkpoint, `NoteRefused` when that
    checkpoint was signed by another key, `LedgerError` when the disk failed. Close it, or use it in a ``with``
    statement.
    """

    def __init__(self, folder: Path, signer: Signer, origin: str | None = None) -> None:
        self._folder = folder
        self._signer = signer
        self._verifier = Verifier.of(signer)
        self._origin = origin or signer.name
        self._mutex = threading.RLock()
        self._waiting = deque[_Ticket]()
        self._failed = self._closed = False
        self._tail = list[bytes]()  # the entries that are in no full bundle yet
        self._files = FolderStore(folder)
        self._journal: Journal
        self._leaves: TileTree
        self._last_signed: Checkpoint | None
        with self._disk():
            if not (folder / "journal").exists():
                _make_durably(folder)
            self._lock = _lock(folder)
            try:
                self._recover()
            except BaseException:
                os.close(self._lock)
                raise

    # --- the log's door -----------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where it lies. Everything below ``tile`` and ``checkpoint`` may be published as it is."""
        return self._folder

    @property
    def verifier(self) -> Verifier:
        """The public key under which checkpoints are signed."""
        return self._verifier

    @property
    def size(self) -> int:
        """How many entries the ledger holds."""
        return self._leaves.size

    def append(self, entries: Sequence[Entry]) -> range:
        """Append *entries* and return their leaf numbers once they are on disk.

        Callers that wait at the same time share one write. Raises `LedgerError` when the disk failed: whether these
        entries were kept shows when the ledger is opened again.
        """
        ticket = _Ticket([entry.encoded for entry in entries])
        self._waiting.append(ticket)
        with self._mutex:
            if ticket.leaves is None:
                self._commit()
            assert ticket.leaves is not None
            return ticket.leaves

    def checkpoint(self) -> str:
        """Sign the size and root of now, publish what outsiders need to check them, and return the note."""
        with self._mutex:
            self._require_working()
            signed = Checkpoint(self._origin, self.size, self._leaves.root())
            note = signed.sign(self._signer) if signed != self._last_signed else None
            with self._disk():
                if note is not None:
                    self._put_partial(self.size)
                    self._files.sync()
                    write_durably(self._folder / "checkpoint", note.encode())
                    self._last_signed = signed
                return (self._folder / "checkpoint").read_text("utf-8")

    def cosigned(self) -> str | None:
        """The last checkpoint that a witness cosigned, with every cosignature on it; None where none ever did."""
        note = self._files.get("cosigned")
        return None if note is None else note.decode("utf-8", "replace")

    def keep_cosigned(self, note: str) -> None:
        """Keep *note*, and publish it where it is the checkpoint of now. Raises `NoteRefused`, and keeps nothing, where
        it is no checkpoint of this ledger."""
        signed = Checkpoint.open(note, self._verifier, origin=self._origin)
        with self._mutex:
            self._require_working()
            with self._disk():
                write_durably(self._folder / "cosigned", note.encode())
                if signed == self._last_signed:
                    write_durably(self._folder / "checkpoint", note.encode())

    def entry_bytes(self, index: int) -> bytes:
        """The stored bytes of leaf *index*. Raises ``IndexError``."""
        with self._mutex:
            return super().entry_bytes(index)

    def stored(self, first: int, stop: int) -> Iterator[bytes]:
        """The stored bytes of the leaves from *first* up to *stop*, a bundle at a time. Raises `LedgerBroken`."""
        for start, end in tilewise(first, stop):
            with self._mutex:
                bundle = list(super().stored(start, end))
            yield from bundle

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree of the first *size* leaves."""
        with self._mutex:
            return super().root(size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf *index* is in the tree of *size* leaves. Raises `ProofRefused`."""
        with self._mutex:
            return super().inclusion(index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of *new* leaves begins with the tree of *old*. Raises `ProofRefused`."""
        with self._mutex:
            return super().consistency(old, new)

    def verify(self, progress: Progress = silently) -> None:
        """Hash every stored entry again, as it stands on disk; raises `LedgerBroken` at the first bad leaf."""
        with self._mutex:
            base, entries = Journal.read(self._folder / "journal")
            if base + len(entries) != self.size:
                kept = base + len(entries)
                raise LedgerBroken(f"the journal on disk has lost leaf {kept} and what follows", leaf=kept)
            for leaf, (stored, written) in enumerate(
                zip(entries[self._tail_first - base :], self._tail, strict=True), start=self._tail_first
            ):
                if stored != written:
                    raise LedgerBroken(f"leaf {leaf} is not what was written to the journal", leaf=leaf)
        super().verify(progress)  # what was there at the start; appends go on meanwhile

    def close(self) -> None:
        """Give the ledger back. It is complete on disk at any time, so nothing is lost without this."""
        with self._mutex:
            if not self._closed:
                self._closed = True
                self._journal.close()
                os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the driver's half --------------------------------------------------------------------------------------------

    @property
    def _store(self) -> FolderStore:
        return self._files

    def _tree(self) -> TileTree:
        return self._leaves

    def _bundle(self, index: int) -> Sequence[bytes]:
        if index == self.size // TILE_WIDTH:
            return self._tail
        return self._files.bundle(index)

    def _signed(self) -> Checkpoint | None:
        stored = self._files.get("checkpoint")
        if stored is None:
            return None
        return Checkpoint.open(stored.decode("utf-8", "replace"), self._verifier, origin=self._origin)

    @property
    def _tail_first(self) -> int:
        return self.size - len(self._tail)

    # --- writing ------------------------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """Write everything that waits as one group."""
        self._require_working()
        tickets = [self._waiting.popleft() for _ in range(len(self._waiting))]
        entries = [entry for ticket in tickets for entry in ticket.entries]
        with self._disk():
            if entries:
                self._journal.append(entries)
                self._grow(entries)
            if self._journal.next - self._journal.base >= _JOURNAL_ENTRIES_MAX:
                self._cut_journal()
        first = self.size - len(entries)
        for ticket in tickets:
            ticket.leaves = range(first, first := first + len(ticket.entries))

    def _put_partial(self, size: int) -> None:
        """Put what outsiders need for a checkpoint of *size* beside what is full."""
        self._leaves.put_partial_tiles(size)
        width = size % TILE_WIDTH
        if width and size - width == self._tail_first:  # else the bundle has become full
            self._files.put(bundle_path(size // TILE_WIDTH, width), pack_bundle(self._tail[:width]))

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Write something as a whole: what broke off is not to be trusted again before it was read back. So what may be
        refused for other reasons comes before."""
        self._failed = True
        try:
            yield
        except OSError as fault:
            raise LedgerError(
                f"the disk under {self._folder} failed ({fault.strerror}); fix it and open the ledger again"
            ) from fault
        self._failed = False

    def _grow(self, entries: Sequence[bytes]) -> None:
        """Put *entries* into the tree and the bundles."""
        self._leaves.extend([leaf_hash(entry) for entry in entries])
        self._tail += entries
        while len(self._tail) >= TILE_WIDTH:
            index = (self._leaves.size - len(self._tail)) // TILE_WIDTH
            self._files.put(bundle_path(index), pack_bundle(self._tail[:TILE_WIDTH]))
            del self._tail[:TILE_WIDTH]

    def _cut_journal(self) -> None:
        """Make bundles and tiles durable, then start the journal again with the entries that are in no full bundle."""
        self._leaves.put_partial_tiles()
        self._files.sync()
        old, self._journal = self._journal, Journal.create(self._folder / "journal", self._tail_first, self._tail)
        old.close()

    def _require_working(self) -> None:
        if self._failed or self._closed:
            raise LedgerError(f"the ledger in {self._folder} is closed, or a write to it broke off: open it again")

    # --- opening ------------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Read back what is there, make again what a crash left out, and compare with the last checkpoint."""
        self._last_signed = self._signed()
        path = self._folder / "journal"
        if not path.exists():
            if self._last_signed or (self._folder / "tile").exists():
                raise LedgerBroken(f"{path} is missing; restore it from a copy", leaf=0)
            Journal.create(path, 0).close()
        self._journal = Journal(path)
        try:
            self._leaves = TileTree(self._files, self._journal.base)
            self._grow(self._journal.entries)
            require_signed(self._leaves, self._last_signed)
        except LedgerBroken:
            self._rebuild()
        self._journal.entries.clear()
        if self._last_signed:
            self._put_partial(self._last_signed.size)  # a power cut or a copy may have left them out
            self._files.sync()

    def _rebuild(self) -> None:
        """Make every tile again from the entries, once these are known to be the ones that were signed."""
        scratch = _Memory()
        whole = TileTree(scratch)
        for index in range(self._journal.base // TILE_WIDTH):
            whole.extend([leaf_hash(entry) for entry in self._files.bundle(index)])
        whole.extend([leaf_hash(entry) for entry in self._journal.entries])
        if whole.size != self._journal.next:
            raise LedgerBroken("an entry bundle is too short; restore it from a copy", leaf=whole.size)
        require_signed(whole, self._last_signed)
        whole.put_partial_tiles()
        for tile, data in scratch.items():
            self._files.put(tile, data)
        self._leaves = TileTree(self._files, whole.size)
        self._tail = self._journal.entries[self._journal.next // TILE_WIDTH * TILE_WIDTH - self._journal.base :]


class _Ticket:
    """Entries that wait to be written together with others', and the leaf numbers they were given."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.leaves: range | None = None


class _Memory(dict[str, bytes]):
    """A `TileStore` for as long as it is looked at."""

    put = dict[str, bytes].__setitem__


def _make_durably(folder: Path) -> None:
    """Make *folder*, and those around it that are not there, for good; harmless where it is there."""
    missing = [each for each in folder.parents if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in (folder, *missing):
        files._sync(made.parent)


def _lock(folder: Path) -> int:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise LedgerBusy(f"another process writes to the ledger in {folder}; there is one writer at a time") from None
    return handle
