"""One page of the site as received: cookies, forms, hosts it loads from, and text."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from urllib.parse import urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from troth.errors import TrothError

TAGS_MAX = 50_000
"""Pages with more tags are rejected: a parser's work can grow with the square of their number."""
LINKS_MAX = 5_000
"""Links and forms that are kept of a page."""
ADDRESS_MAX = 2_000
"""Characters of an address, and of a link's text. A page keeps its base address with each link and form."""

_SILENT = frozenset(
    "script style noscript template svg math nav aside iframe object select button dialog head".split()  # noqa: SIM905
)
_BUTTONS = frozenset({"submit", "button", "image", "reset"})
_LOADING = frozenset(
    ["stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "manifest"]
)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_XML = frozenset({"application/xml", "text/xml"})
_STYLE_URL = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s;]{1,2000})", re.I)


class ProbeError(TrothError):
    """The site could not be probed; the message says where and why."""


@dataclass(frozen=True, slots=True)
class SetCookie:
    """A cookie that a response sets; its value is not kept. *lifetime* is None for a session cookie, and zero or
    negative if the cookie is being deleted."""

    name: str
    lifetime: dt.timedelta | None
    domain: str = ""
    secure: bool = False
    http_only: bool = False
    same_site: str = ""

    @property
    def is_deleted(self) -> bool:
        """True if the response deletes the cookie."""
        return self.lifetime is not None and self.lifetime <= dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link that a visitor can follow: its absolute address without fragment, and its text."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form; *kind* is the input's type, ``select`` or ``textarea``."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True, slots=True)
class Form:
    """A form. *hidden* counts the hidden fields; buttons are left out."""

    action: str
    method: str
    fields: tuple[FormField, ...]
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class SitePage:
    """The response for one address. *url* is the final address and *redirects* are those before it; *headers* are
    without cookies, and *cookies* are from all responses; *hosts* are other hosts that the page loads from or sends to,
    as far as its HTML shows; *text* is the text of its main part; *source* is the body, if it is text, and *unread* is
    why that text is missing. *is_cut* is set if links to the same host are left out, because the page has more than
    `LINKS_MAX` links or their addresses are longer than `ADDRESS_MAX`."""

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    fetched_at: dt.datetime
    redirects: tuple[str, ...] = ()
    cookies: tuple[SetCookie, ...] = ()
    links: tuple[PageLink, ...] = field(default=(), repr=False)
    forms: tuple[Form, ...] = field(default=(), repr=False)
    hosts: frozenset[str] = frozenset()
    text: str = field(default="", repr=False)
    source: str = field(default="", repr=False)
    unread: str = ""
    is_cut: bool = False

    @property
    def is_text(self) -> bool:
        """True if the body is HTML or other text."""
        return is_text(self.headers)

    @property
    def why_not(self) -> str:
        """Why this is not a page that a control can judge: its status, or its type. Empty if it is one."""
        if self.status != 200:
            return f"answered {self.status}"
        return "" if self.is_text else f"is of the type {_kind(self.headers)[:100]}, which is not read"

    @property
    def size_bytes(self) -> int:
        """Memory that the page's text, links, hosts and forms take."""
        words = [self.source, self.text, *self.hosts, *(form.action for form in self.forms)]
        words += [word for link in self.links for word in (link.url, link.text)]
        words += [item.name for form in self.forms for item in form.fields]
        return sum(map(sys.getsizeof, words))


def is_text(headers: Mapping[str, str]) -> bool:
    """True if a response with these headers is HTML or other text, as a browser takes it."""
    kind = _kind(headers)
    return _is_html(kind) or kind.startswith("text/")


