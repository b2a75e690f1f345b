"""What kind of file it is: by the ending of its name."""

from __future__ import annotations

import enum
from pathlib import PurePath
from typing import Final


class FileKind(enum.StrEnum):
    """The ways in which a file can be read."""

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
    """How a file of this *name* is read; text where its ending says nothing else."""
    return _ENDINGS.get(PurePath(name).suffix.lower(), FileKind.TEXT)
