"""The data files of a package: JSON, its JSON Schema, CSV, and the manifest. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from troth.declaration import Organisation
from troth.service.cases import labels
from troth.service.requests.package.cells import DEFINITIONS, csv_cell, encode, kind_of_column, printable
from troth.service.requests.package.contents import Contents, PackageRefused, TableContents

FORMAT = "troth-package/1"
"""Version of the package format; changed with every new layout."""

_NAME_MAX = 100
_ATTACHED_MAX = 500
"""Maximum number of attached files per table; further binary values are only in its JSON and CSV, as base64."""
_ENDINGS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"%PDF-": ".pdf",
}
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)  # reserved names on Windows


def pretty(value: object) -> bytes:
    """Indented JSON of *value*."""
    return (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace")


def kinds_of(part: TableContents) -> tuple[str, ...]:
    """Kind of each column. Raises `PackageRefused` if rows do not match the columns, or a value has an unknown type."""
    wide = len(part.columns)
    if len(set(part.columns)) < wide or len(part.categories) != wide or any(len(row) != wide for row in part.rows):
        raise PackageRefused(f"the rows of {part.place} do not fit its columns")
    try:
        return tuple(kind_of_column(row[at] for row in part.rows) for at in range(wide))
    except KeyError as unknown:
        raise PackageRefused(f"{part.place} holds a value of a type that is no column's: {unknown}") from None


def data_files(contents: Contents) -> Iterator[tuple[str, bytes]]:
    """Yield the files: ``data.json`` with all data, its ``schema.json``, a JSON and a CSV file per table, and binary
    values as separate files."""
    tables = []
    for part, name in zip(contents.parts, file_names(contents.parts), strict=True):
        kinds = kinds_of(part)
        rows = _rows(part, kinds)
        tables.append(_table(part, rows))
        yield f"data/{name}.json", rows.encode() + b"\n"
        inside = attached(part, name)
        yield f"data/{name}.csv", _csv(part, inside)
        for (row, at), path in inside.items():
            content = part.rows[row][at]
            assert isinstance(content, bytes)
            yield path, content
    head = {
        "format": FORMAT,
        "right": contents.right,
        "reference": contents.reference,
        "language": contents.language,
        "made_at": _moment(contents.made_at),
        "declaration": contents.declaration.hash,
        "controller": controller(contents.declaration.organisation),
    }
    opened = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
    yield "data.json", f'{opened},\n "tables": {{{",".join(tables)}}}\n}}\n'.encode()
    yield "schema.json", pretty(schema_of(contents.right, contents.parts))


def controller(organisation: Organisation) -> dict[str, str]:
    """Identity of the controller."""
    return {
        "name": printable(organisation.name),
        "country": organisation.country,
        "email": printable(organisation.email),
    }


def _rows(part: TableContents, kinds: Sequence[str]) -> str:
    """The rows as JSON, one per line, which is readable and allows the fast encoder."""
    write = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    lines = [
        write({name: encode(kind, value) for name, kind, value in zip(part.columns, kinds, row, strict=True)})
        for row in part.rows
    ]
    return "[\n  " + ",\n  ".join(lines) + "\n]" if lines else "[]"


def _table(part: TableContents, rows: str) -> str:
    write = json.JSONEncoder(ensure_ascii=False).encode
    categories = write(dict(zip(part.columns, part.categories, strict=True)))
    return f'\n{write(part.place)}: {{\n "categories": {categories},\n "withheld": {part.withheld},\n "rows": {rows}}}'


def _csv(part: TableContents, inside: Mapping[tuple[int, int], str]) -> bytes:
    """The rows as CSV, in UTF-8 with a byte order mark, by which spreadsheets recognise UTF-8. Binary values that are
    separate files are replaced by the file name."""
    lines = [",".join(map(csv_cell, part.columns))]
    for number, row in enumerate(part.rows):
        lines.append(",".join(csv_cell(inside.get((number, at), value)) for at, value in enumerate(row)))
    return "\ufeff".encode() + "".join(f"{line}\r\n" for line in lines).encode()


def attached(part: TableContents, name: str) -> Mapping[tuple[int, int], str]:
    """File names for binary values, by row and column. The extension depends on the detected type, and executable types
    get none."""
    found = dict[tuple[int, int], str]()
    for number, row in enumerate(part.rows):
        for at, value in enumerate(row):
            if isinstance(value, bytes) and value and len(found) < _ATTACHED_MAX:
                found[number, at] = f"files/{name}-{number + 1}-{at + 1}{_ending(value)}"
    return found


def _ending(content: bytes) -> str:
    return next((ending for mark, ending in _ENDINGS.items() if content.startswith(mark)), ".bin")


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


# --- the schema ------------------------------------------------------------------------------------------------------


def schema_of(right: str, parts: Sequence[TableContents]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of ``data.json``: its tables, their columns, and the kind of each column."""
    text = {"type": "string"}
    head = {
        "format": {"const": FORMAT},
        "right": {"const": right},
        "reference": text,
        "language": text,
        "made_at": {"type": "string", "format": "date-time"},
        "declaration": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        "controller": _object({"name": text, "country": text, "email": text}),
    }
    tables = {part.place: _table_schema(part) for part in parts}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FORMAT,
        **_object({**head, "tables": _object(tables)}),
        "$defs": dict(DEFINITIONS),
    }


