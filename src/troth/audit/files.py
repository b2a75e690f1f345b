"""Writes the report as files that only their owner can read; each file is replaced atomically."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Final

from troth.audit.data import as_data, as_sarif
from troth.audit.page import as_html
from troth.audit.report import AuditReport
from troth.errors import TrothError


class ReportUnwritten(TrothError):
    """The report could not be written. Each earlier file is either unchanged or already replaced as a whole."""


_NAMES: Final = ("report.html", "report.json", "report.sarif")


def write_report(report: AuditReport, folder: Path) -> tuple[Path, ...]:
    """Write ``report.html``, ``report.json`` and ``report.sarif`` into *folder*, and return their paths.

    Creates the folder (0700) if missing, replaces an older report, and leaves other files alone. Raises
    `ReportUnwritten`.
    """
    texts = (as_html(report), _json(as_data(report)), _json(as_sarif(report)))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in zip(_NAMES, texts, strict=True):
            _replace(folder / name, text)
    except OSError as error:
        raise ReportUnwritten(f"{folder}: the report cannot be written there ({error.strerror})") from None
    return tuple(folder / name for name in _NAMES)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _replace(path: Path, text: str) -> None:
    """Atomically replace the file at *path* with a file of mode 0600."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp's mode is 0600
    try:
        with os.fdopen(number, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
