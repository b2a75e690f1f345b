"""Evidence of which data of a person was sent to a recipient, from the rows of declared feeds. Pure.

Collect it from the located rows before any change: an erasure removes the rows that prove it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from troth.declaration import Feed
from troth.rows.datamap import DataMap, MapProblem, Node
from troth.rows.values import as_stored, same
from troth.stores import Row
from troth.subjects.amend import AmendmentPlan
from troth.subjects.locate import FoundRow, Located
from troth.subjects.plan import ABOUT_OTHERS, NOT_PERSONAL, UNLISTED, ErasurePlan, Stage


@dataclass(frozen=True, slots=True)
class Fed:
    """Evidence from one feed about one person: the number of *rows* sent, and the data categories that were *sent*, are
    *changed*, or are *kept* under a law or legal hold."""

    rows: int
    sent: tuple[str, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecipientEvidence:
    """Evidence about one subject: places with their rows (*held*), each with the categories that a law or hold keeps
    there, and the evidence of feeds by recipient (*fed*)."""

    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fed: Mapping[str, Fed] = field(default_factory=dict)


def evidence(located: Located, plan: ErasurePlan | AmendmentPlan | None = None) -> list[RecipientEvidence]:
    """Evidence for each located subject. Without a *plan*, for example for a restriction, all data sent to a recipient
    counts as changed."""
    kept, changed = _kept(plan), _changed(plan)
    held: list[dict[str, set[str]]] = [defaultdict(set) for _ in located.identities]
    fed: list[dict[str, _Went]] = [defaultdict(_Went) for _ in located.identities]
    for place, rows in located.rows.items():
        node = located.map[place]
        for row in rows:
            stays = kept.get((place, row.key), set())
            goes_to = [name for name, feed in node.feeds.items() if _goes(located, node, row, feed)]
            own = _own(node, row) if goes_to else set()
            for subject in row.subjects:
                held[subject][place] |= stays
                for name in goes_to:
                    went = fed[subject][name]
                    went.rows += 1
                    went.sent |= own
                    went.changed |= own if changed is None else own & changed.get((place, row.key), set())
                    went.kept |= own & stays
    at = {name: node for node in located.map for name in node.feeds}
    return [
        RecipientEvidence(
            {place: _categories(located.map[place], columns) for place, columns in places.items()},
            {name: went.named(at[name]) for name, went in recipients.items()},
        )
        for places, recipients in zip(held, fed, strict=True)
    ]


@dataclass(slots=True)
class _Went:
    """Columns of one subject's data that were sent to one recipient."""

    rows: int = 0
    sent: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)

    def named(self, node: Node) -> Fed:
        sent, changed, kept = (_categories(node, columns) for columns in (self.sent, self.changed, self.kept))
        return Fed(self.rows, sent, changed, kept)


_Columns = Mapping[tuple[str, Row], set[str]]
"""Columns by place and key of the row."""


def _own(node: Node, row: FoundRow) -> set[str]:
    """Fields about the located subjects of the row, not about other people in it."""
    return {name for name, use in node.declared.fields.items() if use.of is None or use.of in row.mine}


def _categories(node: Node, columns: Iterable[str]) -> tuple[str, ...]:
    fields = node.declared.fields
    return tuple(sorted({fields[name].category for name in columns if name in fields}))


def _kept(plan: ErasurePlan | AmendmentPlan | None) -> dict[tuple[str, Row], set[str]]:
    """Data of the person that is kept because of a law or hold."""
    found: dict[tuple[str, Row], set[str]] = defaultdict(set)
    for kept in plan.kept if plan is not None else ():
        if (kept.reason, kept.cite) not in (ABOUT_OTHERS, NOT_PERSONAL, UNLISTED):
            for key, _ in kept.targets:
                found[kept.place, key].update(kept.fields)
    return found


def _changed(plan: ErasurePlan | AmendmentPlan | None) -> _Columns | None:
    if plan is None:
        return None
    found: dict[tuple[str, Row], set[str]] = defaultdict(set)
    for place, key, columns in _changes(plan):
        found[place, key].update(columns)
    return found


def _changes(plan: ErasurePlan | AmendmentPlan) -> Iterator[tuple[str, Row, Iterable[str]]]:
    if isinstance(plan, AmendmentPlan):
        for rewrite in plan.rewrites:
            yield from ((rewrite.place, key, rewrite.columns) for (key, _), _, _ in rewrite.rows)
        return
    for change in plan.changes:
        fields = plan.located.map[change.place].declared.fields
        columns = tuple(fields) if change.stage is Stage.DELETE else tuple(name for name, _ in change.strategies)
        yield from ((change.place, key, columns) for key, _ in change.targets)


# --- rows of a feed -------------------------------------------------------------------------------------------------


def _goes(located: Located, node: Node, row: FoundRow, feed: Feed) -> bool:
    """True if the row matches the feed. A condition on a column that the store lacks never matches."""
    for column, text in feed.where.items():
        if column not in located.columns[node.place]:
            return False
        stored, wanted = located.value(node.place, row, column), as_stored(text, node.kind(column))
        if isinstance(wanted, bool):  # some engines store booleans as numbers
            stored = bool(stored) if stored in (0, 1) else None
            goes = stored is wanted
        else:
            goes = wanted is not None and same(stored, wanted)
        if not goes:
            return False
    return True


def feed_misfits(map_: DataMap) -> Iterator[MapProblem]:
    """Columns of feeds that the store lacks, or that can never hold the declared value."""
    for node in map_:
        for name, feed in node.feeds.items() if node.schema.columns else ():
            for column, text in feed.where.items():
                path = f"recipients.{name}.feed.where.{column}"
                if node.schema.column(column) is None:
                    message = f"the store has no column {column!r} in {node.place}"
                    yield MapProblem(path, message, "fix the name, or remove it")
                elif as_stored(text, node.kind(column)) is None:
                    yield MapProblem(path, f"{column} cannot hold that value", "give a value that it can hold")