def _table_schema(part: TableContents) -> dict[str, Any]:
    columns = {
        name: {"$ref": f"#/$defs/{kind}"} | ({"description": category} if category else {})
        for name, kind, category in zip(part.columns, kinds_of(part), part.categories, strict=True)
    }
    return _object(
        {
            "categories": {"const": dict(zip(part.columns, part.categories, strict=True))},
            "withheld": {"type": "integer", "minimum": 0},
            "rows": {"type": "array", "items": _object(columns)},
        }
    )


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of an object with exactly these properties."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": dict(properties),
    }


# --- names, and the manifest -----------------------------------------------------------------------------------------


def file_names(parts: Sequence[TableContents]) -> list[str]:
    """A file name without extension for each part. Raises `PackageRefused` for two parts of one place."""
    if len({part.place for part in parts}) < len(parts):
        raise PackageRefused("one table stands in the package twice")
    return _plain_names([part.place for part in parts])


def upload_names(uploads: Mapping[str, bytes]) -> Mapping[str, str]:
    """File name of each uploaded file, by system."""
    names = zip(uploads, _plain_names(list(uploads)), strict=True)
    return {system: f"uploads/{name}{_ending(uploads[system])}" for system, name in names}


def _plain_names(wanted: Sequence[str]) -> list[str]:
    """File names that are valid on all operating systems and unique case-insensitively."""
    names, taken = [], set[str]()
    for each in wanted:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", each).strip(".")[:_NAME_MAX] or "table"
        plain = f"_{plain}" if _RESERVED.match(plain) or plain.startswith("-") else plain
        name, more = plain, 1
        while name.lower() in taken:
            more += 1
            name = f"{plain}~{more}"
        taken.add(name.lower())
        names.append(name)
    return names


def manifest(contents: Contents, files: Mapping[str, bytes]) -> bytes:
    """The manifest: files with size and hash, case reference and times, counts, and titles of tables and columns in the
    active language."""
    parts = contents.parts
    return pretty(
        {
            "format": FORMAT,
            "right": contents.right,
            "reference": contents.reference,
            "language": contents.language,
            "received_at": _moment(contents.received_at),
            "made_at": _moment(contents.made_at),
            "until": _moment(contents.until),
            "declaration": contents.declaration.hash,
            "counts": {
                "tables": len(parts),
                "rows": sum(len(part.rows) for part in parts),
                "withheld": sum(part.withheld for part in parts),
                "unanswered": len(contents.unanswered),
            },
            "tables": [
                {
                    "place": part.place,
                    "title": labels.table_words(contents.declaration, part.place),
                    "columns": {
                        column: labels.column_words(contents.declaration, part.place, column, category)
                        for column, category in zip(part.columns, part.categories, strict=True)
                    },
                    "rows": len(part.rows),
                    "json": f"data/{name}.json",
                    "csv": f"data/{name}.csv",
                }
                for part, name in zip(parts, file_names(parts), strict=True)
            ],
            "files": [
                {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for name, data in sorted(files.items())
            ],
        }
    )