def _kind(headers: Mapping[str, str]) -> str:
    """The media type; HTML if it is missing or invalid, because a browser may then show the page as HTML."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else "text/html"


def _is_html(kind: str) -> bool:
    return "html" in kind or kind in _XML  # XML pages load and link as HTML does


def read_page(page: SitePage, html: str) -> SitePage:
    """*page* with its body, and what it shows if it is HTML; `SitePage.unread` if it exceeds a limit."""
    if not _is_html(_kind(page.headers)):
        return replace(page, source=html)
    if html.count("<") > TAGS_MAX:
        return replace(page, unread=f"{urlsplit(page.url).path} has more than {TAGS_MAX} tags and is not read")
    tree = LexborHTMLParser(html)
    base, forms = _joined(page.url, _attribute(tree.css_first("base[href]"), "href")) or page.url, tree.css("form")
    if len(base) > ADDRESS_MAX or len(forms) > LINKS_MAX:
        most = f"a base address over {ADDRESS_MAX} characters, or more than {LINKS_MAX} forms,"
        return replace(page, unread=f"{urlsplit(page.url).path} has {most} and is not read")
    links, is_cut = _links(tree, base, urlsplit(page.url).hostname)
    return replace(
        page,
        links=links,
        is_cut=is_cut,
        forms=tuple(_form(node, base) for node in forms),
        hosts=frozenset(_hosts(tree, base)) - {urlsplit(page.url).hostname or ""},
        text=_text(tree),
        source=html,
    )


def read_cookie(header: str, *, now: dt.datetime) -> SetCookie | None:
    """Parses a Set-Cookie header as a browser does (RFC 6265 5.2); None if a browser would ignore it."""
    pair, *rest = header.split(";")
    name, separator, _ = pair.partition("=")
    if not separator or not name.strip():
        return None
    attributes = {}
    for part in rest:
        key, _, value = part.partition("=")
        attributes[key.strip().lower()] = value.strip()
    return SetCookie(
        name=name.strip(),
        lifetime=_lifetime(attributes, now),
        domain=attributes.get("domain", "").lstrip(".").lower(),
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        same_site=attributes.get("samesite", "").lower(),
    )


def _lifetime(attributes: Mapping[str, str], now: dt.datetime) -> dt.timedelta | None:
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?\d{1,15}", age):  # Max-Age wins over Expires
        return dt.timedelta(seconds=max(min(int(age), 10**11), -1))
    try:
        expires = parsedate_to_datetime(attributes["expires"])
    except (KeyError, ValueError):
        return None
    return (expires if expires.tzinfo else expires.replace(tzinfo=dt.UTC)) - now


def _attribute(node: LexborNode | None, name: str) -> str:
    return ((node.attributes.get(name) if node else None) or "").strip()


def _links(tree: LexborHTMLParser, base: str, host: str | None) -> tuple[tuple[PageLink, ...], bool]:
    """The page's links, and whether some to *host* are left out."""
    links, is_cut = list[PageLink](), False
    for node in tree.css("a[href], area[href]"):
        address = urldefrag(_joined(base, _attribute(node, "href"))).url
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"}:
            continue
        if len(links) < LINKS_MAX and len(address) <= ADDRESS_MAX:
            links.append(PageLink(address, words_of(node)[:ADDRESS_MAX]))
        elif parts.hostname == host:
            is_cut = True
    return tuple(links), is_cut


def words_of(node: LexborNode) -> str:
    """The text of a link, including the alternative text of its images."""
    words = [node.text(deep=True), *(_attribute(image, "alt") for image in node.css("img[alt]"))]
    return " ".join(" ".join(words).split())


def _form(node: LexborNode, base: str) -> Form:
    fields: dict[str, FormField] = {}
    hidden = 0
    for item in node.css("input, select, textarea"):
        kind = _attribute(item, "type").lower() or "text" if item.tag == "input" else str(item.tag)
        name = _attribute(item, "name")
        hidden += kind == "hidden"
        if name and kind not in _BUTTONS and kind != "hidden":
            required = "required" in item.attributes or (name in fields and fields[name].required)
            fields[name] = FormField(name, kind, required)
    method = _attribute(node, "method").lower() or "get"
    return Form(_joined(base, _attribute(node, "action")), method, tuple(fields.values()), hidden)


def _hosts(tree: LexborHTMLParser, base: str) -> Iterator[str]:
    addresses = [_attribute(node, "src") for node in tree.css("[src]")]
    addresses += [
        part.split()[0]
        for node in tree.css("[srcset]")
        for part in _attribute(node, "srcset").split(",")
        if part.split()
    ]
    addresses += [_attribute(node, "data") for node in tree.css("object[data]")]
    addresses += [_attribute(node, "poster") for node in tree.css("video[poster]")]
    addresses += [_attribute(node, "action") for node in tree.css("form[action]")]
    addresses += [_attribute(node, "formaction") for node in tree.css("[formaction]")]
    for node in tree.css("link[href]"):
        if _LOADING & set(_attribute(node, "rel").lower().split()):
            addresses.append(_attribute(node, "href"))
    for style in [node.text(deep=True) for node in tree.css("style")] + [
        _attribute(node, "style") for node in tree.css("[style]")
    ]:
        addresses += _STYLE_URL.findall(style)
    for address in addresses:
        parts = urlsplit(_joined(base, address))
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname:
            yield parts.hostname


def _joined(base: str, address: str) -> str:
    try:
        joined = urljoin(base, address)
        urlsplit(joined)  # a malformed host is only detected here
    except ValueError:
        return ""
    return joined


def _text(tree: LexborHTMLParser) -> str:
    """The visible text of the page's only article, or else its only main part, or else its body."""
    root = next((found[0] for found in (tree.css("article"), tree.css("main, [role=main]")) if len(found) == 1), None)
    stack, parts = [root or tree.body or tree.root], []
    within = root is not None
    while stack:
        node = stack.pop()
        if node is None:
            continue
        if node.is_text_node:
            parts.append(node.text(deep=False) or "")
        elif node is root or not node.is_element_node or not _is_silent(node, within):
            stack.extend(reversed(list(node.iter(include_text=True))))
            parts.append(" ")
    return " ".join("".join(parts).split())


def _is_silent(node: LexborNode, within: bool) -> bool:
    attributes = node.attributes
    if node.tag in _SILENT or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return attributes.get("role") == "navigation" or (node.tag in {"header", "footer"} and not within)
