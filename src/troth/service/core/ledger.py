"""The ledger in Troth's own database: an outbox, and a sequencer that numbers committed entries.

`record` writes entries in the caller's transaction and nothing else, so a busy service never queues for the tree.
`sequence` takes what has committed since, extends the tree and signs a checkpoint, in one transaction under the lock of
the tree's row: there is only ever one sequencer, and one that dies leaves nothing behind. `DatabaseLog` is
`troth.ledger.Log` over the same rows.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from troth.ledger import (
    CLOCK_SLACK,
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
from troth.service.core.models import EntryRow, OutsideSignature, Tile, Tree

_LOG = logging.getLogger("troth.ledger")
_BATCH = 1_000
"""Entries per sequencer transaction, which bounds how long SQLite's writers wait; also rows per query."""


def record(*entries: Entry) -> list[EntryRow]:
    """Append entries in the open transaction: they commit together, or not at all.

    Outside a transaction each call commits by itself. `sequence` assigns leaf numbers later, also to the returned rows.
    """
    return EntryRow.objects.bulk_create([EntryRow(content=entry.encoded) for entry in entries], batch_size=_BATCH)


def pending() -> int:
    """Number of committed entries without a leaf number."""
    return EntryRow.objects.filter(leaf__isnull=True).count()


def tree() -> Tree:
    """The current tree: origin and last checkpoint, both empty before the first entry is numbered."""
    return Tree.objects.filter(pk=1).first() or Tree(pk=1)


def tile(path: str) -> bytes | None:
    """The tile at a C2SP path such as ``tile/0/000``; None if the tree has none."""
    return _Tiles().get(path)


def sequence(signer: Signer, *, now: dt.datetime) -> int:
    """Number every committed entry and sign a checkpoint over the new tree. Returns how many.

    Raises `LedgerBroken`, and signs nothing, if the tree is not the one last signed.
    """
    taken = 0
    while EntryRow.objects.filter(leaf__isnull=True).exists():
        with transaction.atomic(durable=True):
            taken += _take_waiting(_lock(), signer, now)
    return taken


def sequence_if_sound(signer: Signer, *, now: dt.datetime) -> tuple[int, str]:
    """As `sequence`, for work that a broken ledger must not block: the number of entries, and the fault, if any.

    With a fault, the committed entries wait for their numbers; it is also logged as an error.
    """
    try:
        return sequence(signer, now=now), ""
    except LedgerError as broken:
        _LOG.error("new entries are not numbered: %s", broken)
        return 0, str(broken)


def clock_fault(now: dt.datetime) -> str:
    """The fault if *now* is well before the last checkpoint, else empty (docs/decisions/0010)."""
    return _clock_fault(tree(), now)


def outside(name: str) -> bytes | None:
    """Outside signature of the ledger (`models.OutsideSignature`); None if there is none."""
    data = OutsideSignature.objects.filter(name=name).values_list("data", flat=True).first()
    return None if data is None else bytes(data)


def keep_outside(at: dt.datetime, **signed: bytes) -> None:
    """Store what was *signed*, all or nothing, replacing earlier values of the same names."""
    with transaction.atomic():
        for name, data in signed.items():
            OutsideSignature.objects.update_or_create(name=name, defaults={"data": data, "at": at})


class DatabaseLog(TiledLog):
    """`troth.ledger.Log` in Troth's own database. Any number of processes may read and append.

    `append` numbers its entries at once; use `record` for entries that must commit with a change.
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
        """Append *entries*, after any waiting ones, and return their leaf numbers."""
        now = timezone.now()
        with transaction.atomic(durable=True):
            row = _lock()
            while _take_waiting(row, self._signer, now):
                pass
            first = row.size
            _take(row, record(*entries), self._signer, now)
        return range(first, first + len(entries))

    def checkpoint(self) -> str:
        """The current signed size and root, with every committed entry in the tree."""
        now = timezone.now()
        sequence(self._signer, now=now)
        row = tree()
        if not row.checkpoint:
            with transaction.atomic(durable=True):
                row = _lock()
                _keep(row, _sound_tree(row, self._signer), self._signer, now)
        return row.checkpoint

    def verify(self, progress: Progress = silently) -> None:
        """Rehash every stored entry; raises `LedgerBroken` at the first bad leaf."""
        last = EntryRow.objects.aggregate(last=Max("leaf"))["last"]
        _require_last(last, self.size)  # read after the entries: a concurrent sequencer can only enlarge it
        super().verify(progress)

    def rebuild(self) -> int:
        """Rebuild every tile from the entries, if these match the last signature. Returns the size of the tree.

        Raises `LedgerBroken`, and changes nothing, if they do not match.
        """
        with transaction.atomic(durable=True):
            row = _lock()
            signed = _signed_last(row, self._signer)
            Tile.objects.all().delete()
            grown = TileTree(_Tiles())
            for start in range(0, row.size, _BATCH):
                grown.extend([leaf_hash(content) for content in _stored(start, min(start + _BATCH, row.size))])
            if signed and grown.root() != signed.root:
                raise LedgerBroken(
                    "the entries differ from those that the last checkpoint signed; troth ledger verify names the "
                    "first one that was changed; restore it from a copy",
                    leaf=0,
                )
            grown.put_partial_tiles()
        return grown.size

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
        """Stored bytes of the leaves from *first* up to *stop*, in batched queries. Raises `LedgerBroken`."""
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
    """`troth.ledger.TileStore` over rows. A tile is one row, at its current width: a narrower version is its prefix, so
    that proofs for earlier sizes can be read while the tree grows."""

    def get(self, path: str) -> bytes | None:
        whole, width = _widest(path)
        data = Tile.objects.filter(path=whole).values_list("data", flat=True).first()
        return None if data is None or len(data) < width * HASH_BYTES else bytes(data[: width * HASH_BYTES])

    def put(self, path: str, data: bytes) -> None:
        Tile.objects.update_or_create(path=_widest(path)[0], defaults={"data": data})


def _widest(path: str) -> tuple[str, int]:
    """Path of the full tile that *path* is or will be part of, and the width that *path* requests."""
    whole, partial, width = path.partition(".p/")
    return whole, int(width) if partial else TILE_WIDTH


def _lock() -> Tree:
    """Lock the tree's row until the transaction ends. SQLite already allows only one writer by now."""
    Tree.objects.get_or_create(pk=1)
    return Tree.objects.select_for_update().get(pk=1)


