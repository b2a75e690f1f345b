"""The ledger in Troth's own database: an outbox, and a sequencer that gives what has committed its leaf number.

`record` writes entries in the caller's transaction and nothing else, so a busy service never queues for the tree.
`sequence` takes whatever has committed since, extends the tree and signs a checkpoint, all in one transaction under the
tree's row: there is one sequencer at a time whatever is started, and one that dies leaves nothing behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from django.db import connection, transaction

from troth.ledger import Checkpoint, Entry, Signer, TileTree, leaf_hash
from troth.service.record.models import Entry as EntryRow
from troth.service.record.models import Tile, Tree

__all__ = ["Tiles", "pending", "rebuild", "record", "sequence", "tree"]

_BATCH = 1_000
"""Entries that one transaction of the sequencer takes; it bounds how long SQLite's writers wait."""


def record(entries: Entry | Iterable[Entry]) -> None:
    """Put entries into the ledger with the transaction that is open: they commit together, or not at all.

    Outside of a transaction each call is its own. Leaf numbers come later, from `sequence`.
    """
    several = [entries] if isinstance(entries, Entry) else list(entries)
    EntryRow.objects.bulk_create([EntryRow(content=entry.encoded) for entry in several], batch_size=_BATCH)


def pending() -> int:
    """How many entries have committed and have no leaf number yet."""
    return EntryRow.objects.filter(leaf__isnull=True).count()


def sequence(signer: Signer, *, now: dt.datetime) -> int:
    """Give every committed entry its leaf number and sign a checkpoint over the new tree. How many there were."""
    taken = 0
    while EntryRow.objects.filter(leaf__isnull=True).exists():
        taken += _sequence_batch(signer, now)
    return taken


def _sequence_batch(signer: Signer, now: dt.datetime) -> int:
    with transaction.atomic():
        row = _lock()
        waiting = list(EntryRow.objects.filter(leaf__isnull=True).order_by("id")[:_BATCH])
        if not waiting:
            return 0
        _number(waiting, first=row.size)
        grown = TileTree(Tiles(), row.size)
        grown.extend([leaf_hash(bytes(entry.content)) for entry in waiting])
        _keep_edge(grown)
        row.size = grown.size
        _sign(row, grown, signer, now)
    return len(waiting)


def rebuild(signer: Signer, *, now: dt.datetime) -> int:
    """Make every tile again from the entries, under a fresh checkpoint. How many leaves the tree has."""
    with transaction.atomic():
        row = _lock()
        Tile.objects.all().delete()
        grown = TileTree(Tiles())
        for leaves in _leaf_hashes():
            grown.extend(leaves)
        _keep_edge(grown)
        row.size = grown.size
        _sign(row, grown, signer, now)
    return grown.size


def tree(size: int | None = None) -> TileTree:
    """The tree as it is now, or as it was at *size*, for reading proofs."""
    return TileTree(Tiles(), _row().size if size is None else size)


class Tiles:
    """`troth.ledger.TileStore` over rows."""

    def get(self, path: str) -> bytes | None:
        data = Tile.objects.filter(path=path).values_list("data", flat=True).first()
        return None if data is None else bytes(data)

    def put(self, path: str, data: bytes) -> None:
        Tile.objects.update_or_create(path=path, defaults={"data": data})


def _row() -> Tree:
    return Tree.objects.get_or_create(pk=1)[0]


def _lock() -> Tree:
    """The tree's row, held until the transaction ends. SQLite has let in one writer only by now."""
    Tree.objects.get_or_create(pk=1)
    return Tree.objects.select_for_update().get(pk=1)


def _number(rows: Sequence[EntryRow], *, first: int) -> None:
    table = connection.ops.quote_name(EntryRow._meta.db_table)
    numbered = [(leaf, row.pk) for leaf, row in enumerate(rows, start=first)]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET leaf = %s WHERE id = %s", numbered)  # noqa: S608 - our own table's name


def _keep_edge(grown: TileTree) -> None:
    """Keep the partial tiles of this size in place of those of the last."""
    Tile.objects.filter(path__contains=".p/").delete()
    grown.put_partial_tiles()


def _sign(row: Tree, grown: TileTree, signer: Signer, now: dt.datetime) -> None:
    row.checkpoint = Checkpoint(signer.name, grown.size, grown.root()).sign(signer)
    row.checkpoint_size, row.checkpoint_at = grown.size, now
    row.save()


def _leaf_hashes() -> Iterator[list[bytes]]:
    leaf = 0
    while rows := list(EntryRow.objects.filter(leaf__gte=leaf).order_by("leaf")[:_BATCH]):
        yield [leaf_hash(bytes(row.content)) for row in rows]
        leaf += len(rows)
