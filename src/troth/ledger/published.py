"""The published form of a ledger: a folder of tiles, bundles and a checkpoint, to write and to read back."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from troth.ledger.checkpoint import Checkpoint
from troth.ledger.errors import LedgerBroken, LedgerError
from troth.ledger.folder import FolderStore, write_durably
from troth.ledger.log import LogReader, Progress, TiledLog, require_begins_with, silently
from troth.ledger.merkle import leaf_hash
from troth.ledger.note import Verifier
from troth.ledger.tiles import TILE_WIDTH, TileTree, bundle_path, pack_bundle, tilewise

KEY_FILE = "verifier-key.txt"
"""In an export: the public key of the checkpoints."""
VERIFIER_FILE = "verify_troth_ledger.py"
"""In an export: the verification program, for Python without any package."""
_VERIFIER = Path(__file__).with_name(VERIFIER_FILE)
_NOTE_BYTES_MAX = 1_000_000


class PublishedLog(TiledLog):
    """The ledger in *folder* up to its checkpoint: an export, or a copy of one. Read-only.

    Raises `LedgerError` if there is no checkpoint, `NoteRefused` if it is not signed by *verifier*'s key.
    """

    def __init__(self, folder: Path, verifier: Verifier) -> None:
        self._verifier = verifier
        self._files = FolderStore(folder)
        self._note = _checkpoint(folder)
        self._last = Checkpoint.open(self._note, verifier, origin=self._note.partition("\n")[0])
        self._leaves = TileTree(self._files, self._last.size)

    @property
    def verifier(self) -> Verifier:
        return self._verifier

    @property
    def size(self) -> int:
        return self._last.size

    def checkpoint(self) -> str:
        """The checkpoint in the folder."""
        return self._note

    def cosigned(self) -> str | None:
        """None: any cosignatures are under the checkpoint in the folder."""
        return None

    @property
    def _store(self) -> FolderStore:
        return self._files

    def _tree(self) -> TileTree:
        return self._leaves

    def _bundle(self, index: int) -> Sequence[bytes]:
        return self._files.bundle(index, min(TILE_WIDTH, self.size - index * TILE_WIDTH))

    def _signed(self) -> Checkpoint:
        return self._last


def origin_of(folder: Path) -> str:
    """The name of the ledger in *folder*; its signature is not checked. Raises `LedgerError` if there is no ledger."""
    return _checkpoint(folder).partition("\n")[0]


def _checkpoint(folder: Path) -> str:
    try:
        with (folder / "checkpoint").open("rb") as file:
            return file.read(_NOTE_BYTES_MAX + 1).decode("utf-8", "replace")
    except OSError as fault:
        raise LedgerError(
            f"{folder} contains no ledger: its checkpoint cannot be read ({fault.strerror}); give the folder with it"
        ) from None


def export(
    log: LogReader, folder: Path, progress: Progress = silently, *, beside: Mapping[str, bytes] = MappingProxyType({})
) -> Checkpoint:
    """Write *log* into *folder* as static files for any C2SP client, with the key and the verification program.

    The files of *beside*, name to content, are written, too. *folder* is new or empty, or holds an earlier export of
    this ledger, which is continued. Every hash is recomputed from the stored entries. Raises `LedgerError` if the
    folder holds something else or cannot be written, and `LedgerBroken`, before a checkpoint is written, if the entries
    do not lead to it or the ledger no longer begins with the earlier export.
    """
    note = log.checkpoint()
    signed = Checkpoint.open(note, log.verifier, origin=note.partition("\n")[0])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(log, signed, folder, progress)
        write_durably(folder / KEY_FILE, f"{log.verifier}\n".encode())
        shutil.copyfile(_VERIFIER, folder / VERIFIER_FILE)
        for name, data in beside.items():
            write_durably(folder / name, data)
        write_durably(folder / "checkpoint", note.encode())
    except OSError as fault:
        raise LedgerError(f"{folder} cannot be written ({fault.strerror}); fix it, or export elsewhere") from None
    return signed


def _write(log: LogReader, signed: Checkpoint, folder: Path, progress: Progress) -> None:
    """Write bundles and tiles for the *signed* size."""
    store = FolderStore(folder)
    begun = _exported(log, folder, signed) // TILE_WIDTH * TILE_WIDTH
    tree, stored = TileTree(store, begun), log.stored(begun, signed.size)
    for start, stop in tilewise(begun, signed.size):
        bundle = list(itertools.islice(stored, stop - start))
        store.put(bundle_path(start // TILE_WIDTH, len(bundle)), pack_bundle(bundle))
        tree.extend([leaf_hash(entry) for entry in bundle])
        progress(tree.size)
    if tree.root() != signed.root:
        raise LedgerBroken(
            f"the files written to {folder} do not match the signed checkpoint: an entry was rewritten, here or in "
            "an earlier export; verify the ledger, and export it into an empty folder",
            leaf=begun,
        )
    tree.put_partial_tiles()
    store.sync()


def _exported(log: LogReader, folder: Path, signed: Checkpoint) -> int:
    """The number of leaves in an earlier export in *folder*, after checking that *log* begins with them."""
    if not any(folder.iterdir()):
        return 0
    if not (folder / "checkpoint").exists():
        raise LedgerError(f"{folder} is not empty, and contains no complete export to continue; choose an empty folder")
    earlier = Checkpoint.open(_checkpoint(folder), log.verifier, origin=signed.origin)
    require_begins_with(log, earlier, str(folder))
    return earlier.size
