"""What packages above add to the registries of those below, when these are first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.metadata import entry_points

_waiting: dict[str, list[Callable[[], None]]] = {}
_busy = set[str]()
_lock = threading.RLock()
_is_known = False


def before_first_use(registry: str, add: Callable[[], None]) -> None:
    """Call *add* before *registry* is first read: ``controls``, ``entries`` or ``sections``. It is not called where
    that is not read, so that it may import much."""
    global _is_known  # noqa: PLW0603 - one registration a process
    _is_known = True
    _waiting.setdefault(registry, []).append(add)


def complete(registry: str) -> None:
    """Add what is waiting. Registries call this when they are read. What raises is raised again at the next call.

    A program that has imported nothing that registers gets what is installed: entry points ``troth.registrations``.
    """
    if _is_known and registry not in _waiting:
        return
    with _lock:
        if registry in _busy:  # read while it is filled
            return
        _busy.add(registry)
        try:
            if not _is_known:
                for installed in entry_points(group="troth.registrations"):
                    installed.load()
            adding = _waiting.get(registry, [])
            while adding:
                adding[0]()
                adding.pop(0)
            _waiting.pop(registry, None)
        finally:
            _busy.discard(registry)
