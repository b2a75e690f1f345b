"""From rows back to people: whom the rows of a table are about.

A row is about the people of the rows that it belongs to, the person that it represents (``identity``) and those that it
mentions; what it ``refers_to`` does not matter. Identity rows with a common identifier are one person. So are an
identity row and the only row that it belongs to, if that is an identity row. Rows are read in batches, with one query
per table and pass.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from troth.declaration import IdentityKind
from troth.rows.datamap import DataMap, Node, PersonLink
from troth.rows.identifiers import canonical, variants
from troth.rows.selection import (
    PASSES_MAX,
    ROOTS_PER_SELECTION,
    SelectedRow,
    SelectionTooDeep,
    join,
    linked_values,
    store_of,
)
from troth.rows.values import picker
from troth.stores import AnyOf, Condition, Match, Row, Store

Identifier = tuple[IdentityKind, str]
"""An identifier in its canonical form."""


@dataclass(frozen=True, slots=True)
class AffectedPerson:
    """One person, by all *identifiers* and identity *rows* (place and key) that lead to each other; equal whichever row
    led there. One who is only mentioned, or by an identifier that several people may share, has no rows. Contains
    personal data; its `repr` shows only counts."""

    identifiers: tuple[Identifier, ...]
    rows: tuple[tuple[str, Row], ...]

    def __repr__(self) -> str:
        return f"AffectedPerson({len(self.identifiers)} identifiers, {len(self.rows)} rows)"


@dataclass(frozen=True, slots=True)
class Affected:
    """Whom a number of *rows* are about: *people*, each with the number of rows about them. *nameless* rows name
    nobody."""

    people: Mapping[AffectedPerson, int]
    rows: int
    nameless: int


def whose(map_: DataMap, stores: Mapping[str, Store], place: str, where: Condition | None) -> Iterator[Affected]:
    """The people of the rows of *place* that *where* selects, for at most `ROOTS_PER_SELECTION` rows at a time. Who has
    rows in several of these parts is in each of them.

    Read-only. Raises `StoreRefused` for an external system, and for a table without a key; `UnknownName` for a table
    that is not declared; `SelectionTooDeep`; and the stores' errors.
    """
    node, store = store_of(map_, stores, place)
    for keys in store.keys(node.table, where, batch=ROOTS_PER_SELECTION):
        yield _Naming(map_, stores).run(node, keys)


_Named = tuple[IdentityKind, str, bool] | tuple[str, Row]
"""What stands for a person: an identifier, with whether several people may share it; or an identity row."""


@dataclass(slots=True)
class _Naming:
    """State for one part of the rows."""

    map: DataMap
    stores: Mapping[str, Store]
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rows: dict[str, dict[Row, SelectedRow]] = field(default_factory=lambda: defaultdict(dict))
    asked: dict[tuple[str, tuple[str, ...]], set[Row]] = field(default_factory=lambda: defaultdict(set))
    sought: set[Identifier] = field(default_factory=set)
    leaders: dict[_Named, _Named] = field(default_factory=dict)

    def run(self, start: Node, keys: Sequence[Row]) -> Affected:
        self.columns = {node.place: self.map.columns_of(node.place) for node in self.map}
        self.columns[start.place] = tuple(dict.fromkeys([*self.columns[start.place], *start.schema.key]))
        roots = self._read(start, [Match(start.schema.key, tuple(keys))])
        fresh = roots
        for _ in range(PASSES_MAX):
            fresh = [*self._owners(fresh), *self._owned(fresh), *self._namesakes(fresh)]
            if not fresh:
                break
        else:
            raise SelectionTooDeep(
                f"rows that those of {start.place} belong to form a chain of more than {PASSES_MAX}, or identity "
                "columns hold values that lead from person to person; declare them shared: review"
            )
        for node in self.map:
            join(self.map, self.rows, node, self.columns)
        return self._counted(roots)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read(self, node: Node, matches: Sequence[Match]) -> list[SelectedRow]:
        """The rows that match and were not read before."""
        asked = tuple(match for match in matches if match.values)
        if not asked:
            return []
        columns, known, fresh = self.columns[node.place], self.rows[node.place], []
        key_of = picker(columns, node.key)
        for row in self.stores[node.system].read(node.table, columns, AnyOf(asked)):
            if (key := key_of(row)) not in known:
                known[key] = SelectedRow(node.place, key, row, None)
                fresh.append(known[key])
        return fresh

    def _owners(self, fresh: Iterable[SelectedRow]) -> Iterator[SelectedRow]:
        """The rows that *fresh* ones belong to."""
        matches = defaultdict(list)
        for place, rows in _by_place(fresh).items():
            for link in self.map[place].links:
                if link.parent is not None:
                    values = linked_values(
                        rows, picker(self.columns[place], link.columns), self.map[link.parent], link.to
                    )
                    matches[link.parent].append(Match(link.to, self._unasked(link.parent, link.to, values)))
        for parent, those in matches.items():
            yield from self._read(self.map[parent], those)

    def _owned(self, fresh: Iterable[SelectedRow]) -> Iterator[SelectedRow]:
        """The identity rows that are the same person as *fresh* ones, because they belong to them."""
        by_place = _by_place(fresh)
        for node in self.map:
            link = self._same_person(node)
            if link is not None and link.parent in by_place:
                of_parent = picker(self.columns[link.parent], link.to)
                values = linked_values(by_place[link.parent], of_parent, node, link.columns)
                yield from self._read(node, [Match(link.columns, self._unasked(node.place, link.columns, values))])

    def _namesakes(self, fresh: Iterable[SelectedRow]) -> Iterator[SelectedRow]:
        """The identity rows with an identifier of *fresh* rows."""
        identifiers = {(named[0], named[1]) for row in fresh for _, named in self._identifiers(row) if not named[2]}
        identifiers -= self.sought
        self.sought |= identifiers
        spellings: dict[IdentityKind, set[Row]] = defaultdict(set)
        for kind, value in identifiers:
            spellings[kind].update((spelling,) for spelling in variants(kind, value))
        for node in self.map:
            yield from self._read(
                node,
                [
                    Match(link.columns, tuple(spellings[link.kind]), link.fold, link.digits)
                    for link in node.links
                    if link.teaches and link.kind is not None and link.kind in spellings
                ],
            )

    def _unasked(self, place: str, columns: tuple[str, ...], values: Iterable[Row]) -> tuple[Row, ...]:
        asked = self.asked[place, columns]
        fresh = tuple(value for value in values if value not in asked)
        asked.update(fresh)
        return fresh

    def _identifiers(self, row: SelectedRow) -> Iterator[tuple[PersonLink, tuple[IdentityKind, str, bool]]]:
        """The identifiers in a row, each with its link."""
        for link in self.map[row.place].links:
            if link.kind is not None:
                (value,) = picker(self.columns[row.place], link.columns)(row.values)
                if value is not None and (text := canonical(link.kind, str(value))):
                    yield link, (link.kind, text, link.shared)

    def _same_person(self, node: Node) -> PersonLink | None:
        """The link from identity rows of *node* to the identity rows that represent the same person."""
        owners = [link for link in node.links if link.parent is not None]
        is_same = node.is_person and len(owners) == 1 and self.map[owners[0].parent or ""].is_person
        return owners[0] if is_same and owners[0].parent != node.place else None

    # --- naming -----------------------------------------------------------------------------------------------------

    def _counted(self, roots: Sequence[SelectedRow]) -> Affected:
        for node in self.map:
            for row in self.rows.get(node.place, {}).values() if node.is_person else ():
                for link, named in self._identifiers(row):
                    if link.teaches:
                        self._unite((row.place, row.key), named)
                for _, parent in row.parents if self._same_person(node) else ():
                    self._unite((row.place, row.key), (parent.place, parent.key))
        counts: Counter[_Named] = Counter()
        nameless = 0
        for row in roots:
            people = self._people(row)
            counts.update(people)
            nameless += not people
        return Affected(self._described(counts), len(roots), nameless)

    def _people(self, row: SelectedRow) -> set[_Named]:
        """What leads the people of a row: those of the row itself, and of all that it belongs to."""
        people, seen, waiting = set[_Named](), set[SelectedRow](), [row]
        while waiting:
            current = waiting.pop()
            if current in seen:
                continue
            seen.add(current)
            waiting += [parent for _, parent in current.parents]
            node = self.map[current.place]
            own = {column.column for column in node.declared.identity.values()}
            if own:
                people.add(self._leader((current.place, current.key)))
            people.update(
                self._leader(named) for link, named in self._identifiers(current) if link.columns[0] not in own
            )
        return people

    def _described(self, counts: Mapping[_Named, int]) -> dict[AffectedPerson, int]:
        members: dict[_Named, list[_Named]] = {leader: [leader] for leader in counts}
        for named in self.leaders:
            leader = self._leader(named)
            if leader in members and leader != named:
                members[leader].append(named)
        people: Counter[AffectedPerson] = Counter()
        for leader, count in counts.items():
            identifiers = sorted((named[0], named[1]) for named in members[leader] if len(named) == 3)
            rows = sorted((named for named in members[leader] if len(named) == 2), key=repr)
            people[AffectedPerson(tuple(identifiers), tuple(rows))] += count
        return dict(people)

    def _leader(self, named: _Named) -> _Named:
        while (leader := self.leaders.get(named, named)) != named:
            self.leaders[named] = self.leaders.get(leader, leader)
            named = leader
        return named

    def _unite(self, first: _Named, second: _Named) -> None:
        self.leaders.setdefault(first, first)
        self.leaders.setdefault(second, second)
        self.leaders[self._leader(first)] = self._leader(second)


def _by_place(rows: Iterable[SelectedRow]) -> dict[str, list[Row]]:
    by_place: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_place[row.place].append(row.values)
    return by_place
