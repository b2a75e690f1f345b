"""One change over many files, all or nothing, whenever the power goes.

The new versions are written beside the old ones, under ``.troth``; the manifest, renamed into place, is the moment of
commit; then the files are moved. Whoever comes next finishes a committed manifest and removes everything else of ours,
so that no old or half-made copy of personal data stays behind.
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
    """A new version, written to *staged*, of the file that was as *old* says."""

    staged: str
    old: Stamp


def publish(folder: Folder, lease: Lease, changes: Sequence[FileReplacement], *, store: str) -> None:
    """Commit the changes. Raises `StoreBusy`, with nothing changed, when a file is no longer as it was."""
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
    folder.move(_DRAFT, MANIFEST)  # from here on it has happened
    passed_by = settle(folder, lease)
    if passed_by:
        raise StoreError(
            f"{', '.join(passed_by)} changed at the very moment of commit and kept the other change; the rest is done, "
            "run the work again",
            store=store,
            retryable=True,
        )


def settle(folder: Folder, lease: Lease) -> list[str]:
    """Finish a committed change and remove what is left of others. Harmless when repeated.

    A file that someone else has written since the commit keeps what they wrote: losing it could not be mended, while
    the work that was cut off runs again anyway. Those files are returned.
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
    # The manifest goes last but one step: what it names is in place, and its copies go before it does.
    for path in [*(path for path in leftovers if path != MANIFEST), MANIFEST]:
        if path in leftovers:
            folder.remove(path)
    return passed_by
