"""Collects `AuditFacts` from the stores, the policy and the site. Read-only; one failure does not affect the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeVar

from troth.audit.claims import RetentionClaim, date_column, retention_claims
from troth.audit.collect_site import look_at_site
from troth.audit.facts import AuditFacts, Overdue, PolicyFacts, SiteFacts, SystemFacts, TableFacts, is_inside_text
from troth.detect import (
    ColumnFinding,
    InferredReference,
    QuasiIdentifier,
    TableRole,
    TableSuggestion,
    Unscanned,
    classify,
    infer_references,
    quasi_identifier,
    suggest,
)
from troth.errors import TrothError
from troth.policy import PolicyText, promises_in
from troth.site import Site
from troth.stores import (
    Before,
    ColumnKind,
    RequiredGrants,
    Scalar,
    Schema,
    Store,
    StoreBusy,
    StoreError,
    StoreRefused,
    StoreUnreachable,
    TableKind,
    TableSchema,
    grants,
    readable_part,
)

SAMPLE_ROWS: Final = 100
"""Number of rows sampled from each table."""
OVERDUE_MAX: Final = 200
"""Maximum number of (sentence, table) pairs that are counted."""
ROLE: Final = "troth"
"""The role that the GRANT script creates."""

Progress = Callable[[str, int, int], None]
"""Called after each table with its name, how many tables of its system are done, and how many there are."""

Result = TypeVar("Result")


def look(
    stores: Mapping[str, Store],
    policy: PolicyFacts | None = None,
    site: Site | None = None,
    *,
    now: dt.datetime,
    progress: Progress | None = None,
) -> AuditFacts:
    """Collect all facts at *now* (aware). Unreachable systems and sites are recorded in the facts, not raised."""
    told = progress or (lambda what, done, steps: None)
    looked = [_look_at(name, store, told) for name, store in stores.items()]
    systems = tuple(system for system, _ in looked)
    readable = {system.name: store for system, store in looked}
    seen = _site(site, now) if site is not None else None
    overdue = tuple(_overdue(policy, systems, readable, now)) if policy is not None else ()
    return AuditFacts(now, systems, policy, seen, overdue)


def look_at_policy(file: str, text: PolicyText) -> PolicyFacts:
    """Facts about the policy *text* from *file*, with its promises."""
    return PolicyFacts(file, text, tuple(promises_in(text)))


def _site(site: Site, now: dt.datetime) -> SiteFacts:
    try:
        return look_at_site(site, now=now)
    except TrothError as error:
        return SiteFacts(site.host, unreached=str(error))


# --- stores ---------------------------------------------------------------------------------------------------------


def look_at_store(name: str, store: Store, *, progress: Progress | None = None) -> SystemFacts:
    """Facts about one system. Runs a few queries per table: a sample, perhaps a count, and some to infer references."""
    return _look_at(name, store, progress or (lambda what, done, steps: None))[0]


def _look_at(name: str, store: Store, progress: Progress) -> tuple[SystemFacts, Store]:
    """Facts about one system, and the readable part of its store."""
    try:
        store, left_out = readable_part(store)
        schema = store.describe()
    except StoreError as error:
        return SystemFacts(name, unreached=str(error)), store
    steps = len(schema.tables)
    read: dict[str, _Read] = {}
    for done, table in enumerate(schema.tables.values(), 1):
        read[table.name] = _read(store, table)
        progress(f"{name}.{table.name}", done, steps)
        if read[table.name].lost:
            return SystemFacts(name, unreached=read[table.name].unread), store
    personal = {table: it.personal for table, it in read.items()}
    inferred = tuple(infer_references(schema, store))
    suggestions = hanging(
        schema, [_by_whole_values(it, personal) for it in suggest(schema, personal, inferred)], inferred
    )
    unknown: list[str] = []
    principals = _asked(store.principals, "its accounts", unknown)
    transport = _asked(store.transport, "how its connection is protected", unknown)
    system = SystemFacts(
        name=name,
        dialect=schema.dialect,
        tables=tuple(_table(schema.tables[it.table], it, read[it.table]) for it in suggestions),
        inferred=inferred,
        principals=tuple(principals or ()),
        transport=transport,
        grants=_grants(store, schema, suggestions),
        unknown=tuple(unknown),
        left_out=left_out,
    )
    return system, store


def _by_whole_values(it: TableSuggestion, personal: Mapping[str, Sequence[ColumnFinding]]) -> TableSuggestion:
    """The suggestion without identifiers that occur only inside longer text: they cannot be used to find people."""
    inside = {one.column for one in personal[it.table] if is_inside_text(one)}
    identity = {kind: column for kind, column in it.identity.items() if column not in inside}
    if len(identity) == len(it.identity):
        return it
    lost = it.role is TableRole.MENTIONS and not identity
    return replace(it, identity=MappingProxyType(identity), role=TableRole.REFERENCE if lost else it.role)


def hanging(
    schema: Schema, suggestions: Sequence[TableSuggestion], inferred: Sequence[InferredReference]
) -> list[TableSuggestion]:
    """The suggestions, where tables that reference rows of a person become that person's, too: for example the sessions
    of an account that has an e-mail address but no name."""
    found = {it.table: it for it in suggestions}
    while True:
        more = {
            name: replace(
                it, role=TableRole.BELONGS, belongs_to=MappingProxyType(owners), why="its rows depend on such rows"
            )
            for name, it in found.items()
            if it.role is TableRole.REFERENCE
            and it.fields
            and (owners := _owners(schema.tables[name], found, inferred))
        }
        if not more:
            return list(found.values())
        found |= more


def _owners(
    table: TableSchema, suggestions: Mapping[str, TableSuggestion], inferred: Sequence[InferredReference]
) -> dict[tuple[str, ...], tuple[str, tuple[str, ...]]]:
    """The table's references to rows that belong to people but do not represent them."""
    links = {key.columns: (key.table, key.to_columns) for key in table.foreign_keys}
    links |= {it.columns: (it.to_table, it.to_columns) for it in inferred if it.table == table.name}
    somebodys = {name for name, it in suggestions.items() if it.role in {TableRole.MENTIONS, TableRole.BELONGS}}
    return {columns: to for columns, to in links.items() if to[0] in somebodys - {table.name}}


