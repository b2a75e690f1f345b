"""Lazy imports for a package's public interface: each name is imported on first access."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def lazy_imports(door: str, answering: Mapping[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` of the package *door*. *answering* maps each of its modules to the names that it defines,
    equal to the imports under ``TYPE_CHECKING`` for type checkers."""
    modules = {name: f"{door}.{module}" for module, names in answering.items() for name in names.split()}

    def found(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {door!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(modules[name]), name)
        setattr(sys.modules[door], name, value)
        return value

    return found
