"""SARIF 2.1.0: findings for code scanners and editors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from troth import __version__

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_log(
    command: str, rules: Iterable[dict[str, Any]], results: Iterable[dict[str, Any]], **run: Any
) -> dict[str, Any]:
    """The log of one run of *command*, with its *rules* and *results* as SARIF objects; *run* holds more about it."""
    driver = {"name": command, "semanticVersion": __version__, "rules": list(rules)}
    runs = [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", **run, "results": list(results)}]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}


def fingerprint(*parts: object) -> str:
    """Equal in two runs for what is the same finding: it is about *parts*."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
