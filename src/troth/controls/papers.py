"""Papers that the declaration names by their file: contracts, safeguards, assessments.

A paper is *read* if a regular file inside the declaration's folder has plausible content. It has a *fault* if such a
file is named and is not there, is empty, or is not of the kind that its name says. Anything else is *elsewhere*: an
address, a folder, a path outside, a note of where the paper is. Nothing is fetched, and no file outside the folder is
opened.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_BYTES_MAX = 32 * 1024**2
"""How much of a file is read."""
_WORDS_MIN = 40
"""A text with fewer words is a note about a contract, and no contract."""
_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{1,4}")
_BEGINNINGS = {".pdf": (b"%PDF-", 1024), ".docx": (b"PK", 2), ".odt": (b"PK", 2)}
"""What files of a kind begin with, and among how many bytes."""
_TEXTS = frozenset({".md", ".txt", ".html", ".htm"})
_POINTER = b"version https://git-lfs."  # of a file whose content was not checked out


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands for a paper in the declaration's folder: the *digest* of what was read, or its *fault*, or neither if
    it is kept elsewhere."""

    digest: str = ""
    fault: str = ""

    @property
    def is_elsewhere(self) -> bool:
        return not self.digest and not self.fault


_ELSEWHERE = Paper()


def look_up(name: str, folder: Path) -> Paper:
    """The paper *name* of a declaration in *folder*."""
    if "://" in name:
        return _ELSEWHERE
    try:
        root = folder.resolve()
        path = (root / name.strip()).resolve()
        if not path.is_relative_to(root):
            return _ELSEWHERE
        if not path.exists():
            return Paper(fault="is not there") if names_file(name) else _ELSEWHERE
        if not path.is_file():
            return _ELSEWHERE
        with path.open("rb") as file:
            content = file.read(_BYTES_MAX)
    except (OSError, ValueError):  # may not be opened, or is no path at all
        return _ELSEWHERE
    return _judged(content, path.suffix.lower())


def names_file(name: str) -> bool:
    """Whether *name* ends as the names of files do; otherwise it may be a note of where the paper is kept."""
    return _SUFFIX.fullmatch(Path(name.strip()).suffix.lower()) is not None


def _judged(content: bytes, suffix: str) -> Paper:
    if not content.strip(b"\0 \t\r\n"):
        return Paper(fault="is empty")
    if content.startswith(_POINTER):
        return _ELSEWHERE
    beginning, among = _BEGINNINGS.get(suffix, (b"", 0))
    if beginning not in content[: among + len(beginning)]:
        return Paper(fault=f"is not a {suffix.removeprefix('.').upper()} file")
    if suffix in _TEXTS and len(content.split()) < _WORDS_MIN:
        return _ELSEWHERE
    return Paper(digest=hashlib.sha256(content).hexdigest())
