"""Values as JSON holds them, each under a kind that gives it back exactly, and as cells of CSV. Pure.

A column has one kind, which the package's JSON Schema names (``"$ref": "#/$defs/date"``). Where its values are of
several kinds, it is ``mixed``, and each value says its own.
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
"""The largest whole number that every reader of JSON keeps exactly (RFC 8259, section 6)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of value is written."""

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
    "bytes": _Kind(
        _text(contentEncoding="base64"),
        lambda value: base64.b64encode(value).decode(),
    ),
    "broken_text": _Kind(
        _text(contentEncoding="base64"),
        lambda value: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode(),
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
"""Every kind as a JSON Schema, for ``$defs``. Any value may be missing: null."""

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
    """The one kind that gives all of *values* back; ``mixed`` where there is none, ``text`` where there are none."""
    kinds = {_kind_of(value) for value in values if value is not None}
    if len(kinds) <= 1:
        return next(iter(kinds), "text")
    return next((wider for some, wider in _WIDER if kinds == some), _MIXED)


def encode(kind: str, value: Scalar) -> Any:
    """*value* as JSON holds it in a column of *kind*."""
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
    """*text* with U+FFFD for what no page and no table can hold: control characters and halves of characters."""
    return _UNPRINTABLE.sub("\ufffd", text)


def csv_cell(value: Scalar) -> str:
    """One cell of CSV, in quotes (RFC 4180); nothing at all for null.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, and so does one that begins with an
    apostrophe: whoever takes one apostrophe off has the text again. Numbers are left alone.
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
