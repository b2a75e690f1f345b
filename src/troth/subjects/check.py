"""Checks the declaration against the stores' schemas, without reading rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.declaration import Declaration, Strategy
from troth.rows.datamap import DataMap, MapProblem, MapRefused, Node, PersonLink, is_nullable, map_data
from troth.rows.strategies import fault
from troth.stores import Column, ColumnKind, RequiredGrants, Schema
from troth.subjects.plan import deletes


def check(declaration: Declaration, schemas: Mapping[str, Schema]) -> list[MapProblem]:
    """All mismatches between the declaration and the schemas: first those for tracing; if none, those for erasure."""
    try:
        map_ = map_data(declaration, schemas)
    except MapRefused as refused:
        return list(refused.problems)
    return [*check_erasure(map_), *_orphans(map_, schemas), *_needed(map_), *_beyond(map_)]


def check_erasure(map_: DataMap) -> Iterator[MapProblem]:
    """Strategies that a column does not allow: null in a NOT NULL column, a column too narrow for its mask, a key."""
    for node in map_:
        for path, column, how in _strategies(node):
            if (found := fault(node, column, how)) is not None:
                yield MapProblem(f"systems.{node.system}.tables.{node.table}.{path}.{column.name}", *found)


def slow_ways(map_: DataMap, schemas: Mapping[str, Schema]) -> Iterator[MapProblem]:
    """Links without an index, in stores that have indexes: tracing them reads the whole table. Plain indexes do not
    help with phone numbers; these are reported once, and only if a person's rows add numbers to requests by other
    means."""
    by_digits: dict[str, str] = {}
    for node in map_:
        path = f"systems.{node.system}.tables.{node.table}"
        dialect = schemas[node.system].dialect
        for link in node.links if dialect != "files" else ():
            names = ", ".join(link.columns)
            if link.digits and (dialect == "sqlite" or node.kind(names) not in _NUMERIC):
                by_digits[f"{node.place}.{names}"] = path
            elif not node.schema.is_indexed(link.columns):
                yield MapProblem(path, f"no index serves {names}: each request reads the whole table", "add an index")
    if by_digits and any(link.digits and link.teaches for node in map_ for link in node.links):
        why = "phone numbers are compared by their digits, which a plain index does not support"
        message = f"{why}: each request reads the whole table of {', '.join(by_digits)}"
        fix = "leave it while that is fast, or declare shared: review; then only numbers in requests are searched"
        yield MapProblem(next(iter(by_digits.values())), message, fix)


_NUMERIC = (ColumnKind.INTEGER, ColumnKind.NUMBER)


def access(map_: DataMap, system: str, *, canaries: bool = False) -> list[RequiredGrants]:
    """The least privileges that executing plans needs in one system: read declared tables, amend declared fields and
    columns that an erasure writes, and delete where rows are deleted; with *canaries*, also insert and delete where an
    invented person may be planted."""
    needed = []
    for node in map_:
        if node.system != system:
            continue
        written = {
            *node.declared.fields,
            *(column.name for _, column, _ in _strategies(node)),
            *_shared_columns(node),
            *_emptied_columns(map_, node),
        }
        amends = tuple(it.name for it in node.schema.columns if it.name in written and not it.generated)
        plants = canaries and node.may_have_canaries
        needed.append(RequiredGrants(node.table, amends, deletes(node) or plants, plants))
    return needed


def _shared_columns(node: Node) -> Iterator[str]:
    """Columns that name one person in rows that may also be about another. Such tables have at least two links to
    people, not all of them the row's own identity."""
    is_shared = len(node.links) > max(1, len(node.declared.identity))
    for link in node.links if is_shared else ():
        if link.kind is not None:
            yield link.columns[0]
        elif is_nullable(node, link.columns) and not set(link.columns) & set(node.key):
            yield from link.columns


def _emptied_columns(map_: DataMap, node: Node) -> Iterator[str]:
    """Nullable references to rows that are deleted. The referring row may be another person's, and then it stays."""
    for parent in map_:
        for place, link in parent.referrers if deletes(parent) else ():
            if place == node.place and is_nullable(node, link.columns):
                yield from link.columns


def _strategies(node: Node) -> Iterator[tuple[str, Column, Strategy]]:
    keep, erase = node.declared.keep, node.declared.erase
    groups = [("erase.fields", erase.fields if erase is not None else {})]
    groups.append(("keep.meanwhile", keep.meanwhile if keep is not None else {}))
    for path, strategies in groups:
        for name, how in strategies.items():
            column = node.schema.column(name)
            if column is not None and how is not Strategy.KEEP:
                yield path, column, how


