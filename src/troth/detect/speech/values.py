"""The composition of each type of value, defined in ``values.toml``."""

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
"""D: any digit (Z: zero). L: any letter (A: not O). B is a word for zero or the letter O."""


class SpokenType:
    """A type of value: its shapes when complete, partial, and spoken with slips."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.type: Final[str] = raw["type"]
        self.full: Final = frozenset[int](raw.get("full", ()))
        self.least: Final[int] = raw.get("least", 2)
        self.check: Final[str | None] = raw.get("check")
        self._exact: str = raw["exact"]
        self._loose: str = raw["loose"]
        self._partial: str = raw.get("partial", "$^")

    def is_exact(self, shape: str) -> bool:
        """True if *shape* is that of the complete value."""
        return _compiled(self._exact).fullmatch(shape) is not None

    def agrees(self, signs: str) -> bool | None:
        """Whether the check digits of *signs* are valid; None if the type has none, or two values were spoken."""
        are_two = bool(self.full) and len(signs) >= 2 * min(self.full)
        return None if self.check is None or are_two else CHECKS[self.check](signs.replace("o", "0"))

    def is_part(self, shape: str) -> bool:
        """True if *shape* is that of its last or first digits."""
        return _compiled(self._partial).fullmatch(shape) is not None

    def may_hold(self, shape: str) -> bool:
        """True if *shape* may be the beginning of the value."""
        return _compiled(_LENGTH.sub("*", self._loose)).fullmatch(shape) is not None

    def is_loose(self, shape: str) -> bool:
        """True if *shape* may be the value with slips, or in an unusual form."""
        return _compiled(self._loose).fullmatch(shape) is not None


@cache
def values() -> Mapping[str, SpokenType]:
    """All types of spoken values, by type."""
    return {raw["type"]: SpokenType(raw) for raw in shipped()["values"]}


@lru_cache(maxsize=4096)
def by_shape(shape: str) -> tuple[str, float]:
    """The likeliest type for *shape* without any prompt, and its score: 0 if there is none."""
    found = ((type_, score) for type_, pattern, score in _alone() if _compiled(pattern).fullmatch(shape))
    return next(found, ("", 0.0))


@cache
def _alone() -> Sequence[tuple[str, str, float]]:
    """Shapes that identify a type on their own, highest score first."""
    shapes = [(it["type"], shape, score) for it in shipped()["values"] for shape, score in it.get("alone", ())]
    return sorted(shapes, key=lambda it: -it[2])


@cache
def _compiled(shape: str) -> re.Pattern[str]:
    return re.compile(_CLASSES.sub(lambda it: f"[{_STANDS_FOR[it[0]]}]" if len(it[0]) == 1 else _widened(it[0]), shape))


def _widened(characters: str) -> str:
    """A character class in which D and L have the same meaning as outside of one."""
    return "".join(_STANDS_FOR.get(it, it) for it in characters)
