"""A package as somebody takes it over, for tests: verified file by file, and read back with the types of its values.

A package comes from outside. Everything in it has to be exactly as `build` makes it, within limits, or it is refused.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import hashlib
import io
import json
import re
import uuid
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from troth.service.requests.package import cells
from troth.service.requests.package.contents import PackageRefused, TableContents
from troth.service.requests.package.files import FORMAT, schema_of
from troth.stores import Scalar

PACKAGE_BYTES_MAX = 512 * 1024 * 1024
"""Of all files of a package together, unpacked."""
_FILES_MAX = 20_000
_MANIFEST_BYTES_MAX = 8 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~-]*(/[A-Za-z0-9_-][A-Za-z0-9._~-]*)*")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, repr=False)
class Unpacked:
    """What a package holds for whoever takes it over: the rows, with their types."""

    right: str
    reference: str
    language: str
    made_at: dt.datetime
    declaration: str
    """The hash of the declaration that it was made under."""
    parts: tuple[TableContents, ...]


def read_package(data: bytes) -> Unpacked:
    """What the package *data* holds. Raises `PackageRefused`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            files = _verified(packed)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise PackageRefused("this is no ZIP, or a damaged one") from None
    return _unpacked(_parsed(files, "data.json"), _parsed(files, "schema.json"))


# --- the files --------------------------------------------------------------------------------------------------------


def _verified(packed: zipfile.ZipFile) -> Mapping[str, bytes]:
    """Every file that the manifest names, each with the hash that stands there, and no other."""
    listed = packed.infolist()
    names = [info.filename for info in listed]
    if len(listed) > _FILES_MAX or sum(info.file_size for info in listed) > PACKAGE_BYTES_MAX:
        raise PackageRefused("it is larger than any package of ours")
    if len({name.lower() for name in names}) < len(names):
        raise PackageRefused("two of its files have one name")
    if not all(_NAME.fullmatch(name) and not info.flag_bits & 1 for name, info in zip(names, listed, strict=True)):
        raise PackageRefused("one of its files has a name that none of ours has, or is encrypted")
    entries = {info.filename: info for info in listed}
    if "manifest.json" not in entries or entries["manifest.json"].file_size > _MANIFEST_BYTES_MAX:
        raise PackageRefused("it has no manifest")
    manifest = _json("manifest.json", _read(packed, entries.pop("manifest.json")))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise PackageRefused(f"it is not a package of the version {FORMAT}")
    said = _said(manifest)
    if said.keys() != entries.keys():
        raise PackageRefused("its files are not those that its manifest names")
    files = {name: _read(packed, info) for name, info in entries.items()}
    for name, content in files.items():
        if said[name] != (len(content), hashlib.sha256(content).hexdigest()):
            raise PackageRefused(f"{name} was changed: it does not have the hash that the manifest names")
    return files


def _said(manifest: Mapping[str, Any]) -> Mapping[str, tuple[int, str]]:
    """Name to size and hash, as the manifest says."""
    said = {}
    files = manifest.get("files")
    for file in files if isinstance(files, list) else ():
        if not isinstance(file, dict) or file.keys() != {"name", "size", "sha256"} or not isinstance(file["name"], str):
            raise PackageRefused("its manifest does not say what its files are")
        if type(file["size"]) is not int or not _HASH.fullmatch(str(file["sha256"])) or file["name"] in said:
            raise PackageRefused("its manifest does not say what its files are")
        said[file["name"]] = (file["size"], file["sha256"])
    return said


