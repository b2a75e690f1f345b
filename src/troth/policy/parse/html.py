"""Policies as saved web pages."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from troth.policy.parse.positions import Positions
from troth.policy.parse.tracing import Draft
from troth.policy.parse.visible_text import VisibleNodes, leave_edges_out
from troth.policy.text import CellPosition, PolicyError


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_INLINE = _tags(
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike strong "
    "sub sup time tt u var wbr"
)
_BLOCKS = _tags(
    "address article aside blockquote body button caption center col colgroup dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe legend li link "
    "main menu meta nav noscript ol optgroup option p pre search section select summary table tbody td template "
    "textarea tfoot th thead title tr ul"
)
"""Elements that end a line. Unknown elements are inline, except those with a hyphen: a custom element may be anything,
so it ends the line."""
_VOID = _tags("area base br col embed hr img input link meta source track wbr")
_ENDLESS = _tags("p li dt dd tr td th thead tbody tfoot option html head body")
_FORMATTING = _tags("a b big code em font i nobr s small strike strong tt u")
_BOLD = frozenset({"b", "strong"})

_NESTING_BUDGET = 20_000_000
_REPEAT_BUDGET = 500_000
_ANCHOR_CHARACTERS_MAX = 100
_HEADING_CHARACTERS_MAX, _LONG_HEADING_MAX = 100, 500
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_PROTECTED = "/cdn-cgi/l/email-protection#"
_BULLET = re.compile(r"\s*[•·‣◦▪●○■✓✔]\s*(?=\S)")
_MARKER = re.compile(r"\s*(?:[-–—*]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)])\s+(?=\S)")
"""Beginning of a line that is a list item, if the line before is one or announces it."""
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.I)


def drafts(source: str, *, offset: int = 0, is_page: bool = True) -> Iterator[Draft]:
    """The blocks of the page's own text; navigation, banners, header, footer and hidden parts are left out.

    Positions refer to *source*, plus *offset*. Without *is_page*, the source is a fragment whose edges are kept. Raises
    `PolicyError` for malicious nesting.
    """
    refuse_traps(source)
    blocks = _Blocks(Positions(source, offset))
    found = list(blocks.drafts(LexborHTMLParser(source)))
    blocks.find_heads(found)
    if is_page:
        leave_edges_out(found)
    yield from found


def _is_inline(tag: str) -> bool:
    return tag in _INLINE or (tag not in _BLOCKS and "-" not in tag)


def _protected(node: LexborNode | None) -> str:
    """The e-mail address that a proxy obfuscated for decoding by a script; empty for anything else."""
    attributes = node.attributes if node is not None else {}
    code = attributes.get("data-cfemail") or (attributes.get("href") or "").partition(_PROTECTED)[2]
    if not re.fullmatch("(?:[0-9a-f]{2}){6,100}", code, re.I):
        return ""
    key, *rest = bytes.fromhex(code)
    return bytes(byte ^ key for byte in rest).decode("utf-8", "replace")


class _Blocks:
    """Collects the blocks of a page in one walk over its tree."""

    def __init__(self, where: Positions) -> None:
        self._where = where
        self._tables = _Tables()
        self._lists = self._level = 0
        self._begin(Draft("paragraph"))
        self._bold: list[bool] = []
        self._in_bold: set[int] = set()
        self._anchors: list[str] = []
        self._head = 0
        self._headed: set[int] = set()

    def drafts(self, tree: LexborHTMLParser) -> Iterator[Draft]:
        """All blocks with words."""
        yield from self._walked(VisibleNodes(tree).walk())

    def _walked(self, events: Iterator[tuple[str, LexborNode]]) -> Iterator[Draft]:
        for event, node in events:
            tag = node.tag or ""
            if event == "left":
                yield from self._left_out(node)
            elif event == "text":
                yield from self._text(_protected(node.parent) or node.text(deep=False) or "")
            elif tag == "br":
                if event == "open" and self._is_over():
                    yield from self._ended()
            elif _is_inline(tag):
                self._inline(event, node)
            else:
                yield from self._ended()
                self._lists += {"open": 1, "close": -1}[event] if tag in {"ul", "ol", "dl"} else 0
                head = _head_around(node if event == "open" else node.parent)
                self._begin(_begun(node if event == "open" else node.parent, self._lists, head))
                self._head = head.mem_id if head is not None else 0
                self._draft.cell = self._tables.at(event, node)
                self._name(event, node)
        yield from self._ended()
        if self._anchors:
            yield Draft("paragraph", anchors=self._anchors)

    def _name(self, event: str, node: LexborNode) -> None:
        """Store the node's anchors for the next block that has words."""
        attributes = node.attributes if event == "open" else {}
        names = (attributes.get("id"), attributes.get("name") if node.tag == "a" else None)
        self._anchors += [name for name in names if name and len(name) <= _ANCHOR_CHARACTERS_MAX]

    def _left_out(self, node: LexborNode) -> Iterator[Draft]:
        """The blocks of an omitted element; the block around it continues."""
        for draft in _Blocks(self._where)._walked(VisibleNodes.within(node)):
            draft.is_left_out = True
            yield draft

    def _begin(self, draft: Draft) -> None:
        self._draft = draft
        self._opened: list[int] = []
        self._breaks = self._strong = self._weak = 0
        self._is_drawn = False

    def _text(self, text: str) -> Iterator[Draft]:
        """Add *text*; a line that looks like a list item, or follows one, starts a new block."""
        if self._breaks and text.strip() and self._draft.kind != "heading" and self._draft.cell is None:
            goes_on = self._is_drawn or self._draft.traced.text.rstrip().endswith(":")
            marker = _BULLET.match(text) or (_MARKER.match(text) if goes_on else None)
            if marker or self._is_drawn:
                yield from self._ended()
                self._begin(Draft("list_item", self._lists + 1) if marker else Draft("paragraph"))
                self._is_drawn = marker is not None
                text = text[marker.end() :] if marker else text
        self._add(text)

    def _add(self, text: str) -> None:
        self._where.add(self._draft, text)
        words = len(text) if text.strip() else 0
        if words:
            self._breaks = 0
        if any(self._bold):
            self._strong += words
        else:
            self._weak += words

    def _inline(self, event: str, node: LexborNode) -> None:
        self._name(event, node)
        if event == "open":
            self._bold.append(node.tag in _BOLD or _BOLD_STYLE.search(node.attributes.get("style") or "") is not None)
        elif self._bold:
            self._bold.pop()
        if node.tag == "a" and event == "open":
            self._opened.append(self._draft.traced.length)
        elif node.tag == "a":
            since = self._opened.pop() if self._opened else 0
            mailbox = _protected(node)
            self._draft.traced.link(
                since, f"mailto:{mailbox}" if mailbox else (node.attributes.get("href") or "").strip()
            )
        elif node.tag == "img":
            self._draft.traced.space()

    def _is_over(self) -> bool:
        """True if a line break ends the block: a second break in a row, or a break after a line in bold."""
        self._breaks += 1
        self._draft.traced.space()
        return self._breaks > 1 or (not any(self._bold) and self._is_title())

    def _is_title(self) -> bool:
        """True if the block's typography makes it a heading: short, bold, not a sentence and without links."""
        if self._draft.kind != "paragraph" or self._draft.cell or self._weak or not self._strong:
            return False
        traced = self._draft.traced
        return (
            self._strong <= _HEADING_CHARACTERS_MAX
            and not traced.links
            and not traced.text.rstrip().endswith((".", ";", ","))
        )

    def _ended(self) -> Iterator[Draft]:
        """The block that ends here, if it has words; another of the same kind begins."""
        draft = self._draft
        if self._strong or self._weak:
            after = Draft(draft.kind, draft.depth, draft.ordered, draft.cell)
            if self._is_drawn:
                after = Draft("paragraph")
            if not self._weak:
                self._in_bold.add(id(draft))
            if self._is_title():
                draft.kind = "heading"
            if self._head and self._is_behind_heading():
                draft.kind, draft.depth = "paragraph", 0
            if draft.kind == "heading":
                draft.depth = draft.depth or min(self._level + 1, 6)
                self._level = draft.depth if after.kind == "heading" and after.depth else self._level
            draft.anchors, self._anchors = self._anchors, []
            yield draft
            self._begin(after)

    def _is_behind_heading(self) -> bool:
        """True if the heading element has had its heading and continues with a sentence: its end tag is missing."""
        words, is_first = self._draft.traced.text.rstrip(), self._head not in self._headed
        self._headed.add(self._head)
        most = _LONG_HEADING_MAX if is_first else _HEADING_CHARACTERS_MAX
        return len(words) > most or (not is_first and words.endswith("."))

    def find_heads(self, drafts: list[Draft]) -> None:
        """Detect the heads of tables: the first row is a head if it alone is all bold, row titles are not heads, and
        something without a head that has only one row or column is not a table."""
        tables = defaultdict[int, dict[int, list[Draft]]](lambda: defaultdict(list))
        for draft in drafts:
            if draft.cell is not None and not draft.is_left_out:
                tables[draft.cell.table][draft.cell.row].append(draft)
        for rows in tables.values():
            first, *others = (rows[number] for number in sorted(rows))
            cells = [draft for row in rows.values() for draft in row]
            columns = {draft.cell.column for draft in cells if draft.cell}
            if not any(map(_is_head, cells)) and (not others or len(columns) == 1):
                for draft in cells:
                    draft.cell = None
            elif not any(map(_is_head, first)) and all(id(draft) in self._in_bold for draft in first):
                _mark(first, is_head=any(id(draft) not in self._in_bold for draft in cells))
            for row in rows.values():
                if not all(map(_is_head, row)):
                    _mark(row, is_head=False)


