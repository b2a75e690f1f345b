"""What sentences do because of where they stand: in a list, in a column of a table, under a heading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from troth.policy.clauses.model import Clause, ClauseKind
from troth.policy.lexicon import Mentions, Passage

__all__ = ["as_placed"]

_HANDED_DOWN = frozenset({ClauseKind.RIGHT, ClauseKind.COLLECTION, ClauseKind.PURPOSE, ClauseKind.RECIPIENT})
"""What the items of a list do when what leads into them does it."""
_ANNOUNCED = (ClauseKind.RETENTION, ClauseKind.SECURITY, *sorted(_HANDED_DOWN))
"""What a title may announce for all that stands under it."""
_OF_NOTES = frozenset({ClauseKind.RETENTION, ClauseKind.SECURITY})
"""What else a title announces for sentences that are no items."""
_GOES_ON = ("they ", "this ", "these ", "those ", "such ", "it ", "on that ", "for example", "examples", "among ")
"""How a sentence begins that does more of what the one before it does."""
_TITLE_WORDS_MAX = 6
"""What leads into a list is a title when it has at most so many words; else it says what it does."""
_NOTHING: frozenset[ClauseKind] = frozenset()


def as_placed(spoken: Mentions, clauses: list[Clause]) -> tuple[Clause, ...]:
    """*clauses* with what their places add. What leads into a list is done by its items that do nothing by themselves;
    what a title announces, by the items, the cells of its column and the notes below it."""
    return tuple(_without_mere_leads(spoken, list(_placed(spoken, clauses))))


def _placed(spoken: Mentions, clauses: list[Clause]) -> Iterator[Clause]:
    handed = _NOTHING
    for (passage, announced), clause in zip(_announced(spoken), clauses, strict=True):
        does = frozenset(clause.kinds)
        if passage.block.cell is not None:
            yield _doing(clause, announced)
        elif passage.block.kind == "list_item":
            yield clause if does & _HANDED_DOWN else _doing(clause, (passage.own and handed) or announced)
        else:
            goes_on = passage.words.startswith(_GOES_ON)
            handed = does & _HANDED_DOWN or (handed if goes_on else _NOTHING)
            yield clause if does - {ClauseKind.PROMISE} else _doing(clause, announced & _OF_NOTES)


def _doing(clause: Clause, kinds: Iterable[ClauseKind]) -> Clause:
    return replace(clause, kinds=(*clause.kinds, *(kind for kind in sorted(kinds) if kind not in clause.kinds)))


def _announced(spoken: Mentions) -> Iterator[tuple[Passage, frozenset[ClauseKind]]]:
    """Each passage with what the nearest title above it announces: the head of its column, what leads into its list, or
    its heading."""
    columns = _columns(spoken)
    heading = lead = _NOTHING
    for passage in spoken.passages:
        block = passage.block
        if block.cell is not None:
            yield (
                passage,
                _NOTHING if block.cell.is_head else columns.get((block.cell.table, block.cell.column), _NOTHING),
            )
        elif block.kind == "heading":
            heading, lead = _title(spoken, passage), _NOTHING
            yield passage, _NOTHING
        elif block.kind == "list_item":
            yield passage, lead if passage.own and lead else heading if len(block.sentences) == 1 else _NOTHING
        else:
            lead = _title(spoken, passage) if len(passage.words.split()) <= _TITLE_WORDS_MAX else _NOTHING
            yield passage, heading


def _columns(spoken: Mentions) -> dict[tuple[int, int], frozenset[ClauseKind]]:
    """What the head of each column of each table announces. A table of who receives data tells nothing else, and one
    that tells how long it is kept but not what for tells of no collection."""
    columns: dict[tuple[int, int], frozenset[ClauseKind]] = {}
    for passage in spoken.passages:
        cell = passage.block.cell
        if cell is not None and cell.is_head:
            columns[cell.table, cell.column] = _title(spoken, passage, "column") or _title(spoken, passage)
    of_table: dict[int, set[ClauseKind]] = {}
    for (table, _), kinds in columns.items():
        of_table.setdefault(table, set()).update(kinds)
    return {place: kinds - _besides(of_table[place[0]]) for place, kinds in columns.items()}


def _besides(told: set[ClauseKind]) -> set[ClauseKind]:
    if ClauseKind.RECIPIENT in told:
        return told - {ClauseKind.RECIPIENT, ClauseKind.RETENTION}
    if ClauseKind.RETENTION in told and ClauseKind.PURPOSE not in told:
        return {ClauseKind.COLLECTION}
    return set()


def _title(spoken: Mentions, passage: Passage, of: str = "title") -> frozenset[ClauseKind]:
    names = {kind: f"{of}.{kind}" for kind in _ANNOUNCED if spoken.knows(f"{of}.{kind}")}
    return frozenset(kind for kind, name in names.items() if spoken.why(name, passage.sentence))


def _without_mere_leads(spoken: Mentions, clauses: list[Clause]) -> list[Clause]:
    """*clauses* where "We will:" promises nothing by itself, as what it leads into does."""
    kept = list(clauses)
    for place, (passage, following) in enumerate(zip(spoken.passages, spoken.passages[1:], strict=False)):
        leads = passage.sentence.text.rstrip().endswith(":") and following.own and following.block.kind == "list_item"
        if leads and clauses[place].promise is not None and clauses[place + 1].promise is not None:
            kinds = tuple(kind for kind in clauses[place].kinds if kind is not ClauseKind.PROMISE)
            kept[place] = replace(clauses[place], kinds=kinds, promise=None)
    return kept
