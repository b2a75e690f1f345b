"""What tells a number from one that only looks like it: check digits, and numbers that are never given out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from troth.detect.written.checks import (
    american,
    asian,
    british,
    eastern,
    forms,
    northern,
    southern,
    vat,
    western,
    world,
)
from troth.detect.written.checks.sums import Check

__all__ = ["CHECKS", "Check"]

_MODULES: Final = (world, forms, british, northern, western, eastern, american, asian, southern, vat)

CHECKS: Final[Mapping[str, Check]] = {name: getattr(module, name) for module in _MODULES for name in module.__all__}
"""Every check by the name that recognisers call it by: the country's letters, then what it checks."""
