"""Releases what detection holds in memory, some 15 MB: for processes that detect seldom."""

from __future__ import annotations

import sys


def release() -> None:
    """Drop models and recognisers that this process has loaded; the next search loads them again, in half a second.
    Detectors that somebody still has are not affected."""
    for name, module in list(sys.modules.items()):
        if not name.startswith("troth.detect"):
            continue
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear") and getattr(value, "__module__", "").startswith("troth.detect"):
                value.cache_clear()
