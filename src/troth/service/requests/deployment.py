"""What case handling needs: the current declaration, the keys, and on demand the company's stores."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from troth.declaration import Declaration
from troth.protect import Keyring
from troth.service.core.deployment import Deployment, context
from troth.service.core.own_tables import OWN
from troth.service.requests.content import SealedContent
from troth.stores import Store, open_system
from troth.subjects import DataMap, map_data


@dataclass(frozen=True)
class CaseDeployment:
    """A snapshot of the declaration, and the keys of this deployment."""

    declaration: Declaration
    keyring: Keyring

    @cached_property
    def papers(self) -> SealedContent:
        return SealedContent(self.keyring)

    @cached_property
    def site(self) -> str:
        """Base URL of links in e-mails, without a trailing slash."""
        return (self.declaration.organisation.site or "http://localhost:8000").rstrip("/")

    @contextlib.contextmanager
    def stores(self, *, read_only: bool = False) -> Iterator[Mapping[str, Store]]:
        """Context manager: the company's stores, for use by one thread. Connections are pooled afterwards.

        Raises `SecretMissing` and `StoreRefused` if the configuration is wrong.
        """
        with _Pool.checked_out(self.declaration, read_only=read_only) as stores:
            yield stores

    def map(self, stores: Mapping[str, Store]) -> DataMap:
        """The data map of the current schemas. Raises `MapRefused` and the stores' errors."""
        return map_data(self.declaration, {name: one.describe() for name, one in stores.items()})


def case_deployment() -> CaseDeployment:
    """The `CaseDeployment` of this deployment. Its declaration excludes Troth's own tables, which requests do not
    change directly. Raises `NoDeployment`, `KeysMissing` and `HomeRefused`."""
    known = context()
    return CaseDeployment(_own_apart(known.company), known.keyring)


_apart: tuple[Deployment, Declaration] | None = None


def _own_apart(known: Deployment) -> Declaration:
    global _apart  # noqa: PLW0603 - the last one only: it changes with the file
    if _apart is None or _apart[0] is not known:
        declaration = known.declaration
        systems = {name: system for name, system in declaration.systems.items() if name != OWN}
        _apart = (known, declaration.model_copy(update={"systems": systems}))
    return _apart[1]


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
