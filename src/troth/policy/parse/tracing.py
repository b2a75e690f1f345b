"""From a reader's drafts to blocks of sentences that know their places in the source."""

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
"""Several times what the longest policies have; to understand so many takes a few seconds."""
_LEFT_OUT_MAX, _LEFT_OUT_WORDS_MIN = 1_000, 3
"""What is told of the site around a policy: so many sentences, and no block of fewer words, for those say nothing."""


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

    def link(self, since: int, href: str, *, until: int | None = None) -> None:
        """What was added since *since* (an earlier `length`), up to now or to *until*, leads to *href*."""
        end = self._length if until is None else until
        if href and since < end:
            self._links.append((since, end, href))

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._length

    @property
    def text(self) -> str:
        """What was added, with its white space as it came."""
        return "".join(self._parts)

    def collapsed(self) -> Collapsed:
        """The text with one space for any white space."""
        raw = self.text
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
    cell: CellPosition | None = None
    traced: Traced = field(default_factory=Traced)
    is_left_out: bool = False
    """Whether it is not taken for the policy: a part of the site, or words that nobody sees or that were struck out."""
    anchors: list[str] = field(default_factory=list)
    """The names by which a link can lead to it. Those of a draft without words are for the next one."""


def assemble(source: str, drafts: Iterable[Draft], *, pages: Sequence[int] = ()) -> PolicyText:
    """Cut the drafts into sentences and name each of them. *pages* are the characters at which the pages begin.

    Raises `PolicyError` for more sentences than any policy has.
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
    """Drafts cut into sentences, *most* at most, each with an id of its own."""

    def __init__(self, lines: list[int], pages: Sequence[int], most: int) -> None:
        self._lines, self._pages, self._most = lines, pages, most
        self._seen: Counter[str] = Counter()
        self._anchors: list[str] = []
        self.blocks: list[Block] = []
        self.places: dict[str, Callable[[int, int], Span]] = {}

    def add(self, draft: Draft, *, words: int = 1) -> bool:
        """Cut that draft, if it has so many *words*; no, and nothing done, where it has too many sentences."""
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
    """The links of each sentence; one that crosses a full stop ends there."""
    starts = [start for start, _ in cuts]
    found: list[list[TextLink]] = [[] for _ in cuts]
    for start, end, href in links:
        place = max(bisect.bisect_right(starts, start) - 1, 0)
        begin, stop = cuts[place]
        if start < min(end, stop):
            found[place].append(TextLink(start - begin, min(end, stop) - begin, href))
    return [tuple(one) for one in found]
