"""Whether a value fits a column of some kind, decided on our side.

Engines differ widely when comparing an integer column with ``'x'``: PostgreSQL fails, MariaDB says that it equals 0. So
a value that a column cannot hold is never sent: it matches nothing, and it is not written.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence

from troth.stores.contract import ColumnKind, Scalar


class ValueMismatch(ValueError):
    """The value does not fit a column of that kind."""


def fitted(kind: ColumnKind, values: Sequence[Scalar]) -> list[Scalar | ValueMismatch]:
    """Each value in the form that a column of *kind* holds, or `ValueMismatch`. None stays None."""
    fit = _FIT.get(kind, _text)
    kinds = set(map(type, values))
    if fit is _text and kinds == {str} and "".join(values).isascii():  # type: ignore[arg-type]
        return list(values)
    if fit is _integer and kinds == {int} and min(values) >= -(2**63) and max(values) < 2**63:  # type: ignore[type-var, operator]
        return list(values)
    return [None if value is None else _tried(fit, value) for value in values]


def digits_of(value: object) -> str:
    """The digits 0 to 9 of a text or a whole number; empty for anything else."""
    if isinstance(value, float | decimal.Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    return _NO_DIGITS.sub("", str(value)) if isinstance(value, str | int) else ""


_NO_DIGITS = re.compile(r"[^0-9]+")


def naive_utc(moment: dt.datetime) -> dt.datetime:
    """The time in UTC without its zone; a time without zone is unchanged, as it is taken to be in UTC."""
    return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)


def moment_text(value: Scalar) -> Scalar:
    """Dates, times and datetimes as ISO text with a space, as SQLite's own functions write it; others unchanged."""
    if isinstance(value, dt.datetime):
        return naive_utc(value).isoformat(" ")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


_UNFIT = ValueMismatch()


def _tried(fit: Callable[[Scalar], Scalar], value: Scalar) -> Scalar | ValueMismatch:
    try:
        return fit(value)
    except (ValueError, TypeError, ArithmeticError):
        return _UNFIT


def _text(value: Scalar) -> str:
    if type(value) is str:
        if not value.isascii():
            value.encode()  # a lone surrogate is not valid text: UnicodeEncodeError is a ValueError
        return value
    if isinstance(value, bytes | bool):
        raise ValueMismatch
    return f"{value:f}" if isinstance(value, decimal.Decimal) else str(moment_text(value))


def _integer(value: Scalar) -> int:
    if isinstance(value, bytes) or (isinstance(value, str) and len(value) > 20):
        raise ValueMismatch
    number = int(value)  # type: ignore[arg-type]  # what int() does not take is a TypeError, and does not fit
    is_same = str(number) == value if isinstance(value, str) else number == value
    if not is_same or not -(2**63) <= number < 2**64:
        raise ValueMismatch
    return number


def _number(value: Scalar) -> Scalar:
    if isinstance(value, bool | bytes):
        raise ValueMismatch
    number = decimal.Decimal(value) if isinstance(value, str) else value
    if not isinstance(number, int | float | decimal.Decimal) or not math.isfinite(number):
        raise ValueMismatch
    return number


def _boolean(value: Scalar) -> bool:
    if value not in (0, 1):
        raise ValueMismatch
    return bool(value)


def _date(value: Scalar) -> dt.date:
    if isinstance(value, dt.datetime):
        if value.time() != dt.time():
            raise ValueMismatch
        return value.date()
    if isinstance(value, dt.date):
        return value
    return dt.date.fromisoformat(_str(value))


def _datetime(value: Scalar) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    return dt.datetime.fromisoformat(_str(value))


def _time(value: Scalar) -> dt.time:
    return value if isinstance(value, dt.time) else dt.time.fromisoformat(_str(value))


def _bytes(value: Scalar) -> bytes:
    if not isinstance(value, bytes):
        raise ValueMismatch
    return value


def _uuid(value: Scalar) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(_str(value))


def _str(value: Scalar) -> str:
    if not isinstance(value, str) or len(value) > 64:
        raise ValueMismatch
    return value


_FIT: Mapping[ColumnKind, Callable[[Scalar], Scalar]] = {
    ColumnKind.INTEGER: _integer,
    ColumnKind.NUMBER: _number,
    ColumnKind.BOOLEAN: _boolean,
    ColumnKind.DATE: _date,
    ColumnKind.DATETIME: _datetime,
    ColumnKind.TIME: _time,
    ColumnKind.BYTES: _bytes,
    ColumnKind.UUID: _uuid,
}