class _Read:
    """Result of reading one table."""

    __slots__ = ("counted", "lost", "personal", "quasi", "rows", "sampled", "unread")

    def __init__(self) -> None:
        self.personal: tuple[ColumnFinding, ...] = ()
        self.quasi: QuasiIdentifier | None = None
        self.rows: int | None = None
        self.counted = False
        self.sampled = 0
        self.unread = ""
        self.lost = False


def _read(store: Store, table: TableSchema) -> _Read:
    """Classify a sample of the table, and determine its number of rows."""
    told = _Read()
    # Binary columns are classified by name only: sampled files and pictures could be of any size.
    columns = [column.name for column in table.columns if column.kind is not ColumnKind.BYTES]
    samples: dict[str, list[Scalar]] = {}
    try:
        rows = store.sample(table.name, columns, rows=SAMPLE_ROWS) if columns else []
        told.sampled = len(rows)
        samples = {column: [row[at] for row in rows] for at, column in enumerate(columns)}
    except StoreError as error:
        told.unread, told.lost = str(error), isinstance(error, StoreUnreachable)
    try:
        told.personal = tuple(classify(table, samples))
        told.quasi = quasi_identifier(told.personal, samples)
    except Unscanned as error:  # names cannot show that a table is clean, but help
        told.unread, told.personal = str(error), tuple(classify(table, {}))
    told.rows, told.counted = _rows(store, table, told)
    return told


def _rows(store: Store, table: TableSchema, rows_read: _Read) -> tuple[int | None, bool]:
    """The engine's estimate, else a count, and whether it was counted. Views are not counted: it may compute them."""
    if rows_read.unread or table.rows_estimate is not None or table.kind is TableKind.VIEW:
        return table.rows_estimate, False
    try:
        return store.count(table.name, None), True
    except StoreBusy:
        return None, False
    except StoreError as error:  # for example a bad line of a file, after the sampled ones
        rows_read.unread = str(error)
        return None, False


def _table(schema: TableSchema, suggestion: TableSuggestion, read: _Read) -> TableFacts:
    quasi = read.quasi if suggestion.role is not TableRole.REFERENCE and schema.kind is not TableKind.VIEW else None
    return TableFacts(schema, suggestion, read.personal, read.rows, read.counted, read.sampled, read.unread, quasi)


def _asked(question: Callable[[], Result], what: str, unknown: list[str]) -> Result | None:
    try:
        return question()
    except StoreError as error:
        unknown.append(f"{what}: {error}")
        return None


def _grants(store: Store, schema: Schema, suggestions: Sequence[TableSuggestion]) -> str:
    """GRANT script for a role with only the privileges that data-subject requests need. Empty if the store has no
    roles or fails."""
    try:
        return grants(store, ROLE, [it for one in suggestions if (it := access(schema.tables[one.table], one))])
    except (StoreRefused, StoreError):
        return ""


def access(table: TableSchema, suggestion: TableSuggestion) -> RequiredGrants | None:
    """Privileges needed to view, amend and erase in the table; None if it has no data about people."""
    links = [column for columns in suggestion.refers_to for column in columns]
    if table.kind is TableKind.VIEW or not (suggestion.fields or links or suggestion.role is not TableRole.REFERENCE):
        return None
    writable = {column.name for column in table.columns if not column.generated and column.name not in table.key}
    amends = tuple(column for column in dict.fromkeys([*suggestion.fields, *links]) if column in writable)
    erases = suggestion.role is not TableRole.REFERENCE and table.kind is TableKind.TABLE
    return RequiredGrants(table.name, amends if table.kind is TableKind.TABLE else (), erases)


# --- the policy's periods -------------------------------------------------------------------------------------------


def _overdue(
    policy: PolicyFacts, systems: Sequence[SystemFacts], stores: Mapping[str, Store], now: dt.datetime
) -> Iterator[Overdue]:
    """Count the rows older than the policy allows, per sentence and table."""
    pairs = 0
    for claim in retention_claims(policy.promises):
        for system in systems:
            for table in _about(claim, system):
                column = date_column(table.schema, frozenset(table.best))
                if column is None or pairs >= OVERDUE_MAX:
                    continue
                pairs += 1
                day = claim.period.before(now.astimezone(dt.UTC).date())
                before = dt.datetime.combine(day, dt.time(), dt.UTC)
                rows = _counted(stores[system.name], table.name, Before(column.name, before))
                if rows != 0:
                    yield Overdue(claim.clause, str(claim.period), system.name, table.name, column.name, before, rows)


def _about(claim: RetentionClaim, system: SystemFacts) -> Iterator[TableFacts]:
    """Tables with data about people that the sentence names, or all of them if it covers everything. Views are
    excluded."""
    for table in system.tables:
        people = table.role is not TableRole.REFERENCE or table.best
        if table.schema.kind is not TableKind.VIEW and people and claim.is_about(table.schema):
            yield table


def _counted(store: Store, table: str, where: Before) -> int | None:
    try:
        return store.count(table, where)
    except StoreError:
        return None