def _is_head(draft: Draft) -> bool:
    return draft.cell is not None and draft.cell.is_head


def _mark(row: list[Draft], *, is_head: bool) -> None:
    for draft in row:
        draft.cell = replace(draft.cell, is_head=is_head) if draft.cell else None


class _Tables:
    """The current position in tables. A table inside a cell counts as a table of its own and ends the outer one."""

    def __init__(self) -> None:
        self._table = self._row = self._column = -1
        self._head = self._inside = False
        self._next = 0
        self._reaching: dict[int, int] = {}
        """Cells of rows above that span further rows: column to remaining rows."""

    def at(self, event: str, node: LexborNode) -> CellPosition | None:
        """The current cell after this tag."""
        if node.tag == "table":
            self._table, self._row, self._inside, self._reaching = self._table + (event == "open"), -1, False, {}
        elif node.tag == "tr" and event == "open":
            self._row, self._next = self._row + 1, 0
            self._reaching = {column: rows - 1 for column, rows in self._reaching.items() if rows > 1}
        elif node.tag in {"td", "th"}:
            self._inside, self._head = event == "open", node.tag == "th"
            if event == "open":
                self._column = next(at for at in itertools.count(self._next) if at not in self._reaching)
                self._next = self._column + _span(node, "colspan")
                self._reaching |= {at: rows for at in (self._column,) if (rows := _span(node, "rowspan")) > 1}
        return CellPosition(self._table, self._row, self._column, self._head) if self._inside else None


