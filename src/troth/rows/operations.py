"""Operations on stores: they contain everything that execution needs, row keys and new values.

So a run can be resumed after a crash from its sealed plan alone, even if the declaration has changed. Masks are
computed here; no store ever sees a cryptographic key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.declaration import Strategy
from troth.protect import Masker
from troth.rows.datamap import Node
from troth.rows.strategies import mask_fit
from troth.stores import Row, Scalar


@dataclass(frozen=True, slots=True)
class Operation:
    """One set-based change to one table. Each row is its key and the new values; without *columns* it is a deletion.

    With *keep_nulls*, NULL stays NULL, because a mask would invent data. *before* holds each row's values of the *seen*
    columns at planning time: the columns by which it was found, and those that are corrected.
    """

    chunk: int
    system: str
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: list[Row]
    seen: tuple[str, ...]
    before: list[Row]
    keep_nulls: bool = False

    @property
    def step(self) -> str:
        """The step that it is part of: ``chunk/system``, one transaction of one store."""
        return f"{self.chunk}/{self.system}"

    def __repr__(self) -> str:
        return f"Operation({self.system}.{self.table}, {len(self.rows)} rows)"


def by_chunk(
    node: Node,
    columns: tuple[str, ...],
    targets: Iterable[tuple[Row, int]],
    values: Sequence[Sequence[Scalar]],
    seen: tuple[str, ...],
    before: Mapping[Row, Row],
    *,
    keep_nulls: bool = False,
) -> Iterator[Operation]:
    """One operation per chunk. *targets* are keys with their chunks, *values* the new values of each column in the same
    order, *before* the values of the *seen* columns by key."""
    rows: dict[int, list[Row]] = defaultdict(list)
    held: dict[int, list[Row]] = defaultdict(list)
    for (key, number), *new in zip(targets, *values, strict=True):
        rows[number].append((*key, *new))
        held[number].append(before[key])
    for number in rows:
        yield Operation(
            number, node.system, node.table, node.key, columns, rows[number], seen, held[number], keep_nulls
        )


def new_values(node: Node, name: str, how: Strategy, keys: Sequence[Row], masker: Masker) -> list[Scalar]:
    """What NULL or MASK writes into one column of the rows with these *keys*. Raises `troth.protect.MaskTooNarrow`."""
    if how is Strategy.NULL:
        return [None] * len(keys)
    column = node.schema.column(name)
    assert column is not None
    return masker.batch(mask_fit(node, column), f"{node.place}.{name}", keys)


def steps(operations: Iterable[Operation]) -> dict[str, list[Operation]]:
    """The operations by step, in order."""
    found: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        found[operation.step].append(operation)
    return found


def link_columns(node: Node) -> tuple[str, ...]:
    """Columns by which rows of this table are linked to people."""
    return tuple(dict.fromkeys(column for link in node.links for column in link.columns))
