"""Maps the text returned by an HTML parser to positions in the page's source."""

from __future__ import annotations

import bisect
import html as entities
import re

from troth.policy.parse.tracing import Draft

_SEARCHES_MAX = 500
_MARKUP = re.compile(
    r"""<!-- (?:(?!-->).)*+ (?:-->|\Z)
      | <(?:script|style)\b (?:(?!</(?:script|style)).)*+
      | </?[a-z!?] (?:[^>"']++ | "[^"]*+" | '[^']*+')*+ >?""",
    re.S | re.I | re.X,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?|\r\n?")


class Positions:
    """Finds text returned by the parser in the source: in order, skipping tags and decoding entities."""

    def __init__(self, source: str, offset: int) -> None:
        self._starts: list[int] = []
        self._sources: list[tuple[int, int]] = []
        self._parts: list[str] = []
        self._length = 0
        self._at = 0
        self._searches = _SEARCHES_MAX
        last = 0
        for markup in _MARKUP.finditer(source):
            self._read(source, last, markup.start(), offset)
            last = markup.end()
        self._read(source, last, len(source), offset)
        self._text = "".join(self._parts)

    def _read(self, source: str, start: int, end: int, offset: int) -> None:
        for entity in _ENTITY.finditer(source, start, end):
            self._put(source[start : entity.start()], start + offset, entity.start() + offset)
            text = "\n" if entity.group().startswith("\r") else entities.unescape(entity.group())
            self._put(text, entity.start() + offset, entity.end() + offset)
            start = entity.end()
        self._put(source[start:end], start + offset, end + offset)

    def _put(self, text: str, start: int, end: int) -> None:
        if text:
            self._starts.append(self._length)
            self._sources.append((start, end))
            self._parts.append(text)
            self._length += len(text)

    def add(self, draft: Draft, text: str) -> None:
        """Add a node's text to *draft* with its position. Text that is not found gets the current position."""
        found = self._text.find(text, self._at) if self._searches else -1
        if found < 0:
            self._searches = max(self._searches - 1, 0)
            here = self._sources[self._part(self._at)][0] if self._sources else 0
            draft.traced.add(text, here, here)
            return
        self._at = found + len(text)
        at = found
        while at < self._at:
            part = self._part(at)
            begin, (start, end) = self._starts[part], self._sources[part]
            stop = min(self._at, begin + len(self._parts[part]))
            exact = end - start == len(self._parts[part])
            draft.traced.add(self._text[at:stop], start + (at - begin) * exact, start + stop - begin if exact else end)
            at = stop

    def _part(self, at: int) -> int:
        return max(bisect.bisect_right(self._starts, at) - 1, 0)
