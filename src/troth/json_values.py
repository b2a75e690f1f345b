"""Values of the library as JSON values, for commands and reports."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any


def json_value(value: object) -> Any:
    """*value* as a JSON value: dates and times in ISO 8601, members of an enum by their value, dataclasses by their
    fields unless they have a text of their own, tuples and lists item by item, sets in order. Anything else that JSON
    does not know is its text."""
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dt.date):  # a datetime is one
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(json_value(key)): json_value(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [json_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(json_value(item) for item in value)
    if dataclasses.is_dataclass(value) and type(value).__str__ is object.__str__:
        return json_fields(value, *(field.name for field in dataclasses.fields(value)))
    return str(value)


def json_fields(value: object, *names: str) -> dict[str, Any]:
    """The attributes *names* of *value*, each as a `json_value`, in that order."""
    return {name: json_value(getattr(value, name)) for name in names}
