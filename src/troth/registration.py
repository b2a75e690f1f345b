"""What packages above add to the registries of those below, when these are first needed."""

from __future__ import annotations

from collections.abc import Callable

_waiting: dict[str, list[Callable[[], None]]] = {}


def before_first_use(registry: str, add: Callable[[], None]) -> None:
    """Call *add* before *registry* is first read: ``controls``, ``entries`` or ``sections``. It is not called where
    that is not read, so that it may import much."""
    _waiting.setdefault(registry, []).append(add)


def complete(registry: str) -> None:
    """Add what is waiting. Registries call this when they are read."""
    for add in _waiting.pop(registry, ()):
        add()
