"""The interface of every ledger, and the implementation that all drivers share.

A driver defines where entries and tiles are stored and how entries become leaves; `TiledLog` derives the rest.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from troth.ledger.checkpoint import Checkpoint
from troth.ledger.entry import Entry
from troth.ledger.errors import LedgerBroken
from troth.ledger.merkle import HASH_BYTES, leaf_hash
from troth.ledger.note import Verifier
from troth.ledger.tiles import TILE_HEIGHT, TILE_WIDTH, TileStore, TileTree

CLOCK_SLACK = dt.timedelta(minutes=15)
"""Tolerated step back in time: of two overlapping processes, the earlier one may finish last, with clocks right."""
_MOMENTS_MAX = 10_000
_MOMENT = re.compile(rb'"at":"([^"]+)"')  # no free text in an entry, so the key with its value occurs once

Progress = Callable[[int], object]
"""Callback of long operations, called with the number of leaves processed so far."""


def silently(leaves: int) -> None:
    """A `Progress` that does nothing."""


class LogReader(Protocol):
    """Read access to a ledger: entries, proofs and verification."""

    @property
    def verifier(self) -> Verifier:
        """The public key under which checkpoints are signed."""
        ...

    @property
    def size(self) -> int:
        """The number of entries that have leaves."""
        ...

    def entry(self, index: int) -> Entry:
        """The entry of leaf *index*. Raises ``IndexError``, `EntryUnknown`."""
        ...

    def entry_bytes(self, index: int) -> bytes:
        """The stored bytes of leaf *index*, exactly as hashed. Raises ``IndexError``."""
        ...

    def stored(self, first: int, stop: int) -> Iterator[bytes]:
        """The stored bytes of the leaves from *first* up to *stop*, a bundle at a time. Raises `LedgerBroken`."""
        ...

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree of the first *size* leaves, by default of all."""
        ...

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf *index* is in the tree of *size* leaves. Raises `ProofRefused`."""
        ...

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of *new* leaves begins with the tree of *old*. Raises `ProofRefused`."""
        ...

    def checkpoint(self) -> str:
        """The current signed size and root (C2SP tlog-checkpoint); everything under it is durable and fetchable."""
        ...

    def cosigned(self) -> str | None:
        """The last checkpoint that a witness cosigned, with all cosignatures on it; None if there is none."""
        ...

    def verify(self, progress: Progress = silently) -> None:
        """Hash every stored entry again and compare with every tile and the last checkpoint.

        Raises `LedgerBroken` with the first bad *leaf*.
        """
        ...


class Log(LogReader, Protocol):
    """An append-only record. Safe to use from several threads; one process writes at a time."""

    def append(self, entries: Sequence[Entry]) -> range:
        """Append *entries* together, in order, and return their leaf numbers once they are durable."""
        ...

    def keep_cosigned(self, note: str) -> None:
        """Store *note*, a checkpoint of this log with signatures of witnesses, as the result of `cosigned`; if it is
        the current checkpoint, `checkpoint` returns it, too."""
        ...


