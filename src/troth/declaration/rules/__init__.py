"""The rules of `check`, by what they look at. Each is a function from the declaration to its faults."""

from typing import Final

from troth.declaration.rules import asked, ends, promises, purposes, tables, words
from troth.declaration.rules.fault import Fault, Faults, Rule
from troth.declaration.rules.promises import lapsed

__all__ = ["RULES", "Fault", "Faults", "lapsed"]

RULES: Final[tuple[Rule, ...]] = (
    *words.RULES,
    *asked.RULES,
    *tables.RULES,
    *ends.RULES,
    *purposes.RULES,
    *promises.RULES,
)
