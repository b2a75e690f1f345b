"""Encodes values losslessly as JSON, with a kind for each, and as CSV cells. Pure.

Each column has one kind, which the package's JSON Schema names (``"$ref": "#/$defs/date"``). If its values have several
kinds, it is ``mixed``, and each value contains its own kind.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import math
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from troth.stores import Scalar

_EXACT_MAX = 2**53 - 1
"""The largest integer that every JSON parser preserves exactly (RFC 8259, section 6)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """JSON Schema and encoder of one kind of value."""

    schema: Mapping[str, Any]
    encode: Callable[[Any], Any] = lambda value: value


def _text(**schema: Any) -> dict[str, Any]:
    return {"type": ["string", "null"], **schema}


_KINDS: Mapping[str, _Kind] = {
    "text": _Kind(_text()),
    "integer": _Kind({"type": ["integer", "null"]}),
    "number": _Kind({"type": ["number", "null"]}),
    "boolean": _Kind({"type": ["boolean", "null"]}),
    "big_integer": _Kind(_text(pattern="^(0|-?[1-9][0-9]*)$"), str),
    "float": _Kind(_text(pattern="^-?(inf|[0-9.]+(e[+-]?[0-9]+)?)$|^nan$"), repr),
    "decimal": _Kind(_text(pattern="^-?([0-9]+(\\.[0-9]+)?(E[+-]?[0-9]+)?|Infinity|s?NaN[0-9]*)$"), str),
    "date": _Kind(_text(format="date"), dt.date.isoformat),
    "moment": _Kind(_text(format="date-time"), dt.datetime.isoformat),
    "local_moment": _Kind(_text(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+$"), dt.datetime.isoformat),
    "time": _Kind(_text(pattern="^[0-9]{2}:[0-9]{2}:[0-9:.+-]+$"), dt.time.isoformat),
    "uuid": _Kind(_text(format="uuid"), str),
    "bytes": _Kind(_text(contentEncoding="base64"), lambda value: base64.b64encode(value).decode()),
    "broken_text": _Kind(
        _text(contentEncoding="base64"), lambda value: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
    ),
}
_MIXED = "mixed"

DEFINITIONS: Mapping[str, Mapping[str, Any]] = {
    **{name: kind.schema for name, kind in _KINDS.items()},
    _MIXED: {
        "type": ["object", "null"],
        "required": ["kind", "value"],
        "additionalProperties": False,
        "properties": {"kind": {"enum": list(_KINDS)}, "value": {"type": ["string", "number", "boolean"]}},
    },
}
"""JSON Schema of each kind, for ``$defs``. Every value may be null."""

_TYPES: Mapping[type, str] = {
    bool: "boolean",
    bytes: "bytes",
    decimal.Decimal: "decimal",
    dt.date: "date",
    dt.time: "time",
    uuid.UUID: "uuid",
}
_WIDER = ({"integer", "big_integer"}, "big_integer"), ({"integer", "number"}, "number"), ({"number", "float"}, "float")


def _kind_of(value: Scalar) -> str:
    if isinstance(value, str):
        return "broken_text" if _SURROGATE.search(value) else "text"
    if isinstance(value, dt.datetime):
        return "moment" if value.tzinfo is not None else "local_moment"
    if isinstance(value, float):
        return "number" if math.isfinite(value) else "float"
    if isinstance(value, int) and not isinstance(value, bool):
        return "integer" if abs(value) <= _EXACT_MAX else "big_integer"
    return _TYPES[type(value)]


def kind_of_column(values: Iterable[Scalar]) -> str:
    """The kind that represents all *values* exactly; ``mixed`` if there is none, ``text`` without values."""
    kinds = {_kind_of(value) for value in values if value is not None}
    if len(kinds) <= 1:
        return next(iter(kinds), "text")
    return next((wider for some, wider in _WIDER if kinds == some), _MIXED)


def encode(kind: str, value: Scalar) -> Any:
    """Encode *value* for JSON in a column of *kind*."""
    if value is None:
        return None
    if kind == _MIXED:
        own = _kind_of(value)
        return {"kind": own, "value": _KINDS[own].encode(value)}
    return _KINDS[kind].encode(value)


# --- text that is safe to print --------------------------------------------------------------------------------------

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def printable(text: str) -> str:
    """Replace control characters, noncharacters and lone surrogates in *text* by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text)


def csv_cell(value: Scalar) -> str:
    """One CSV cell, quoted (RFC 4180); empty for null.

    Text that a spreadsheet would execute as a formula gets a leading apostrophe, and so does text that begins with one,
    so that removing one apostrophe restores the text. Numbers are not changed.
    """
    if value is None:
        return ""
    kind = _kind_of(value)
    if kind in ("integer", "number", "big_integer", "boolean"):
        return json.dumps(value)
    text = printable(value if isinstance(value, str) else str(_KINDS[kind].encode(value)))
    is_number = kind == "decimal" and isinstance(value, decimal.Decimal) and value.is_finite()
    if text.startswith((*_FORMULA, "'")) and not is_number:
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"'