class TiledLog(ABC):
    """Entries, roots, proofs and verification for a ledger with tiles in a `TileStore`.

    A driver implements the abstract part and adds `append` and `checkpoint`.
    """

    @property
    @abstractmethod
    def verifier(self) -> Verifier:
        """The public key under which checkpoints are signed."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of entries that have leaves."""

    @property
    @abstractmethod
    def _store(self) -> TileStore:
        """The store of the tiles."""

    @abstractmethod
    def _tree(self) -> TileTree:
        """The current tree."""

    @abstractmethod
    def _bundle(self, index: int) -> Sequence[bytes]:
        """The stored bytes of leaves ``256 * index`` and up to 255 more. Raises `LedgerBroken`."""

    @abstractmethod
    def _signed(self) -> Checkpoint | None:
        """The last signed checkpoint, as stored."""

    def entry(self, index: int) -> Entry:
        """The entry of leaf *index*. Raises ``IndexError``, `EntryUnknown`."""
        return Entry.decode(self.entry_bytes(index))

    def entry_bytes(self, index: int) -> bytes:
        """The stored bytes of leaf *index*. Raises ``IndexError``."""
        if not 0 <= index < self.size:
            raise IndexError(f"the ledger has no leaf {index}")
        return self._bundle(index >> TILE_HEIGHT)[index % TILE_WIDTH]

    def stored(self, first: int, stop: int) -> Iterator[bytes]:
        """The stored bytes of the leaves from *first* up to *stop*, a bundle at a time. Raises `LedgerBroken`."""
        while first < stop:
            bundle = self._bundle(first // TILE_WIDTH)[first % TILE_WIDTH : TILE_WIDTH][: stop - first]
            if not bundle:
                raise LedgerBroken(f"leaf {first} is missing; restore it from a copy", leaf=first)
            yield from bundle
            first += len(bundle)

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree of the first *size* leaves."""
        return self._tree().root(size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf *index* is in the tree of *size* leaves. Raises `ProofRefused`."""
        return self._tree().inclusion(index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of *new* leaves begins with the tree of *old*. Raises `ProofRefused`."""
        return self._tree().consistency(old, new)

    def proving(self) -> TileTree:
        """The current tree, for many proofs: tiles that were read are cached for a while."""
        return self._tree()

    def verify(self, progress: Progress = silently) -> None:
        """Hash every stored entry again; raises `LedgerBroken` at the first bad leaf."""
        signed, size = self._signed(), self.size
        tree = TileTree(_Compare(self._store))
        if signed:
            self._extend(tree, min(signed.size, size), progress)
            tree.put_partial_tiles()
        self._extend(tree, size, progress)
        require_signed(tree, signed)

    def _extend(self, tree: TileTree, size: int, progress: Progress) -> None:
        """Hash stored entries into *tree* until it has *size* leaves."""
        hashes = map(leaf_hash, self.stored(tree.size, size))
        while batch := list(itertools.islice(hashes, TILE_WIDTH)):
            tree.extend(batch)
            progress(tree.size)


def require_signed(tree: TileTree, signed: Checkpoint | None) -> None:
    """Raises `LedgerBroken` unless *tree* begins with the *signed* tree."""
    if signed is None:
        return
    if tree.size < signed.size:
        raise LedgerBroken(f"the checkpoint has {signed.size} leaves, but only {tree.size} are left", leaf=tree.size)
    if tree.root(signed.size) != signed.root:
        raise LedgerBroken(
            "the entries and their tree agree with each other and not with the signed checkpoint: both were rewritten, "
            "so the first bad leaf is unknown; compare with a receipt or a copy",
            leaf=0,
        )


def require_begins_with(log: LogReader, earlier: Checkpoint, source: str) -> None:
    """Raises `LedgerBroken` unless *log* begins with the tree of the *earlier* checkpoint, kept in *source*.

    It trusts the tiles; `verify` compares them with the entries.
    """
    if earlier.size > log.size or (earlier.size and log.root(earlier.size) != earlier.root):
        raise LedgerBroken(
            f"the ledger does not begin with the {earlier.size} entries of {source}: it was rolled back or rewritten; "
            f"keep {source} as evidence",
            leaf=0,
        )


def latest_moment(log: LogReader) -> dt.datetime | None:
    """The latest time of the last 10,000 entries, None if no entry has one.

    If it is later than now by more than `CLOCK_SLACK`, the clock went back, or was ahead (docs/decisions/0010).
    """
    size = log.size
    found = (_MOMENT.search(stored) for stored in log.stored(max(0, size - _MOMENTS_MAX), size))
    latest = max((at[1] for at in found if at), default=None)  # all have one format, and so sort as text
    return None if latest is None else dt.datetime.fromisoformat(latest.decode("ascii"))


class _Compare:
    """A store for rebuilding a tree: everything written must already be there, bit for bit."""

    def __init__(self, store: TileStore) -> None:
        self._store = store

    def get(self, path: str) -> bytes | None:
        return self._store.get(path)

    def put(self, path: str, data: bytes) -> None:
        stored = self._store.get(path)
        if stored is None:  # the full tile replaces a partial one
            stored = (self._store.get(path.partition(".p/")[0]) or b"")[: len(data)]
        if stored != data:
            leaf = _first_leaf(path, data, stored)
            raise LedgerBroken(f"leaf {leaf} is not what the tree was built from ({path})", leaf=leaf)


def _first_leaf(path: str, right: bytes, stored: bytes) -> int:
    """The first leaf below the first hash that differs in the tile at *path*."""
    _, level, *number = path.partition(".p/")[0].split("/")
    tile = int("".join(number).replace("x", ""))
    pairs = ((right[at : at + HASH_BYTES], stored[at : at + HASH_BYTES]) for at in range(0, len(right), HASH_BYTES))
    differs = next((at for at, (want, have) in enumerate(pairs) if want != have), 0)
    return (tile * TILE_WIDTH + differs) << TILE_HEIGHT * int(level)
