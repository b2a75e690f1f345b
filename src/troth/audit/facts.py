"""Facts that an audit collects. `look` and `findings` are separate so that rules can be tested without a server.

They hold no personal data: samples are classified while they are read, and only counts and reasons are kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from troth.detect import ColumnFinding, InferredReference, QuasiIdentifier, TableRole, TableSuggestion
from troth.policy import PolicyText
from troth.policy.classify import Clause
from troth.stores import Column, Principal, TableKind, TableSchema, TransportSecurity, Unobserved


def is_inside_text(finding: ColumnFinding) -> bool:
    """True if the sampled values contain such data inside longer text, rather than being such data."""
    return finding.inside


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table. *rows* is exact if *rows_counted*, else the engine's estimate or None. *sampled* is the number of rows
    compared; *unread* is the reason if they could not be read."""

    schema: TableSchema
    suggestion: TableSuggestion
    personal: tuple[ColumnFinding, ...] = ()
    rows: int | None = None
    rows_counted: bool = False
    sampled: int = 0
    unread: str = ""
    quasi: QuasiIdentifier | None = None
    """Columns that together single people out, if the rows are about people."""

    @property
    def name(self) -> str:
        return self.schema.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """Real columns, without those that only locate a row in a file."""
        return tuple(column for column in self.schema.columns if column.native != "locator")

    @property
    def best(self) -> Mapping[str, ColumnFinding]:
        """The best finding per column that seems to hold personal data. A free-text column counts only if its sample
        contains some."""
        best: dict[str, ColumnFinding] = {}
        for it in self.personal:
            if it.entity != "FREE_TEXT":
                best.setdefault(it.column, it)
        return MappingProxyType(best)

    @property
    def free_text(self) -> tuple[str, ...]:
        """Free-text columns."""
        return tuple(dict.fromkeys(it.column for it in self.personal if it.entity == "FREE_TEXT"))

    @property
    def holds(self) -> bool:
        """True if the table itself stores personal data; views only show data of other tables."""
        return bool(self.best) and self.schema.kind is not TableKind.VIEW

    @property
    def role(self) -> TableRole:
        return self.suggestion.role


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """One system. *unreached* is the reason if nothing could be read; *unknown* lists other facts that could not be
    determined, *left_out* the files that were not read."""

    name: str
    unreached: str = ""
    dialect: str = ""
    tables: tuple[TableFacts, ...] = ()
    inferred: tuple[InferredReference, ...] = ()
    principals: tuple[Principal, ...] = ()
    transport: TransportSecurity | None = None
    grants: str = ""
    """Script that creates the least-privilege role for the next step; empty if the store has no roles."""
    unknown: tuple[str, ...] = ()
    left_out: Unobserved = field(default_factory=Unobserved)

    @property
    def holding(self) -> tuple[TableFacts, ...]:
        """Tables that store personal data."""
        return tuple(table for table in self.tables if table.holds)

    @property
    def readers(self) -> tuple[Principal, ...]:
        """Accounts that can log in and read a table with personal data."""
        places = {table.name for table in self.tables if table.best}
        return tuple(one for one in self.principals if one.can_login and one.reads & places)

    @property
    def declared_keys(self) -> int:
        return sum(len(table.schema.foreign_keys) for table in self.tables)


@dataclass(frozen=True, slots=True)
class Overdue:
    """*rows* rows of a table whose *column* is older than the period in *clause*. *rows* is None if they could not be
    counted."""

    clause: Clause
    period: str
    system: str
    table: str
    column: str
    before: dt.datetime
    rows: int | None


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy: *file* as given by the caller, its text, and the sentences that commit the company."""

    file: str
    text: PolicyText = field(repr=False)
    promises: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True)
class FormFacts:
    """A form on the site. *asks* maps fields that seem personal to their data category."""

    page: str
    fields: int
    asks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """The site as a new visitor's first visit shows it. Paths exclude query strings.

    *cookies* maps names to lifetimes in days, None for session cookies. *policy_page* is the target of the home page's
    policy link, empty if there is none; *policy_faults* are reasons why that link is hard to notice.
    """

    home: str
    unreached: str = ""
    pages: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cookies: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))
    hosts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Other hosts, each with the first page that uses it."""
    forms: tuple[FormFacts, ...] = ()
    policy_page: str = ""
    policy_faults: tuple[str, ...] = ()
    policy_published: str | None = None
    """The normalised words of the policy page, for comparison; None if it could not be read."""


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """All facts of one audit, at one time (aware, UTC)."""

    at: dt.datetime
    systems: tuple[SystemFacts, ...] = ()
    policy: PolicyFacts | None = None
    site: SiteFacts | None = None
    overdue: tuple[Overdue, ...] = ()

    @property
    def reached(self) -> tuple[SystemFacts, ...]:
        return tuple(system for system in self.systems if not system.unreached)

    def personal(self) -> Iterator[tuple[SystemFacts, TableFacts, ColumnFinding]]:
        """The best finding of each column with personal data, without views."""
        for system in self.systems:
            for table in system.holding:
                for finding in table.best.values():
                    yield system, table, finding
