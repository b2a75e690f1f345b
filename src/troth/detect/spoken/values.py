"""What each kind of value is made of, read from ``values.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import re2

__all__ = ["Value", "values"]

_CLASSES: Final = re.compile(r"\[[^\]]*\]|[DLZ]")
_STANDS_FOR: Final = {"D": "DZB", "L": "LB", "Z": "ZB"}
"""D: any digit (Z: a nought). L: any letter. B is a word that says a nought or the letter."""


@dataclass(frozen=True, slots=True)
class Value:
    """One type of value: the shapes that it has when said whole, in part, with slips, and alone (with a score)."""

    type: str
    exact: re2._Regexp  # type: ignore[name-defined]
    loose: re2._Regexp  # type: ignore[name-defined]
    partial: re2._Regexp | None  # type: ignore[name-defined]
    full: tuple[int, ...]
    least: int
    alone: tuple[tuple[re2._Regexp, float], ...]  # type: ignore[name-defined]

    def score_alone(self, shape: str) -> float:
        """How sure a value of this *shape* is where nothing says what it is; 0 where it is none."""
        return max((score for pattern, score in self.alone if pattern.fullmatch(shape)), default=0.0)


@cache
def values() -> Mapping[str, Value]:
    """Every value that can be said, by type."""
    text = (resources.files("troth.detect.spoken") / "values.toml").read_text("utf-8")
    return {raw["type"]: _value(raw) for raw in tomllib.loads(text)["value"]}


def _value(raw: Mapping[str, Any]) -> Value:
    return Value(
        type=raw["type"],
        exact=_compiled(raw["exact"]),
        loose=_compiled(raw["loose"]),
        partial=_compiled(raw["partial"]) if "partial" in raw else None,
        full=tuple(raw.get("full", ())),
        least=raw.get("least", 2),
        alone=tuple((_compiled(shape), score) for shape, score in raw.get("alone", ())),
    )


def _compiled(shape: str) -> re2._Regexp:  # type: ignore[name-defined]
    return re2.compile(_CLASSES.sub(lambda it: f"[{_STANDS_FOR[it[0]]}]" if len(it[0]) == 1 else _widened(it[0]), shape))


def _widened(characters: str) -> str:
    """A class of signs, in which D and L stand for what they stand for outside of one."""
    return "".join(_STANDS_FOR.get(it, it) for it in characters)
