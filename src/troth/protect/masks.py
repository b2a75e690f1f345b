"""Masks: meaningless values that fit a column, derived from a row's position and never from its value.

A mask is a function of the place (``system.table.column``) and the row's key, under a secret key. So writing it is
idempotent, and a value is recognised as a mask by computing the mask again.

If every row must differ, the mask carries at least 56 bits of the keyed hash: among a million rows, two are equal with
a probability of one in a hundred thousand. Narrower columns are refused beforehand.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from troth.ledger import Pseudonym
from troth.protect.errors import MaskRefused, MaskTooNarrow
from troth.protect.keyring import Keyring
from troth.protect.pack import Part, packed

_UNIQUE_BITS = 56
_UNIQUE_HEX = 14
_UNIQUE_DIGITS = 17
_DAY = dt.date(2000, 1, 1)
_MOMENT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class MaskKind(enum.StrEnum):
    """The type of a column's values. The names are those of store columns, with two that only the declaration knows."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    BYTES = "bytes"
    UUID = "uuid"
    JSON = "json"
    ARRAY = "array"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MaskFit:
    """Constraints on a mask: *length* in characters (bytes for ``bytes``), None if unbounded; *low* and *high* for
    ``integer``; *unique* if no two rows may hold the same."""

    kind: str
    length: int | None = None
    unique: bool = False
    low: int | None = None
    high: int | None = None

    def check(self) -> None:
        """Raises `MaskTooNarrow` or `MaskRefused` if no mask fits, before there is a row to mask."""
        _shape(self)