def _read(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The content of one file, of no more bytes than it says it has."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PackageRefused(f"{info.filename} is packed in a way that none of ours is")
    with packed.open(info) as file:
        content = file.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise PackageRefused(f"{info.filename} is longer or shorter than it says")
    return content


def _parsed(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    parsed = _json(name, files[name]) if name in files else None
    if not isinstance(parsed, dict):
        raise PackageRefused(f"{name} is missing, or is not what it should be")
    return parsed


def _json(name: str, content: bytes) -> Any:
    """JSON as the standard has it: no key twice, no NaN, no depth without end."""
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise PackageRefused(f"{name} is no JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


# --- the rows --------------------------------------------------------------------------------------------------------


def _unpacked(data: Mapping[str, Any], schema: Mapping[str, Any]) -> Unpacked:
    """The rows, each value of the kind that the schema gives its column. The schema has to be the one that the rows
    have, to the letter."""
    try:
        tables = schema["properties"]["tables"]["properties"]
        if list(data["tables"]) != list(tables) or list(data) != schema["required"]:
            raise ValueError
        parts = tuple(_part(place, table, tables[place]) for place, table in data["tables"].items())
        text = {key: data[key] for key in ("format", "right", "reference", "language", "made_at", "declaration")}
        if schema_of(data["right"], parts) != schema or text["format"] != FORMAT or not _all_texts(text):
            raise ValueError
        if list(data["controller"]) != ["name", "country", "email"] or not _all_texts(data["controller"]):
            raise ValueError
        made_at = dt.datetime.fromisoformat(text["made_at"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise PackageRefused("data.json does not have the form that schema.json says") from None
    if made_at.tzinfo is None or text["right"] not in ("view", "port"):
        raise PackageRefused("data.json does not have the form that schema.json says")
    return Unpacked(text["right"], text["reference"], text["language"], made_at, text["declaration"], parts)


def _all_texts(values: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) for value in values.values())


def _part(place: str, table: Mapping[str, Any], schema: Mapping[str, Any]) -> TableContents:
    columns = schema["properties"]["rows"]["items"]["properties"]
    kinds = {name: column["$ref"].removeprefix("#/$defs/") for name, column in columns.items()}
    categories = table["categories"]
    if list(table) != ["categories", "withheld", "rows"] or list(categories) != list(kinds):
        raise ValueError
    if type(table["withheld"]) is not int or table["withheld"] < 0 or not isinstance(table["rows"], list):
        raise ValueError
    rows = []
    for row in table["rows"]:
        if list(row) != list(kinds):
            raise ValueError
        rows.append(tuple(_decode(kind, row[name]) for name, kind in kinds.items()))
    if not all(category is None or isinstance(category, str) for category in categories.values()):
        raise ValueError
    return TableContents(place, tuple(kinds), tuple(categories.values()), tuple(rows), table["withheld"])


# --- the values -------------------------------------------------------------------------------------------------------

_DECODED: Mapping[str, Callable[[Any], Any]] = {
    "big_integer": int,
    "float": float,
    "decimal": decimal.Decimal,
    "date": dt.date.fromisoformat,
    "moment": dt.datetime.fromisoformat,
    "local_moment": dt.datetime.fromisoformat,
    "time": dt.time.fromisoformat,
    "uuid": uuid.UUID,
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "broken_text": lambda text: base64.b64decode(text, validate=True).decode("utf-8", "surrogatepass"),
}
"""The way back of each kind that JSON does not hold as it is."""


def _decode(kind: str, held: Any) -> Scalar:
    """What *held* stands for in a column of *kind*. Raises `ValueError` for all but what `cells.encode` gives."""
    if held is None:
        return None
    if kind == cells._MIXED:
        if not isinstance(held, dict) or held.keys() != {"kind", "value"} or held["kind"] not in cells._KINDS:
            raise ValueError("a mixed value names its kind")
        kind, inner = held["kind"], held["value"]
    else:
        inner = held
    try:
        value: Scalar = _DECODED.get(kind, lambda value: value)(inner)
        again = cells._KINDS[kind].encode(value)
    except (ArithmeticError, TypeError, AttributeError, ValueError):
        raise ValueError(f"no value of the kind {kind}") from None
    if value is None or type(again) is not type(inner) or again != inner or not _fits(kind, value):
        raise ValueError(f"no value of the kind {kind}")
    return value


def _fits(kind: str, value: Any) -> bool:
    try:
        own = cells._kind_of(value)
    except KeyError:
        return False
    return own == kind or any(own in some and kind == wider for some, wider in cells._WIDER)
