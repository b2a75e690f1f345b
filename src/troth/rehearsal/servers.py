"""Invented database servers: the accounts and connections that a scratch file does not have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, cast

from troth.declaration import System
from troth.stores import NetworkSessions, Principal, Schema, Store, TransportSecurity

_SERVERS: Final = MappingProxyType(
    {"postgresql": "postgresql", "postgres": "postgresql", "mariadb": "mariadb", "mysql": "mariadb"}
)
"""The dialects of servers, by the schemes of their URLs."""


@dataclass(frozen=True, slots=True)
class InventedServer:
    """A database server as its controls see it: the *accounts* that can read, and the connections of all clients, of
    which Troth's own is one. At first only the declared accounts read, beside an owner who cannot log in, and every
    connection is encrypted."""

    dialect: str
    accounts: tuple[Principal, ...]
    sessions: NetworkSessions = field(default_factory=lambda: NetworkSessions(seen=3, plain=0))
    is_ours_encrypted: bool = True

    @classmethod
    def of(cls, system: System, schema: Schema) -> InventedServer | None:
        """The server that a system's real schema or its declared URL names; None if it is of another kind."""
        scheme = system.store.partition(":")[0].partition("+")[0]
        dialect = _SERVERS.get(schema.dialect) or _SERVERS.get(scheme)
        if dialect is None:
            return None
        owner = replace(account("owner_of_tables", schema, "it owns the tables"), can_login=False)
        return cls(dialect, (owner, *(account(name, schema, "it is declared") for name in system.accounts)))

    def over(self, store: Store) -> Store:
        """*store*, which answers with the accounts and connections of this server."""
        return cast("Store", _ServerStore(store, self))


def account(name: str, schema: Schema, why: str) -> Principal:
    """An account that reads every table of *schema*."""
    return Principal(name, can_login=True, reads=frozenset(schema.tables), writes=frozenset(), why=why)


class _ServerStore:
    def __init__(self, store: Store, server: InventedServer) -> None:
        self._store, self._server = store, server

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def figure(self, select: str, *, within_s: float) -> object:
        return cast("Any", self._store).figure(select, within_s=within_s)  # by name, so that it is a `QueryableStore`

    def describe(self) -> Schema:
        return Schema(self._server.dialect, self._store.describe().tables)

    def principals(self) -> list[Principal]:
        return list(self._server.accounts)

    def transport(self) -> TransportSecurity:
        is_encrypted = self._server.is_ours_encrypted
        return TransportSecurity(is_encrypted, "TLSv1.3" if is_encrypted else "", sessions=self._server.sessions)
