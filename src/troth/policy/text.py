"""The policy as prose: sections, blocks and sentences, each with its place in the source."""

from __future__ import annotations

import bisect
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from troth.errors import TrothError
from troth.wording import same_words

__all__ = [
    "Block",
    "BlockKind",
    "Cell",
    "Draft",
    "Link",
    "PolicyError",
    "PolicyText",
    "Section",
    "Sentence",
    "Span",
    "Traced",
    "assemble",
]

BlockKind = Literal["heading", "paragraph", "list_item"]


class PolicyError(TrothError):
    """The policy's text cannot be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the source: characters *start* to before *end* from 0, *line* and *column* of the start from 1."""

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Link:
    """Characters *start* to before *end* of a sentence lead to *href*, as the source has it (not yet safe to show)."""

    start: int
    end: int
    href: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One clause of the policy. *id* follows from its words, so it survives edits elsewhere; a sentence that stands
    there several times gets ``-2``, ``-3`` … in order."""

    id: str
    text: str
    span: Span
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A place in a table: the policy's *table*-th, its *row* and *column*, each from 0."""

    table: int
    row: int
    column: int
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or one item of a list. *depth* is the heading's level or the list's nesting, from 1.

    What stands in a table is a paragraph with a *cell*; cells without words are left out.
    """

    kind: BlockKind
    sentences: tuple[Sentence, ...]
    depth: int = 0
    ordered: bool = False
    cell: Cell | None = None

    @property
    def text(self) -> str:
        """The block's sentences as one text."""
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading; the text before the first heading has the empty title and level 0."""

    title: str
    level: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class PolicyText:
    """A policy that has been read. *source* is the text as it was given."""

    source: str = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in order, those of headings too."""
        return tuple(sentence for block in self.blocks for sentence in block.sentences)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The blocks by the heading they stand under."""
        groups: list[tuple[str, int, list[Block]]] = [("", 0, [])]
        for block in self.blocks:
            if block.kind == "heading":
                groups.append((block.text, block.depth, []))
            else:
                groups[-1][2].append(block)
        return tuple(Section(title, level, tuple(blocks)) for title, level, blocks in groups if level or blocks)

    @cached_property
    def text(self) -> str:
        """The words as a reader sees them, one block a line."""
        return "\n".join(block.text for block in self.blocks)

    @cached_property
    def published(self) -> str:
        """The words as they are compared with the live page."""
        return same_words(self.text)


class Traced:
    """Text on its way from the source, which remembers for every word where it came from."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._parts: list[str] = []
        self._sources: list[tuple[int, int]] = []
        self._links: list[tuple[int, int, str]] = []
        self._length = 0

    def add(self, text: str, start: int, end: int) -> None:
        """*text* stands for the source's characters *start* to *end*, one for one where the lengths are equal."""
        if text:
            self._starts.append(self._length)
            self._parts.append(text)
            self._sources.append((start, end))
            self._length += len(text)

    def space(self) -> None:
        """A gap that the source has in its own way (a line break, a picture, the end of a cell)."""
        if self._sources:
            self.add(" ", self._sources[-1][1], self._sources[-1][1])

    def link(self, since: int, href: str) -> None:
        """What was added since *since* (an earlier `length`) leads to *href*."""
        if href and since < self._length:
            self._links.append((since, self._length, href))

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._length

    def collapsed(self) -> Collapsed:
        """The text with one space for any white space."""
        raw = "".join(self._parts)
        words = [(found.start(), found.end()) for found in re.finditer(r"\S+", raw)]
        return Collapsed(self, " ".join(raw[start:end] for start, end in words), words)

    def source_start(self, raw: int) -> int:
        """Where the raw character stands in the source."""
        part = bisect.bisect_right(self._starts, raw) - 1
        start, end = self._sources[part]
        exact = end - start == len(self._parts[part])
        return start + (raw - self._starts[part] if exact else 0)

    def source_end(self, raw: int) -> int:
        """Where the source goes on after the raw character."""
        part = bisect.bisect_right(self._starts, raw) - 1
        start, end = self._sources[part]
        exact = end - start == len(self._parts[part])
        return start + raw - self._starts[part] + 1 if exact else end

    @property
    def links(self) -> list[tuple[int, int, str]]:
        """Raw ranges and where they lead."""
        return self._links


