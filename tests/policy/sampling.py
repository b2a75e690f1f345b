"""The sample policies of the linter with their findings, and the small texts that show each rule alone."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from tests.policy.linting import TODAY

from troth.policy import PolicyText, read
from troth.policy.lint import LintFinding

AS_OF = TODAY
_HERE = Path(__file__).parent
_KINDS = {".md": "markdown", ".html": "html", ".txt": "text"}
SAMPLES = tuple(sorted(path.name for path in (_HERE / "samples").iterdir() if path.suffix in _KINDS))


def sample(name: str) -> PolicyText:
    """The sample as it is read."""
    path = _HERE / "samples" / name
    return read(path.read_text(encoding="utf-8"), kind=_KINDS[path.suffix])  # type: ignore[arg-type]


def kept_in(name: str) -> Path:
    """The file with the findings that somebody has read and found right."""
    return _HERE / "samples" / f"{Path(name).stem}.findings.json"


def golden(name: str) -> list[dict[str, Any]]:
    """Those findings."""
    found: list[dict[str, Any]] = json.loads(kept_in(name).read_text(encoding="utf-8"))
    return found


def in_short(findings: tuple[LintFinding, ...]) -> list[dict[str, Any]]:
    """Findings as they are kept."""
    return [{"rule": one.rule, "line": one.line, "quote": one.quote} for one in findings]


def cases() -> dict[str, dict[str, str]]:
    """By rule a text on which it ``fires`` and one on which it stays ``silent``."""
    found: dict[str, dict[str, str]] = {}
    for file in ((_HERE / "cases" / f"{name}.toml") for name in ("content", "contradictions", "structure")):
        found |= tomllib.loads(file.read_text(encoding="utf-8"))
    return found
