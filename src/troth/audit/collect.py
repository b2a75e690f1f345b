"""Looking: the stores, the policy and the site become `AuditFacts`. Reads only; one failure never loses the rest."""

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
"""How many rows of each table are compared."""
OVERDUE_MAX: Final = 200
"""How many (sentence, table) pairs are counted at most."""
ROLE: Final = "troth"
"""The role that the GRANT script makes."""

Progress = Callable[[str, int, int], None]
"""Told after each step: what was looked at, how many steps are done, how many there are so far."""

Result = TypeVar("Result")


def look(
    stores: Mapping[str, Store],
    policy: PolicyFacts | None = None,
    site: Site | None = None,
    *,
    now: dt.datetime,
    progress: Progress | None = None,
) -> AuditFacts:
    """Everything that can be seen of the company at *now* (aware). Raises nothing for what cannot be reached."""
    told = progress or (lambda what, done, steps: None)
    looked = [_look_at(name, store, told) for name, store in stores.items()]
    systems = tuple(system for system, _ in looked)
    readable = {system.name: store for system, store in looked}
    seen = _site(site, now) if site is not None else None
    overdue = tuple(_overdue(policy, systems, readable, now)) if policy is not None else ()
    return AuditFacts(now, systems, policy, seen, overdue)


def look_at_policy(file: str, text: PolicyText) -> PolicyFacts:
    """The policy *text*, which *file* holds, with its promises."""
    return PolicyFacts(file, text, tuple(promises_in(text)))


def _site(site: Site, now: dt.datetime) -> SiteFacts:
    try:
        return look_at_site(site, now=now)
    except TrothError as error:
        return SiteFacts(site.host, unreached=str(error))


# --- stores ---------------------------------------------------------------------------------------------------------


def look_at_store(name: str, store: Store, *, progress: Progress | None = None) -> SystemFacts:
    """One system. A few statements a table: a sample, sometimes a count, and what inferring references asks."""
    return _look_at(name, store, progress or (lambda what, done, steps: None))[0]


def _look_at(name: str, store: Store, progress: Progress) -> tuple[SystemFacts, Store]:
    """One system, and the part of its store that can be read."""
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
    """The suggestion without identifiers that only stand somewhere inside of text: nobody can be found by those."""
    inside = {one.column for one in personal[it.table] if is_inside_text(one)}
    identity = {kind: column for kind, column in it.identity.items() if column not in inside}
    if len(identity) == len(it.identity):
        return it
    lost = it.role is TableRole.MENTIONS and not identity
    return replace(it, identity=MappingProxyType(identity), role=TableRole.REFERENCE if lost else it.role)


def hanging(
    schema: Schema, suggestions: Sequence[TableSuggestion], inferred: Sequence[InferredReference]
) -> list[TableSuggestion]:
    """The suggestions, with tables that hang on rows which name a person by value as that person's, too: the sessions
    of an account that has an e-mail address and no name."""
    found = {it.table: it for it in suggestions}
    while True:
        more = {
            name: replace(
                it, role=TableRole.BELONGS, belongs_to=MappingProxyType(owners), why="its rows hang on such rows"
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
    """The table's references to rows that are somebody's without being a person."""
    links = {key.columns: (key.table, key.to_columns) for key in table.foreign_keys}
    links |= {it.columns: (it.to_table, it.to_columns) for it in inferred if it.table == table.name}
    somebodys = {name for name, it in suggestions.items() if it.role in {TableRole.MENTIONS, TableRole.BELONGS}}
    return {columns: to for columns, to in links.items() if to[0] in somebodys - {table.name}}


class _Read:
    """What reading one table told."""

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
    """Compare a sample of the table, and say how many rows it has."""
    told = _Read()
    # Bytes are judged by name: a sample of files and pictures could be of any size.
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
    except Unscanned as error:  # names alone are no reason to call a table clean, and better than nothing
        told.unread, told.personal = str(error), tuple(classify(table, {}))
    told.rows, told.counted = _rows(store, table, told)
    return told


def _rows(store: Store, table: TableSchema, rows_read: _Read) -> tuple[int | None, bool]:
    """The engine's estimate; a count where it has none. Counting a view could mean to compute it."""
    if rows_read.unread or table.rows_estimate is not None or table.kind is TableKind.VIEW:
        return table.rows_estimate, False
    try:
        return store.count(table.name, None), True
    except StoreBusy:
        return None, False
    except StoreError as error:  # a line of a file beyond those that the sample has read
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
    """The script for a role that may do what requests of people need, and nothing else. Empty where there are no
    roles."""
    try:
        return grants(store, ROLE, [it for one in suggestions if (it := access(schema.tables[one.table], one))])
    except (StoreRefused, StoreError):
        return ""


def access(table: TableSchema, suggestion: TableSuggestion) -> RequiredGrants | None:
    """What viewing, amending and erasing need in the table; None where it has nothing to do with people."""
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
    """Count the rows that are older than the policy says, sentence by sentence and table by table."""
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
    """The tables that the sentence is about: those that it names, else those that hold personal data of people who
    have rows."""
    for table in system.tables:
        people = table.role is not TableRole.REFERENCE or table.best
        if table.schema.kind is not TableKind.VIEW and people and claim.is_about(table.schema):
            yield table


def _counted(store: Store, table: str, where: Before) -> int | None:
    try:
        return store.count(table, where)
    except StoreError:
        return None