class Masker:
    """Computes and recognises masks. About 2 µs per value in `batch`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def mask(self, fit: MaskFit, place: str, key: Sequence[Part]) -> Part:
        """The mask of one row. Raises as `batch`."""
        return self.batch(fit, place, [key])[0]

    def batch(self, fit: MaskFit, place: str, keys: Sequence[Sequence[Part]]) -> list[Part]:
        """The masks of the rows with these *keys*, in their order.

        Raises `MaskTooNarrow` if masks that differ do not fit, `MaskRefused` if none fits at all.
        """
        shape = _shape(fit)
        return [shape(keyed) for keyed in self._keyring._mac("mask", place).each([packed(key) for key in keys])]

    def pseudonymise(self, fit: MaskFit, subject: Pseudonym | str) -> Part:
        """A value that fits, the same for one subject in all columns with the same fit. Raises as `batch`."""
        return _shape(fit)(self._keyring._mac("pseudonymise", "")(str(subject).encode()))

    def looks_masked(self, fit: MaskFit, place: str, key: Sequence[Part], value: Part) -> bool:
        """Whether *value* is exactly the mask of that row. Ignores the trailing spaces of fixed-width columns and a
        time zone that the driver drops."""
        return _same(self.mask(fit, place, key), value)


def _same(mask: Part, value: Part) -> bool:
    if isinstance(mask, str) and isinstance(value, str):
        return mask == value.rstrip(" ")
    if isinstance(mask, dt.datetime) and isinstance(value, dt.datetime) and value.tzinfo is None:
        return mask.replace(tzinfo=None) == value
    if isinstance(mask, bytes) and isinstance(value, bytes | bytearray | memoryview):
        return mask == bytes(value)
    return mask == value


# --- shapes: from a keyed hash of 32 bytes to a value that fits -----------------------------------------------------

_Shape = Callable[[bytes], Part]


def _shape(fit: MaskFit) -> _Shape:
    try:
        kind = MaskKind(fit.kind)
    except ValueError:
        raise MaskRefused(f"there is no mask for a column of kind {fit.kind!r}") from None
    make = _SHAPES.get(kind)
    if make is None:
        raise MaskRefused(f"there is no mask for a column of kind {kind}; declare null or delete for it")
    return make(fit)


def _text(fit: MaskFit) -> _Shape:
    """``masked-0123456789abcdef``; in narrower columns as many hexadecimal digits as fit."""
    if fit.length is None or fit.length >= 23:
        return lambda keyed: "masked-" + keyed[:8].hex()
    length = fit.length
    _require_room(fit, length, _UNIQUE_HEX, "characters")
    return lambda keyed: keyed.hex()[:length]


def _email(fit: MaskFit) -> _Shape:
    """``masked-0123456789abcdef@masked.invalid``: RFC 2606 reserves ``.invalid`` for ever, so no mail can be delivered
    there. Shorter forms for narrower columns, and plain hexadecimal digits if no such address fits."""
    room = 64 if fit.length is None else fit.length
    if room >= 38:
        return lambda keyed: f"masked-{keyed[:8].hex()}@masked.invalid"
    for domain in ("@masked.invalid", "@m.invalid"):
        digits = min(room - len(domain), 16)
        if digits >= (_UNIQUE_HEX if fit.unique else 4):
            return lambda keyed: keyed.hex()[:digits] + domain
    return _text(fit)


def _phone(fit: MaskFit) -> _Shape:
    """An unassigned number: ``+447700900123`` is in the range that Ofcom reserves for fiction. If every row must
    differ, ``999`` and 17 digits, which is longer than any number may be (ITU-T E.164) and in no country (+999)."""
    room = 64 if fit.length is None else fit.length
    if fit.unique:
        _require_room(fit, room, 3 + _UNIQUE_DIGITS, "characters")
        return lambda keyed: f"999{int.from_bytes(keyed[:8], 'big') % 10**_UNIQUE_DIGITS:017d}"
    for prefix in ("+447700900", "07700900"):
        if room >= len(prefix) + 3:
            return lambda keyed: f"{prefix}{int.from_bytes(keyed[:4], 'big') % 1000:03d}"
    return lambda keyed: "0" * room


def _integer(fit: MaskFit) -> _Shape:
    """Zero, or the nearest bound; if every row must differ, a number within the bounds."""
    low = -(2**31) if fit.low is None else fit.low
    high = 2**31 - 1 if fit.high is None else fit.high
    if not fit.unique:
        return _constant(min(max(0, low), high))
    first, width = max(low, 1) if high > 0 else low, high - (max(low, 1) if high > 0 else low) + 1
    if width < 2**_UNIQUE_BITS:
        raise MaskTooNarrow(
            f"masks that differ in every row need whole numbers of {_UNIQUE_BITS} bits, and this column holds "
            f"{max(width, 1).bit_length() - 1}; declare null or delete for it",
            needed=_UNIQUE_BITS,
        )
    return lambda keyed: first + int.from_bytes(keyed[:16], "big") % width


def _bytes(fit: MaskFit) -> _Shape:
    length = 16 if fit.length is None else min(fit.length, 16)
    _require_room(fit, length, _UNIQUE_BITS // 8, "bytes")
    return lambda keyed: keyed[:length]


def _uuid(fit: MaskFit) -> _Shape:
    """Version 8 of RFC 9562, for custom values."""
    return lambda keyed: uuid.UUID(
        bytes=keyed[:6] + bytes([0x80 | keyed[6] & 0x0F, keyed[7], 0x80 | keyed[8] & 0x3F]) + keyed[9:16]
    )


def _neutral(value: Part) -> Callable[[MaskFit], _Shape]:
    def make(fit: MaskFit) -> _Shape:
        if fit.unique:
            raise MaskRefused(
                f"a column of kind {fit.kind} has one mask only and must differ in every row; declare null or delete"
            )
        return _constant(value)

    return make


def _constant(value: Part) -> _Shape:
    return lambda keyed: value


def _require_room(fit: MaskFit, room: int, needed: int, unit: str) -> None:
    if fit.unique and room < needed:
        raise MaskTooNarrow(
            f"masks that differ in every row need {needed} {unit}, and this column has {room}; widen it, or declare "
            "null or delete",
            needed=needed,
        )


_SHAPES: dict[MaskKind, Callable[[MaskFit], _Shape]] = {
    MaskKind.TEXT: _text,
    MaskKind.EMAIL: _email,
    MaskKind.PHONE: _phone,
    MaskKind.INTEGER: _integer,
    MaskKind.NUMBER: _neutral(0),
    MaskKind.BOOLEAN: _neutral(False),
    MaskKind.DATE: _neutral(_DAY),
    MaskKind.DATETIME: _neutral(_MOMENT),
    MaskKind.TIME: _neutral(dt.time(0)),
    MaskKind.BYTES: _bytes,
    MaskKind.UUID: _uuid,
    MaskKind.JSON: _neutral("{}"),
    MaskKind.ARRAY: _neutral("[]"),
}
