"""Tiles and entry bundles (C2SP tlog-tiles): how a tree is stored in files, rows or objects.

`TileStore` is all that a driver has to provide; `TileTree` grows a tree in it and computes the hash of any complete
subtree. Full tiles and bundles are immutable. Partial tiles are written for the sizes at which a checkpoint is signed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from troth.ledger.errors import LedgerBroken, ProofRefused
from troth.ledger.merkle import HASH_BYTES, consistency_proof, fold, inclusion_proof, root_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
_TILES_KEPT = 64  # 1 MiB of full tiles, folded: the upper levels and sequential reads


class TileStore(Protocol):
    """Storage of tiles and bundles, by their C2SP path (``tile/0/000``, ``tile/entries/000.p/17``)."""

    def get(self, path: str) -> bytes | None:
        """The stored data, or None."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Store *data*. Writing the same bytes again is allowed; other bytes never replace them."""
        ...


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """``tile/<L>/<N>``, with ``.p/<W>`` if it is narrower than 256 hashes."""
    return f"tile/{level}/{_numbered(index)}{_part(width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """``tile/entries/<N>``, with ``.p/<W>`` if it holds fewer than 256 entries."""
    return f"tile/entries/{_numbered(index)}{_part(width)}"


def _numbered(index: int) -> str:
    last = f"{index % 1000:03d}"
    while index := index // 1000:
        last = f"x{index % 1000:03d}/{last}"
    return last


def _part(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"


def pack_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one after the other, each preceded by its length as a big-endian uint16."""
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def unpack_bundle(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ``ValueError`` if it ends inside an entry."""
    entries, at, end = list[bytes](), 0, len(bundle)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        entries.append(bundle[start:at])
    if at != end:
        raise ValueError("the bundle ends inside an entry")
    return entries


class TileTree:
    """The tree of the first *size* leaves in *store*; `extend` grows it.

    Reading is lazy and small: a root or a proof touches a few tiles. Not safe for concurrent use.
    """

    def __init__(self, store: TileStore, size: int = 0) -> None:
        self._store = store
        self._size = size
        self._edge: list[bytearray] | None = None if size else []  # the partial tile of each level
        self._full = OrderedDict[tuple[int, int], list[bytes]]()
        self._folded = dict[tuple[int, int], bytes]()  # for the partial tiles: every proof uses the right edge

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Append leaf hashes. Tiles that become full are stored at once."""
        edge = self._open_edge()
        for start, stop in tilewise(self._size, self._size + len(leaves)):
            self._push(edge, 0, b"".join(leaves[start - self._size : stop - self._size]), stop)
        self._size += len(leaves)
        self._folded.clear()

    def put_partial_tiles(self, size: int | None = None) -> None:
        """Store the partial tiles of the first *size* leaves, by default of all, which a checkpoint of that size needs.
        Tiles that have become full since are stored already."""
        size = self._size if size is None else self._within(size)
        for level, width in enumerate(_widths(size)):
            shift = TILE_HEIGHT * (level + 1)
            if width and size >> shift == self._size >> shift:
                tile = bytes(self._open_edge()[level][: width * HASH_BYTES])
                self._store.put(tile_path(level, size >> shift, width), tile)

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree of the first *size* leaves. Raises `ProofRefused` if there are fewer."""
        return root_hash(self.hash, self._size if size is None else self._within(size))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf *index* is in the tree of *size* leaves. Raises `ProofRefused`."""
        return inclusion_proof(self.hash, index, self._within(size))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of *new* leaves begins with the tree of *old*. Raises `ProofRefused`."""
        return consistency_proof(self.hash, old, self._within(new))

    def hash(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree of ``2**level`` leaves from ``index * 2**level`` (`merkle.GetHash`).

        Raises `LedgerBroken` if a required tile is missing or has the wrong length.
        """
        tile_level, levels = divmod(level, TILE_HEIGHT)
        tile_index, offset = divmod(index << levels, TILE_WIDTH)
        if tile_index < self._size >> TILE_HEIGHT * (tile_level + 1):
            at = (offset >> levels) * HASH_BYTES
            return self._rows(tile_level, tile_index, levels)[at : at + HASH_BYTES]
        if (level, index) not in self._folded:
            hashes = self._open_edge()[tile_level][offset * HASH_BYTES : (offset + (1 << levels)) * HASH_BYTES]
            assert len(hashes) == HASH_BYTES << levels, "the subtree is not complete at this size"
            self._folded[level, index] = fold(bytes(hashes), levels)
        return self._folded[level, index]

    def _within(self, size: int) -> int:
        if not 0 <= size <= self._size:
            raise ProofRefused(f"the tree has {self._size} leaves, not {size}")
        return size

    def _push(self, edge: list[bytearray], level: int, hashes: bytes, stop: int) -> None:
        if level == len(edge):
            edge.append(bytearray())
        edge[level] += hashes
        if len(edge[level]) == TILE_WIDTH * HASH_BYTES:
            tile = bytes(edge[level])
            self._store.put(tile_path(level, (stop >> TILE_HEIGHT * (level + 1)) - 1), tile)
            edge[level].clear()
            self._push(edge, level + 1, fold(tile, TILE_HEIGHT), stop)

    def _open_edge(self) -> list[bytearray]:
        if self._edge is None:
            widths = list(_widths(self._size))
            self._edge = [
                bytearray(self._read(level, (self._size >> TILE_HEIGHT * level) >> TILE_HEIGHT, width))
                if width
                else bytearray()
                for level, width in enumerate(widths)
            ]
        return self._edge

    def _rows(self, level: int, index: int, above: int) -> bytes:
        """The hashes of a full tile, folded *above* times. Folded levels are cached with the tile."""
        rows = self._full.pop((level, index), None) or [self._read(level, index, TILE_WIDTH)]
        while len(rows) <= above:
            rows.append(fold(rows[-1], 1))
        self._full[level, index] = rows
        if len(self._full) > _TILES_KEPT:
            self._full.popitem(last=False)
        return rows[above]

    def _read(self, level: int, index: int, width: int) -> bytes:
        tile = self._store.get(tile_path(level, index, width))
        if tile is None and width < TILE_WIDTH:
            tile = (self._store.get(tile_path(level, index)) or b"")[: width * HASH_BYTES] or None
        if tile is None or len(tile) != width * HASH_BYTES:
            path = tile_path(level, index, width)
            what = "missing" if tile is None else "damaged"
            raise LedgerBroken(
                f"{path} is {what}; rebuild the tiles from the entries", leaf=index << TILE_HEIGHT * (level + 1)
            )
        return tile


def tilewise(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Split a range of leaves at the ends of level-0 tiles."""
    while start < stop:
        end = min(stop, (start // TILE_WIDTH + 1) * TILE_WIDTH)
        yield start, end
        start = end


def _widths(size: int) -> Iterator[int]:
    """The number of hashes in the partial tile of each level, from level 0 up."""
    while size:
        yield size % TILE_WIDTH
        size >>= TILE_HEIGHT
