"""Drafts the declaration: which tables are people, which belong to people, and which are neither."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from troth.declaration import IdentityKind
from troth.detect.schema.columns import ColumnFinding
from troth.detect.schema.references import InferredReference
from troth.detect.schema.rules import rules
from troth.stores import ForeignKey, Schema, TableSchema

_IDENTITY: Final[Mapping[str, IdentityKind]] = MappingProxyType(
    {"user.contact.email": IdentityKind.EMAIL, "user.contact.phone_number": IdentityKind.PHONE}
)
# A reference with such a name is to somebody who handles the row, not to the person that the row is about.
_OFFICE: Final = frozenset(
    {"support", "rep", "manager", "supervisor", "agent", "created", "updated", "approved", "assigned", "assignee",
     "reports", "handled", "reviewer", "editor", "seller", "referrer", "referred", "parent"}
)  # fmt: skip


class TableRole(enum.StrEnum):
    """The relation of a table's rows to people."""

    PERSON = "person"
    BELONGS = "belongs"
    MENTIONS = "mentions"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class TableSuggestion:
    """A draft of the declaration for one table; *why* is for the person who reviews it."""

    table: str
    role: TableRole
    identity: Mapping[IdentityKind, str]
    """For people, the columns that identify them; for mentions, the columns by which rows are found."""
    fields: Mapping[str, str]
    belongs_to: Mapping[tuple[str, ...], tuple[str, tuple[str, ...]]]
    """Columns of this table, mapped to a table and its columns."""
    refers_to: Mapping[tuple[str, ...], tuple[str, tuple[str, ...]]]
    free_text: frozenset[str]
    ignore: tuple[str, ...]
    why: str


def suggest(
    schema: Schema, findings: Mapping[str, Sequence[ColumnFinding]], references: Sequence[InferredReference]
) -> list[TableSuggestion]:
    """One suggestion per table of the schema, in its order. A pure function."""
    links = _links(schema, references)
    persons = _persons(schema, findings, links)
    belonging = _belonging(links, persons)
    return [
        _suggested(table, findings.get(name, ()), links[name], persons, belonging)
        for name, table in schema.tables.items()
    ]


def _links(schema: Schema, references: Sequence[InferredReference]) -> dict[str, list[ForeignKey]]:
    """Declared and inferred references by table."""
    links = {name: [*table.foreign_keys] for name, table in schema.tables.items()}
    for it in references:
        if it.table in links:
            links[it.table].append(ForeignKey(it.columns, it.to_table, it.to_columns))
    return links


def _persons(
    schema: Schema, findings: Mapping[str, Sequence[ColumnFinding]], links: Mapping[str, Sequence[ForeignKey]]
) -> frozenset[str]:
    """Tables whose rows are people: by table name, or by identifying columns if they do not reference such a table."""
    known = rules()
    naming = {name: _names_someone(findings.get(name, ())) for name in schema.tables}
    called = {
        name for name, named in naming.items() if named and known.is_in(known.words(name.rpartition(".")[2]), "person")
    }
    columned = {
        name
        for name, named in naming.items()
        if named
        and schema.tables[name].key
        and not known.is_in(known.words(name.rpartition(".")[2]), "thing")
        and not any(link.table in called for link in links[name])
        and _has_a_name(findings.get(name, ()))
    }
    return frozenset(called | columned)


def _names_someone(findings: Sequence[ColumnFinding]) -> bool:
    return any(it.category in _IDENTITY for it in findings if it.entity != "FREE_TEXT") or _has_a_name(findings)


def _has_a_name(findings: Sequence[ColumnFinding]) -> bool:
    return any(it.category in {"user.name", "user.name.last"} for it in findings)


def _belonging(links: Mapping[str, Sequence[ForeignKey]], persons: frozenset[str]) -> frozenset[str]:
    """Tables that reference a person's row, directly or through other tables."""
    held: dict[str, list[str]] = {}
    for name, found in links.items():
        for link in found:
            if not _is_office(link):
                held.setdefault(link.table, []).append(name)
    people, waiting = set(persons), list(persons)
    while waiting:
        more = [name for name in held.get(waiting.pop(), ()) if name not in people]
        people.update(more)
        waiting += more
    return frozenset(people - persons)


def _owns(link: ForeignKey, owners: frozenset[str] | set[str]) -> bool:
    return link.table in owners and not _is_office(link)


def _is_office(link: ForeignKey) -> bool:
    known = rules()
    return any(_OFFICE & set(known.words(column)) for column in link.columns)


def _suggested(
    table: TableSchema,
    findings: Sequence[ColumnFinding],
    links: Sequence[ForeignKey],
    persons: frozenset[str],
    belonging: frozenset[str],
) -> TableSuggestion:
    best: dict[str, ColumnFinding] = {}
    for finding in findings:
        best.setdefault(finding.column, finding)
    people = persons | belonging
    owning = [link for link in links if table.name not in persons and _owns(link, people) and link.table != table.name]
    other = [link for link in links if link.table in people and link not in owning]
    identity: dict[IdentityKind, str] = {}
    for finding in sorted(best.values(), key=lambda it: -it.score):
        if finding.category in _IDENTITY:
            identity.setdefault(_IDENTITY[finding.category], finding.column)
    role = _role(table.name, persons, belonging, mentions=bool(identity))
    keys = {*table.key, *(column for link in links for column in link.columns)}
    return TableSuggestion(
        table=table.name,
        role=role,
        identity=MappingProxyType(identity if role in {TableRole.PERSON, TableRole.MENTIONS} else {}),
        fields=MappingProxyType({column: finding.category for column, finding in best.items()}),
        belongs_to=MappingProxyType({link.columns: (link.table, link.to_columns) for link in owning}),
        refers_to=MappingProxyType({link.columns: (link.table, link.to_columns) for link in other}),
        free_text=frozenset(column for column, finding in best.items() if finding.entity == "FREE_TEXT"),
        ignore=tuple(it.name for it in table.columns if it.name not in best and it.name not in keys),
        why=_WHY[role],
    )


def _role(name: str, persons: frozenset[str], belonging: frozenset[str], *, mentions: bool) -> TableRole:
    if name in persons:
        return TableRole.PERSON
    if name in belonging:
        return TableRole.BELONGS
    return TableRole.MENTIONS if mentions else TableRole.REFERENCE


_WHY: Final = {
    TableRole.PERSON: "each row seems to be one person, named by its columns",
    TableRole.BELONGS: "its rows depend on rows of a person",
    TableRole.MENTIONS: "its rows name a person without a key to them",
    TableRole.REFERENCE: "nothing here seems to be about a person",
}
