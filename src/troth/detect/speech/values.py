"""What each kind of value is made of; ``values.toml`` says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

from troth.detect.patterns.checks import CHECKS
from troth.detect.speech.loader import shipped

_CLASSES: Final = re.compile(r"\[[^\]]*\]|[ADLZ]")
_LENGTH: Final = re.compile(r"\{\d+,\d+\}$")
_STANDS_FOR: Final = {"A": "L", "D": "DZB", "L": "LB", "Z": "ZB"}
"""D: any digit (Z: a nought). L: any letter (A: no O). B is a word that says a nought or the letter."""


class SpokenType:
    """One type of value: the shapes that it has when said whole, in part, and with slips."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.type: Final[str] = raw["type"]
        self.full: Final = frozenset[int](raw.get("full", ()))
        self.least: Final[int] = raw.get("least", 2)
        self.check: Final[str | None] = raw.get("check")
        self._exact: str = raw["exact"]
        self._loose: str = raw["loose"]
        self._partial: str = raw.get("partial", "$^")

    def is_exact(self, shape: str) -> bool:
        """Whether *shape* is that of the whole value."""
        return _compiled(self._exact).fullmatch(shape) is not None

    def agrees(self, signs: str) -> bool | None:
        """Whether the check digits of what was *said* agree; None where the type has none, or two were said."""
        are_two = bool(self.full) and len(signs) >= 2 * min(self.full)
        return None if self.check is None or are_two else CHECKS[self.check](signs.replace("o", "0"))

    def is_part(self, shape: str) -> bool:
        """Whether *shape* is that of its last digits, or its first."""
        return _compiled(self._partial).fullmatch(shape) is not None

    def may_hold(self, shape: str) -> bool:
        """Whether *shape* may be the beginning of the value."""
        return _compiled(_LENGTH.sub("*", self._loose)).fullmatch(shape) is not None

    def is_loose(self, shape: str) -> bool:
        """Whether *shape* may be the value, with slips or not quite in the usual form."""
        return _compiled(self._loose).fullmatch(shape) is not None


@cache
def values() -> Mapping[str, SpokenType]:
    """Every value that can be said, by type."""
    return {raw["type"]: SpokenType(raw) for raw in shipped()["values"]}


@lru_cache(maxsize=4096)
def by_shape(shape: str) -> tuple[str, float]:
    """The likeliest type of what has this *shape* where nothing says what it is, and how sure that is: 0 for none."""
    found = ((type_, score) for type_, pattern, score in _alone() if _compiled(pattern).fullmatch(shape))
    return next(found, ("", 0.0))


@cache
def _alone() -> Sequence[tuple[str, str, float]]:
    """Shapes that tell by themselves what a value is, the surest first."""
    shapes = [(it["type"], shape, score) for it in shipped()["values"] for shape, score in it.get("alone", ())]
    return sorted(shapes, key=lambda it: -it[2])


@cache
def _compiled(shape: str) -> re.Pattern[str]:
    return re.compile(_CLASSES.sub(lambda it: f"[{_STANDS_FOR[it[0]]}]" if len(it[0]) == 1 else _widened(it[0]), shape))


def _widened(characters: str) -> str:
    """A class of signs, in which D and L stand for what they stand for outside of one."""
    return "".join(_STANDS_FOR.get(it, it) for it in characters)