def _span(node: LexborNode, name: str) -> int:
    """How many rows or columns the cell spans, within reason."""
    return int(found[0]) if (found := re.fullmatch("[1-9][0-9]?", node.attributes.get(name) or "")) else 1


def _head_around(node: LexborNode | None) -> LexborNode | None:
    """The heading element around this one; there is none within list items and table cells."""
    for _ in range(8):
        tag = (node.tag if node else "") or ""
        if node is None or tag in {"li", "dd", "dt", "td", "th"}:
            return None
        if re.fullmatch("h[1-6]", tag) or tag == "summary" or node.attributes.get("role") == "heading":
            return node
        node = node.parent
    return None


def _begun(node: LexborNode | None, lists: int, head: LexborNode | None) -> Draft:
    """The block that starts in this element. A heading of depth 0 is one level below the previous heading."""
    if head is not None:
        level = (
            (head.tag or "")[1:] if re.fullmatch("h[1-6]", head.tag or "") else head.attributes.get("aria-level") or ""
        )
        return Draft("heading", int(level) if re.fullmatch("[1-6]", level) else 0)
    is_button = node is not None and node.tag == "button"
    for _ in range(8):  # a paragraph in a list item belongs to the item; other ancestors do not matter
        tag = (node.tag if node else "") or ""
        if tag in {"li", "dd"} and node is not None:
            return Draft("list_item", lists or 1, node.parent is not None and node.parent.tag == "ol")
        if tag == "dt":
            break
        node = node.parent if node else None
    return Draft("heading") if is_button else Draft("paragraph")


def refuse_traps(source: str) -> None:
    """Refuse pages that are built to exhaust a parser: its work grows with nesting depth, and each new block repeats
    formatting elements that are still open. Both are estimated in advance in one pass."""
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
            raise PolicyError("the page is nested too deeply; save it again, or save its text")
