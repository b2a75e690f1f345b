"""A policy as a saved web page."""

from __future__ import annotations

import bisect
import html as entities
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from troth.policy.reading.tracing import Draft
from troth.policy.text import Cell, PolicyError

__all__ = ["drafts"]


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SILENT = _tags("script style noscript template svg math nav aside iframe object select button dialog head")
_CHROME = frozenset({"header", "footer"})
_INLINE = _tags(
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike strong sub "
    "sup time tt u var wbr"
)
_VOID = _tags("area base br col embed hr img input link meta source track wbr")
_ENDLESS = _tags("p li dt dd tr td th thead tbody tfoot option html head body")
_FORMATTING = _tags("a b big code em font i nobr s small strike strong tt u")

_NESTING_BUDGET = 20_000_000
_REPEAT_BUDGET = 500_000
_SEARCHES_MAX = 500
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_MARKUP = re.compile(
    r"""<!-- (?:(?!-->).)*+ (?:-->|\Z)
      | <(?:script|style)\b (?:(?!</(?:script|style)).)*+
      | </?[a-z!?] (?:[^>"']++ | "[^"]*+" | '[^']*+')*+ >?""",
    re.S | re.I | re.X,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?|\r\n?")


def drafts(source: str, *, offset: int = 0) -> Iterator[Draft]:
    """The blocks of the page's own text, without navigation, header, footer and whatever is not shown.

    Positions are those in *source* plus *offset*. Raises `PolicyError` for a page that is nested like no policy.
    """
    _refuse_traps(source)
    where = _Positions(source, offset)
    draft, opened, lists, tables = Draft("paragraph"), list[int](), 0, _Tables()
    for event, node in _walk(_root(LexborHTMLParser(source))):
        tag = node.tag or ""
        if event == "text":
            where.add(draft, node.text(deep=False) or "")
        elif tag == "a" and event == "open":
            opened.append(draft.traced.length)
        elif tag == "a":
            draft.traced.link(opened.pop() if opened else 0, (node.attributes.get("href") or "").strip())
        elif tag == "br":
            draft.traced.space()
        elif tag not in _INLINE:
            if draft.traced.length:
                yield draft
            lists += {("ul", "open"): 1, ("ol", "open"): 1, ("ul", "close"): -1, ("ol", "close"): -1}.get(
                (tag, event), 0
            )
            draft, opened = _begun(node if event == "open" else node.parent, lists), []
            draft.cell = tables.at(event, tag)
    if draft.traced.length:
        yield draft


class _Tables:
    """Where we are in tables. A table within a cell is a table of its own, and ends the one around it."""

    def __init__(self) -> None:
        self._table = self._row = self._column = -1
        self._head = self._inside = False

    def at(self, event: str, tag: str) -> Cell | None:
        """The cell that we are in after this tag."""
        if tag == "table":
            self._table, self._row, self._inside = self._table + (event == "open"), -1, False
        elif tag == "tr" and event == "open":
            self._row, self._column = self._row + 1, -1
        elif tag in {"td", "th"}:
            self._inside, self._head = event == "open", tag == "th"
            self._column += event == "open"
        return Cell(self._table, self._row, self._column, self._head) if self._inside else None


def _begun(node: LexborNode | None, lists: int) -> Draft:
    for _ in range(8):  # a paragraph in a list item is the item's; further up nobody looks
        tag = (node.tag if node else "") or ""
        if re.fullmatch("h[1-6]", tag):
            return Draft("heading", int(tag[1]))
        if tag == "li" and node is not None:
            return Draft("list_item", lists or 1, node.parent is not None and node.parent.tag == "ol")
        node = node.parent if node else None
    return Draft("paragraph")


def _root(tree: LexborHTMLParser) -> LexborNode:
    """The element that holds the policy: the one article, else the one main part, else the body."""
    for selector in ("article", "main, [role=main]"):
        found = tree.css(selector)
        if len(found) == 1:
            return found[0]
    root = tree.body or tree.root
    if root is None:
        raise PolicyError("the page has no content")
    return root


def _walk(root: LexborNode) -> Iterator[tuple[str, LexborNode]]:
    """Every shown node below *root*: ``open`` and ``close`` for elements, ``text`` for text. Without recursion."""
    within = root.tag in {"article", "main"}
    stack: list[tuple[str, LexborNode]] = [("open", root)]
    while stack:
        event, node = stack.pop()
        if event == "open" and node.is_element_node and node is not root and _is_silent(node, within):
            continue
        if event == "open" and node.is_text_node:
            yield "text", node
        elif event == "close":
            yield event, node
        elif node.is_element_node:
            yield "open", node
            stack.append(("close", node))
            children = list(node.iter(include_text=True))
            stack.extend(("open", child) for child in reversed(children))


def _is_silent(node: LexborNode, within: bool) -> bool:
    attributes = node.attributes
    if node.tag in _SILENT or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return attributes.get("role") == "navigation" or (node.tag in _CHROME and not within)


class _Positions:
    """Finds text that the parser gave back in the source again: in order, tags left out, entities read."""

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
        """Add the text of one node to *draft*, with its place. What cannot be found again stands where we are."""
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


def _refuse_traps(source: str) -> None:
    """Refuse pages that are made to keep a parser busy: its work grows with depth, and each new block repeats the
    formatting that was left open. Both are estimated beforehand, in one pass."""
    depth = formatting = nesting = repeats = 0
    for tag in _TAG.finditer(source):
        name = tag[2].lower()
        step = -1 if tag[1] else 1
        if name in _FORMATTING:
            formatting = max(formatting + step, 0)
        if name not in _VOID and name not in _ENDLESS:
            depth = max(depth + step, 0)
        nesting += depth
        repeats += formatting
        if nesting > _NESTING_BUDGET or repeats > _REPEAT_BUDGET:
            raise PolicyError("the page is nested like no policy; save it again, or save its text")
