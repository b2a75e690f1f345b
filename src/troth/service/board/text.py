"""The policy as a page, with the marks where they stand in its text. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from troth.policy import Block, PolicyText, Sentence
from troth.service.board.mark import ORDER, Mark

__all__ = ["Chapter", "Part", "Passage", "chapters"]


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences that are shown together: one with its marks, or a run without."""

    sentences: tuple[Sentence, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def word(self) -> str:
        """The worst of its marks, which is the one that the line beside it shows."""
        return max(self.marks, key=lambda mark: -1 if mark.status is None else ORDER.index(mark.status)).word


Item = tuple[Passage, ...]
Row = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph (``p``), one list (``ul``, ``ol``) of items, or one ``table`` of rows, the first its head."""

    kind: str
    items: tuple[Item, ...]
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """One section of the policy. *id* is its anchor."""

    id: str
    title: str
    level: int
    parts: tuple[Part, ...]

    @property
    def tag(self) -> str:
        return f"h{min(max(self.level, 2), 6)}"


_Placed = Mapping[str, tuple[Mark, ...]]
"""Marks by the id of each sentence that their quote touches."""


def chapters(text: PolicyText, placed: _Placed = MappingProxyType({})) -> Iterator[Chapter]:
    """The policy section by section; without marks, the plain notice."""
    taken, source = set[str](), text.source.splitlines()
    heads = (block for block in text.blocks if block.kind == "heading")
    for section in text.sections:
        anchor = _anchor(section.title, taken)
        said = _said_in_heading(next(heads), placed) if section.level else ()
        parts = (*said, *_parts(section.blocks, source, placed))
        yield Chapter(anchor, section.title, section.level, parts)


def _said_in_heading(head: Block, placed: _Placed) -> tuple[Part, ...]:
    """A heading that promises something stands once more below itself, with its marks."""
    passages = tuple(passage for passage in _passages(head.sentences, placed) if passage.marks)
    return (Part("p", (passages,)),) if passages else ()


def _anchor(title: str, taken: set[str]) -> str:
    words = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split()) or "start"
    anchor = next(name for n in itertools.count(1) if (name := words if n == 1 else f"{words}-{n}") not in taken)
    taken.add(anchor)
    return anchor


def _parts(blocks: Iterable[Block], source: Sequence[str], placed: _Placed) -> Iterator[Part]:
    """Paragraphs one by one; the items of a list, and the rows of a table, together."""

    def shape(block: Block) -> tuple[str, bool]:
        return ("table" if _is_cell(block, source) else block.kind), block.ordered

    for (kind, ordered), group in itertools.groupby(blocks, key=shape):
        if kind == "table":
            yield Part("table", (), tuple(_rows(group, placed)))
            continue
        items = tuple(tuple(_passages(block.sentences, placed)) for block in group)
        if kind == "list_item":
            yield Part("ol" if ordered else "ul", items)
        else:
            yield from (Part("p", (item,)) for item in items)


def _is_cell(block: Block, source: Sequence[str]) -> bool:
    """A table arrives cell by cell; in Markdown it is the lines that begin with a bar."""
    return block.kind == "paragraph" and source[block.sentences[0].span.line - 1].lstrip().startswith("|")


def _rows(cells: Iterable[Block], placed: _Placed) -> Iterator[Row]:
    for _, row in itertools.groupby(cells, key=lambda block: block.sentences[0].span.line):
        blocks = tuple(row)
        together = tuple(sentence for block in blocks for sentence in block.sentences)
        yield tuple(tuple(_passages(block.sentences, placed, together)) for block in blocks)


def _passages(sentences: Sequence[Sentence], placed: _Placed, together: Sequence[Sentence] = ()) -> Iterator[Passage]:
    """Runs of sentences with the same marks. A mark stands once, under the last of the sentences that it is about: of
    those that are shown *together*, as the cells of a row are."""
    last = {mark.id: sentence.id for sentence in together or sentences for mark in placed.get(sentence.id, ())}
    for under, group in itertools.groupby(sentences, key=lambda sentence: placed.get(sentence.id, ())):
        run = tuple(group)
        yield Passage(run, tuple(mark for mark in under if last[mark.id] == run[-1].id))
