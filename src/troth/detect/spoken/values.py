"""What each kind of value is made of; ``values.toml`` says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from troth.detect.spoken.reading import shipped
from troth.detect.written.checks import CHECKS

__all__ = ["Value", "values"]

_CLASSES: Final = re.compile(r"\[[^\]]*\]|[DLZ]")
_STANDS_FOR: Final = {"D": "DZB", "L": "LB", "Z": "ZB"}
"""D: any digit (Z: a nought). L: any letter. B is a word that says a nought or the letter."""


class Value:
    """One type of value: the shapes that it has when said whole, in part, with slips, and alone (with a score)."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.type: Final[str] = raw["type"]
        self.full: Final = frozenset[int](raw.get("full", ()))
        self.least: Final[int] = raw.get("least", 2)
        self._check: Final[str | None] = raw.get("check")
        self._exact: str = raw["exact"]
        self._loose: str = raw["loose"]
        self._partial: str = raw.get("partial", "$^")
        self._alone: Sequence[tuple[str, float]] = raw.get("alone", ())

    def is_exact(self, shape: str) -> bool:
        """Whether *shape* is that of the whole value."""
        return _compiled(self._exact).fullmatch(shape) is not None

    def agrees(self, said: str) -> bool | None:
        """Whether the check digits of what was *said* agree; None where the type has none."""
        return None if self._check is None else CHECKS[self._check](said.replace("o", "0"))

    def is_part(self, shape: str) -> bool:
        """Whether *shape* is that of its last digits, or its first."""
        return _compiled(self._partial).fullmatch(shape) is not None

    def is_loose(self, shape: str) -> bool:
        """Whether *shape* may be the value, with slips or not quite in the usual form."""
        return _compiled(self._loose).fullmatch(shape) is not None

    def score_alone(self, shape: str) -> float:
        """How sure a value of this *shape* is where nothing says what it is; 0 where it is none."""
        return max((score for pattern, score in self._alone if _compiled(pattern).fullmatch(shape)), default=0.0)


@cache
def values() -> Mapping[str, Value]:
    """Every value that can be said, by type."""
    return {raw["type"]: Value(raw) for raw in shipped()["values"]}


@cache
def _compiled(shape: str) -> re.Pattern[str]:
    return re.compile(_CLASSES.sub(lambda it: f"[{_STANDS_FOR[it[0]]}]" if len(it[0]) == 1 else _widened(it[0]), shape))


def _widened(characters: str) -> str:
    """A class of signs, in which D and L stand for what they stand for outside of one."""
    return "".join(_STANDS_FOR.get(it, it) for it in characters)
