"""Detects the kind of a file by its suffix."""

from __future__ import annotations

import enum
from pathlib import PurePath
from typing import Final


class FileKind(enum.StrEnum):
    """The formats in which a file can be read."""

    TEXT = "text"
    HTML = "html"
    MAIL = "mail"
    CSV = "csv"
    JSONL = "jsonl"
    JSON = "json"
    PARQUET = "parquet"


_ENDINGS: Final = {
    ".html": FileKind.HTML,
    ".htm": FileKind.HTML,
    ".eml": FileKind.MAIL,
    ".mbox": FileKind.MAIL,
    ".csv": FileKind.CSV,
    ".tsv": FileKind.CSV,
    ".tab": FileKind.CSV,
    ".jsonl": FileKind.JSONL,
    ".ndjson": FileKind.JSONL,
    ".json": FileKind.JSON,
    ".geojson": FileKind.JSON,
    ".parquet": FileKind.PARQUET,
    ".pq": FileKind.PARQUET,
}


def kind_of(name: str) -> FileKind:
    """The format of a file with this *name*; text if the suffix is unknown."""
    return _ENDINGS.get(PurePath(name).suffix.lower(), FileKind.TEXT)
