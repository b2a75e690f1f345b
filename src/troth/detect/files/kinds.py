"""What kind of file it is: by the ending of its name."""

from __future__ import annotations

import enum
from pathlib import PurePath
from typing import Final


class Kind(enum.StrEnum):
    """The ways in which a file can be read."""

    TEXT = "text"
    HTML = "html"
    MAIL = "mail"
    CSV = "csv"
    JSONL = "jsonl"
    JSON = "json"
    PARQUET = "parquet"


_ENDINGS: Final = {
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".eml": Kind.MAIL,
    ".mbox": Kind.MAIL,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".tab": Kind.CSV,
    ".jsonl": Kind.JSONL,
    ".ndjson": Kind.JSONL,
    ".json": Kind.JSON,
    ".geojson": Kind.JSON,
    ".parquet": Kind.PARQUET,
    ".pq": Kind.PARQUET,
}


def kind_of(name: str) -> Kind:
    """How a file of this *name* is read; text where its ending says nothing else."""
    return _ENDINGS.get(PurePath(name).suffix.lower(), Kind.TEXT)
