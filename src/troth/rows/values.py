"""Values of rows: picked from a row, cast to the kind of another column, and compared with what was written."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import gc
import math
import operator
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

from troth.stores import ColumnKind, Row, Scalar

_DIGITS_MAX = 60  # no key is a longer number


def picker(columns: Sequence[str], wanted: Sequence[str]) -> Callable[[Row], Row]:
    """Return a function that picks the *wanted* values from a row ordered by *columns*, always as a tuple."""
    at = [columns.index(column) for column in wanted]
    if len(at) == 1:
        only = at[0]
        return lambda row: (row[only],)
    return operator.itemgetter(*at)


def as_kinds(values: Row, kinds: Sequence[ColumnKind]) -> Row | None:
    """Cast values of one table to the kinds of another table's columns: a ticket may store a customer's number as text.

    None if a value is NULL or cannot be of that kind, so that nothing can match.
    """
    if len(values) == 1 and type(values[0]) is _USUAL.get(kinds[0]):
        return values
    cast = tuple([_as_kind(value, kind) for value, kind in zip(values, kinds, strict=True)])
    return None if None in cast else cast


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Pause the collector of cyclic garbage in a with block or a decorated function that makes many rows. They are in
    no cycle, and walking them again and again takes up to 40 % of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


_USUAL = {ColumnKind.INTEGER: int, ColumnKind.TEXT: str, ColumnKind.UUID: uuid.UUID}
"""Python type that a column of each kind usually holds; such values need no cast."""


def _as_kind(value: Scalar, kind: ColumnKind) -> Scalar:
    if value is None or type(value) is _USUAL.get(kind):
        return value
    if kind is ColumnKind.TEXT:
        return value if isinstance(value, str) else None if isinstance(value, bytes) else str(value)
    if kind is ColumnKind.INTEGER:
        return _integer(value)
    if kind is ColumnKind.NUMBER and isinstance(value, str):
        return _number(value)
    if kind is ColumnKind.UUID:
        return _uuid(value)
    return value


def _integer(value: Scalar) -> int | None:
    if isinstance(value, decimal.Decimal | float):
        return int(value) if math.isfinite(value) and value == int(value) else None
    if isinstance(value, str):
        digits = value.strip()
        is_whole = len(digits) <= 20 and digits.removeprefix("-").isascii() and digits.removeprefix("-").isdigit()
        value = int(digits) if is_whole else None
    return value if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63 else None


def _number(text: str) -> decimal.Decimal | None:
    try:
        number = decimal.Decimal(text)
    except decimal.InvalidOperation:
        return None
    return number if len(text) <= _DIGITS_MAX and number.is_finite() else None


def _uuid(value: Scalar) -> uuid.UUID | None:
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        return None


def same(stored: Scalar, meant: Scalar) -> bool:
    """True if a stored value equals the written one, allowing for padded text, widened dates and rescaled decimals."""
    if stored == meant:
        return True
    if stored is None or meant is None:
        return False
    if _is_number(stored) and _is_number(meant):
        return decimal.Decimal(str(stored)) == decimal.Decimal(str(meant))
    return _text(stored) == _text(meant)


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool)


def _text(value: Scalar) -> str:
    """Text form in which a date equals its midnight, and an aware datetime equals the naive one in UTC."""
    if isinstance(value, dt.datetime):
        value = (value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)).isoformat(" ")
    return str(value).strip().replace("T", " ").removesuffix(" 00:00:00")


_BOOLEANS: Mapping[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def as_stored(text: str, kind: ColumnKind) -> Scalar:
    """A declared value as a column of *kind* holds it; None if it cannot."""
    if kind is ColumnKind.BOOLEAN:
        return _BOOLEANS.get(text.strip().lower())
    converted = as_kinds((text,), [kind])
    return converted[0] if converted is not None else None
