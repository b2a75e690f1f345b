"""The policy as page blocks, with badges in place. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from troth.controls import PublishedStatus, Status
from troth.policy import Block, PolicyText, Sentence

_BADNESS = (None, *Status)
"""From the best to the worst; a private status counts least."""


@dataclass(frozen=True, slots=True)
class BadgedPassage:
    """Sentences shown together: one with its badges, or a run without."""

    sentences: tuple[Sentence, ...]
    marks: tuple[PublishedStatus, ...] = ()

    @property
    def word(self) -> str:
        """The worst of its badges, shown by the line beside it."""
        return max(self.marks, key=lambda mark: _BADNESS.index(mark.status)).word


Item = tuple[BadgedPassage, ...]


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A list item and its nested lists."""

    item: Item
    lists: tuple[TextBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A table row: cells, and *below* them the badges of its promises."""

    cells: tuple[Item, ...]
    below: tuple[BadgedPassage, ...] = ()
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A paragraph (``p``), a list (``ul``, ``ol``) of entries, or a ``table`` of rows."""

    kind: str
    items: tuple[Item, ...] = ()
    entries: tuple[ListEntry, ...] = ()
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the policy. *id* is its anchor; *names* are other anchors that the policy links to. The chapter of
    the policy's title shows none of its own."""

    id: str
    title: str
    level: int
    parts: tuple[TextBlock, ...]
    names: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        return f"h{min(max(self.level, 2), 6)}"


_Placed = Mapping[str, tuple[PublishedStatus, ...]]
"""Badges by the id of each sentence that their quote touches."""
_DEPTH_MAX = 6
_TAKEN = frozenset({"main", "contents", "wrong", "astray"})
"""Anchors reserved by the pages."""


def chapters(text: PolicyText, placed: _Placed = MappingProxyType({})) -> Iterator[Chapter]:
    """Sections of the policy; without badges, the plain policy."""
    taken, led_to = set(_TAKEN), _led_to(text)
    heads = (block for block in text.blocks if block.kind == "heading")
    titled = False
    for section in text.sections:
        anchor = _anchor(section.title, taken)
        head = (next(heads),) if section.level else ()
        said = _said_in_heading(head[0], placed) if head else ()
        names = tuple(_named((*head, *section.blocks), led_to, taken))
        level = max(section.level, 2) if titled and section.level else section.level
        titled = titled or level == 1
        yield Chapter(anchor, section.title, level, (*said, *_parts(section.blocks, placed)), names)


def _led_to(text: PolicyText) -> frozenset[str]:
    """Anchors that the policy links to itself."""
    hrefs = (link.href for sentence in text.sentences for link in sentence.links)
    return frozenset(href[1:] for href in hrefs if href.startswith("#"))


def _named(blocks: Iterable[Block], led_to: frozenset[str], taken: set[str]) -> Iterator[str]:
    for block in blocks:
        for name in block.anchors:
            if name in led_to and name not in taken:
                taken.add(name)
                yield name


def _said_in_heading(head: Block, placed: _Placed) -> tuple[TextBlock, ...]:
    """A heading with promises is repeated below itself, with its badges."""
    passages = tuple(passage for passage in _passages(head.sentences, placed) if passage.marks)
    return (TextBlock("p", (passages,)),) if passages else ()


def _anchor(title: str, taken: set[str]) -> str:
    words = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split()) or "start"
    anchor = next(name for n in itertools.count(1) if (name := words if n == 1 else f"{words}-{n}") not in taken)
    taken.add(anchor)
    return anchor


def _parts(blocks: Iterable[Block], placed: _Placed) -> Iterator[TextBlock]:
    """Paragraphs singly; items of a list and rows of a table together."""

    def shape(block: Block) -> tuple[str, int]:
        return block.kind, -1 if block.cell is None else block.cell.table

    for (kind, table), group in itertools.groupby(blocks, key=shape):
        if table >= 0:
            yield TextBlock("table", rows=tuple(_rows(list(group), placed)))
        elif kind == "list_item":
            yield from _lists(list(group), placed)
        else:
            yield from (TextBlock("p", (tuple(_passages(block.sentences, placed)),)) for block in group)


def _lists(blocks: Sequence[Block], placed: _Placed) -> list[TextBlock]:
    """Items as nested lists: deeper items belong to the item before them."""
    lists = list[tuple[str, list[ListEntry]]]()
    at = 0
    while at < len(blocks):
        first, depth = blocks[at], min(blocks[at].depth, _DEPTH_MAX)
        end = next((n for n in range(at + 1, len(blocks)) if min(blocks[n].depth, _DEPTH_MAX) <= depth), len(blocks))
        entry = ListEntry(tuple(_passages(first.sentences, placed)), tuple(_lists(blocks[at + 1 : end], placed)))
        kind = "ol" if first.ordered else "ul"
        if not lists or lists[-1][0] != kind:
            lists.append((kind, []))
        lists[-1][1].append(entry)
        at = end
    return [TextBlock(kind, entries=tuple(entries)) for kind, entries in lists]


def _rows(cells: Sequence[Block], placed: _Placed) -> Iterator[Row]:
    """Rows with a cell per column, and a row's badges below it: its last column may be out of sight."""
    columns = 1 + max(block.cell.column for block in cells if block.cell)
    for _, row in itertools.groupby(cells, key=lambda block: block.cell and block.cell.row):
        blocks = list(row)
        within = [[b for b in blocks if b.cell and b.cell.column == column] for column in range(columns)]
        shown = tuple((BadgedPassage(tuple(each for b in cell for each in b.sentences)),) for cell in within)
        sentences = tuple(sentence for block in blocks for sentence in block.sentences)
        marks = {mark.id: mark for each in sentences for mark in placed.get(each.id, ())}
        below = (BadgedPassage(sentences, tuple(marks.values())),) if marks else ()
        yield Row(shown, below, all(block.cell is not None and block.cell.is_head for block in blocks))


def _passages(sentences: Sequence[Sentence], placed: _Placed) -> Iterator[BadgedPassage]:
    """Runs of sentences with the same badges. A badge appears once, under the last of its sentences."""
    last = {mark.id: sentence.id for sentence in sentences for mark in placed.get(sentence.id, ())}
    for under, group in itertools.groupby(sentences, key=lambda sentence: placed.get(sentence.id, ())):
        run = tuple(group)
        yield BadgedPassage(run, tuple(mark for mark in under if last[mark.id] == run[-1].id))


def title_of(policy: PolicyText) -> str:
    """First heading of the policy."""
    return next((section.title for section in policy.sections if section.level == 1), "Privacy policy")
