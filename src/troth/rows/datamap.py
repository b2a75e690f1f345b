"""The data map: declared tables joined with the actual schemas of the stores, in the order of tracing.

A *link* is one way in which a row names a person: by the key of a parent row (``belongs_to``) or by an identifier
(``identity``, ``mentions``). Tracing goes from parents to children; deleting goes the other way.
"""

from __future__ import annotations

import difflib
import graphlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from troth.declaration import Declaration, Feed, IdentityColumn, IdentityKind, Problem, Reference, Table
from troth.errors import TrothError
from troth.stores import ColumnKind, ForeignKey, Schema, TableSchema, undeclared


@dataclass(frozen=True, slots=True)
class MapProblem:
    """A mismatch between declaration and store; *path* is the location in ``troth.yaml``."""

    path: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}; {self.fix}"


class MapRefused(TrothError):
    """The declaration does not match the stores. *problems* lists the mismatches."""

    def __init__(self, problems: Iterable[MapProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PlanRefused(TrothError):
    """No plan can be made. *problems* lists the obstacles by place, with fixes."""

    def __init__(self, problems: Iterable[MapProblem | Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class PersonLink:
    """One way in which a row of a table names a person.

    A link with a *parent* compares *columns* with the parent's *to* columns; one with a *kind* compares its single
    column with identifiers of that kind. With *teaches*, a row found by other means adds its identifier to the search.
    """

    name: str
    columns: tuple[str, ...]
    parent: str | None = None
    to: tuple[str, ...] = ()
    kind: IdentityKind | None = None
    teaches: bool = False
    shared: bool = False
    fold: bool = False
    digits: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One declared table with its actual schema. *place* is ``system.table``."""

    place: str
    system: str
    table: str
    declared: Table
    schema: TableSchema
    key: tuple[str, ...]
    links: tuple[PersonLink, ...]
    referrers: tuple[tuple[str, PersonLink], ...]
    """References to this table that do not make the referring row that person's: (place, link)."""
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    """Recipients whose feed is declared on this table: its rows show that the person's data is sent to them."""
    unlisted: tuple[str, ...] = ()
    """Columns that the declaration neither declares nor ignores."""

    @property
    def is_person(self) -> bool:
        """True if each row of this table represents one person."""
        return bool(self.declared.identity)

    @property
    def free_text(self) -> tuple[str, ...]:
        """Free-text columns, which may mention anyone."""
        return tuple(column for column, use in self.declared.fields.items() if use.free_text)

    @property
    def is_personal(self) -> bool:
        """Whether the table holds personal data."""
        return bool(self.declared.fields or self.declared.identity or self.declared.mentions)

    @property
    def may_have_canaries(self) -> bool:
        """Whether rows of an invented person may be planted here: no law keeps them, and links lead to them."""
        return self.is_personal and self.declared.keep is None and self.declared.unlinked is None

    def kind(self, column: str) -> ColumnKind:
        """The column's kind. A table without columns, such as files without rows, can be queried by any kind: TEXT is
        returned."""
        found = self.schema.column(column)
        assert found is not None or not self.schema.columns, column
        return found.kind if found is not None else ColumnKind.TEXT


@dataclass(frozen=True, slots=True)
class DataMap:
    """All declared tables, parents before children.

    *deletion_order* is the reverse order and also respects the stores' own foreign keys. *cut* holds the references
    (place, columns) that must be set to NULL before deleting, even in rows that are deleted themselves:
    self-references, and one edge of each cycle of foreign keys.
    """

    nodes: Mapping[str, Node]
    deletion_order: tuple[str, ...]
    cut: frozenset[tuple[str, tuple[str, ...]]]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def __getitem__(self, place: str) -> Node:
        return self.nodes[place]

    def constraints_of(self, place: str) -> Iterator[tuple[str, PersonLink]]:
        """Enforced references of *place*, as (parent, link): all those to owners, others only if NOT NULL."""
        node = self.nodes[place]
        for link in node.links:
            if link.parent is not None and foreign_key(node, link) is not None:
                yield link.parent, link
        for parent in self:
            for other, link in parent.referrers:
                if other == place and not is_nullable(node, link.columns) and foreign_key(node, link) is not None:
                    yield parent.place, link

    def only(self, systems: Collection[str]) -> DataMap:
        """The part of the map within *systems*, without links to other systems."""

        def stays(place: str | None) -> bool:
            return place is None or place.partition(".")[0] in systems

        nodes = {
            place: replace(
                node,
                links=tuple(link for link in node.links if stays(link.parent)),
                referrers=tuple((other, link) for other, link in node.referrers if stays(other)),
            )
            for place, node in self.nodes.items()
            if node.system in systems
        }
        order = tuple(place for place in self.deletion_order if place in nodes)
        return DataMap(nodes, order, frozenset(cut for cut in self.cut if cut[0] in nodes))

    def columns_of(self, place: str) -> tuple[str, ...]:
        """The columns that tracing and planning need: the key, all columns by which rows refer to each other, those
        that name people, and the start of the period for which the law keeps a row."""
        node = self.nodes[place]
        columns = [*node.key]
        columns += [column for link in node.links for column in link.columns]
        columns += [column for _, link in self.children_of(place) for column in link.to]
        columns += [column for _, link in node.referrers for column in link.to]
        columns += [c for parent in self for other, link in parent.referrers if other == place for c in link.columns]
        if node.declared.keep is not None and node.declared.keep.from_ is not None:
            columns.append(node.declared.keep.from_)
        return tuple(dict.fromkeys(columns))

    def children_of(self, place: str) -> Iterator[tuple[Node, PersonLink]]:
        """All links of all tables whose parent is *place*."""
        return ((node, link) for node in self for link in node.links if link.parent == place)


def map_data(declaration: Declaration, schemas: Mapping[str, Schema]) -> DataMap:
    """Join the declaration with the stores' schemas.

    Raises `MapRefused` with all mismatches at once: missing tables or columns, tables without a key, tables that lead
    to no person. If there are none of these, it reports references that form a cycle.
    """
    problems: list[MapProblem] = []
    tables = {
        f"{system}.{name}": (system, name, table)
        for system, declared in declaration.systems.items()
        if declared.is_looked_into
        for name, table in declared.tables.items()
    }
    nodes = {}
    unlisted = {
        f"{it.system}.{it.table.name}": tuple(column.name for column in it.columns)
        for system in {system for system, _, _ in tables.values()}
        for it in undeclared(declaration, system, schemas[system])
    }
    for place, (system, name, table) in tables.items():
        schema = schemas[system].tables.get(name)
        if schema is None:
            problems.append(_absent_table(place, system, name, schemas[system]))
            continue
        node = _node(place, system, name, table, schema)
        problems += _misfits(node)
        nodes[place] = replace(node, feeds=_feeds(declaration, place), unlisted=unlisted.get(place, ()))
    for node in nodes.values():
        problems += _dangling(node, tables, nodes)
    if problems:
        raise MapRefused(problems)
    traced = {place: _with_referrers(nodes[place], nodes) for place in _parents_first(nodes)}
    order, cut = _children_first(traced)
    return DataMap(traced, order, cut)


def _feeds(declaration: Declaration, place: str) -> dict[str, Feed]:
    feeds = {name: recipient.feed for name, recipient in declaration.recipients.items() if recipient.feed is not None}
    return {name: feed for name, feed in feeds.items() if feed.table == place}


def _node(place: str, system: str, name: str, table: Table, schema: TableSchema) -> Node:
    owners = [_owner(key, reference, system) for key, reference in table.belongs_to.items()]
    named = [_named(kind, column, teaches=True) for kind, column in table.identity.items()]
    mentioned = [_named(kind, column, teaches=False) for kind, column in table.mentions.items()]
    return Node(
        place=place,
        system=system,
        table=name,
        declared=table,
        schema=schema,
        key=table.key or schema.key,
        links=(*owners, *named, *mentioned),
        referrers=(),
    )


def _owner(key: str, reference: Reference, system: str) -> PersonLink:
    parent = f"{reference.system or system}.{reference.table}"
    return PersonLink(name=key, columns=reference.columns, parent=parent, to=reference.to)


def _named(kind: IdentityKind, column: IdentityColumn, *, teaches: bool) -> PersonLink:
    shared = column.shared == "review"
    return PersonLink(
        name=column.column,
        columns=(column.column,),
        kind=kind,
        teaches=teaches and not shared,
        shared=shared,
        fold=column.case == "fold" and kind is IdentityKind.EMAIL,
        digits=kind is IdentityKind.PHONE,
    )


# --- mismatches -----------------------------------------------------------------------------------------------------


def _misfits(node: Node) -> Iterator[MapProblem]:
    base = f"systems.{node.system}.tables.{node.table}"
    if not node.key and node.declared.unlinked is None and _may_be_asked(node):
        yield MapProblem(base, "the store has no key for this table", "declare the columns that identify a row: key: …")
    if not node.links and node.declared.fields and node.declared.unlinked is None:
        yield MapProblem(base, "no link leads from a person to these rows", _way_in(node.schema))
    for path, column in _named_columns(node) if node.schema.columns else ():
        if node.schema.column(column) is None:
            known = [found.name for found in node.schema.columns]
            yield MapProblem(f"{base}.{path}", f"the table has no column {column!r}", _nearest(column, known))


def _may_be_asked(node: Node) -> bool:
    """True if a request may need to identify rows of the table; tables with only ignored columns never matter."""
    return bool(node.links or node.declared.fields or node.declared.refers_to or node.schema.foreign_keys)


def _dangling(node: Node, tables: Mapping[str, object], nodes: Mapping[str, Node]) -> Iterator[MapProblem]:
    """References to an undeclared table, or to columns that it lacks in the store."""
    for group in ("belongs_to", "refers_to"):
        for name, reference in getattr(node.declared, group).items():
            parent = f"{reference.system or node.system}.{reference.table}"
            path = f"systems.{node.system}.tables.{node.table}.{group}.{name}"
            if parent not in tables:
                yield MapProblem(path, f"{parent} is not declared", _nearest(parent, list(tables)))
            shown = nodes[parent].schema.columns if parent in nodes else ()
            known = [column.name for column in shown] or reference.to
            for column in set(reference.to).difference(known):
                yield MapProblem(path, f"the store has no column {column!r} in {parent}", _nearest(column, known))


def _named_columns(node: Node) -> Iterator[tuple[str, str]]:
    """All columns that the declaration names for this table, with their path in the file."""
    table = node.declared
    yield from (("key", column) for column in table.key or ())
    yield from ((f"fields.{column}", column) for column in table.fields if column.partition(".")[0] == column)
    yield from (("ignore", column) for column in table.ignore)
    for group in ("identity", "mentions", "marks"):
        yield from ((f"{group}.{kind}", named.column) for kind, named in getattr(table, group).items())
    for group in ("belongs_to", "refers_to"):
        for name, reference in getattr(table, group).items():
            yield from ((f"{group}.{name}", column) for column in reference.columns)
    if table.keep is not None and table.keep.from_ is not None:
        yield "keep.from", table.keep.from_


def _absent_table(place: str, system: str, name: str, schema: Schema) -> MapProblem:
    return MapProblem(f"systems.{system}.tables.{name}", "the store has no such table", _nearest(name, schema.tables))


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:200], list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else "fix the name, or remove it from the declaration"


def _way_in(schema: TableSchema) -> str:
    if schema.foreign_keys:
        key = schema.foreign_keys[0]
        to = ", ".join(key.to_columns)
        return f"its foreign key suggests belongs_to: {{{', '.join(key.columns)}: {key.table}.{to}}}"
    return "declare whose rows they are with belongs_to, identity or mentions"


# --- order ----------------------------------------------------------------------------------------------------------


def _parents_first(nodes: Mapping[str, Node]) -> list[str]:
    try:
        return _sorted({place: _owners(node) for place, node in nodes.items()})
    except graphlib.CycleError as cycle:
        way = " → ".join(reversed(cycle.args[1]))
        path = "systems." + cycle.args[1][0].replace(".", ".tables.", 1) + ".belongs_to"
        fix = "change one of them to refers_to, which does not make the row that person's"
        raise MapRefused([MapProblem(path, f"these belong to each other in a circle: {way}", fix)]) from None


def _with_referrers(node: Node, nodes: Mapping[str, Node]) -> Node:
    """Add the references that must be set to NULL before a row of *node* can be deleted: declared ones, and foreign
    keys that are not declared."""
    found = []
    for other in nodes.values():
        for name, reference in other.declared.refers_to.items():
            if f"{reference.system or other.system}.{reference.table}" == node.place:
                found.append((other.place, PersonLink(name, reference.columns, node.place, reference.to)))
        if other.system == node.system:
            found += [(other.place, link) for link in _silent_keys(other, node)]
    # Some engines check self-references row by row, so they are set to NULL before the rows are deleted.
    own = [link for link in node.links if link.parent == node.place and foreign_key(node, link) is not None]
    found += [(node.place, link) for link in own]
    return replace(node, referrers=tuple(found))


def _silent_keys(other: Node, node: Node) -> Iterator[PersonLink]:
    declared = {link.columns for link in other.links if link.parent == node.place}
    declared |= {reference.columns for reference in other.declared.refers_to.values()}
    for key in other.schema.foreign_keys:
        if key.table == node.table and key.columns not in declared:
            yield PersonLink(", ".join(key.columns), key.columns, node.place, key.to_columns or node.key)


def _children_first(nodes: Mapping[str, Node]) -> tuple[tuple[str, ...], frozenset[tuple[str, tuple[str, ...]]]]:
    """A deletion order that violates no foreign key, and the references that must be set to NULL for it."""
    parents: dict[str, set[str]] = {
        place: {link.parent for link in node.links if link.parent not in (None, place)} for place, node in nodes.items()
    }
    cut = {(place, link.columns) for place, node in nodes.items() for link in node.links if link.parent == place}
    extra = [(place, link, node.place) for node in nodes.values() for place, link in node.referrers]
    for place, link, parent in sorted(extra, key=lambda edge: is_nullable(nodes[edge[0]], edge[1].columns)):
        if _leads(parents, parent, to=place):
            cut.add((place, link.columns))
        else:
            parents[place].add(parent)
    return tuple(reversed(_sorted(parents))), frozenset(cut)


def _owners(node: Node) -> set[str]:
    return {link.parent for link in node.links if link.parent is not None and link.parent != node.place}


def _sorted(parents: Mapping[str, set[str]]) -> list[str]:
    """Parents first, otherwise in declaration order. Deterministic across processes, because plans are compared."""
    order = {place: index for index, place in enumerate(parents)}
    sorter = graphlib.TopologicalSorter(parents)
    sorter.prepare()
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda place: order.get(place, len(order)))
        found += ready
        sorter.done(*ready)
    return found


def _leads(parents: Mapping[str, set[str]], start: str, *, to: str) -> bool:
    waiting, seen = [start], set()
    while waiting:
        place = waiting.pop()
        if place == to:
            return True
        if place not in seen:
            seen.add(place)
            waiting += parents[place]
    return False


def is_nullable(node: Node, columns: Iterable[str]) -> bool:
    """True if all these columns are nullable."""
    return all((found := node.schema.column(column)) is not None and found.nullable for column in columns)


def foreign_key(node: Node, link: PersonLink) -> ForeignKey | None:
    """The store's foreign key for a link, or None."""
    return next((key for key in node.schema.foreign_keys if set(key.columns) == set(link.columns)), None)
