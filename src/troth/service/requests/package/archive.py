"""Builds the ZIP: an ``index.html`` to read, the data as JSON and CSV, and a letter as PDF."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import override

from troth.declaration import Declaration
from troth.service.mail.rules import language_of
from troth.service.requests.package.cells import printable
from troth.service.requests.package.contents import Contents, TableContents
from troth.service.requests.package.covering_letter import letter
from troth.service.requests.package.facts import facts_of
from troth.service.requests.package.files import data_files, manifest, pretty, upload_names
from troth.service.requests.package.html_page import page
from troth.service.requests.package.portability import OmittedColumns, portable
from troth.stores import Scalar


def build(contents: Contents) -> bytes:
    """Build the complete package; the same contents give the same bytes. Raises `PackageRefused`."""
    contents = dataclasses.replace(
        contents,
        reference=printable(contents.reference),
        language=language_of(contents.language),
        parts=_in_order(_placed(contents.declaration, part) for part in contents.parts),
    )
    left_out: Sequence[OmittedColumns] = ()
    if contents.right == "port":
        parts, left_out = portable(contents.declaration, contents.parts)
        contents = dataclasses.replace(contents, parts=parts)
    files = dict(data_files(contents))
    with override(contents.language):
        facts = facts_of(contents, left_out)
        files |= {"index.html": page(contents, facts), "letter.pdf": letter(contents, facts)}
    files |= {path: contents.uploads[name] for name, path in upload_names(contents.uploads).items()}
    files |= _receipt(contents.receipt)
    with override(contents.language):
        listed = manifest(contents, files)
    return packed({**files, "manifest.json": listed}, contents.made_at)


def _receipt(receipt: Mapping[str, object] | None) -> dict[str, bytes]:
    """Files with the ledger's proof of this copy: all its data as JSON, and the proof alone for verifiers."""
    if receipt is None:
        return {}
    proof = receipt.get("proof")
    files = {"receipt.json": pretty(dict(receipt))}
    return {**files, "receipt.tlog-proof": printable(proof).encode()} if isinstance(proof, str) else files


def _in_order(parts: Iterable[TableContents]) -> list[TableContents]:
    """*parts*, grouped by system."""
    systems: dict[str, list[TableContents]] = {}
    for part in parts:
        systems.setdefault(part.system, []).append(part)
    return [part for tables in systems.values() for part in tables]


def _placed(declaration: Declaration, part: TableContents) -> TableContents:
    """*part* with printable names, and with the categories declared for an external system. Nested values become JSON
    text."""
    system = declaration.systems.get(part.system)
    holds = system.asked.holds if system is not None and system.asked is not None else {}
    categories = zip(part.columns, part.categories, strict=False)
    return TableContents(
        printable(part.place),
        tuple(map(printable, part.columns)),
        tuple(printable(known) if (known := category or holds.get(name)) else None for name, category in categories),
        tuple(tuple(_single(value) for value in row) for row in part.rows),
        part.withheld,
    )


def _single(value: Scalar) -> Scalar:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def packed(files: Mapping[str, bytes], made_at: dt.datetime) -> bytes:
    """Pack *files* as a deterministic ZIP: sorted, with a single timestamp, readable only by the owner."""
    at = made_at.astimezone(dt.UTC)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, (min(max(at.year, 1980), 2107), *at.timetuple()[1:6]))
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
            opened.writestr(info, content)
    return out.getvalue()
