"""Plans of disposals: which selected rows go, which stay and why. Pure.

A row goes if the condition selects it, or if it belongs to a row that goes. It stays if a hold covers it, if the law
keeps it, if a row that stays must refer to it, or if all that it belongs to stays.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from troth.declaration import Strategy
from troth.protect import Keyring, Masker
from troth.rows import operations_codec
from troth.rows.datamap import MapProblem, Node, PersonLink, PlanRefused, foreign_key, is_nullable
from troth.rows.keeping import kept_until
from troth.rows.operations import Operation, by_chunk, link_columns, new_values
from troth.rows.selection import ROOTS_PER_CHUNK, SelectedRow, Selection
from troth.rows.strategies import Strategies, fault
from troth.rows.values import as_kinds, same
from troth.stores import Row

Held = Callable[[str, Row], bool]
"""Whether a legal hold covers the row of that place with that key."""


class StayReason(StrEnum):
    """Why a selected row stays."""

    HELD = "held"
    KEPT = "kept"
    NEEDED = "needed"
    WITH_PARENT = "with_parent"


@dataclass(frozen=True, slots=True)
class DisposalPlan:
    """Everything that a disposal does to a selection, in order of execution. Its `repr` shows only counts."""

    place: str
    hash: str
    declaration_hash: str
    operations: tuple[Operation, ...]
    stayed: Mapping[str, Mapping[str, int]]
    """Number of rows that stay, by place and `StayReason`."""

    def __repr__(self) -> str:
        return f"DisposalPlan({self.place}, {len(self.operations)} operations)"

    def encode(self) -> bytes:
        """The plan as bytes, which must only be stored sealed."""
        head = {
            "action": ACTION,
            "place": self.place,
            "plan": self.hash,
            "declaration": self.declaration_hash,
            "stayed": self.stayed,
        }
        return operations_codec.encode(head, self.operations)

    @classmethod
    def decode(cls, encoded: bytes) -> DisposalPlan:
        """Inverse of `encode`. Raises `WorkUnreadable`."""

        def read(head: dict[str, Any], operations: tuple[Operation, ...], _: object) -> DisposalPlan:
            return cls(head["place"], head["plan"], head["declaration"], operations, head["stayed"])

        return operations_codec.decode(encoded, read)


ACTION = "dispose"
"""The action of a run that executes such a plan."""


def plan_disposal(
    selection: Selection,
    *,
    declaration_hash: str,
    keyring: Keyring,
    now: dt.datetime,
    held: Held = lambda place, key: False,
) -> DisposalPlan:
    """Decide what happens to the selected rows. Changes nothing.

    Fields that the law's reason does not need (``keep.meanwhile``) are treated in rows that would go otherwise. Raises
    `PlanRefused` if a column cannot take its strategy, and `troth.protect.MaskTooNarrow`.
    """
    operations, stayed = _Deciding(selection, Masker(keyring), now, held).decide()
    content = [
        [o.chunk, o.system, o.table, o.columns, sorted(zip(o.rows, o.before, strict=True), key=repr)]
        for o in operations
    ]
    whole = operations_codec.text([declaration_hash, selection.disposal.place, content, stayed])
    return DisposalPlan(
        selection.disposal.place, str(keyring.digest("plan", whole)), declaration_hash, tuple(operations), stayed
    )


@dataclass(slots=True)
class _Deciding:
    selection: Selection
    masker: Masker
    now: dt.datetime
    held: Held
    stays: dict[SelectedRow, StayReason] = field(default_factory=dict)
    problems: dict[MapProblem, None] = field(default_factory=dict)

    def decide(self) -> tuple[list[Operation], dict[str, dict[str, int]]]:
        everything = [row for rows in self.selection.rows.values() for row in rows.values()]
        for row in everything:
            if (reason := self._reason(row)) is not None:
                self.stays[row] = reason
        disposal = self.selection.disposal
        if disposal.deletes:
            going = self._going(everything)
            operations = list(self._deletion(going))
        else:
            going = {row for row in everything if row not in self.stays}
            operations = list(self._writes(self._node(disposal.place), going, disposal.strategies))
        if self.problems:
            raise PlanRefused(self.problems)
        stayed: dict[str, Counter[str]] = defaultdict(Counter)
        for row in everything:
            if row not in going:
                stayed[row.place][self.stays.get(row, StayReason.WITH_PARENT)] += 1
        operations.sort(key=lambda operation: operation.chunk)  # stable: keeps the order within a chunk
        return operations, {place: dict(counts) for place, counts in stayed.items()}

    def _node(self, place: str) -> Node:
        return self.selection.map[place]

    def _reason(self, row: SelectedRow) -> StayReason | None:
        if self.held(row.place, row.key):
            return StayReason.HELD
        keep = self._node(row.place).declared.keep
        if keep is None:
            return None
        start = None if keep.from_ is None else self.selection.values(row, (keep.from_,))[0]
        return None if kept_until(keep, start, self.now).is_over else StayReason.KEPT

    # --- which rows go ----------------------------------------------------------------------------------------------

    def _going(self, everything: Sequence[SelectedRow]) -> set[SelectedRow]:
        """The rows to delete: those selected that do not stay, and what belongs to them, as far as it can go."""
        while True:
            going = _reached((row for row in everything if row.root is not None), lambda row: row not in self.stays)
            needed = self._needed(everything, going)
            if not needed:
                return going
            self.stays.update(dict.fromkeys(needed, StayReason.NEEDED))

    def _needed(self, everything: Sequence[SelectedRow], going: set[SelectedRow]) -> set[SelectedRow]:
        """Rows to delete to which a row that stays must refer."""
        found = set[SelectedRow]()
        for row in everything:
            cleared = {column for column, _ in self._meanwhile(row)}
            for link, parent in row.parents if row not in going else ():
                is_enforced = foreign_key(self._node(row.place), link) is not None
                if parent in going and is_enforced and not cleared.intersection(link.columns):
                    found.add(parent)
        for row, place, link, referrer, (key, _) in self._references(going):
            # A NOT NULL reference within the table is never first: MariaDB cannot delete a row that refers to itself.
            is_first = referrer in going and (place, link.columns) not in self.selection.map.cut
            is_cleared = is_nullable(self._node(place), link.columns) and not self.held(place, key)
            if not is_first and not is_cleared:
                found.add(row)
        return found

    def _references(
        self, going: set[SelectedRow]
    ) -> Iterator[tuple[SelectedRow, str, PersonLink, SelectedRow | None, tuple[Row, Row]]]:
        """References to rows to delete: the row, the place and link that refer to it, the referring row if that is
        selected, and its key and values."""
        for node in self.selection.map:
            rows = [row for row in self.selection.rows.get(node.place, {}).values() if row in going]
            for place, link in node.referrers if rows else ():
                kinds = [self._node(place).kind(column) for column in link.columns]
                by_value = {as_kinds(self.selection.values(row, link.to), kinds): row for row in rows}
                selected = self.selection.rows.get(place, {})
                for key, value in self.selection.referring.get((place, link.columns), ()):
                    if value in by_value:
                        yield by_value[value], place, link, selected.get(key), (key, value)

    def _meanwhile(self, row: SelectedRow) -> Strategies:
        """What is written at once into a row that the law keeps."""
        keep = self._node(row.place).declared.keep
        if keep is None or self.stays.get(row) is not StayReason.KEPT:
            return ()
        return tuple((column, how) for column, how in keep.meanwhile.items() if how is not Strategy.KEEP)

    # --- operations -------------------------------------------------------------------------------------------------

    def _deletion(self, going: set[SelectedRow]) -> Iterator[Operation]:
        references = list(self._references(going))
        chunks = self._chunks(going, references)
        detached: dict[str, set[str]] = defaultdict(set)
        targets: dict[tuple[str, tuple[str, ...]], dict[Row, tuple[int, Row]]] = defaultdict(dict)
        for row, place, link, referrer, (key, value) in references:
            is_first = referrer in going and (place, link.columns) not in self.selection.map.cut
            if not is_first and is_nullable(self._node(place), link.columns):
                targets[place, link.columns].setdefault(key, (chunks[row], value))
                detached[place].update(link.columns)
        for (place, columns), rows in targets.items():
            numbers = [(key, number) for key, (number, _) in rows.items()]
            nulls = [[None] * len(rows)] * len(columns)
            before = {key: value for key, (_, value) in rows.items()}
            yield from by_chunk(self._node(place), columns, numbers, nulls, columns, before, keep_nulls=True)
        for place, selected in self.selection.rows.items():
            treated = [row for row in selected.values() if row in chunks and row not in going]
            by_strategies = defaultdict(list)
            for row in treated:
                by_strategies[self._meanwhile(row)].append(row)
            for strategies, those in by_strategies.items():
                yield from self._writes(self._node(place), those, strategies, chunks, detached[place])
        for place in self.selection.map.deletion_order:
            those = [row for row in self.selection.rows.get(place, {}).values() if row in going]
            yield from self._operation(self._node(place), those, (), (), chunks, detached[place])

    def _chunks(
        self,
        going: set[SelectedRow],
        references: Iterable[tuple[SelectedRow, str, PersonLink, SelectedRow | None, object]],
    ) -> dict[SelectedRow, int]:
        """The chunk of each row to delete, and of each that is treated meanwhile: the first one of a row that it
        belongs or refers to, so that it is never deleted later than that."""
        before: dict[SelectedRow, list[SelectedRow]] = defaultdict(list)
        for row, _, _, referrer, _ in references:
            if referrer is not None and referrer in going:
                before[row].append(referrer)
        roots = [row for rows in self.selection.rows.values() for row in rows.values() if row.root is not None]
        chunks: dict[SelectedRow, int] = {}
        for root in sorted(roots, key=lambda row: row.root or 0):
            waiting = [root] if root in going or self._meanwhile(root) else []
            while waiting:
                row = waiting.pop()
                if row not in chunks and (row in going or self._meanwhile(row)):
                    chunks[row] = (root.root or 0) // ROOTS_PER_CHUNK
                    waiting += [*row.children, *before[row]] if row in going else []
        return chunks

    def _writes(
        self,
        node: Node,
        rows: Iterable[SelectedRow],
        strategies: Strategies,
        chunks: Mapping[SelectedRow, int] | None = None,
        detached: Collection[str] = (),
    ) -> Iterator[Operation]:
        """Write into rows that stay, except those that already hold the values."""
        rows = list(rows)
        self._refuse_faults(node, strategies)
        if self.problems or not strategies:
            return
        values = [new_values(node, column, how, [row.key for row in rows], self.masker) for column, how in strategies]
        columns = [column for column, _ in strategies]
        fresh = []
        for row, *new in zip(rows, *values, strict=True):
            now = self.selection.values(row, columns)
            if not all(value is None or same(value, meant) for value, meant in zip(now, new, strict=True)):
                fresh.append((row, new))
        new_columns = [list(column) for column in zip(*(new for _, new in fresh), strict=True)]
        chunks = chunks or {row: (row.root or 0) // ROOTS_PER_CHUNK for row in rows}
        yield from self._operation(node, [row for row, _ in fresh], columns, new_columns, chunks, detached)

    def _operation(
        self,
        node: Node,
        rows: Sequence[SelectedRow],
        columns: Sequence[str],
        values: Sequence[Sequence[Any]],
        chunks: Mapping[SelectedRow, int],
        detached: Collection[str],
    ) -> Iterator[Operation]:
        if not rows:
            return
        age = (self.selection.disposal.expired.column,) * (node.place == self.selection.disposal.place)
        seen = tuple(name for name in dict.fromkeys([*link_columns(node), *age]) if name not in detached)
        before = {row.key: self.selection.values(row, seen) if seen else () for row in rows}
        targets = [(row.key, chunks[row]) for row in rows]
        yield from by_chunk(node, tuple(columns), targets, values, seen, before, keep_nulls=True)

    def _refuse_faults(self, node: Node, strategies: Strategies) -> None:
        for name, how in strategies:
            column = node.schema.column(name)
            if how is Strategy.PSEUDONYMISE:
                trouble: tuple[str, str] | None = ("a pseudonym needs a person, and rows are chosen by age", "mask it")
            else:
                trouble = None if column is None else fault(node, column, how)
            if trouble is not None:
                self.problems[MapProblem(f"systems.{node.system}.tables.{node.table}.{name}", *trouble)] = None


def _reached(roots: Iterable[SelectedRow], goes: Callable[[SelectedRow], bool]) -> set[SelectedRow]:
    """The rows that go, from *roots* along their children."""
    found = set[SelectedRow]()
    waiting = list(roots)
    while waiting:
        row = waiting.pop()
        if row not in found and goes(row):
            found.add(row)
            waiting += row.children
    return found
