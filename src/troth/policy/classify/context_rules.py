"""Adds what a sentence does because of its position: in a list, in a table column, under a heading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from troth.policy.classify.model import Clause, ClauseKind
from troth.policy.classify.parts import parts_of
from troth.policy.lexicon import Mentions, Passage
from troth.policy.phrases import plain
from troth.text import same_words

_HANDED_DOWN = frozenset({ClauseKind.RIGHT, ClauseKind.COLLECTION, ClauseKind.PURPOSE, ClauseKind.RECIPIENT})
"""Kinds that list items take over from their lead-in."""
_PROMISED = frozenset({ClauseKind.PROMISE})
_ANNOUNCED = (ClauseKind.PROMISE, ClauseKind.RETENTION, ClauseKind.SECURITY, *sorted(_HANDED_DOWN))
"""Kinds that a title may announce for everything below it."""
_OF_NOTES = frozenset({ClauseKind.RETENTION, ClauseKind.SECURITY})
"""Kinds that a title may also announce for sentences that are not list items."""
_CATEGORIES_MIN = 2
"""... and a sentence that names this many categories lists what is collected, if the title announces it."""
_GOES_ON = ("they ", "this ", "these ", "those ", "such ", "it ", "on that ", "for example", "examples", "among ")
"""Beginnings of sentences that continue the previous one."""
_TITLE_WORDS_MAX = 6
"""A lead-in of at most this many words is a title; a longer one is a statement."""
_ROW_WORDS_MAX = 3
"""The first cell of a row is its title if it has at most this many words: "Purpose" next to the purpose."""
_LABEL = re.compile(r"([^\W\d_][^:.;?!]{1,40}): \S")
"""A sentence of the form label, colon, text."""
_NOTHING: frozenset[ClauseKind] = frozenset()


def as_placed(spoken: Mentions, clauses: list[Clause]) -> tuple[Clause, ...]:
    """*clauses* with what their positions add. Items without a kind of their own take over that of their lead-in;
    titles apply to the items, column cells and notes below them."""
    return tuple(_without_mere_leads(spoken, list(_placed(spoken, clauses))))


def _placed(spoken: Mentions, clauses: list[Clause]) -> Iterator[Clause]:
    handed = _NOTHING
    for (passage, announced), clause in zip(_announced(spoken), clauses, strict=True):
        does = frozenset(clause.kinds)
        if not does and (labelled := _labelled(spoken, passage)):
            yield _doing(clause, labelled)
        elif passage.block.cell is not None:
            yield _doing(clause, announced)
        elif passage.block.kind == "list_item" and passage.is_title:
            yield clause  # “Consent.” is the title of the item
        elif passage.block.kind == "list_item":
            led = _led(clause, handed, announced) if passage.own else announced
            yield clause if does & _HANDED_DOWN else _doing(clause, led)
        else:
            handed = _hands_down(passage, clause, handed)
            yield clause if does - _PROMISED else _doing(clause, announced & _noted(clause))


def _labelled(spoken: Mentions, passage: Passage) -> frozenset[ClauseKind]:
    """What the label before a colon announces for the text after it: “Purpose: to find faults.”"""
    label = _LABEL.match(same_words(passage.sentence.text))
    if label is None or passage.block.kind == "heading" or passage.block.cell is not None:
        return _NOTHING
    words = f" {plain(label[1])} "
    announced = {of: _title(spoken, passage, of, within=words) for of in ("column", "title")}
    return (announced["column"] or announced["title"]) - {ClauseKind.PROMISE, ClauseKind.RIGHT}


def _led(clause: Clause, handed: frozenset[ClauseKind], announced: frozenset[ClauseKind]) -> frozenset[ClauseKind]:
    """Kinds that an item takes over from its lead-in, or else from the title; a promise only if the item has no kind
    yet."""
    if handed != _PROMISED:
        return handed or announced
    return announced if clause.kinds or announced & _HANDED_DOWN else announced | handed


def _noted(clause: Clause) -> frozenset[ClauseKind]:
    """Kinds that a title may announce for a sentence that is not a list item."""
    lists_data = clause.promise is None and len(clause.categories) >= _CATEGORIES_MIN
    return _OF_NOTES | {ClauseKind.COLLECTION} if lists_data else _OF_NOTES


def _hands_down(passage: Passage, clause: Clause, before: frozenset[ClauseKind]) -> frozenset[ClauseKind]:
    """Kinds that *clause* hands down if it introduces a list; *before* is what the previous sentence hands down."""
    if does := frozenset(clause.kinds) & _HANDED_DOWN:
        return does
    if clause.promise is None:
        return before if passage.words.startswith(_GOES_ON) else _NOTHING
    if clause.topic is ClauseKind.RECIPIENT and passage.words.endswith((" with", " to")):
        return frozenset({ClauseKind.RECIPIENT})
    return _PROMISED if clause.topic not in _HANDED_DOWN else _NOTHING


def _doing(clause: Clause, kinds: Iterable[ClauseKind]) -> Clause:
    """*clause* with *kinds* added."""
    more = tuple(kind for kind in sorted(kinds) if kind not in clause.kinds)
    promise = parts_of(same_words(clause.sentence.text), clause.lead) if ClauseKind.PROMISE in more else clause.promise
    return replace(clause, kinds=(*clause.kinds, *more), promise=promise)


def _announced(spoken: Mentions) -> Iterator[tuple[Passage, frozenset[ClauseKind]]]:
    """Each passage with what the nearest title above it announces: the head of its column or row, the lead-in of its
    list, or its heading."""
    columns = _columns(spoken)
    heading = lead = row = _NOTHING
    beside = (-1, -1)
    for passage in spoken.passages:
        block, says = passage.block, _NOTHING
        if block.cell is not None:
            if beside != (block.cell.table, block.cell.row):
                beside, row = (block.cell.table, block.cell.row), _NOTHING
            if not block.cell.is_head and passage.words:
                says = columns.get((block.cell.table, block.cell.column), _NOTHING) or row
            if block.cell.column == 0:
                row = _title(spoken, passage) if passage.words.count(" ") < _ROW_WORDS_MAX else _NOTHING
        elif block.kind == "heading":
            heading, lead = _title(spoken, passage), _NOTHING
        elif block.kind == "list_item":
            says = lead if passage.own and lead else heading if len(block.sentences) == 1 else _NOTHING
        else:
            lead = _title(spoken, passage) if passage.words.count(" ") < _TITLE_WORDS_MAX else _NOTHING
            says = heading
        yield passage, says


def _columns(spoken: Mentions) -> dict[tuple[int, int], frozenset[ClauseKind]]:
    """What the head of each table column announces. In a table of recipients only recipients and retention count, and a
    table with retention but no purpose announces no collection."""
    columns: dict[tuple[int, int], frozenset[ClauseKind]] = {}
    for passage in spoken.passages:
        cell = passage.block.cell
        if cell is not None and cell.is_head:
            columns[cell.table, cell.column] = _title(spoken, passage, "column") or _title(spoken, passage)
    of_table: dict[int, set[ClauseKind]] = {}
    for (table, _), kinds in columns.items():
        of_table.setdefault(table, set()).update(kinds)
    return {place: kinds - _besides(of_table[place[0]]) for place, kinds in columns.items()}


def _besides(kinds: set[ClauseKind]) -> set[ClauseKind]:
    if ClauseKind.RECIPIENT in kinds:
        return kinds - {ClauseKind.RECIPIENT, ClauseKind.RETENTION}
    if ClauseKind.RETENTION in kinds and ClauseKind.PURPOSE not in kinds:
        return {ClauseKind.COLLECTION}
    return set()


def _title(spoken: Mentions, passage: Passage, of: str = "title", *, within: str = "") -> frozenset[ClauseKind]:
    """What the sentence, or a title *within* it, announces."""
    names = {kind: f"{of}.{kind}" for kind in _ANNOUNCED if spoken.knows(f"{of}.{kind}")}
    told = {kind: spoken.why(name, passage.sentence) for kind, name in names.items()}
    return frozenset(kind for kind, said in told.items() if said and (not within or f" {said} " in within))


def _without_mere_leads(spoken: Mentions, clauses: list[Clause]) -> list[Clause]:
    """*clauses* in which "We will:" is not itself a promise, because its list items are."""
    kept = list(clauses)
    for place, (passage, following) in enumerate(zip(spoken.passages, spoken.passages[1:], strict=False)):
        leads = passage.sentence.text.rstrip().endswith(":") and following.own and following.block.kind == "list_item"
        if leads and clauses[place].promise is not None and clauses[place + 1].promise is not None:
            kinds = tuple(kind for kind in clauses[place].kinds if kind is not ClauseKind.PROMISE)
            kept[place] = replace(clauses[place], kinds=kinds, promise=None)
    return kept
