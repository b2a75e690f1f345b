"""The ZIP: an ``index.html`` to read, the data as JSON and CSV, a letter in PDF."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import zipfile
from collections.abc import Mapping

from troth.service.cases.package.cells import printable
from troth.service.cases.package.contents import Contents, Part
from troth.service.cases.package.files import data_files, manifest

__all__ = ["build", "packed"]


def build(contents: Contents) -> bytes:
    """The package of *contents*, complete: the same bytes for the same contents. Raises `PackageRefused`."""
    contents = dataclasses.replace(contents, parts=[_named(part) for part in contents.parts])
    files = dict(data_files(contents))
    return packed({**files, "manifest.json": manifest(contents, files)}, contents.made_at)


def _named(part: Part) -> Part:
    """*part* under names that every file can hold; its values are left alone."""
    return dataclasses.replace(part, place=printable(part.place), columns=tuple(map(printable, part.columns)))


def packed(files: Mapping[str, bytes], made_at: dt.datetime) -> bytes:
    """*files* as a ZIP that depends on nothing else: sorted, all of one time, readable by their owner alone."""
    at = made_at.astimezone(dt.UTC)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, (min(max(at.year, 1980), 2107), *at.timetuple()[1:6]))
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
            opened.writestr(info, content)
    return out.getvalue()