def _take_waiting(row: Tree, signer: Signer, now: dt.datetime) -> int:
    waiting = list(EntryRow.objects.filter(leaf__isnull=True).order_by("id")[:_BATCH])
    _take(row, waiting, signer, now)
    return len(waiting)


def _take(row: Tree, entries: Sequence[EntryRow], signer: Signer, now: dt.datetime) -> None:
    """Number *entries* after the tree's last leaf and add them. Raises `LedgerBroken`."""
    if not entries:
        return
    grown = _sound_tree(row, signer)
    table = connection.ops.quote_name(EntryRow._meta.db_table)
    numbered = [(leaf, entry.pk) for leaf, entry in enumerate(entries, start=row.size)]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET leaf = %s WHERE id = %s", numbered)  # noqa: S608 - our own table's name
    grown.extend([leaf_hash(bytes(entry.content)) for entry in entries])
    _keep(row, grown, signer, now)


def _sound_tree(row: Tree, signer: Signer) -> TileTree:
    """The tree in *row*, ready to extend, after checking it against the last signature.

    Reads the right edge and one entry. Anything further left no longer changes, and is checked by `verify`.
    """
    signed = _signed_last(row, signer)
    grown = TileTree(_Tiles(), row.size)
    try:
        is_sound = signed is None or grown.root() == signed.root
    except LedgerBroken:  # a tile is missing, or too short
        is_sound = False
    if not is_sound:
        raise LedgerBroken(
            "the tiles do not match the signed checkpoint, so no further checkpoint is signed; rebuild them from the "
            "entries: troth ledger rebuild",
            leaf=0,
        )
    return grown


def _require_last(last: int | None, size: int) -> None:
    """Raise `LedgerBroken` if an entry is numbered beyond the *size* leaves of the tree."""
    if last is not None and last >= size:
        raise LedgerBroken(
            f"entries are numbered up to {last}, but the tree has {size} leaves: its row was restored from an older "
            "copy; restore all tables of the ledger from one copy",
            leaf=size,
        )


def _signed_last(row: Tree, signer: Signer) -> Checkpoint | None:
    """The last checkpoint; None before the first. Raises `LedgerBroken` if the row holds another tree, or entries are
    numbered beyond it; and `LedgerError` for another origin."""
    _require_last(EntryRow.objects.aggregate(last=Max("leaf"))["last"], row.size)
    if row.origin not in {"", signer.name}:
        raise LedgerError(
            f"this ledger is named {row.origin} and cannot be continued as {signer.name}; use its own name"
        )
    signed = Checkpoint.open(row.checkpoint, Verifier.of(signer)) if row.checkpoint else None
    if row.size != (signed.size if signed else 0):
        raise LedgerBroken(
            f"the tree has {row.size} leaves, and its checkpoint signs {signed.size if signed else 0}: its row was "
            "changed; restore all tables of the ledger from one copy",
            leaf=min(row.size, signed.size if signed else 0),
        )
    return signed


def _keep(row: Tree, grown: TileTree, signer: Signer, now: dt.datetime) -> None:
    """Sign the *grown* tree."""
    grown.put_partial_tiles()
    row.origin = signer.name
    if fault := _clock_fault(row, now):
        _LOG.warning("%s", fault)
    now = max(now, row.checkpoint_at or now)
    row.size = row.checkpoint_size = grown.size
    row.checkpoint, row.checkpoint_at = Checkpoint(signer.name, grown.size, grown.root()).sign(signer), now
    row.save()


def _clock_fault(row: Tree, now: dt.datetime) -> str:
    """The fault if *now* is further before the last checkpoint than two processes may differ, else empty."""
    if row.checkpoint_at is None or row.checkpoint_at - now <= CLOCK_SLACK:
        return ""
    return (
        f"the clock went back, or was ahead before: the last checkpoint is of {row.checkpoint_at:%Y-%m-%d %H:%M} UTC, "
        f"and now is {now:%Y-%m-%d %H:%M}; entries are recorded in order, with the time of the clock; fix the clock"
    )


def _stored(first: int, stop: int) -> list[bytes]:
    """Stored bytes of the leaves from *first* up to *stop*. Raises `LedgerBroken`."""
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
