"""The ledger in Troth's own database: an outbox, and a sequencer that gives what has committed its leaf number.

`record` writes entries in the caller's transaction and nothing else, so a busy service never queues for the tree.
`sequence` takes whatever has committed since, extends the tree and signs a checkpoint, all in one transaction under the
tree's row: there is one sequencer at a time whatever is started, and one that dies leaves nothing behind.
`DatabaseLog` is `troth.ledger.Log` over the same rows.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from troth.ledger import (
    HASH_BYTES,
    TILE_WIDTH,
    Checkpoint,
    Entry,
    LedgerBroken,
    LedgerError,
    Progress,
    Signer,
    TiledLog,
    TileTree,
    Verifier,
    leaf_hash,
    silently,
)
from troth.service.record.models import EntryRow, Outside, Tile, Tree

__all__ = ["DatabaseLog", "keep_outside", "outside", "pending", "rebuild", "record", "sequence", "tile", "tree"]

_LOG = logging.getLogger("troth.ledger")
_OVERLAP = dt.timedelta(minutes=15)
"""A process that began before another one and ends after it is as much behind, without any fault of a clock."""
_BATCH = 1_000
"""Entries that one transaction of the sequencer takes, which bounds how long SQLite's writers wait; also, how many one
query reads."""


def record(*entries: Entry) -> list[EntryRow]:
    """Put entries into the ledger with the transaction that is open: they commit together, or not at all.

    Outside of a transaction each call is its own. Leaf numbers come later, from `sequence`; the rows that are returned
    get theirs then.
    """
    return EntryRow.objects.bulk_create([EntryRow(content=entry.encoded) for entry in entries], batch_size=_BATCH)


def pending() -> int:
    """How many entries have committed and have no leaf number yet."""
    return EntryRow.objects.filter(leaf__isnull=True).count()


def tree() -> Tree:
    """The tree as it stands: its origin and its last checkpoint, empty before the first entry has a leaf number."""
    return Tree.objects.filter(pk=1).first() or Tree(pk=1)


def tile(path: str) -> bytes | None:
    """The tile at a C2SP path such as ``tile/0/000``, None where the tree has none."""
    return _Tiles().get(path)


def sequence(signer: Signer, *, now: dt.datetime) -> int:
    """Give every committed entry its leaf number and sign a checkpoint over the new tree. How many there were."""
    taken = 0
    while EntryRow.objects.filter(leaf__isnull=True).exists():
        with transaction.atomic(durable=True):
            taken += _take_waiting(_lock(), signer, now)
    return taken


def rebuild(signer: Signer, *, now: dt.datetime) -> int:
    """Make every tile again from the entries, under a fresh checkpoint. How many leaves the tree has."""
    with transaction.atomic(durable=True):
        row = _lock()
        Tile.objects.all().delete()
        grown = TileTree(_Tiles())
        for start in range(0, row.size, _BATCH):
            grown.extend([leaf_hash(content) for content in _stored(start, min(start + _BATCH, row.size))])
        _keep(row, grown, signer, now)
    return grown.size


def outside(name: str) -> bytes | None:
    """What somebody outside signed about the ledger (`models.Outside`), None where nothing is there."""
    data = Outside.objects.filter(name=name).values_list("data", flat=True).first()
    return None if data is None else bytes(data)


def keep_outside(at: dt.datetime, **signed: bytes) -> None:
    """Keep what was *signed*, all of it or nothing, in place of what had the same name."""
    with transaction.atomic():
        for name, data in signed.items():
            Outside.objects.update_or_create(name=name, defaults={"data": data, "at": at})


class DatabaseLog(TiledLog):
    """`troth.ledger.Log` in Troth's own database. Any number of processes may read and append.

    `append` gives its entries their leaf numbers at once; use `record` for what has to commit with a change.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def verifier(self) -> Verifier:
        return Verifier.of(self._signer)

    @property
    def size(self) -> int:
        return tree().size

    def append(self, entries: Sequence[Entry]) -> range:
        """Append *entries* and return their leaf numbers; what was waiting goes before them."""
        now = timezone.now()
        with transaction.atomic(durable=True):
            row = _lock()
            while _take_waiting(row, self._signer, now):
                pass
            first = row.size
            _take(row, record(*entries), self._signer, now)
        return range(first, first + len(entries))

    def checkpoint(self) -> str:
        """The signed size and root of now, once everything that has committed is in the tree."""
        now = timezone.now()
        sequence(self._signer, now=now)
        row = tree()
        if not row.checkpoint:
            with transaction.atomic(durable=True):
                row = _lock()
                _keep(row, TileTree(_Tiles(), row.size), self._signer, now)
        return row.checkpoint

    def verify(self, progress: Progress = silently) -> None:
        """Hash every stored entry again; raises `LedgerBroken` at the first bad leaf."""
        last = EntryRow.objects.aggregate(last=Max("leaf"))["last"]
        size = self.size  # read after the entries: a sequencer beside us may only have made it larger
        if last is not None and last >= size:
            raise LedgerBroken(
                f"entries are numbered up to {last}, and the tree has {size} leaves: its row was put back", leaf=size
            )
        super().verify(progress)

    def cosigned(self) -> str | None:
        note = outside("cosigned")
        return None if note is None else note.decode("utf-8", "replace")

    def keep_cosigned(self, note: str) -> None:
        with transaction.atomic(durable=True):
            row = _lock()
            keep_outside(timezone.now(), cosigned=note.encode())
            if Checkpoint.open(note, self.verifier) == Checkpoint.open(row.checkpoint, self.verifier):
                row.checkpoint = note
                row.save(update_fields=["checkpoint"])

    def stored(self, first: int, stop: int) -> Iterator[bytes]:
        """The stored bytes of the leaves from *first* up to *stop*, many to a query. Raises `LedgerBroken`."""
        for start in range(first, stop, _BATCH):
            yield from _stored(start, min(start + _BATCH, stop))

    @property
    def _store(self) -> _Tiles:
        return _Tiles()

    def _tree(self) -> TileTree:
        return TileTree(_Tiles(), self.size)

    def _bundle(self, index: int) -> Sequence[bytes]:
        first = index * TILE_WIDTH
        return _stored(first, min(first + TILE_WIDTH, self.size))

    def _signed(self) -> Checkpoint | None:
        note = tree().checkpoint
        return Checkpoint.open(note, self.verifier) if note else None


