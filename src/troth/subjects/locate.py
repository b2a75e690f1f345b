"""Locate: finds the rows of identities in all stores, with set-based queries.

Each table is queried once for all subjects together (at most ``tables + 2`` statements in the common case), for rows
whose links have one of the values known so far. Rows of identity tables add further identifiers, and parents add their
keys; passes repeat only for values that were not queried yet. Each row records its subjects, the links that lead to
them, and whether another of its links names somebody else.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from troth.declaration import IdentityKind
from troth.errors import TrothError
from troth.rows.datamap import DataMap, Node, PersonLink
from troth.rows.identifiers import dialled, variants
from troth.rows.selection import PASSES_MAX, referring_rows
from troth.rows.values import as_kinds, picker, without_collection
from troth.stores import AnyOf, Match, Row, Scalar, Store
from troth.subjects.identity import Identity, IdentityRefused
from troth.text import counted

Values = dict[Row, set[int]]
"""Value of a link's columns → subjects that it names."""


class LocateRefused(TrothError):
    """The identities cannot be traced, because tracing does not terminate."""


@dataclass(slots=True)
class FoundRow:
    """One row. *values* follow the order of `Located.columns` for its place. *subjects* are indices of the requested
    identities; *mine* are the names of links that lead to them, *others* of links that name somebody else. A link is in
    both if its parent row is also about somebody else."""

    key: Row
    values: Row
    subjects: tuple[int, ...]
    mine: tuple[str, ...]
    others: tuple[str, ...]

    def __repr__(self) -> str:
        return f"FoundRow(of {len(self.subjects)} subjects, by {', '.join(self.mine)})"


@dataclass(slots=True)
class Located:
    """The subjects' rows. *asked* holds all values queried, by place and link, so that the rescan can repeat the
    queries. Contains personal data; its `repr` shows only counts."""

    map: DataMap
    identities: tuple[Identity, ...]
    columns: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, list[FoundRow]]
    asked: Mapping[str, Mapping[str, Values]]
    referring: Mapping[tuple[str, tuple[str, ...]], list[tuple[Row, Row]]] = field(default_factory=dict)
    """Only for erasure: references to located rows by ``refers_to`` or undeclared foreign keys, from rows of anyone. By
    place and columns: the keys of the referring rows and the values they refer by."""

    def __repr__(self) -> str:
        return f"Located({sum(map(len, self.rows.values()))} rows of {len(self.identities)} subjects)"

    def value(self, place: str, row: FoundRow, column: str) -> Scalar:
        """The value of one column of a located row."""
        return row.values[self.columns[place].index(column)]

    def leading(self, place: str, row: FoundRow) -> dict[str, set[int]]:
        """Links that lead to a row, each with the subjects it names: *mine* by subject."""
        columns = self.columns[place]
        asked = self.asked.get(place, {})
        named: dict[str, set[int]] = {}
        for link in self.map[place].links:
            value = picker(columns, link.columns)(row.values)
            found = asked.get(link.name, {}).get(value if link.kind is None else _spelled(link, value))
            if found:
                named[link.name] = found
        return named


@without_collection()
def locate(
    map_: DataMap,
    stores: Mapping[str, Store],
    identities: Sequence[Identity],
    *,
    purpose: Literal["view", "amend", "erase"],
    region: str = "GB",
) -> Located:
    """Find all rows of the *identities*. Read-only.

    With purpose ``view`` or ``amend``, rows contain every declared field. With ``erase``, they contain only the columns
    that tracing and planning need, and rows of others that refer to them are also found. *region* is used to parse
    national phone numbers. Raises `IdentityRefused` if an identity names a row of an undeclared table, or of one
    declared without links and fields, or an invalid key; `LocateRefused`; and the stores' errors.
    """
    located = _Tracing(map_, stores, tuple(identities), fields=purpose != "erase", region=region).run()
    if purpose == "erase":
        located.referring = _referring(located, stores)
    return located


def _referring(
    located: Located, stores: Mapping[str, Store]
) -> dict[tuple[str, tuple[str, ...]], list[tuple[Row, Row]]]:
    found: dict[tuple[str, tuple[str, ...]], list[tuple[Row, Row]]] = {}
    for node in located.map:
        rows = located.rows.get(node.place)
        if not rows or node.declared.erase is None or node.declared.erase.rows != "delete":
            continue
        found |= referring_rows(located.map, stores, node, located.columns[node.place], [row.values for row in rows])
    return found


