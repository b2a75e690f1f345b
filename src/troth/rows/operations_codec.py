"""Serialises plans to bytes, which are sealed into the journal and read back after a crash.

Compressed JSON lines with tagged scalars, so that dates stay dates and keys compare equal: a header line, then one line
per operation, then whatever else the kind of plan has. Version 1.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from troth.errors import TrothError
from troth.rows.operations import Operation
from troth.stores import Row, Scalar

VERSION = 1

Plan = TypeVar("Plan")


class WorkUnreadable(TrothError):
    """The bytes are damaged, or were written by another version of Troth."""


def encode(head: Mapping[str, object], operations: Sequence[Operation], others: Iterable[object] = ()) -> bytes:
    """Serialise a plan: its *head*, its operations and *others*. The bytes contain row keys and new values, and must
    only be stored sealed."""
    lines = ((o.chunk, o.system, o.table, o.key, o.columns, o.rows, o.seen, o.before, o.keep_nulls) for o in operations)
    whole = {"version": VERSION, "operations": len(operations), **head}
    packer = zlib.compressobj(level=1)  # shrinks similar rows to a quarter; streams, so text is never whole in memory
    packed = [packer.compress(text(line).encode() + b"\n") for line in (whole, *lines, *others)]
    return b"".join([*packed, packer.flush()])


def decode(encoded: bytes, read: Callable[[dict[str, Any], tuple[Operation, ...], list[Any]], Plan]) -> Plan:
    """Inverse of `encode`: *read* makes the plan of its head, its operations and the others. Raises `WorkUnreadable`,
    also where *read* fails on what it is given."""
    try:
        head, *lines = (json.loads(line, object_hook=_untag) for line in zlib.decompress(encoded).splitlines())
        if head.get("version") != VERSION:
            raise WorkUnreadable("this run was planned by another version of Troth; finish it with that version")
        operations = tuple(
            Operation(
                chunk, system, table, tuple(key), tuple(columns), rows_of(rows), tuple(seen), rows_of(before), nulls
            )
            for chunk, system, table, key, columns, rows, seen, before, nulls in lines[: head["operations"]]
        )
        return read(head, operations, lines[head["operations"] :])
    except (zlib.error, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        raise WorkUnreadable("the sealed plan of this run is damaged; plan again") from None


def rows_of(stored: Any) -> list[Row]:
    """Rows as they were before JSON."""
    return [tuple(row) for row in stored]


def text(value: object) -> str:
    """*value* as JSON, with tagged scalars."""
    return _ENCODER.encode(value)


_SCALARS: Mapping[str, Callable[[str], Scalar]] = {
    "bytes": base64.b64decode,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "decimal": decimal.Decimal,
    "time": dt.time.fromisoformat,
    "uuid": uuid.UUID,
}


def scalar(value: object) -> dict[str, str]:
    """Encode a scalar that JSON does not support, tagged with its type (a `json.dumps` default)."""
    match value:
        case bytes():
            return {"$": "bytes", "v": base64.b64encode(value).decode()}
        case dt.datetime():
            return {"$": "datetime", "v": value.isoformat()}
        case dt.date():
            return {"$": "date", "v": value.isoformat()}
        case dt.time():
            return {"$": "time", "v": value.isoformat()}
        case decimal.Decimal():
            return {"$": "decimal", "v": str(value)}
        case uuid.UUID():
            return {"$": "uuid", "v": str(value)}
    raise TypeError(f"there is no tag for a {type(value).__name__}")


_ENCODER = json.JSONEncoder(default=scalar, separators=(",", ":"))


def untagged(stored: bytes) -> Any:
    """Inverse of `text`; rows become lists."""
    return json.loads(stored, object_hook=_untag)


def _untag(stored: dict[str, Any]) -> Any:
    return _SCALARS[stored["$"]](stored["v"]) if stored.keys() == {"$", "v"} else stored
