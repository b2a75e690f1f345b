"""Drafts the first ``troth.yaml`` from the facts collected. It loads, and every guess in it is marked for review.

Facts that no schema contains (who the company is, why it needs the data, how long) are left as ``TODO``. Nothing is
invented, and ``troth check`` reports what is missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from troth.audit.facts import SystemFacts, TableFacts, is_inside_text
from troth.audit.findings import in_words, passed_over
from troth.audit.report import variable
from troth.declaration import IdentityKind, covers, write
from troth.detect import InferredReference, TableRole
from troth.stores import Column, ColumnKind, TableKind

_SURE: Final = 0.7
_TOP: Final = """Drafted by `troth init` from the schemas of real stores. Nothing here is decided yet:
  REVIEW marks a guess; check it, correct it, and remove the mark.
  TODO   marks facts that no schema contains; `troth check` shows what is missing.
Set {variables} before the next command; this file does not contain the URLs of stores."""
_PURPOSES: Final = """TODO: why the data is used, and on which legal basis. Until then `troth check` says
"no purpose needs …". For example:
  account: {basis: contract, use: essential.service, data: [user.name, user.contact]}"""
_RETENTION: Final = """TODO: how long rows are kept. For example:
  logins: {table: shop.login, for: 90 days, from: created_at}"""
_UNRECOGNISED: Final = """REVIEW: nothing recognised in these; in a row about a person they are about that person:
give each a category under fields, or leave it here"""
_MASKED: Final = frozenset(
    {ColumnKind.TEXT, ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.INTEGER, ColumnKind.NUMBER}
)


def draft(
    systems: Sequence[SystemFacts], *, name: str | None = None, references: Mapping[str, str] | None = None
) -> str:
    """The text of a declaration that loads and matches the stores' schemas.

    *references* maps systems to the ``${NAME}`` that holds their store's URL, if it differs from `variable`.
    """
    stores = {it.name: (references or {}).get(it.name, f"${{{variable(it.name)}}}") for it in systems}
    variables = ", ".join(store.removeprefix("${").removesuffix("}") for store in stores.values())
    notes = {
        "": _TOP.format(variables=variables),
        "organisation": "TODO: who you are, as in your policy. EU is not a country: give yours.",
        "policy": "TODO: your published policy, and the day from which it is in force.",
        "purposes": _PURPOSES,
        "retention": _RETENTION + _dated(systems),
    }
    raw = {
        "troth": 1,
        "organisation": {"name": name or "TODO", "country": "EU", "address": "TODO", "email": "TODO"},
        "policy": {"file": "policy.md", "effective": "1970-01-01"},
        "systems": {it.name: _system(it, stores[it.name], notes) for it in systems},
        "purposes": {},
        "retention": {},
    }
    return write(raw, notes)


def _dated(systems: Sequence[SystemFacts]) -> str:
    """Comment line that lists date columns from which retention periods could start."""
    found = [
        f"{system.name}.{table.name}.{column.name}"
        for system in systems
        for table in system.tables
        if _is_people(table)
        for column in table.schema.columns
        if column.kind in {ColumnKind.DATE, ColumnKind.DATETIME} and column.name not in table.best
    ]
    more = " …" if len(found) > 12 else ""
    return f"\nPeriods could start from: {', '.join(found[:12])}{more}" if found else ""


# --- one system -----------------------------------------------------------------------------------------------------


def _is_people(table: TableFacts) -> bool:
    return table.role is not TableRole.REFERENCE and table.schema.kind is TableKind.TABLE and bool(table.schema.key)


def _system(system: SystemFacts, store: str, notes: dict[str, str]) -> dict[str, Any]:
    drafted = [it for it in system.tables if it.schema.kind is TableKind.TABLE and it.schema.key]
    people = [it for it in drafted if _is_people(it)]
    names = {it.name for it in drafted}
    needed = _needed(people, drafted)
    left = "\n".join(_left_out(system, names))
    here = f"systems.{system.name}"
    if left:
        notes[f"{here}.tables"] = left
    inferred: dict[str, list[InferredReference]] = defaultdict(list)
    for it in system.inferred:
        inferred[it.table].append(it)
    tables = {}
    for table in sorted(drafted, key=lambda it: (not _is_people(it), it.role is TableRole.MENTIONS)):
        path = f"{here}.tables.{table.name}"
        tables[table.name] = _table(table, inferred[table.name], needed.get(table.name), path, notes, names)
    return {"store": store, "tables": tables}


def _left_out(system: SystemFacts, drafted: set[str]) -> Iterator[str]:
    """Comments on files and tables that the draft cannot declare, with the reason, for a person to decide."""
    for file, why in system.left_out.unread.items():
        yield f"TODO: {file} was not read ({why})."
    if system.left_out.passed_over:
        yield f"TODO: {passed_over(system)}; whose data is in them?"
    for table in system.tables:
        kinds = in_words(it.category for it in table.best.values())
        if table.schema.kind is TableKind.MATERIALISED:
            yield f"TODO: {table.name} is a materialised view{f' with {kinds}' if kinds else ''}: who refreshes it?"
        elif table.schema.kind is TableKind.TABLE and table.name not in drafted:
            yield f"TODO: {table.name} has no key{f' and holds {kinds}' if kinds else ''}: name one with 'key'."
        elif table.holds and table.role is TableRole.REFERENCE:
            yield f"TODO: {table.name} holds {kinds}, and no link leads there from a person: whose is it?"


@dataclass(frozen=True, slots=True)
class _Need:
    """Why not all rows of a table can be deleted with their person; *some*: rows that no other row needs can be."""

    why: str
    some: bool


def _needed(people: Sequence[TableFacts], drafted: Sequence[TableFacts]) -> dict[str, _Need]:
    """Tables whose rows cannot all be deleted: either rows of other people reference them, so that none can be, or rows
    that stay belong to them, so that only rows without such dependents can be."""
    needed: dict[str, _Need] = {}
    by_name = {it.name: it for it in people}
    while True:
        more = dict(needed)
        for other in drafted:
            goes = other.name in by_name and other.name not in needed
            for columns, (target, _) in other.suggestion.refers_to.items():
                if target in by_name and target != other.name and not _nullable(other, columns):
                    more.setdefault(target, _Need(f"rows of {other.name} need these rows", some=False))
            for columns, (target, _) in other.suggestion.belongs_to.items():
                if target in by_name and not goes and not _nullable(other, columns):
                    more.setdefault(target, _Need(f"rows of {other.name} that stay need these rows", some=True))
        if more == needed:
            return needed
        needed = more


def _nullable(table: TableFacts, columns: Sequence[str]) -> bool:
    return all((column := table.schema.column(name)) is not None and column.nullable for name in columns)


# --- one table ------------------------------------------------------------------------------------------------------


def _table(
    table: TableFacts,
    inferred: Sequence[InferredReference],
    needed: _Need | None,
    path: str,
    notes: dict[str, str],
    drafted: set[str],
) -> dict[str, Any]:
    fields = _fields(table) if _is_people(table) else {}
    made: dict[str, Any] = {
        "key": _key(table) if _is_people(table) else [],
        **_naming(table, path, notes),
        "fields": fields,
        "belongs_to": _links(table.suggestion.belongs_to, drafted),
        "refers_to": _links(table.suggestion.refers_to, drafted),
    }
    for link in ("belongs_to", "refers_to"):
        for it in inferred:
            named = ", ".join(it.columns)
            if named in made[link]:
                why = "; ".join(it.why)
                notes[f"{path}.{link}.{named}"] = (
                    f"REVIEW: not declared in the database, but likely (score {it.score:.2f}):\n{why}"
                )
    _doubts(table, fields, path, notes)
    if _is_people(table):
        made |= _erase(table, fields, needed, path, notes)
        notes[path] = f"REVIEW: {table.suggestion.why}.{_together(table)}"
    accounted = {*fields, *table.schema.key, *_linked(made), *_named(made)}
    unsure = [] if _is_people(table) else list(table.best)
    made["ignore"] = [it.name for it in table.schema.columns if it.name not in accounted and it.name not in unsure]
    if made["ignore"] and any(made.get(link) for link in ("identity", "mentions", "belongs_to")):
        notes[f"{path}.ignore"] = _UNRECOGNISED
    return {key: value for key, value in made.items() if value}


def _together(table: TableFacts) -> str:
    """Comment on fields that together identify people although none names them; relevant before rows are disclosed."""
    if table.quasi is None:
        return ""
    return f"\nWithout a name, {', '.join(table.quasi.columns)} together may still identify a person."


def _key(table: TableFacts) -> list[str]:
    """The key, if it consists of real columns. Rows of files have a position instead, which the store knows."""
    columns = [table.schema.column(name) for name in table.schema.key]
    return [] if any(it is None or it.native == "locator" for it in columns) else list(table.schema.key)


def _fields(table: TableFacts) -> dict[str, Any]:
    """Categories by column, in table order. Foreign keys are links, not fields."""
    free = set(table.free_text)
    fields: dict[str, Any] = {}
    for column in table.schema.columns:
        found = table.best.get(column.name)
        if found is not None:
            is_text = column.name in free or is_inside_text(found)
            category = "user.content" if is_text else found.category
            fields[column.name] = {"category": category, "free_text": True} if is_text else category
        elif column.name in free:
            fields[column.name] = {"category": "user.content", "free_text": True}
    return fields


def _naming(table: TableFacts, path: str, notes: dict[str, str]) -> dict[str, Any]:
    """The ``identity`` of a table of people, or the ``mentions`` of a table that names people without a key."""
    group = {TableRole.PERSON: "identity", TableRole.MENTIONS: "mentions"}.get(table.role)
    if group is None or not _is_people(table):
        return {}
    named: dict[str, Any] = {}
    for kind, column in table.suggestion.identity.items():
        named[str(kind)] = {"column": column, "shared": "review"} if kind is IdentityKind.PHONE else column
        if kind is IdentityKind.PHONE:
            notes[f"{path}.{group}.phone"] = (
                "REVIEW: several people may share a phone, so several matches stop a request."
            )
    if not named:
        # Names are declared as shared, so that one never links two different people.
        notes[f"{path}.{group}"] = "REVIEW: only a name; is there an account number that people know?"
        named["name"] = {"column": _name_column(table), "shared": "review"}
    return {group: named}


def _name_column(table: TableFacts) -> str:
    """The column with the person's name; a `TableRole.PERSON` table without an identifier always has one."""
    names = [it for it in table.best.values() if covers("user.name", it.category)]
    return max(names, key=lambda it: (it.category == "user.name", it.category == "user.name.last")).column


