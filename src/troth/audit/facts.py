"""What an audit looks at, as values; `look` and `findings` are apart so that every rule can be tried without a server.

Nothing here holds a personal value: samples are compared while they are read, and only counts and reasons stay.
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
    """Whether the sampled values hold such a thing somewhere, rather than being one."""
    return finding.inside


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table. *rows* is exact where *rows_counted*, else the engine's estimate, else None. *sampled* says how many
    rows were compared; *unread* why they could not be."""

    schema: TableSchema
    suggestion: TableSuggestion
    personal: tuple[ColumnFinding, ...] = ()
    rows: int | None = None
    rows_counted: bool = False
    sampled: int = 0
    unread: str = ""
    quasi: QuasiIdentifier | None = None
    """Columns that single people out together, where the rows are somebody's."""

    @property
    def name(self) -> str:
        return self.schema.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are really there: those that only say where a row of a file stands are not counted."""
        return tuple(column for column in self.schema.columns if column.native != "locator")

    @property
    def best(self) -> Mapping[str, ColumnFinding]:
        """The best finding of each column that seems to hold personal data; free text may hold anything, and counts
        only where the sample holds some."""
        best: dict[str, ColumnFinding] = {}
        for it in self.personal:
            if it.entity != "FREE_TEXT":
                best.setdefault(it.column, it)
        return MappingProxyType(best)

    @property
    def free_text(self) -> tuple[str, ...]:
        """The columns into which people can write anything."""
        return tuple(dict.fromkeys(it.column for it in self.personal if it.entity == "FREE_TEXT"))

    @property
    def holds(self) -> bool:
        """Whether it keeps personal data itself: a view only shows what others keep."""
        return bool(self.best) and self.schema.kind is not TableKind.VIEW

    @property
    def role(self) -> TableRole:
        return self.suggestion.role


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """One system. *unreached* says why nothing is known; *unknown* what else could not be learned, *left_out* which
    files were not looked at."""

    name: str
    unreached: str = ""
    dialect: str = ""
    tables: tuple[TableFacts, ...] = ()
    inferred: tuple[InferredReference, ...] = ()
    principals: tuple[Principal, ...] = ()
    transport: TransportSecurity | None = None
    grants: str = ""
    """The script of the least-privilege role for the next step; empty where the place has no roles."""
    unknown: tuple[str, ...] = ()
    left_out: Unobserved = field(default_factory=Unobserved)

    @property
    def holding(self) -> tuple[TableFacts, ...]:
        """The tables that keep personal data."""
        return tuple(table for table in self.tables if table.holds)

    @property
    def readers(self) -> tuple[Principal, ...]:
        """The accounts that can come in and read a table with personal data."""
        places = {table.name for table in self.tables if table.best}
        return tuple(one for one in self.principals if one.can_login and one.reads & places)

    @property
    def declared_keys(self) -> int:
        return sum(len(table.schema.foreign_keys) for table in self.tables)


@dataclass(frozen=True, slots=True)
class Overdue:
    """*rows* rows of a table that are older, by *column*, than the period *clause* names; None where they could not
    be counted in time."""

    clause: Clause
    period: str
    system: str
    table: str
    column: str
    before: dt.datetime
    rows: int | None


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy: *file* as it was named, its text, and the sentences that commit the company."""

    file: str
    text: PolicyText = field(repr=False)
    promises: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True)
class FormFacts:
    """A form on the site: *asks* is field to data category, for the fields that seem personal."""

    page: str
    fields: int
    asks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """The site as a new visitor's first visit shows it. Paths stand without their queries.

    *cookies* is name to lifetime in days, None until the browser closes. *policy_page* is where the home page's link
    leads, empty where there is none; *policy_faults* is what makes that link hard to notice.
    """

    home: str
    unreached: str = ""
    pages: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cookies: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))
    hosts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Other host to the first page that loads from it."""
    forms: tuple[FormFacts, ...] = ()
    policy_page: str = ""
    policy_faults: tuple[str, ...] = ()
    policy_published: str | None = None
    """The words of the policy's page, as they are compared; None where it could not be read."""


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """Everything that one audit saw, at one moment (aware UTC)."""

    at: dt.datetime
    systems: tuple[SystemFacts, ...] = ()
    policy: PolicyFacts | None = None
    site: SiteFacts | None = None
    overdue: tuple[Overdue, ...] = ()

    @property
    def reached(self) -> tuple[SystemFacts, ...]:
        return tuple(system for system in self.systems if not system.unreached)

    def personal(self) -> Iterator[tuple[SystemFacts, TableFacts, ColumnFinding]]:
        """The best finding of every column with personal data, views left out."""
        for system in self.systems:
            for table in system.holding:
                for finding in table.best.values():
                    yield system, table, finding
