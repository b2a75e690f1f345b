"""Tables: whether references resolve, and whether each row belongs to somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from troth.declaration.model import Declaration
from troth.declaration.problems import Severity, meant, shown
from troth.declaration.rules.column_roles import columns, deletes, naming_columns
from troth.declaration.rules.problem import Faults, UnplacedProblem, places
from troth.declaration.systems import Reference, Table
from troth.text import nearest

_Node: TypeAlias = tuple[str, str]
_RESTRICTED: Final = "restricted"
"""The mark that stops every use except storage (GDPR Art. 18)."""


def _references(declaration: Declaration) -> Faults:
    """A reference resolves to a declared table, column by column."""
    for place in places(declaration):
        for link, key, reference in place.links:
            path = place.path(link, key)
            system = declaration.systems.get(reference.system or place.system)
            if system is None:
                fix = meant(nearest(reference.system or "", declaration.systems), "declare the system")
                yield UnplacedProblem("reference-system", path, f"no system '{shown(reference.system)}'", fix)
            elif reference.table not in system.tables:
                fix = meant(nearest(reference.table, system.tables), "declare the table")
                yield UnplacedProblem("reference-table", path, f"no table '{shown(reference.table)}'", fix)
            else:
                yield from _reference_columns(path, reference, system.tables[reference.table])


def _reference_columns(path: tuple[str, ...], reference: Reference, target: Table) -> Faults:
    if len(reference.columns) != len(reference.to):
        message = f"{len(reference.columns)} columns refer to {len(reference.to)}"
        yield UnplacedProblem("reference-arity", path, message, "give the same number of columns on both sides")
    known = columns(target)
    for column in reference.to:
        # A declaration need not name every column, so only a near miss is reported; the schema will show the rest.
        near = nearest(column, known) if column not in known and len(column) > 3 else None
        if near:
            message = f"'{shown(column)}' is not among the declared columns of '{shown(reference.table)}'"
            yield UnplacedProblem("reference-column", path, message, meant(near, ""), Severity.WARNING)


def _cycles(declaration: Declaration) -> Faults:
    """Rows belong to rows that belong to a person. A cycle of tables belongs to nobody; a table may refer to itself."""
    owners: dict[_Node, list[tuple[_Node, str]]] = {}
    for place in places(declaration):
        here = (place.system, place.name)
        links = [((to.system or place.system, to.table), key) for key, to in place.table.belongs_to.items()]
        owners[here] = [(there, key) for there, key in links if there != here]
    for circle, key in _circles(owners):
        (system, table), names = circle[-1], [shown(name) for _, name in (*circle[-1:], *circle)]
        tables = " → ".join(names if len(names) < 8 else [*names[:3], "…", *names[-3:]])
        fix = "change the reference that does not make the row that person's to 'refers_to'"
        path = ("systems", system, "tables", table, "belongs_to", key)
        yield UnplacedProblem("reference-cycle", path, f"the tables belong to each other in a circle: {tables}", fix)


def _circles(owners: dict[_Node, list[tuple[_Node, str]]]) -> Iterator[tuple[list[_Node], str]]:
    """Each cycle once, as its nodes in order and the key of the edge that closes it: a depth-first search with its own
    stack, since chains may exceed Python's recursion limit."""
    done: set[_Node] = set()
    for start in owners:
        trail: dict[_Node, Iterator[tuple[_Node, str]]] = {} if start in done else {start: iter(owners[start])}
        while trail:
            here, rest = next(reversed(trail.items()))
            there, key = next(rest, (None, ""))
            if there is None:
                done.add(here)
                del trail[here]
            elif there in trail:
                nodes = list(trail)
                yield nodes[nodes.index(there) :], key
            elif there in owners and there not in done:
                trail[there] = iter(owners[there])


def _people(declaration: Declaration) -> Faults:
    """Columns that identify people are fields too, and a field about one of several people says about whom."""
    for place in places(declaration):
        table = place.table
        for path, column in naming_columns(place):
            if column not in table.fields:
                severity = Severity.WARNING if deletes(table) else Severity.ERROR
                message = f"'{shown(column)}' names a person and has no data category"
                fix = f"add it to the fields of '{shown(place.name)}'"
                yield UnplacedProblem("identity-field", path, message, fix, severity)
        links = {*table.belongs_to, *(mention.column for mention in table.mentions.values())}
        for column, use in table.fields.items():
            if use.of is not None and use.of not in links:
                near = nearest(use.of, links)
                fix = meant(near, "name a key of 'belongs_to' or a column of 'mentions'")
                yield UnplacedProblem(
                    "of-unknown", place.path("fields", column, "of"), f"no link '{shown(use.of)}'", fix
                )
        for column in table.titles.keys() - columns(table):
            # A declaration need not name every column, so only a near miss is reported.
            if (near := nearest(column, columns(table))) is not None:
                message = f"'{shown(column)}' is not among the declared columns of '{shown(place.name)}'"
                path = place.path("titles", column)
                yield UnplacedProblem("title-column", path, message, meant(near, ""), Severity.WARNING)
        for column in table.ignore:
            if column in table.fields:
                message = f"'{shown(column)}' is ignored, and has a data category"
                yield UnplacedProblem("ignore-field", place.path("ignore"), message, "remove it from one of them")


def _marks(declaration: Declaration) -> Faults:
    """A mark stops everything, or one purpose; it is never a column that identifies a person."""
    known = {_RESTRICTED, *declaration.purposes}
    for place in places(declaration):
        table = place.table
        naming = {one.column for one in (*table.identity.values(), *table.mentions.values())} | {*(table.key or ())}
        for name, mark in table.marks.items():
            path = place.path("marks", name)
            if name not in known:
                fix = meant(nearest(name, known), f"write '{_RESTRICTED}', or a purpose of the declaration")
                yield UnplacedProblem("mark-unknown", path, f"'{shown(name)}' is not a declared purpose", fix)
            if mark.column in naming:
                message = f"'{shown(mark.column)}' identifies the person, and a mark would overwrite it"
                yield UnplacedProblem("mark-column", path, message, "use a separate column for the mark")


RULES: Final = (_references, _cycles, _people, _marks)
