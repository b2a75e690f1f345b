"""The policy as prose: sections, blocks and sentences, each with its place in the source."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from troth.errors import TrothError
from troth.text import same_words

BlockKind = Literal["heading", "paragraph", "list_item"]


class PolicyError(TrothError):
    """The policy's text cannot be read; the message says why and what to do."""


class TextLanguage(enum.StrEnum):
    """Whether a text is English, as far as its small words tell. ``unclear`` has too few of them to say."""

    ENGLISH = "english"
    OTHER = "other"
    MIXED = "mixed"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the source: characters *start* to before *end* from 0, *line* and *column* of the start from 1, and
    the *page*, from 1, where the source has pages."""

    start: int
    end: int
    line: int
    column: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class TextLink:
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
    links: tuple[TextLink, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class CellPosition:
    """A place in a table: the policy's *table*-th, its *row* and *column*, each from 0."""

    table: int
    row: int
    column: int
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or one item of a list. *depth* is the heading's level or the list's nesting, from 1.

    What stands in a table is a paragraph with a *cell*; cells without words are left out. *language* is never mixed.
    """

    kind: BlockKind
    sentences: tuple[Sentence, ...]
    depth: int = 0
    ordered: bool = False
    cell: CellPosition | None = None
    language: TextLanguage = TextLanguage.UNCLEAR
    anchors: tuple[str, ...] = field(default=(), compare=False)
    """The names by which a link can lead to it, as the source has them."""

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
    """A policy that has been read. *source* is the text as it was given, or as it was taken out of a DOCX or PDF: then
    it has a line for each block, and an empty one between them."""

    source: str = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)
    language: TextLanguage = TextLanguage.UNCLEAR
    left_out: tuple[Block, ...] = field(default=(), repr=False)
    """What stands in the source and is not taken for the policy: navigation, footers, banners, what is hidden or struck
    out. Nothing judges it, so that it is told."""
    _places: Mapping[str, Callable[[int, int], Span]] = field(default_factory=dict, repr=False, compare=False)

    def place(self, sentence: Sentence, start: int, end: int) -> Span:
        """Where the characters *start* to before *end* of one of its sentences stand in the source."""
        if not 0 <= start < end <= len(sentence.text):
            raise ValueError("a place in a sentence has at least one of its characters")
        return self._places[sentence.id](start, end) if sentence.id in self._places else sentence.span

    @cached_property
    def hash(self) -> str:
        """``sha256:`` and the digits over the text as it was given."""
        return "sha256:" + hashlib.sha256(self.source.encode("utf-8", "surrogatepass")).hexdigest()

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
