"""Canonical encoding of values as bytes, for everything that is hashed, authenticated or compared under a key.

Each part carries its type and its length, so no two different lists of parts give the same bytes. Whole numbers are
encoded equally whichever type a database driver uses.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Iterable
from typing import Any

Part = str | int | float | bool | bytes | decimal.Decimal | dt.date | dt.datetime | dt.time | uuid.UUID | None
"""A scalar, as a store returns it."""


def texts(*parts: str | bytes) -> bytes:
    """Texts, each preceded by its length in bytes (uint32): the domain separation of every derived key."""
    encoded = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join([len(part).to_bytes(4, "big") + part for part in encoded])


def text(part: str) -> bytes:
    """`texts` of one text."""
    encoded = part.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(4, "big") + encoded


def packed(parts: Iterable[Part]) -> bytes:
    """Each part as a letter for its type, its length (uint32) and its bytes."""
    return b"".join([packed_one(part) for part in parts])


def packed_one(part: Part) -> bytes:
    """`packed` of one part."""
    tag, data = _tagged(part)
    return tag + len(data).to_bytes(4, "big") + data


def _tagged(part: Any) -> tuple[bytes, bytes]:
    kind = type(part)
    if kind is int:  # the two most common types in keys come first
        return b"i", b"%d" % part
    if kind is str:
        return b"s", part.encode("utf-8", "surrogatepass")
    return _tagged_rarely(part)


def _tagged_rarely(part: Any) -> tuple[bytes, bytes]:
    match part:
        case None:
            return b"n", b""
        case bool():
            return b"b", b"1" if part else b"0"
        case int():
            return b"i", b"%d" % part
        case str():
            return b"s", part.encode("utf-8", "surrogatepass")
        case float() if part.is_integer():
            return b"i", b"%d" % int(part)
        case float():
            return b"f", repr(part).encode()
        case decimal.Decimal():
            return _tagged_decimal(part)
        case bytes() | bytearray() | memoryview():
            return b"x", bytes(part)
        case uuid.UUID():
            return b"u", part.bytes
        case dt.datetime():
            moment = part if part.tzinfo is None else part.astimezone(dt.UTC)
            return b"m", moment.isoformat(timespec="microseconds").encode()
        case dt.date():
            return b"a", part.isoformat().encode()
        case dt.time():
            return b"t", part.isoformat(timespec="microseconds").encode()
    raise TypeError(f"a {type(part).__name__} has no packed form")


def _tagged_decimal(part: decimal.Decimal) -> tuple[bytes, bytes]:
    if not part.is_finite():
        return b"d", str(part).encode()
    text = format(part, "f")  # exact, whatever the context's precision
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return (b"d", text.encode()) if "." in text else (b"i", b"0" if text == "-0" else text.encode())
