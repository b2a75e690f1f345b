"""Pool of the company's stores, for the current declaration."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping

from troth.declaration import Declaration
from troth.stores import Store, open_system


@contextlib.contextmanager
def checked_out(declaration: Declaration, *, read_only: bool) -> Iterator[Mapping[str, Store]]:
    """Context manager: open stores of *declaration* for one thread, which go back to the pool afterwards."""
    with _Pool.checked_out(declaration, read_only=read_only) as stores:
        yield stores


def close_stores() -> None:
    """Close all pooled connections."""
    _Pool.empty()


class _Pool:
    """Pool of idle sets of open stores, for the current declaration."""

    _lock = threading.Lock()
    _free: list[tuple[str, bool, dict[str, Store]]] = []  # noqa: RUF012 - shared by all on purpose
    _KEPT_MAX = 4

    @classmethod
    @contextlib.contextmanager
    def checked_out(cls, declaration: Declaration, *, read_only: bool) -> Iterator[Mapping[str, Store]]:
        stores = cls._take(declaration, read_only=read_only)
        try:
            yield stores
        except BaseException:
            _close(stores)
            raise
        with cls._lock:
            stale = [one for key, _, one in cls._free if key != declaration.hash]
            cls._free = [one for one in cls._free if one[0] == declaration.hash]
            if len(cls._free) < cls._KEPT_MAX:
                cls._free.append((declaration.hash, read_only, stores))
            else:
                stale.append(stores)
        for one in stale:
            _close(one)

    @classmethod
    def empty(cls) -> None:
        with cls._lock:
            stale, cls._free = cls._free, []
        for _, _, stores in stale:
            _close(stores)

    @classmethod
    def _take(cls, declaration: Declaration, *, read_only: bool) -> dict[str, Store]:
        with cls._lock:
            wanted = (declaration.hash, read_only)
            place = next((at for at, (key, kind, _) in enumerate(cls._free) if (key, kind) == wanted), None)
            stores = cls._free.pop(place)[2] if place is not None else {}
        if not stores:
            stores = _opened(declaration, read_only=read_only)
        for one in stores.values():
            one.refresh()  # a table may have changed since
        return stores


def _opened(declaration: Declaration, *, read_only: bool) -> dict[str, Store]:
    found: dict[str, Store] = {}
    for name, system in declaration.systems.items():
        if system.tables:
            found[name] = open_system(name, system, os.environ, read_only=read_only)
    return found


def _close(stores: Mapping[str, Store]) -> None:
    for one in stores.values():
        one.close()
