"""A front door behind which everything is imported late: when its name is first asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def lazy_imports(door: str, answering: Mapping[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` of the module *door*. *answering* is each module of the room to the names that it answers
    for, as the door's imports under ``TYPE_CHECKING`` tell a type checker."""
    modules = {name: f"{door}.{module}" for module, names in answering.items() for name in names.split()}

    def found(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {door!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(modules[name]), name)
        setattr(sys.modules[door], name, value)
        return value

    return found
