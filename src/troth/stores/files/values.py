"""Values of files: deriving a column's kind from the text of its first rows, and parsing and writing values."""

from __future__ import annotations

import datetime as dt
import decimal
import re
import uuid
from collections.abc import Hashable, Iterable

from troth.stores.contract import ColumnKind, Scalar

_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")  # a leading zero makes it a code: 01234 is a postcode, not 1234
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})\.\d{1,18}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?")


def kind_of(text: str) -> ColumnKind:
    """The narrowest kind that this text could be a value of."""
    if len(text) > 40:
        return ColumnKind.TEXT
    if _INTEGER.fullmatch(text):
        return ColumnKind.INTEGER
    if _NUMBER.fullmatch(text):
        return ColumnKind.NUMBER
    if text.lower() in {"true", "false"}:
        return ColumnKind.BOOLEAN
    for shape, kind in ((_DATE, ColumnKind.DATE), (_DATETIME, ColumnKind.DATETIME)):
        if shape.fullmatch(text) and not isinstance(parse(text, kind), str):
            return kind
    return ColumnKind.TEXT


def joined(kinds: Iterable[ColumnKind]) -> ColumnKind:
    """The kind that covers all of these; TEXT if no narrower one does, or nothing was seen."""
    seen = set(kinds)
    if seen == {ColumnKind.INTEGER, ColumnKind.NUMBER}:
        return ColumnKind.NUMBER
    return seen.pop() if len(seen) == 1 else ColumnKind.TEXT


def parse(text: str, kind: ColumnKind) -> Scalar:
    """The value of *text* in a column of *kind*; the text itself if it does not fit."""
    if kind is ColumnKind.TEXT:
        return text
    try:
        match kind:
            case ColumnKind.INTEGER if _INTEGER.fullmatch(text):
                return int(text)
            case ColumnKind.NUMBER if _INTEGER.fullmatch(text) or _NUMBER.fullmatch(text):
                return decimal.Decimal(text)
            case ColumnKind.BOOLEAN if text.lower() in {"true", "false"}:
                return text.lower() == "true"
            case ColumnKind.DATE if _DATE.fullmatch(text):
                return dt.date.fromisoformat(text)
            case ColumnKind.DATETIME if _DATETIME.fullmatch(text):
                return dt.datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        pass  # 2024-02-30 looks like a date but is none
    return text


def text_of(value: Scalar) -> str:
    """The text of a value in a text file. Raises ValueError for bytes, which no text file holds."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dt.date() | dt.time():  # a datetime is a date
            return value.isoformat()
        case bytes():
            raise ValueError("a text file cannot store bytes")
        case _:
            return str(value)


def comparable(value: Scalar, kind: ColumnKind, *, fold: bool = False) -> Hashable:
    """A form in which equal values of one column compare equal, whatever their type."""
    if type(value) is str and kind is ColumnKind.TEXT:
        return value.casefold() if fold else value  # the common case
    if kind is ColumnKind.TEXT and isinstance(value, int | decimal.Decimal | dt.date | uuid.UUID):
        value = text_of(value)
    if isinstance(value, str):
        value = value.casefold() if fold else parse(value, kind)
    if isinstance(value, float):
        return decimal.Decimal(repr(value))  # 0.1 in a column equals the 0.1 of a condition
    if isinstance(value, dt.datetime):
        return utc(value)
    return value.hex if isinstance(value, uuid.UUID) else value


def utc(value: dt.date) -> dt.datetime:
    """The time in UTC; a date means its first moment, and a time without zone is in UTC."""
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
