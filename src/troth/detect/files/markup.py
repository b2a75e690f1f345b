"""HTML: searches the visible text first, and then the invisible parts."""

from __future__ import annotations

import bisect
import html
import itertools
import re
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from troth.detect.detector import Detector
from troth.detect.files.prose import in_text
from troth.detect.files.results import FileFinding, Remark


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_PAGE_MAX: Final = 1 << 24
"""Maximum characters of a page that are buffered."""

_TAG: Final = re.compile(r"<([^<>]*)>")
_NAME: Final = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)(?=[\s/]|$)|!--|!doctype\b|!\[|/?[a-zA-Z]+:", re.I)
"""Beginnings of tags. An address in angle brackets is not a tag, although a browser would take it for one."""
_INLINE: Final = _tags(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr o q s samp small span "
    "strike strong sub sup time tt u var wbr"
)
"""Elements that do not end a word."""
_TAGS: Final = _INLINE | _tags(
    "address applet area article aside audio base blockquote body br button canvas caption center col colgroup dd "
    "details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head "
    "header hgroup hr html iframe img input legend li link main map menu meta meter nav noframes noscript object ol "
    "optgroup option output p param picture pre progress rp rt ruby script search section select slot source style "
    "summary svg table tbody td template textarea tfoot th thead title tr track ul video"
)
_SILENT: Final = frozenset({"script", "style"})
_ENTITY: Final = re.compile(r"&#?\w{1,32};?")
_FONT: Final = re.compile(r"\bfont(?:-family)?\s{0,9}:[^;{}<]*", re.I)
_FONT_IN_TAG: Final = re.compile(r'\bfont(?:-family)?\s{0,9}:(?:[^;{}"&]|&quot;|&#39;)*|\bface="[^"]*"', re.I)
"""Font names, which look like names of people and places."""


def in_html(detector: Detector, chunks: Iterator[str], *, explained: bool = False) -> Iterator[FileFinding | Remark]:
    """Findings in a page: first in its text, ignoring tags within words; then in tags, comments, styles and scripts.
    Positions are those in the source.

    A page that is too long to be buffered is read as text, with a remark.
    """
    source, rest = _held(chunks)
    if rest is not None:
        yield Remark(1, "read as text: the page is too long")
        yield from in_text(detector, itertools.chain((source,), rest), explained=explained)
        return
    begins = [0, *(it.end() for it in re.finditer("\n", source))]
    found: list[FileFinding] = []
    for text in _texts(source):
        for it in in_text(detector, [text.read()], explained=explained):
            if isinstance(it, Remark):
                yield it._replace(line=1)
            else:
                found.append(_back(it, text, begins))
    yield from sorted(found)


def _back(it: FileFinding, text: _Taken, begins: Sequence[int]) -> FileFinding:
    """The finding at its source position; *begins* are line offsets."""
    start, end = text.back(it.finding.start, it.finding.end)
    line = bisect.bisect_right(begins, start)
    return it._replace(
        finding=it.finding._replace(start=start, end=end), line=line, column=start - begins[line - 1] + 1
    )


def _held(chunks: Iterator[str]) -> tuple[str, Iterator[str] | None]:
    """The page, or its beginning and the remaining chunks."""
    parts: list[str] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > _PAGE_MAX:
            return "".join(parts), chunks
    return "".join(parts), None


def _texts(source: str) -> tuple[_Taken, _Taken]:
    """The visible and the invisible text of the page."""
    seen, unseen = _Taken(source), _Taken(source)
    at, is_silent = 0, False
    for tag in _TAG.finditer(source):
        said = _NAME.match(tag[1])
        name = (said[1] or "").lower() if said else "?"
        if said is None or (name and name not in _TAGS):
            continue
        (unseen if is_silent else seen).take(at, tag.start(), _FONT if is_silent else None)
        at = tag.end()
        is_silent = name in _SILENT and not tag[1].startswith("/")
        if name and name not in _INLINE:
            seen.part()
        if tag[1].rstrip("/ ") != said[0]:
            unseen.part()
            unseen.take(*tag.span(1), _FONT_IN_TAG)
            unseen.part()
    (unseen if is_silent else seen).take(at, len(source), _FONT if is_silent else None)
    return seen, unseen


class _Taken:
    """A text extracted from *source* in pieces, with a mapping back."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._bits: list[str] = []
        self._length = 0
        self._starts, self._lengths, self._sources, self._ends = (array("l") for _ in range(4))

    def read(self) -> str:
        """The extracted text."""
        return "".join(self._bits)

    def take(self, start: int, end: int, without: re.Pattern[str] | None = None) -> None:
        """Append this range of the source as displayed, *without* the matches of that pattern."""
        for gap in without.finditer(self._source, start, end) if without else ():
            self._take(start, gap.start())
            start = gap.end()
        self._take(start, end)

    def part(self) -> None:
        """Append a separator, which ends the word."""
        self._bits.append("\n")
        self._length += 1

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The corresponding range of the source."""
        first, last = (bisect.bisect_right(self._starts, it) - 1 for it in (start, end - 1))
        into, until = start - self._starts[first], end - self._starts[last]
        is_all = until >= self._lengths[last]
        return self._sources[first] + into, self._ends[last] if is_all else self._sources[last] + until

    def _take(self, start: int, end: int) -> None:
        for entity in _ENTITY.finditer(self._source, start, end):
            self._add(self._source[start : entity.start()], start, entity.start())
            self._add(html.unescape(entity[0]), *entity.span())
            start = entity.end()
        self._add(self._source[start:end], start, end)

    def _add(self, text: str, start: int, end: int) -> None:
        if text:
            self._bits.append(text)
            self._starts.append(self._length)
            self._lengths.append(len(text))
            self._sources.append(start)
            self._ends.append(end)
            self._length += len(text)