class Collapsed:
    """The readable form of a `Traced` text, and the way back from its characters to the source's."""

    def __init__(self, traced: Traced, text: str, words: list[tuple[int, int]]) -> None:
        self.text = text
        self._traced = traced
        self._raw_starts = [start for start, _ in words]
        self._starts: list[int] = []
        at = 0
        for start, end in words:
            self._starts.append(at)
            at += end - start + 1

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The source's characters for the readable ones from *start* to before *end*; neither end is a space."""
        return self._traced.source_start(self._raw(start)), self._traced.source_end(self._raw(end - 1))

    def links(self) -> list[tuple[int, int, str]]:
        """Readable ranges and where they lead."""
        return [(self._readable(start), self._readable(end), href) for start, end, href in self._traced.links]

    def _raw(self, readable: int) -> int:
        word = bisect.bisect_right(self._starts, readable) - 1
        return self._raw_starts[word] + readable - self._starts[word]

    def _readable(self, raw: int) -> int:
        word = bisect.bisect_right(self._raw_starts, raw) - 1
        if word < 0:
            return 0
        after = self._starts[word + 1] - 1 if word + 1 < len(self._starts) else len(self.text)
        return min(self._starts[word] + raw - self._raw_starts[word], after)


@dataclass(slots=True)
class Draft:
    """A block before it is cut into sentences."""

    kind: BlockKind
    depth: int = 0
    ordered: bool = False
    cell: Cell | None = None
    traced: Traced = field(default_factory=Traced)


def assemble(source: str, drafts: Iterable[Draft]) -> PolicyText:
    """Cut the drafts into sentences and name each of them."""
    from troth.policy.reading.sentences import split

    lines = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", source))]
    seen: Counter[str] = Counter()
    blocks = []
    for draft in drafts:
        collapsed = draft.traced.collapsed()
        if not collapsed.text:
            continue
        cuts = [(0, len(collapsed.text))] if draft.kind == "heading" else split(collapsed.text)
        sentences = tuple(_sentence(collapsed, cut, lines, seen) for cut in cuts)
        sentences = _linked(sentences, cuts, collapsed.links())
        blocks.append(Block(draft.kind, sentences, draft.depth, draft.ordered, draft.cell))
    return PolicyText(source, tuple(blocks))


def _sentence(collapsed: Collapsed, cut: tuple[int, int], lines: list[int], seen: Counter[str]) -> Sentence:
    text = collapsed.text[cut[0] : cut[1]]
    start, end = collapsed.source(*cut)
    line = bisect.bisect_right(lines, start)
    words = hashlib.sha256(same_words(text).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    seen[words] += 1
    id_ = f"s-{words}" if seen[words] == 1 else f"s-{words}-{seen[words]}"
    return Sentence(id_, text, Span(start, end, line, start - lines[line - 1] + 1))


def _linked(
    sentences: tuple[Sentence, ...], cuts: list[tuple[int, int]], links: list[tuple[int, int, str]]
) -> tuple[Sentence, ...]:
    if not links:
        return sentences
    starts = [start for start, _ in cuts]
    found: dict[int, list[Link]] = {}
    for start, end, href in links:
        place = max(bisect.bisect_right(starts, start) - 1, 0)  # a link that crosses a full stop ends there
        begin, stop = cuts[place]
        if start < min(end, stop):
            found.setdefault(place, []).append(Link(start - begin, min(end, stop) - begin, href))
    return tuple(
        Sentence(one.id, one.text, one.span, tuple(found.get(place, ()))) for place, one in enumerate(sentences)
    )
