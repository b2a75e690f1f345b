"""Stores: the places that hold personal data, behind one contract.

`open_store` returns a `Store` for a URL: a SQL database (SQLite, PostgreSQL, MariaDB) or a folder of files. Every store
describes itself, reads, amends and erases in sets, and reports its accounts and its transport security; `contract`
states the contract, `troth.testing.stores.StoreContract` tests it. A URL is a secret: it appears in no error, no `repr`
and no log. `undeclared` lists what a schema holds beyond the declaration.

All but the contract is imported on first access, so that a process that asks for one figure starts quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.lazy_imports import lazy_imports
from troth.stores.contract import (
    AllOf,
    AnyOf,
    Before,
    Column,
    ColumnKind,
    Condition,
    ForeignKey,
    InsertingWriter,
    Match,
    NetworkSessions,
    NotBefore,
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

if TYPE_CHECKING:
    from troth.stores.controls import Undeclared, missing, undeclared
    from troth.stores.custom_controls import check_figures
    from troth.stores.external.contract import AskedLater, ExternalSystem, meant, not_offered
    from troth.stores.external.list_members import STATUSES, Member, MemberStatus, is_mailed, member_id
    from troth.stores.external.mailchimp import MailchimpList
    from troth.stores.population import rows_in
    from troth.stores.registry import (
        TASK,
        grants,
        is_asked,
        open_asked,
        open_mailing_list,
        open_store,
        open_stores,
        open_system,
        readable_part,
    )
    from troth.stores.sealed import keys_in_use
    from troth.stores.statement_log import Noted, noting

__all__ = [
    "STATUSES",
    "TASK",
    "AllOf",
    "AnyOf",
    "AskedLater",
    "Before",
    "Column",
    "ColumnKind",
    "Condition",
    "ExternalSystem",
    "ForeignKey",
    "InsertingWriter",
    "MailchimpList",
    "Match",
    "Member",
    "MemberStatus",
    "NetworkSessions",
    "NotBefore",
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
    "is_mailed",
    "keys_in_use",
    "meant",
    "member_id",
    "missing",
    "not_offered",
    "noting",
    "open_asked",
    "open_mailing_list",
    "open_store",
    "open_stores",
    "open_system",
    "readable_part",
    "rows_in",
    "undeclared",
]

__getattr__ = lazy_imports(
    __name__,
    {
        "controls": "Undeclared missing undeclared",
        "custom_controls": "check_figures",
        "external.contract": "AskedLater ExternalSystem meant not_offered",
        "external.list_members": "STATUSES Member MemberStatus is_mailed member_id",
        "external.mailchimp": "MailchimpList",
        "registry": "TASK grants is_asked open_asked open_mailing_list open_store open_stores open_system "
        "readable_part",
        "sealed": "keys_in_use",
        "population": "rows_in",
        "statement_log": "Noted noting",
    },
)
