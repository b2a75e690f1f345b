"""Data files that are part of a package."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def read_toml(package: str, name: str) -> dict[str, Any]:
    """The TOML file *name* in the folder of *package*, parsed once. Callers share the tables and do not change them."""
    import tomllib  # only when data are needed, because this module is imported by almost every command
    from importlib import resources

    return tomllib.loads(resources.files(package).joinpath(name).read_text("utf-8"))