def _orphans(map_: DataMap, schemas: Mapping[str, Schema]) -> Iterator[MapProblem]:
    """Undeclared tables whose foreign keys would block a declared deletion."""
    for system, schema in schemas.items():
        for table in schema.tables.values():
            if f"{system}.{table.name}" in map_.nodes:
                continue
            blocking = {key.table for key in table.foreign_keys if key.on_delete in ("no action", "restrict")}
            for name in sorted(blocking):
                node = map_.nodes.get(f"{system}.{name}")
                if node is not None and deletes(node):
                    message = f"this undeclared table refers to {name}, whose rows erasure deletes"
                    fix = "declare it: its rows belong or refer to someone"
                    yield MapProblem(f"systems.{system}.tables.{table.name}", message, fix)


def _needed(map_: DataMap) -> Iterator[MapProblem]:
    """Deletions that fail because rows that stay must refer to the deleted rows, and no alternative is declared.

    Rows stay under ``keep``, if only their fields are treated, or if other rows that stay need them. Whether a person
    has such rows is not checked here. Legal holds, and other people in a row, can make any row stay.
    """
    stay: list[tuple[Node, Mapping[str, Strategy], str]] = [
        (node, node.declared.keep.meanwhile, "are kept") for node in map_ if node.declared.keep is not None
    ]
    stay += [(node, _treated(node), "stay") for node in map_ if not deletes(node)]
    told, may_stay = set(), set()
    while stay:
        node, treated, how = stay.pop(0)
        emptied = {column for column, strategy in treated.items() if strategy is not Strategy.KEEP}
        for place, link in map_.constraints_of(node.place):
            parent, edge = map_[place], (place, node.place, link.columns)
            owned = link in node.links or _may_share_an_owner(map_, parent, node)
            if not deletes(parent) or parent is node or not owned or _stays_as_long(parent, node) or edge in told:
                continue
            if emptied & set(link.columns):
                continue
            if not _treated(parent):
                told.add(edge)
                path = f"systems.{parent.system}.tables.{parent.table}.erase"
                names = ", ".join(link.columns)
                message = f"rows of {node.place} {how} and refer to these by {names}, so these cannot be deleted"
                yield MapProblem(path, message, _way_out(node, link))
            elif place not in may_stay:
                may_stay.add(place)
                stay.append((parent, _treated(parent), "may have to stay"))


def _treated(node: Node) -> Mapping[str, Strategy]:
    return node.declared.erase.fields if node.declared.erase is not None else {}


def _stays_as_long(parent: Node, child: Node) -> bool:
    """True if the parent has its own ``keep``, for at least as long as the child."""
    mine, its = parent.declared.keep, child.declared.keep
    return mine is not None and (mine.for_ is None or (its is not None and deletes(child) and its.for_ == mine.for_))


def _way_out(node: Node, link: PersonLink) -> str:
    fix = "declare what happens to their fields then: erase: {rows: delete, fields: {NAME: mask, …}}"
    if not is_nullable(node, link.columns) or set(link.columns) & set(node.key):
        return fix
    group = "keep.meanwhile" if node.declared.keep is not None else "erase"
    return f"{fix}, or cut the reference: {link.columns[0]}: null under {group} of {node.table}"


def _beyond(map_: DataMap) -> Iterator[MapProblem]:
    """Deletions that fail because of NOT NULL references from rows of other people, of nobody, or in a cycle."""
    for node in map_:
        for place, link in node.referrers if deletes(node) else ():
            other = map_[place]
            if other is node or is_nullable(other, link.columns):
                continue
            if (place, link.columns) in map_.cut:
                why = "and these refer to each other"
            elif not _may_share_an_owner(map_, node, other):
                why = "are not this person's, but refer to these"
            else:
                continue
            path = f"systems.{node.system}.tables.{node.table}.erase"
            message = f"rows of {place} {why} by {', '.join(link.columns)}, which must not be null"
            yield MapProblem(path, message, "treat the fields and keep the rows: erase: {NAME: mask, …}")


def _may_share_an_owner(map_: DataMap, node: Node, other: Node) -> bool:
    """True if rows of both tables may belong to the same person, and so be deleted together."""
    by_mention = bool(other.declared.mentions) or bool(node.declared.mentions)
    return by_mention or not _owners(map_, node).isdisjoint(_owners(map_, other))


def _owners(map_: DataMap, node: Node) -> set[str]:
    """The table itself and all its ancestors by ``belongs_to``."""
    waiting, found = [node.place], set()
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += [link.parent for link in map_[place].links if link.parent is not None]
    return found
