"""The rules of `check`, by subject. Each is a function from the declaration to its faults."""

from typing import Final

from troth.declaration.rules import erasure, external_systems, newsletters, placeholders, promises, purposes, tables
from troth.declaration.rules.problem import Faults, Rule, UnplacedProblem
from troth.declaration.rules.promises import lapsed

__all__ = ["RULES", "Faults", "UnplacedProblem", "lapsed"]

RULES: Final[tuple[Rule, ...]] = (
    *placeholders.RULES,
    *external_systems.RULES,
    *tables.RULES,
    *erasure.RULES,
    *purposes.RULES,
    *newsletters.RULES,
    *promises.RULES,
)
