"""The text that staff sign before they see anything: the company's own ``undertaking.md``, or ours."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from pathlib import Path

from django.conf import settings

from troth.ledger import Hash
from troth.service.configuration import Settings

OWN_FILE = "undertaking.md"
"""Beside the declaration, where a company has a text of its own. Another text has to be signed anew."""
_BYTES_MAX = 200_000


def document() -> str:
    """The text in force."""
    told: Settings = settings.TROTH
    own = Path(told.declaration).parent / OWN_FILE
    try:
        status = own.stat()
        return _read(own, (status.st_mtime_ns, status.st_size))
    except OSError:
        return _tidy(resources.files(__package__).joinpath("undertaking.md").read_text(encoding="utf-8"))


@functools.lru_cache(4)
def _read(file: Path, changed: tuple[int, int]) -> str:
    """The text of *file*, read again when it has *changed*."""
    with file.open("rb") as opened:
        return _tidy(opened.read(_BYTES_MAX).decode("utf-8", "replace"))


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").strip() + "\n"


def document_hash() -> str:
    """By which a signature says what was signed."""
    return Hash("sha256:" + hashlib.sha256(document().encode()).hexdigest()).text
