"""An atomic change of many files, safe against a power failure at any time.

The new versions are written beside the old ones, under ``.troth``; renaming the manifest into place is the commit; then
the files are moved. The next process completes a committed manifest and removes all our other files, so that no old or
partial copy of personal data stays behind.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from troth.stores.contract import StoreBusy, StoreError
from troth.stores.files.folder import OURS, Folder, Lease, Stamp

MANIFEST: Final = f"{OURS}/manifest.json"
_DRAFT: Final = f"{OURS}/manifest.draft"


@dataclass(frozen=True, slots=True)
class FileReplacement:
    """A new version in *staged* of the file with the stamp *old*."""

    staged: str
    old: Stamp


def publish(folder: Folder, lease: Lease, changes: Sequence[FileReplacement], *, store: str) -> None:
    """Commit the changes. Raises `StoreBusy`, with nothing changed, if a file has changed since it was read."""
    if not changes:
        return
    changed = [change.old.path for change in changes if folder.stamp(change.old.path) != change.old]
    if changed:
        raise StoreBusy(f"{', '.join(changed)} changed meanwhile; read again and retry", store=store, retryable=True)
    lease.confirm()
    moves = [
        {"staged": it.staged, "target": it.old.path, "size": it.old.size, "version": it.old.version} for it in changes
    ]
    with folder.create(_DRAFT) as file:
        file.write(json.dumps({"troth": 1, "moves": moves}).encode())
    folder.move(_DRAFT, MANIFEST)  # this is the commit
    passed_by = settle(folder, lease)
    if passed_by:
        raise StoreError(
            f"{', '.join(passed_by)} changed during the commit and kept the other change; the rest is done, "
            "run the work again",
            store=store,
            retryable=True,
        )


def settle(folder: Folder, lease: Lease) -> list[str]:
    """Complete a committed change and remove leftovers of others. Idempotent.

    A file that someone else has written since the commit keeps their version: losing it could not be undone, while the
    interrupted work runs again anyway. Returns those files.
    """
    passed_by: list[str] = []
    leftovers = folder.leftovers()
    if MANIFEST in leftovers:
        with folder.open(MANIFEST) as file:
            moves = json.load(file)["moves"]
        for move in moves:
            lease.confirm()
            if folder.stamp(move["staged"]) is None:
                continue  # already in place
            if folder.stamp(move["target"]) == Stamp(move["target"], move["size"], move["version"]):
                folder.move(move["staged"], move["target"])
            else:
                passed_by.append(move["target"])
    # The manifest is removed last: its files are in place, and leftover copies are removed before it.
    for path in [*(path for path in leftovers if path != MANIFEST), MANIFEST]:
        if path in leftovers:
            folder.remove(path)
    return passed_by
