"""Lets a package add to the registry of a lower one as late as possible: just before that registry is first read."""

from __future__ import annotations

from collections.abc import Callable

_waiting: dict[str, list[Callable[[], None]]] = {}


def before_first_use(registry: str, add: Callable[[], None]) -> None:
    """Call *add* before *registry* is next read: ``controls``, ``entries`` or ``sections``. A process that never reads
    it never calls *add*, which may therefore import much."""
    _waiting.setdefault(registry, []).append(add)


def complete(registry: str) -> None:
    """Call what waits for *registry*, once. The registry itself calls this before each read."""
    for add in _waiting.pop(registry, ()):
        add()
