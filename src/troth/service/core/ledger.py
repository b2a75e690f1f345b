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
    """Give every committed entry its leaf number and sign a checkpoint over the new tree. How many there were.

    Raises `LedgerBroken`, and signs nothing, where the tree is not the one that was signed last.
    """
    taken = 0
    while EntryRow.objects.filter(leaf__isnull=True).exists():
        with transaction.atomic(durable=True):
            taken += _take_waiting(_lock(), signer, now)
    return taken


def sequence_if_sound(signer: Signer, *, now: dt.datetime) -> tuple[int, str]:
    """As `sequence`, for work that a broken ledger must not hold up: how many there were, and what is wrong, if so.

    Whatever is wrong, the entries have committed and wait for their numbers; it is logged as an error, too.
    """
    try:
        return sequence(signer, now=now), ""
    except LedgerError as broken:
        _LOG.error("entries wait for their numbers: %s", broken)
        return 0, str(broken)


def clock_fault(now: dt.datetime) -> str:
    """What is wrong where *now* lies well before the last checkpoint, empty where nothing is (docs/decisions/0010)."""
    return _clock_fault(tree(), now)


def outside(name: str) -> bytes | None:
    """What somebody outside signed about the ledger (`models.Outside`), None where nothing is there."""
    data = OutsideSignature.objects.filter(name=name).values_list("data", flat=True).first()
    return None if data is None else bytes(data)


def keep_outside(at: dt.datetime, **signed: bytes) -> None:
    """Keep what was *signed*, all of it or nothing, in place of what had the same name."""
    with transaction.atomic():
        for name, data in signed.items():
            OutsideSignature.objects.update_or_create(name=name, defaults={"data": data, "at": at})


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
                _keep(row, _sound_tree(row, self._signer), self._signer, now)
        return row.checkpoint

    def verify(self, progress: Progress = silently) -> None:
        """Hash every stored entry again; raises `LedgerBroken` at the first bad leaf."""
        last = EntryRow.objects.aggregate(last=Max("leaf"))["last"]
        _require_last(last, self.size)  # read after the entries: a sequencer beside us may only have made it larger
        super().verify(progress)

    def rebuild(self) -> int:
        """Make every tile again from the entries, once these are known to be the ones that were signed last. How many.

        Raises `LedgerBroken`, and changes nothing, where they are not.
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
                    "the entries are not the ones that the last checkpoint signed; troth ledger verify names the first "
                    "that was changed; restore it from a copy",
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
    """Number *entries* from the end of the tree that *row* holds, and put them into it. Raises `LedgerBroken`."""
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
    """The tree that *row* holds, to be continued, once it is known to be the one that was signed last.

    It reads the right edge and one entry. What lies further left does not change any more, and is for `verify`.
    """
    signed = _signed_last(row, signer)
    grown = TileTree(_Tiles(), row.size)
    try:
        is_sound = signed is None or grown.root() == signed.root
    except LedgerBroken:  # a tile is missing, or too short
        is_sound = False
    if not is_sound:
        raise LedgerBroken(
            "the tiles are not those of the signed checkpoint, so nothing is signed after it: make them again from the "
            "entries with troth ledger rebuild",
            leaf=0,
        )
    return grown


def _require_last(last: int | None, size: int) -> None:
    """Return when no entry is numbered beyond the *size* leaves of the tree."""
    if last is not None and last >= size:
        raise LedgerBroken(
            f"entries are numbered up to {last}, and the tree has {size} leaves: its row was put back; restore the "
            "ledger's tables together, from one copy",
            leaf=size,
        )


def _signed_last(row: Tree, signer: Signer) -> Checkpoint | None:
    """The last checkpoint, None before the first. Raises `LedgerBroken` where the row holds another tree than that, or
    entries are numbered beyond it."""
    _require_last(EntryRow.objects.aggregate(last=Max("leaf"))["last"], row.size)
    if row.origin not in {"", signer.name}:
        raise LedgerError(f"this ledger is called {row.origin} and is not continued as {signer.name}; use its own name")
    signed = Checkpoint.open(row.checkpoint, Verifier.of(signer)) if row.checkpoint else None
    if row.size != (signed.size if signed else 0):
        raise LedgerBroken(
            f"the tree has {row.size} leaves, and its checkpoint signs {signed.size if signed else 0}: its row was "
            "changed; restore the ledger's tables together, from one copy",
            leaf=min(row.size, signed.size if signed else 0),
        )
    return signed


def _keep(row: Tree, grown: TileTree, signer: Signer, now: dt.datetime) -> None:
    """Sign the tree as it has *grown*."""
    grown.put_partial_tiles()
    row.origin = signer.name
    if fault := _clock_fault(row, now):
        _LOG.warning("%s", fault)
    now = max(now, row.checkpoint_at or now)
    row.size = row.checkpoint_size = grown.size
    row.checkpoint, row.checkpoint_at = Checkpoint(signer.name, grown.size, grown.root()).sign(signer), now
    row.save()


def _clock_fault(row: Tree, now: dt.datetime) -> str:
    """What is wrong where *now* lies further before the last checkpoint than two processes may be apart, or nothing."""
    if row.checkpoint_at is None or row.checkpoint_at - now <= CLOCK_SLACK:
        return ""
    return (
        f"the clock went back, or was ahead: the last checkpoint is of {row.checkpoint_at:%Y-%m-%d %H:%M} UTC, and now "
        f"is {now:%Y-%m-%d %H:%M}; everything is recorded, in order, with the time that the clock gives: mend the clock"
    )


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
