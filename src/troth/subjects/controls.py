"""Control that requests find everything.

Rows are sampled from every declared table and followed, link by link, to their person. That person is then located as
for a request, and the row must be among the results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, Strategy, System, covers
from troth.rows.datamap import DataMap, Node, PersonLink, map_data
from troth.rows.values import as_kinds
from troth.stores import AnyOf, Match, Noted, Row, Schema, Store, StoreError, noting, rows_in
from troth.subjects.identity import Identity, is_canary
from troth.subjects.locate import locate
from troth.subjects.policy_version_control import version_honoured  # noqa: F401 - registers the answer
from troth.text import counted

SAMPLE_ROWS = 50
"""Number of rows sampled and followed per table, from all over it and from what was written last."""

_FINDS = ("user.contact.email", "user.contact.phone_number")
"""Categories by which a row is found wherever it is."""

Origin = tuple[str, Row]
"""A sampled row: its place and key."""


@answers("subjects.found_everywhere")
def found_everywhere(declaration: Declaration, stores: Mapping[str, Store]) -> ControlResult:
    """Follow sampled rows to their person, locate that person, and check that the rows are found.

    Tables that the declaration calls unlinked, and rows that an erasure left without their person, are excluded:
    the law keeps them, or only their fields are erased, and what erasure empties is empty in them; so are external
    systems that are asked what they hold, because only they can search their rows. One that is not asked that
    counts as not observed: no request finds what it holds. Where a table of the company is called unlinked although
    it has e-mail addresses or telephone numbers in clear, a request could find its rows and does not look there, so
    its system counts as not observed.
    """
    schemas, asked = _schemas(stores), Noted()
    within = declaration.model_copy(update={"systems": {k: v for k, v in declaration.systems.items() if k in schemas}})
    climb = _Climb(map_data(within, schemas), stores)
    with noting(asked):
        climb.run()
        found = climb.locate()
    lost, strayed = defaultdict[str, int](int), defaultdict[str, int](int)
    for origin in climb.origins:
        if origin not in climb.people:
            lost[origin[0]] += 1
        elif origin not in found:
            strayed[origin[0]] += 1
    findings = [
        ControlFinding(place, f"{counted(n, 'sampled row')} without a person", _MEND) for place, n in lost.items()
    ]
    findings += [
        ControlFinding(place, f"{counted(n, 'sampled row')} not found by a request", _MEND)
        for place, n in strayed.items()
    ]
    tested, missed = len(climb.origins), sum(lost.values()) + sum(strayed.values())
    unlinked = [node for node in climb.map if node.declared.unlinked and not declaration.systems[node.system].is_troths]
    left_out = {node.place: rows_in(stores[node.system], node.table, at_least=0) for node in unlinked}
    hidden = [node for node in unlinked if left_out[node.place] and _could_be_found(node)]
    external = sorted(name for name, it in declaration.systems.items() if _answers_to_see(it))
    evidence = Evidence(
        in_scope=frozenset(declaration.systems) - set(external),
        observed=frozenset(schemas) - {node.system for node in hidden},
        population=sum(climb.sizes.values()) + sum(left_out.values()) + len(external),
        tested=tested,
        excluded=climb.parted + sum(left_out.values()) + len(external),
        query=asked.hash,
        places=frozenset(climb.sizes),
    )
    notes = f" Without a person, as an erasure leaves them: {counted(climb.parted, 'row')}." if climb.parted else ""
    notes += f" Not searched, because the declaration calls them unlinked: {', '.join(left_out)}." if left_out else ""
    notes += f" Asked by requests, and not looked into: {', '.join(external)}." if external else ""
    notes += "".join(
        f" {node.place} has e-mail addresses or telephone numbers by which its rows could be found: declare mentions."
        for node in hidden
    )
    if not climb.origins and not evidence.unobserved:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, f"No system contains a row of a person yet.{notes}", evidence)
    return ControlResult.of(
        f"{counted(tested, 'row')} of {sum(climb.sizes.values()):,} in {counted(len(climb.sizes), 'table')} "
        f"{'was' if tested == 1 else 'were'} traced to their person and searched for; "
        f"{missed:,} not found.{notes}",
        evidence=evidence,
        findings=findings,
        figures={
            "followed": tested,
            "found": tested - missed,
            "missed": missed,
            "tables": len(climb.sizes),
            "unlinked": len(left_out),
            "external": len(external),
        },
    )


def _answers_to_see(system: System) -> bool:
    """Whether the system, or the person who answers for it, is asked what it holds when somebody wants to see it."""
    return not system.is_looked_into and (system.asked is None or "view" in system.asked.answers)


def _could_be_found(node: Node) -> bool:
    fields = node.declared.fields.values()
    return any(not use.sealed and not use.token and any(covers(it, use.category) for it in _FINDS) for use in fields)


_MEND = "fix the table's belongs_to, identity or mentions; rows without an owner must get one or be deleted"


def _schemas(stores: Mapping[str, Store]) -> dict[str, Schema]:
    """Schemas of the stores that answer. Others are left out, and thus not counted as observed."""
    schemas = {}
    for name, store in stores.items():
        try:
            schemas[name] = store.describe()
        except StoreError:
            continue
    return schemas


def _link_columns(node: Node) -> list[str]:
    return [column for link in node.links for column in link.columns]


def _emptied(node: Node) -> list[str]:
    """Columns that an erasure empties in rows that stay."""
    erase = node.declared.erase
    if erase is None or erase.rows != "keep":
        return []
    return [column for column, how in erase.fields.items() if how is Strategy.NULL]


@dataclass(slots=True)
class _Climb:
    """Follows sampled rows to their people, table by table, children first."""

    map: DataMap
    stores: Mapping[str, Store]
    origins: set[Origin] = field(default_factory=set)
    people: dict[Origin, Identity] = field(default_factory=dict)
    parted: int = 0
    """Number of rows that an erasure has left without their person."""
    emptied: set[Origin] = field(default_factory=set)
    """Sampled rows in which each field is empty that an erasure of the table empties."""
    sizes: dict[str, int] = field(default_factory=dict)
    """place → number of rows, of the tables that were sampled."""
    waiting: dict[str, dict[Row, set[Origin]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    """place → row, in the order of `_columns` → sampled rows that lead to it."""

    def run(self) -> None:
        for node in reversed(list(self.map)):
            columns, emptied = self._columns(node), _emptied(node)
            for row in self._sample(node, columns):
                origin = (node.place, row[: len(node.key)])
                if node.declared.keep is not None and not any(row[columns.index(c)] for c in _link_columns(node)):
                    self.parted += 1
                    continue
                self.origins.add(origin)
                self.waiting[node.place][row].add(origin)
                if emptied and not any(row[columns.index(column)] for column in emptied):
                    self.emptied.add(origin)
            self._follow(node, columns)
        erased = {origin for origin in self.emptied if origin not in self.people}
        self.origins -= erased
        self.parted += len(erased)

    def _sample(self, node: Node, columns: tuple[str, ...]) -> list[Row]:
        """Rows to follow; none for tables without personal data, or declared as unlinked. Canaries are nobody's."""
        declared = node.declared
        if not (declared.fields or declared.identity or declared.mentions) or declared.unlinked is not None:
            return []
        rows = self.stores[node.system].sample(node.table, columns, rows=SAMPLE_ROWS)
        self.sizes[node.place] = rows_in(self.stores[node.system], node.table, at_least=len(rows))
        return [row for row in rows if not any(map(is_canary, row))]

    def locate(self) -> set[Origin]:
        """Sampled rows that a request by their person finds."""
        who = list(dict.fromkeys(self.people.values()))
        if not who:
            return set()
        located = locate(self.map, self.stores, who, purpose="erase")
        index = {identity: number for number, identity in enumerate(who)}
        owners = {(place, row.key): row.subjects for place, rows in located.rows.items() for row in rows}
        return {origin for origin, identity in self.people.items() if index[identity] in owners.get(origin, ())}

    def _columns(self, node: Node) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*node.key, *_link_columns(node), *_emptied(node)]))

    def _follow(self, node: Node, columns: tuple[str, ...]) -> None:
        up: dict[PersonLink, dict[Row, set[Origin]]] = defaultdict(lambda: defaultdict(set))
        for row, origins in self.waiting.pop(node.place, {}).items():
            if node.is_person:
                key = tuple(str(value) for value in row[: len(node.key)])
                self._reach(origins, Identity(keys=((node.place, key),)))
                continue
            for link in node.links:
                value = tuple(row[columns.index(column)] for column in link.columns)
                if link.kind is not None and isinstance(value[0], str) and value[0].strip():
                    self._reach(origins, Identity(identifiers=((link.kind, value[0].strip()),)))
                elif link.parent is not None and link.parent != node.place and None not in value:
                    up[link][value] |= origins
        for link, values in up.items():
            self._ask_parent(link, values)

    def _ask_parent(self, link: PersonLink, values: Mapping[Row, set[Origin]]) -> None:
        assert link.parent is not None
        parent = self.map[link.parent]
        kinds = [parent.kind(column) for column in link.to]
        wanted = {cast: origins for value, origins in values.items() if (cast := as_kinds(value, kinds)) is not None}
        columns = self._columns(parent)
        asked = tuple(dict.fromkeys([*columns, *link.to]))
        where = AnyOf((Match(link.to, tuple(wanted)),))
        for row in self.stores[parent.system].read(parent.table, asked, where):
            origins = wanted.get(tuple(row[asked.index(column)] for column in link.to), set())
            self.waiting[parent.place][row[: len(columns)]] |= origins

    def _reach(self, origins: Iterable[Origin], identity: Identity) -> None:
        for origin in origins:
            self.people.setdefault(origin, identity)