def _links(
    links: Mapping[tuple[str, ...], tuple[str, tuple[str, ...]]], drafted: set[str]
) -> dict[str, dict[str, object]]:
    return {
        ", ".join(columns): {"columns": list(columns), "table": target, "to": list(to)}
        for columns, (target, to) in links.items()
        if target in drafted
    }


def _linked(made: Mapping[str, Any]) -> set[str]:
    return {column for group in ("belongs_to", "refers_to") for to in made[group].values() for column in to["columns"]}


def _named(made: Mapping[str, Any]) -> set[str]:
    named = [it for group in ("identity", "mentions") for it in made.get(group, {}).values()]
    return {it["column"] if isinstance(it, dict) else it for it in named}


def _doubts(table: TableFacts, fields: Mapping[str, Any], path: str, notes: dict[str, str]) -> None:
    """Add a REVIEW note with the reason for each uncertain field."""
    for column in fields:
        found = table.best.get(column)
        if found is None:
            notes[f"{path}.fields.{column}"] = "REVIEW: free text"
        elif found.score < _SURE or isinstance(fields[column], dict):
            notes[f"{path}.fields.{column}"] = f"REVIEW: score {found.score:.2f}: {'; '.join(found.reasons)}"


def _erase(
    table: TableFacts, fields: Mapping[str, Any], needed: _Need | None, path: str, notes: dict[str, str]
) -> dict[str, Any]:
    """Delete the rows. Rows that others need are kept, and their fields treated. If no field can be treated, keeping
    the rows needs a reason, which only a person can give."""
    in_key = set(fields) & set(table.schema.key)
    if needed is None or in_key:
        doubt = f" ({needed.why}, so they cannot be deleted)" if needed is not None else ""
        notes[f"{path}.erase"] = f"REVIEW: a law may require that some of these rows are kept: see 'keep'.{doubt}"
        return {"erase": "delete"}
    treated = {name: _strategy(column) for name in fields if (column := table.schema.column(name)) is not None}
    if not treated:
        notes[f"{path}.keep"] = (
            f"REVIEW: the rows stay, because {needed.why}. Declare the reason, or have them deleted."
        )
        return {"keep": {"because": "TODO", "cite": "TODO"}}
    if needed.some:
        notes[f"{path}.erase"] = f"REVIEW: rows are deleted; the fields are for those that stay, because {needed.why}."
        return {"erase": {"rows": "delete", "fields": treated}}
    notes[f"{path}.erase"] = f"REVIEW: the rows stay, because {needed.why}."
    return {"erase": {"fields": treated}}


def _strategy(column: Column) -> str:
    """Set nullable columns to NULL; mask others with a meaningless value that fits."""
    return "null" if column.nullable or column.kind not in _MASKED else "mask"