@dataclass(slots=True)
class _Tracing:
    """State of one trace."""

    map: DataMap
    stores: Mapping[str, Store]
    identities: tuple[Identity, ...]
    fields: bool
    region: str
    known: dict[IdentityKind, dict[str, set[int]]] = field(default_factory=lambda: defaultdict(dict))
    asked: dict[str, dict[str, Values]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(dict)))
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    found: dict[str, dict[Row, FoundRow]] = field(default_factory=lambda: defaultdict(dict))

    def run(self) -> Located:
        for node in self.map:
            self.columns[node.place] = self._wanted(node)
        for index, identity in enumerate(self.identities):
            for kind, value in identity.identifiers:
                self._learn(kind, value, index)
        seeds = self._seeds()
        for _ in range(PASSES_MAX):
            asked = [self._ask(node, seeds.pop(node.place, {})) for node in self.map]
            if not any(asked):
                break
        else:
            raise LocateRefused(
                f"tracing did not end after {PASSES_MAX} passes: a chain of rows is that long, or identity columns "
                "hold values that lead from person to person; declare them shared: review"
            )
        rows = {place: list(rows.values()) for place, rows in self.found.items()}
        for place, found in rows.items():
            self._name_others(self.map[place], found)
        return Located(self.map, self.identities, self.columns, rows, self.asked)

    def _wanted(self, node: Node) -> tuple[str, ...]:
        wanted = [*self.map.columns_of(node.place)]
        named = [column for feed in node.feeds.values() for column in feed.where]
        wanted += [column for column in named if node.schema.column(column) is not None]
        if self.fields:
            wanted += node.declared.fields
            wanted += [mark.column for mark in node.declared.marks.values()]
        return tuple(dict.fromkeys(wanted))

    def _learn(self, kind: IdentityKind, value: str, index: int) -> None:
        for spelling in variants(kind, value, region=self.region):
            self.known[kind].setdefault(spelling, set()).add(index)

    def _seeds(self) -> dict[str, Values]:
        """Rows that identities name by key, by place. Raises `IdentityRefused`."""
        seeds: dict[str, Values] = defaultdict(dict)
        for index, identity in enumerate(self.identities):
            for place, key in identity.keys:
                node = self.map.nodes.get(place)
                if node is None:
                    raise IdentityRefused(
                        f"--id names {place[:80]!r}, which is not a declared table{_near(place, self.map)}"
                    )
                if not node.links and not node.declared.fields:
                    raise IdentityRefused(
                        f"--id gives a row of {place}, whose rows belong to nobody according to the declaration"
                    )
                if len(key) != len(node.key):
                    needed = counted(len(node.key), "key value")
                    raise IdentityRefused(f"--id {place} needs {needed}: {', '.join(node.key)}")
                values = as_kinds(key, [node.kind(column) for column in node.key])
                if values is None:
                    raise IdentityRefused(f"--id {place}: the key does not look like a value of {', '.join(node.key)}")
                seeds[place].setdefault(values, set()).add(index)
        return seeds

    def _ask(self, node: Node, seeds: Values) -> bool:
        """Query *node* for rows by values that were not queried yet. True if there was a query."""
        fresh = {link: values for link in node.links if (values := self._fresh(node, link))}
        matches = [Match(link.columns, tuple(values), link.fold, link.digits) for link, values in fresh.items()]
        if seeds:
            matches.append(Match(node.key, tuple(seeds)))
        if not matches:
            return False
        for link, values in fresh.items():
            self.asked[node.place][link.name].update(values)
        if seeds:
            self.asked[node.place][""].update(seeds)
        rows = self.stores[node.system].read(node.table, self.columns[node.place], AnyOf(tuple(matches)))
        self._attribute(node, rows)
        return True

    def _fresh(self, node: Node, link: PersonLink) -> Values:
        """Known values of this link that were not queried yet, or that have new subjects."""
        asked = self.asked[node.place][link.name]
        kinds = [node.kind(column) for column in link.columns]
        fresh: Values = {}
        for value, subjects in self._known(node, link):
            cast = as_kinds(value, kinds)
            # In SQLite and files, a numeric column may also hold text, so both forms are queried.
            for form in dict.fromkeys((cast, value)) if link.digits else (cast,):
                if form is not None and not asked.get(form, set()).issuperset(subjects):
                    fresh.setdefault(form, set(asked.get(form, ()))).update(subjects)
        return fresh

    def _known(self, node: Node, link: PersonLink) -> Iterable[tuple[Row, Collection[int]]]:
        if link.kind is not None:
            return (((spelling,), subjects) for spelling, subjects in self.known[link.kind].items())
        assert link.parent is not None
        value_of = picker(self.columns[link.parent], link.to)
        return ((value_of(row.values), row.subjects) for row in self.found[link.parent].values())

    def _attribute(self, node: Node, rows: Iterable[Row]) -> None:
        """Assign each row to its subjects. Rows that match no queried value exactly (for example because the collation
        ignores accents) are left out, because guessing their subject is not safe."""
        columns = self.columns[node.place]
        asked = self.asked[node.place]
        by_key, key_of = asked[""], picker(columns, node.key)
        ways = [(link, asked[link.name].get, picker(columns, link.columns)) for link in node.links if asked[link.name]]
        found = self.found[node.place]
        teaches = any(link.teaches for link in node.links)
        shared: Callable[[Any, Any], Any] = {}.setdefault  # many rows share few distinct tuples: store each once
        for row in rows:
            key = key_of(row)
            subjects: tuple[int, ...] = ()
            mine: tuple[str, ...] = ()
            if named := by_key.get(key):
                subjects, mine = tuple(sorted(named)), ("key",)
            for link, lookup, value_of in ways:
                value = value_of(row)
                if named := lookup(value if link.kind is None else _spelled(link, value)):
                    subjects, mine = merged(subjects, named), (*mine, link.name)
            if not subjects:
                continue
            before = found.get(key)
            if before is not None:
                subjects, mine = merged(subjects, before.subjects), tuple(dict.fromkeys([*before.mine, *mine]))
            found[key] = FoundRow(key, row, shared(subjects, subjects), shared(mine, mine), ())
            if teaches:
                self._taught(node, row, set(subjects))

    def _taught(self, node: Node, row: Row, subjects: set[int]) -> None:
        columns = self.columns[node.place]
        for link in node.links:
            value = row[columns.index(link.columns[0])] if link.teaches else None
            if isinstance(value, str) and value.strip() and link.kind is not None:
                for index in subjects:
                    self._learn(link.kind, value, index)

    def _name_others(self, node: Node, rows: Sequence[FoundRow]) -> None:
        """Determine the links that name someone other than the subjects: they lead to none of them, or to a row that is
        also about others. Identity columns never do, because they name the row's own person."""
        columns = self.columns[node.place]
        direct = [
            (link.name, picker(columns, link.columns))
            for link in node.links
            if not link.teaches and link.name not in _own(node)
        ]
        for row in rows:
            row.others = tuple(
                name for name, value_of in direct if name not in row.mine and None not in value_of(row.values)
            )
        links = [link for link in node.links if link.parent is not None]
        while sum(self._inherit(node, link, rows) for link in links):
            links = [link for link in links if link.parent == node.place]  # inherited values propagate along the chain

    def _inherit(self, node: Node, link: PersonLink, rows: Iterable[FoundRow]) -> bool:
        """A row that belongs to a row about others is also about them. True if this changed any row."""
        assert link.parent is not None
        of_parent = picker(self.columns[link.parent], link.to)
        kinds = [node.kind(column) for column in link.columns]
        joint = {as_kinds(of_parent(row.values), kinds) for row in self.found[link.parent].values() if row.others}
        if not joint:
            return False
        value_of = picker(self.columns[node.place], link.columns)
        heirs = [row for row in rows if link.name not in row.others and value_of(row.values) in joint]
        for row in heirs:
            row.others = (*row.others, link.name)
        return bool(heirs)


def _near(place: str, map_: DataMap) -> str:
    found = difflib.get_close_matches(place[:200], list(map_.nodes), n=1)
    return f"; did you mean {found[0]}?" if found else f"; declared are {', '.join([*map_.nodes][:3])} and others"


def merged(known: tuple[int, ...], more: Iterable[int]) -> tuple[int, ...]:
    """Union of two sets of subjects, as a sorted tuple."""
    return tuple(sorted({*known, *more} if known else more))


def _own(node: Node) -> set[str]:
    return {column.column for column in node.declared.identity.values()}


def _spelled(link: PersonLink, value: Row) -> Row:
    """Normalise a stored value to the spelling of queried values."""
    if link.digits and isinstance(value[0], str):
        return (dialled(value[0]),)
    if link.kind is not None and isinstance(value[0], str):
        return (value[0].strip().lower() if link.fold or link.kind is IdentityKind.EMAIL else value[0].strip(),)
    return value
