"""Decides which part of a saved page is the policy and which is the site around it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from troth.policy.parse.tracing import Draft
from troth.policy.text import PolicyError

_UNREAD = frozenset(
    "script style noscript template svg math iframe object select head textarea video audio".split()  # noqa: SIM905
)
"""Elements without words for a reader."""
_BESIDE = frozenset({"nav", "aside", "dialog"})
_STRUCK = frozenset({"del", "s", "strike"})
_CHROME = frozenset({"header", "footer"})
_ROLES = frozenset({"navigation", "search", "dialog", "alertdialog", "menu", "menubar", "tablist"})
_CHROME_ROLES = frozenset({"banner", "contentinfo"})

_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|text-decoration(?:-line)?\s*:\s*line-through", re.I
)
_BANNER = re.compile(
    r"(?:cookies?|consent|gdpr|ccpa|privacy)[-_]?(?:[a-z]+[-_])?(?:banner|bar|pop-?up|overlay|dialog|modal|consent|notice|"
    r"wall|message|widget|manager|container|wrapper)\w*|onetrust[-\w]*|cybotcookiebot\w*|cookiebot[-\w]*|cky-[-\w]*|"
    r"cmplz-[-\w]*|didomi[-\w]*|usercentrics[-\w]*|iubenda-cs[-\w]*|cc-window|cc-banner|truste[-\w]*",
    re.I,
)
_AROUND = re.compile(
    r"(?:[a-z]+[-_]{1,2})?(?:nav|navbar|navigation|menu|breadcrumbs?|sidebar|footer|header|masthead|topbar|skip-?links?|"
    r"pagination|toc|table-of-contents|social|share|sharing|share-?this|follow|related|recommended|newsletter|subscribe|"
    r"sign-?up|comments?|search|promo|advert|ads?)(?:[-_]{1,2}[a-z]+){0,2}",
    re.I,
)
_TRAIL = re.compile(r"(?:[a-z]+[-_]{1,2})?breadcrumbs?(?:[-_]{1,2}[a-z]+){0,2}", re.I)
_LINKED_MIN = 0.4
"""An element that a class calls navigation is accepted as such from this share of link text on; policy text has
less."""

_BANNER_CHARACTERS_MAX = 1_000
_TRAIL_CHARACTERS_MAX = 300
_MOST_CHARACTERS_MIN = 300
_LOOKS_MAX, _BOXES_MAX = 2_000, 50
_OPENERS_MAX = 100
_PART_MIN, _PART_MAX = 0.5, 0.5
"""An article or main part with less than the first share of the page's words is not used as the policy, and nothing
with more than the second share is left out."""

_EDGE_WORDS_MAX = 6
_EDGE_LINKS_MIN = 3
_OWN_LINKS_MIN = 5
_RIGHTS = re.compile(r"(?:©|\(c\)|copyright\b|all rights reserved).{0,150}", re.I | re.S)


class VisibleNodes:
    """Walks the nodes of a page and separates those that a reader of the policy sees."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        body = tree.body or tree.root
        if body is None:
            raise PolicyError("the page has no content")
        self._body = body
        self._size = _size(body)
        self._root = self._within(tree, body)
        self._looks, self._boxes = _LOOKS_MAX, _BOXES_MAX
        # Content behind a button is visible after a click: many policies hide the answers to their questions.
        self._opened = {
            node.attributes.get("aria-controls") for node in tree.css("button[aria-controls], a[aria-controls]")
        }
        openers = {
            node.mem_id: behind.mem_id
            for node in tree.css("[aria-expanded]")[:_OPENERS_MAX]
            if (behind := _next_element(node) or _next_element(node.parent)) is not None and not _is_linked(behind)
        }
        self._openers, self._behind = openers.keys(), set(openers.values())

    def _within(self, tree: LexborHTMLParser, body: LexborNode) -> LexborNode:
        """The element that contains the policy: the only article, else the only main part, else the body."""
        for selector in ("article", "main, [role=main]"):
            found = tree.css(selector)
            if len(found) == 1 and _size(found[0]) >= _PART_MIN * self._size:
                return found[0]
        return body

    def walk(self) -> Iterator[tuple[str, LexborNode]]:
        """All nodes in order: ``open`` and ``close`` for visible elements, ``text`` for text, and ``left`` for omitted
        parts. Not recursive."""
        around = {parent.mem_id for parent in _parents(self._root)}
        stack: list[tuple[str, LexborNode]] = [("around", self._body)]
        while stack:
            event, node = stack.pop()
            if event == "close":
                yield event, node
            elif event == "around" and node.mem_id in around:
                stack.extend(("around", child) for child in reversed(list(node.iter(include_text=True))))
            elif node.mem_id != self._root.mem_id and (event == "around" or self._is_left_out(node)):
                yield "left", node
            else:
                yield from _opened(node, stack)

    @staticmethod
    def within(node: LexborNode) -> Iterator[tuple[str, LexborNode]]:
        """All nodes of an omitted element, except elements without words."""
        stack: list[tuple[str, LexborNode]] = [("open", node)]
        while stack:
            event, node = stack.pop()
            if event == "close":
                yield event, node
            elif node.tag not in _UNREAD:
                yield from _opened(node, stack)

    def _is_left_out(self, node: LexborNode) -> bool:
        tag, attributes = node.tag, node.attributes
        role = attributes.get("role")
        if not node.is_element_node:
            return False
        if tag in _UNREAD or tag in _STRUCK:
            return True
        if tag in _BESIDE or role in _ROLES:
            return not self._is_most(node)
        if tag == "button":
            return not _is_in_heading(node) and node.mem_id not in self._openers
        if tag in _CHROME or role in _CHROME_ROLES:
            return self._root.tag not in {"article", "main"} and not self._is_most(node)
        is_hidden = "hidden" in attributes or attributes.get("aria-hidden") == "true"
        if is_hidden or _HIDDEN_STYLE.search(attributes.get("style") or ""):
            is_opened = attributes.get("id") is not None and attributes.get("id") in self._opened
            return not is_opened and node.mem_id not in self._behind
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".split()
        names = [*names[:20], attributes.get("aria-label") or ""]
        return tag not in {"body", "main", "article"} and self._is_around(node, names)

    def _is_most(self, node: LexborNode) -> bool:
        """True if it has most of the page's text and is not mainly links: unclosed navigation, or a policy in a
        dialog."""
        self._boxes -= 1
        size = _size(node) if self._boxes >= 0 else 0
        return size > max(_PART_MAX * self._size, _MOST_CHARACTERS_MIN) and not _is_linked(node)

    def _is_around(self, node: LexborNode, names: list[str]) -> bool:
        """True if an element is a banner or navigation, as its class or id says. Names alone are not trusted, because
        "sharing" may also be a section of the policy."""
        is_banner = any(_BANNER.fullmatch(name) for name in names)
        if not is_banner and not any(_AROUND.fullmatch(name) for name in names):
            return False
        self._looks -= 1
        size = _size(node)
        if self._looks < 0 or size > _PART_MAX * self._size or node.css_first("h1") is not None:
            return False
        if size <= _TRAIL_CHARACTERS_MAX and any(_TRAIL.fullmatch(name) for name in names):
            return node.css_first("a") is not None
        if is_banner and size <= _BANNER_CHARACTERS_MAX:
            return node.css_first("button, input, [role=button]") is not None
        return _is_linked(node)


