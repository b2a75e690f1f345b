"""What packages above add to the registries of those below, when these are first needed."""

from __future__ import annotations

from collections.abc import Callable

_waiting: list[Callable[[], None]] = []


def before_first_use(add: Callable[[], None]) -> None:
    """Call *add* before a registry is first read. It is not called where none is, so that it may import much."""
    _waiting.append(add)


def complete() -> None:
    """Add what is waiting. Registries call this when they are read."""
    while _waiting:
        _waiting.pop(0)()
