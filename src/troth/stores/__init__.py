"""Stores: the places that hold personal data, behind one contract.

`open_store` returns a `Store` for a URL: a SQL database (SQLite, PostgreSQL, MariaDB) or a folder of files. Every store
describes itself, reads, amends and erases in sets, and reports its accounts and its transport security; `contract`
states the contract, `troth.testing.stores.StoreContract` tests it. A URL is a secret: it appears in no error, no `repr`
and no log. `undeclared` lists what a schema holds beyond the declaration.
"""

from troth.stores.contract import (
    AnyOf,
    Before,
    Column,
    ColumnKind,
    Condition,
    ForeignKey,
    Match,
    Principal,
    QueryableStore,
    RequiredGrants,
    Row,
    Scalar,
    Schema,
    Store,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreLimits,
    StoreRefused,
    StoreUnreachable,
    TableKind,
    TableSchema,
    TransportSecurity,
    Undated,
    UnknownName,
    Unobserved,
    Writer,
)
from troth.stores.controls import Undeclared, missing, undeclared  # registers this package's controls, too
from troth.stores.custom_controls import check_figures  # registers custom SQL controls, too
from troth.stores.external.contract import AskedLater, ExternalSystem, meant, not_offered
from troth.stores.registry import (
    TASK,
    grants,
    is_asked,
    open_asked,
    open_store,
    open_stores,
    open_system,
    readable_part,
)
from troth.stores.sealed import keys_in_use
from troth.stores.statement_log import Noted, noting

__all__ = [
    "TASK",
    "AnyOf",
    "AskedLater",
    "Before",
    "Column",
    "ColumnKind",
    "Condition",
    "ExternalSystem",
    "ForeignKey",
    "Match",
    "Noted",
    "Principal",
    "QueryableStore",
    "RequiredGrants",
    "Row",
    "Scalar",
    "Schema",
    "Store",
    "StoreBusy",
    "StoreConflict",
    "StoreError",
    "StoreLimits",
    "StoreRefused",
    "StoreUnreachable",
    "TableKind",
    "TableSchema",
    "TransportSecurity",
    "Undated",
    "Undeclared",
    "UnknownName",
    "Unobserved",
    "Writer",
    "check_figures",
    "grants",
    "is_asked",
    "keys_in_use",
    "meant",
    "missing",
    "not_offered",
    "noting",
    "open_asked",
    "open_store",
    "open_stores",
    "open_system",
    "readable_part",
    "undeclared",
]