def _opened(node: LexborNode, stack: list[tuple[str, LexborNode]]) -> Iterator[tuple[str, LexborNode]]:
    """The node itself; its children are pushed on the *stack*."""
    if node.is_text_node:
        yield "text", node
    elif node.is_element_node:
        yield "open", node
        stack.append(("close", node))
        stack.extend(("open", child) for child in reversed(list(node.iter(include_text=True))))


def _is_linked(node: LexborNode) -> bool:
    """True if it is empty, or has as many links as only navigation has."""
    return sum(_size(link) for link in node.css("a, button")) >= _LINKED_MIN * _size(node)


def _next_element(node: LexborNode | None) -> LexborNode | None:
    """The next sibling element of *node*."""
    while node is not None and (node := node.next) is not None:
        if node.is_element_node:
            return node
    return None


def _size(node: LexborNode) -> int:
    return len(node.text(deep=True, strip=True))


def _is_in_heading(node: LexborNode) -> bool:
    parents = itertools.islice(_parents(node), 4)
    return any(re.fullmatch("h[1-6]", parent.tag or "") for parent in parents)


def _parents(node: LexborNode) -> Iterator[LexborNode]:
    while (parent := node.parent) is not None:
        yield parent
        node = parent


def leave_edges_out(drafts: list[Draft]) -> None:
    """Leave out the site's links above the first heading and below the last words, and its copyright line."""
    shown = [draft for draft in drafts if not draft.is_left_out]
    own = _own_host(shown)
    first = next((place for place, draft in enumerate(shown) if draft.kind == "heading"), 0)
    edges = [draft for draft in shown[:first] if _is_own_link(draft, own)]
    if shown and _RIGHTS.fullmatch(shown[-1].traced.text.strip()):
        edges.append(shown.pop())
    end = len(shown)
    while end and _is_own_link(shown[end - 1], own):
        end -= 1
    edges += shown[end:] if len(shown) - end >= _EDGE_LINKS_MIN else []
    for draft in edges:
        draft.is_left_out = True


def _own_host(drafts: list[Draft]) -> str:
    """The host that most links of the page lead to; empty if there are too few."""
    hosts = Counter(_host(href) for draft in drafts for _, _, href in draft.traced.links)
    del hosts[""]
    host, count = max(hosts.items(), key=lambda each: each[1], default=("", 0))
    return host if count >= _OWN_LINKS_MIN else ""


def _host(href: str) -> str:
    try:
        return urlsplit(href).netloc.casefold()
    except ValueError:
        return ""


def _is_own_link(draft: Draft, own: str) -> bool:
    """True if the block consists only of links within the site."""
    links, text = draft.traced.links, draft.traced.text
    if (
        not links
        or len(text.split()) > _EDGE_WORDS_MAX
        or draft.traced.length > 2 * sum(end - start for start, end, _ in links)
    ):
        return False
    return all(_host(href) in {"", own} and not href.startswith(("mailto:", "tel:")) for _, _, href in links)
