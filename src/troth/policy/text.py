"""A parsed policy: sections, blocks and sentences with their positions in the source."""

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
    """The policy's text cannot be read; the message says why and how to fix it."""


class TextLanguage(enum.StrEnum):
    """Whether a text is English, judged by its function words; ``unclear`` if there are too few of them."""

    ENGLISH = "english"
    OTHER = "other"
    MIXED = "mixed"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of the source: characters *start* to *end* (exclusive, from 0), *line* and *column* of the start from 1,
    and the *page* from 1 if the source has pages."""

    start: int
    end: int
    line: int
    column: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class TextLink:
    """Characters *start* to *end* (exclusive) of a sentence link to *href*, as in the source (not sanitised)."""

    start: int
    end: int
    href: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the policy. *id* is derived from its words, so it survives edits elsewhere; repeated sentences get
    ``-2``, ``-3`` … in order."""

    id: str
    text: str
    span: Span
    links: tuple[TextLink, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class CellPosition:
    """A position in a table: the index of the table in the policy, *row* and *column*, each from 0."""

    table: int
    row: int
    column: int
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a list item. *depth* is the heading level or the nesting level of the list, from 1.

    The text of a table cell is a paragraph with a *cell*; empty cells are left out. *language* is never mixed.
    """

    kind: BlockKind
    sentences: tuple[Sentence, ...]
    depth: int = 0
    ordered: bool = False
    cell: CellPosition | None = None
    language: TextLanguage = TextLanguage.UNCLEAR
    anchors: tuple[str, ...] = field(default=(), compare=False)
    """Names of anchors that links can point to, as in the source."""

    @property
    def text(self) -> str:
        """The block's sentences as one text."""
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class Section:
    """The blocks under one heading; text before the first heading has an empty title and level 0."""

    title: str
    level: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class PolicyText:
    """A parsed policy. *source* is the text as given, or as extracted from a DOCX or PDF: then with one line per block
    and an empty line between blocks."""

    source: str = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)
    language: TextLanguage = TextLanguage.UNCLEAR
    left_out: tuple[Block, ...] = field(default=(), repr=False)
    """Parts of the source that are not the policy: navigation, footers, banners, hidden or struck-out text. They are
    not analysed, so they are reported."""
    _places: Mapping[str, Callable[[int, int], Span]] = field(default_factory=dict, repr=False, compare=False)

    def place(self, sentence: Sentence, start: int, end: int) -> Span:
        """The position in the source of characters *start* to *end* (exclusive) of one of its sentences."""
        if not 0 <= start < end <= len(sentence.text):
            raise ValueError("a place in a sentence has at least one of its characters")
        return self._places[sentence.id](start, end) if sentence.id in self._places else sentence.span

    @cached_property
    def hash(self) -> str:
        """``sha256:`` and the hex digest of the text as given."""
        return "sha256:" + hashlib.sha256(self.source.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in order, including headings."""
        return tuple(sentence for block in self.blocks for sentence in block.sentences)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The blocks grouped by heading."""
        groups: list[tuple[str, int, list[Block]]] = [("", 0, [])]
        for block in self.blocks:
            if block.kind == "heading":
                groups.append((block.text, block.depth, []))
            else:
                groups[-1][2].append(block)
        return tuple(Section(title, level, tuple(blocks)) for title, level, blocks in groups if level or blocks)

    @cached_property
    def text(self) -> str:
        """The words as a reader sees them, one line per block."""
        return "\n".join(block.text for block in self.blocks)

    @cached_property
    def published(self) -> str:
        """The words in the form that is compared with the live page."""
        return same_words(self.text)
