"""The kinds of values in sealed columns, and their encoding as bytes, so that a value reads back unchanged."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ColumnKind(Generic[T]):
    """A kind of value. *dump* and *load* raise ``TypeError`` or ``ValueError`` for any other kind."""

    name: str
    dump: Callable[[T], bytes]
    load: Callable[[bytes], T]


def _dump_text(value: str) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    return value.encode()


def _dump_bytes(value: bytes) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError
    return bytes(value)


def _dump_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _dump_number(value: decimal.Decimal | int) -> bytes:
    if isinstance(value, bool) or not isinstance(value, decimal.Decimal | int):
        raise TypeError  # a float has no exact text that people expect
    return str(_finite(decimal.Decimal(value))).encode()


def _load_number(data: bytes) -> decimal.Decimal:
    return _finite(decimal.Decimal(data.decode()))


def _finite(value: decimal.Decimal) -> decimal.Decimal:
    if not value.is_finite():
        raise ValueError
    return value


def _dump_date(value: dt.date) -> bytes:
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise TypeError
    return value.isoformat().encode()


TEXT: Final[ColumnKind[str]] = ColumnKind("text", _dump_text, bytes.decode)
BYTES: Final[ColumnKind[bytes]] = ColumnKind("bytes", _dump_bytes, bytes)
JSON: Final[ColumnKind[Any]] = ColumnKind("JSON", _dump_json, json.loads)
NUMBER: Final[ColumnKind[decimal.Decimal]] = ColumnKind("number", _dump_number, _load_number)
DATE: Final[ColumnKind[dt.date]] = ColumnKind("date", _dump_date, lambda data: dt.date.fromisoformat(data.decode()))
