"""Turns parser drafts into blocks of sentences that know their positions in the source."""

from __future__ import annotations

import bisect
import functools
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from troth.policy.parse.language import language_of, languages_of
from troth.policy.parse.sentences import split
from troth.policy.text import Block, BlockKind, CellPosition, PolicyError, PolicyText, Sentence, Span, TextLink
from troth.text import same_words

_SENTENCES_MAX = 12_000
"""Several times the length of the longest policies; understanding that many sentences takes a few seconds."""
_LEFT_OUT_MAX, _LEFT_OUT_WORDS_MIN = 1_000, 3
"""Limits for reporting omitted parts of a page: number of sentences, and minimum words of a block, because shorter ones
say nothing."""


class Traced:
    """Text extracted from a source, with the source position of every word."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._parts: list[str] = []
        self._sources: list[tuple[int, int]] = []
        self._links: list[tuple[int, int, str]] = []
        self._length = 0

    def add(self, text: str, start: int, end: int) -> None:
        """Append *text* from characters *start* to *end* of the source; they correspond one to one if the lengths are
        equal."""
        if text:
            self._starts.append(self._length)
            self._parts.append(text)
            self._sources.append((start, end))
            self._length += len(text)

    def space(self) -> None:
        """Append a space for a separator in the source (a line break, an image, the end of a cell)."""
        if self._sources:
            self.add(" ", self._sources[-1][1], self._sources[-1][1])

    def link(self, since: int, href: str, *, until: int | None = None) -> None:
        """Link the text from *since* (an earlier `length`) to the end, or to *until*, to *href*."""
        end = self._length if until is None else until
        if href and since < end:
            self._links.append((since, end, href))

    @property
    def length(self) -> int:
        """Number of characters so far."""
        return self._length

    @property
    def text(self) -> str:
        """The text so far, with its original white space."""
        return "".join(self._parts)

    def collapsed(self) -> Collapsed:
        """The text with runs of white space replaced by single spaces."""
        raw = self.text
        words = [(found.start(), found.end()) for found in re.finditer(r"\S+", raw)]
        return Collapsed(self, " ".join(raw[start:end] for start, end in words), words)

    def source_start(self, raw: int) -> int:
        """Source position of a raw character."""
        part = bisect.bisect_right(self._starts, raw) - 1
        start, end = self._sources[part]
        exact = end - start == len(self._parts[part])
        return start + (raw - self._starts[part] if exact else 0)

    def source_end(self, raw: int) -> int:
        """Source position after a raw character."""
        part = bisect.bisect_right(self._starts, raw) - 1
        start, end = self._sources[part]
        exact = end - start == len(self._parts[part])
        return start + raw - self._starts[part] + 1 if exact else end

    @property
    def links(self) -> list[tuple[int, int, str]]:
        """Raw ranges with their targets."""
        return self._links


class Collapsed:
    """The readable form of a `Traced` text, with a mapping of its characters to the source."""

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
        """The source range of the readable characters *start* to *end* (exclusive); neither end is a space."""
        return self._traced.source_start(self._raw(start)), self._traced.source_end(self._raw(end - 1))

    def links(self) -> list[tuple[int, int, str]]:
        """Readable ranges with their targets."""
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
    """A block before it is split into sentences."""

    kind: BlockKind
    depth: int = 0
    ordered: bool = False
    cell: CellPosition | None = None
    traced: Traced = field(default_factory=Traced)
    is_left_out: bool = False
    """True if it is not part of the policy: site navigation, hidden or struck-out text."""
    anchors: list[str] = field(default_factory=list)
    """Names of anchors that links can point to. Those of a draft without words go to the next one."""


def assemble(source: str, drafts: Iterable[Draft], *, pages: Sequence[int] = ()) -> PolicyText:
    """Split the drafts into sentences and assign ids. *pages* are the character offsets at which pages start.

    Raises `PolicyError` if there are too many sentences.
    """
    lines = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", source))]
    own, around = _Cut(lines, pages, _SENTENCES_MAX), _Cut(lines, pages, _LEFT_OUT_MAX)
    for draft in drafts:
        if draft.is_left_out:
            around.add(draft, words=_LEFT_OUT_WORDS_MIN)
        elif not own.add(draft):
            raise PolicyError(f"the policy has more than {_SENTENCES_MAX} sentences; is it the right file?")
    blocks = tuple(own.blocks)
    return PolicyText(source, blocks, languages_of(blocks), tuple(around.blocks), own.places)


class _Cut:
    """Splits drafts into at most *most* sentences, each with a unique id."""

    def __init__(self, lines: list[int], pages: Sequence[int], most: int) -> None:
        self._lines, self._pages, self._most = lines, pages, most
        self._seen: Counter[str] = Counter()
        self._anchors: list[str] = []
        self.blocks: list[Block] = []
        self.places: dict[str, Callable[[int, int], Span]] = {}

    def add(self, draft: Draft, *, words: int = 1) -> bool:
        """Split the draft, if it has at least *words* words. Returns False, without effect on the result, if there are
        too many sentences."""
        collapsed = draft.traced.collapsed()
        self._anchors += draft.anchors
        if not collapsed.text or collapsed.text.count(" ") < words - 1:
            return True
        cuts = [(0, len(collapsed.text))] if draft.kind == "heading" else split(collapsed.text)
        if len(self.places) + len(cuts) > self._most:
            return False
        sentences: list[Sentence] = []
        for cut, links in zip(cuts, _links(cuts, collapsed.links()), strict=True):
            place = functools.partial(_place, collapsed, cut[0], self._lines, self._pages)
            text = collapsed.text[cut[0] : cut[1]]
            sentences.append(Sentence(_id(text, self._seen), text, place(0, len(text)), links))
            self.places[sentences[-1].id] = place
        language = language_of(collapsed.text)
        anchors, self._anchors = tuple(self._anchors), []
        self.blocks.append(
            Block(draft.kind, tuple(sentences), draft.depth, draft.ordered, draft.cell, language, anchors)
        )
        return True


def _id(text: str, seen: Counter[str]) -> str:
    words = hashlib.sha256(same_words(text).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    seen[words] += 1
    return f"s-{words}" if seen[words] == 1 else f"s-{words}-{seen[words]}"


def _place(collapsed: Collapsed, offset: int, lines: list[int], pages: Sequence[int], start: int, end: int) -> Span:
    begin, stop = collapsed.source(offset + start, offset + end)
    line = bisect.bisect_right(lines, begin)
    return Span(begin, stop, line, begin - lines[line - 1] + 1, bisect.bisect_right(pages, begin) or None)


def _links(cuts: list[tuple[int, int]], links: list[tuple[int, int, str]]) -> list[tuple[TextLink, ...]]:
    """The links of each sentence; a link across a sentence boundary is cut there."""
    starts = [start for start, _ in cuts]
    found: list[list[TextLink]] = [[] for _ in cuts]
    for start, end, href in links:
        place = max(bisect.bisect_right(starts, start) - 1, 0)
        begin, stop = cuts[place]
        if start < min(end, stop):
            found[place].append(TextLink(start - begin, min(end, stop) - begin, href))
    return [tuple(one) for one in found]
