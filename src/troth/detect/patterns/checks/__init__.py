"""Distinguishes real numbers from similar ones: by check digits, and by numbers that are never issued."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import isfunction
from types import ModuleType
from typing import Final

from troth.detect.patterns.checks import (
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
from troth.detect.patterns.checks.sums import Check

__all__ = ["CHECKS", "Check"]


def checks_in(module: ModuleType) -> Iterator[str]:
    """The names of the checks that *module* defines."""
    return (
        name
        for name, value in vars(module).items()
        if isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    )


_MODULES: Final = (world, forms, british, northern, western, eastern, american, asian, southern, vat)

CHECKS: Final[Mapping[str, Check]] = {name: getattr(module, name) for module in _MODULES for name in checks_in(module)}
"""All checks by the name that recognisers use: country code, then what is checked."""