class _Tiles:
    """`troth.ledger.TileStore` over rows. A tile has one row, as wide as it has become: what a narrower one held is its
    beginning, so that a proof for an earlier size can be read while the tree grows."""

    def get(self, path: str) -> bytes | None:
        whole, width = _widest(path)
        data = Tile.objects.filter(path=whole).values_list("data", flat=True).first()
        return None if data is None or len(data) < width * HASH_BYTES else bytes(data[: width * HASH_BYTES])

    def put(self, path: str, data: bytes) -> None:
        Tile.objects.update_or_create(path=_widest(path)[0], defaults={"data": data})


def _widest(path: str) -> tuple[str, int]:
    """The path of the full tile that *path* is or will become part of, and the width that *path* asks for."""
    whole, partial, width = path.partition(".p/")
    return whole, int(width) if partial else TILE_WIDTH


def _lock() -> Tree:
    """The tree's row, held until the transaction ends. SQLite has let in one writer only by now."""
    Tree.objects.get_or_create(pk=1)
    return Tree.objects.select_for_update().get(pk=1)


def _take_waiting(row: Tree, signer: Signer, now: dt.datetime) -> int:
    waiting = list(EntryRow.objects.filter(leaf__isnull=True).order_by("id")[:_BATCH])
    _take(row, waiting, signer, now)
    return len(waiting)


def _take(row: Tree, entries: Sequence[EntryRow], signer: Signer, now: dt.datetime) -> None:
    """Number *entries* from the end of the tree that *row* holds, and put them into it."""
    if not entries:
        return
    table = connection.ops.quote_name(EntryRow._meta.db_table)
    numbered = [(leaf, entry.pk) for leaf, entry in enumerate(entries, start=row.size)]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET leaf = %s WHERE id = %s", numbered)  # noqa: S608 - our own table's name
    grown = TileTree(_Tiles(), row.size)
    grown.extend([leaf_hash(bytes(entry.content)) for entry in entries])
    _keep(row, grown, signer, now)


def _keep(row: Tree, grown: TileTree, signer: Signer, now: dt.datetime) -> None:
    if row.origin not in {"", signer.name}:
        raise LedgerError(f"this ledger is called {row.origin} and is not continued as {signer.name}; use its own name")
    row.origin = signer.name
    grown.put_partial_tiles()
    if row.checkpoint_at is not None and now < row.checkpoint_at:
        if row.checkpoint_at - now > _OVERLAP:
            _LOG.warning("the clock went back: the last checkpoint of %s stays the latest", row.checkpoint_at)
        now = row.checkpoint_at
    row.size = row.checkpoint_size = grown.size
    row.checkpoint, row.checkpoint_at = Checkpoint(signer.name, grown.size, grown.root()).sign(signer), now
    row.save()


def _stored(first: int, stop: int) -> list[bytes]:
    """The stored bytes of the leaves from *first* up to *stop*. Raises `LedgerBroken`."""
    rows = EntryRow.objects.filter(leaf__gte=first, leaf__lt=stop).order_by("leaf").values_list("leaf", "content")
    entries = []
    for wanted, (leaf, content) in enumerate(rows, start=first):
        if leaf != wanted:
            break
        entries.append(bytes(content))
    if len(entries) < stop - first:
        missing = first + len(entries)
        raise LedgerBroken(f"leaf {missing} is missing; restore it from a copy", leaf=missing)
    return entries
