"""The allowed structure, derived from the model: for suggestions, for the order of keys, for short forms."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from troth.declaration.model import Declaration


def keys_at(path: tuple[str, ...]) -> list[str]:
    """The keys that the model allows at *path*; empty where any name is allowed."""
    kind: Any = Declaration
    for part in path:
        kind = inner(kind, part)
    return [*keys(kind), "include"] if kind is Declaration else keys(kind)


def keys(kind: Any) -> list[str]:
    """The keys of a mapping of type *kind*, in the order of the model; empty where any name is allowed."""
    kind = bare(kind)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return []
    return [field.alias or name for name, field in kind.model_fields.items()]


def inner(kind: Any, part: str) -> Any:
    """The type of the value under *part* in a value of type *kind*; None where nothing is allowed."""
    kind = bare(kind)
    origin = get_origin(kind)
    if origin is dict:
        return get_args(kind)[1]
    if origin is tuple:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return next((one.annotation for name, one in kind.model_fields.items() if part == (one.alias or name)), None)
    return None


def bare(kind: Any) -> Any:
    """*kind* without ``Annotated`` and ``| None``."""
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind = get_args(kind)[0]
        elif origin in (Union, types.UnionType):
            kind = next(part for part in get_args(kind) if part is not types.NoneType)
        else:
            return kind
