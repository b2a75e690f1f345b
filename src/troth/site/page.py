"""One page of the site as received: cookies, forms, hosts it loads from, and text."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from troth.errors import TrothError

TAGS_MAX = 50_000
"""Pages with more tags are rejected: a parser's work can grow with the square of their number."""
LINKS_MAX = 5_000
"""Links and forms that are kept of a page."""
WORDS_MAX = 400
"""Characters of the words that say what a field asks for."""
ADDRESS_MAX = 2_000
"""Characters of an address, and of a link's text. A page keeps its base address with each link and form."""

_SILENT = frozenset(
    "script style noscript template svg math nav aside iframe object select button dialog head".split()  # noqa: SIM905
)
_BUTTONS = frozenset({"submit", "button", "image", "reset"})
_FIELDS = frozenset({"input", "select", "textarea"})
_ICONS = ("icon", "apple-touch-icon", "apple-touch-icon-precomposed", "apple-touch-startup-image", "mask-icon")
_AHEAD = ("preload", "modulepreload", "prefetch", "prerender", "preconnect", "dns-prefetch", "compression-dictionary")
_LOADING = frozenset(["stylesheet", "manifest", *_ICONS, *_AHEAD])
_JAVASCRIPT = re.compile(r"(?:module|(?:text|application)/(?:x-)?(?:java|ecma|live|j)script.*)?", re.I)
_HANDLER = re.compile(r"[\s\"'/]on[a-z]+\s*=", re.I)
_REFRESH = re.compile(r"[\s\d.]*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']+)", re.I)
_INLINE = frozenset(
    "a abbr b bdi bdo br cite code dfn em font i img kbd label mark q s small span strong sub sup time u wbr".split()  # noqa: SIM905
)
_INVISIBLE = frozenset(["script", "style", "template", "head", "object", "select", "iframe", "noframes"])
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_XML = frozenset({"application/xml", "text/xml"})
_JSON = frozenset({"application/json", "application/manifest+json"})
_IMPORT = re.compile(r"@import(?:\s|/\*[^*]{0,200}\*/)*+(?:url\(\s*)?[\"']?([^\"')\s;]{1,2000})", re.I)
_IMAGE_SET = re.compile(r"image-set\(((?:[^()]|\([^()]*\)){1,5000}+)\)", re.I)
_QUOTED = re.compile(r"[\"']((?:https?:)?//[^\"']{1,2000})[\"']", re.I)
_TEMPLATE = re.compile(r"<(/?)template\b((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>", re.I)
_SHADOW = re.compile(r"\sshadowrootmode\b", re.I)
_STYLE_URL = re.compile(r"(?:url|src)\(\s*[\"']?(?!data:|#)([^\"')\s;]{1,2000})", re.I)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|([^\n\r\f]))", re.I)


class ProbeError(TrothError):
    """The site could not be probed; the message says where and why."""


@dataclass(frozen=True, slots=True)
class SetCookie:
    """A cookie that a response sets; its value is not kept, but for whether it *allows* what is not necessary, as
    declared. *lifetime* is None for a session cookie, and zero or negative if the cookie is being deleted."""

    name: str
    lifetime: dt.timedelta | None
    domain: str = ""
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    allows: bool = False

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
    """A field of a form; *kind* is the input's type, ``select`` or ``textarea``. *words* are its labels and those in
    it, *hint* those before it, a line for a block, and *choices* what there is to choose from."""

    name: str
    kind: str
    required: bool
    words: str = ""
    hint: str = ""
    choices: tuple[str, ...] = ()


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
    as far as its HTML and headers show, *loads* those of them that it loads from by itself, and *in_clear* are all
    hosts, its own too, that it loads from or sends to unencrypted. *leads* are addresses on its own host that it shows
    in a frame or goes on to by itself, and *resources* those of the pictures, style sheets and files in it. *unseen* is
    why a visitor may meet more than its HTML shows: a script that runs, or a frame of another host.

    *text* is the text of its main part, and *beside* are the other pieces of its text that a visitor may see; *source*
    is the body, if it is text, with the content of declarative shadow roots as part of the page, and *unread* is why
    that text is missing. *is_cut* is set if links to the same host are left out, because the page has more than
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
    loads: frozenset[str] = frozenset()
    in_clear: frozenset[str] = frozenset()
    leads: tuple[str, ...] = field(default=(), repr=False)
    resources: tuple[str, ...] = field(default=(), repr=False)
    unseen: str = ""
    text: str = field(default="", repr=False)
    beside: tuple[str, ...] = field(default=(), repr=False)
    source: str = field(default="", repr=False)
    unread: str = ""
    is_cut: bool = False

    @property
    def is_text(self) -> bool:
        """True if the body is HTML or other text, as a browser takes it."""
        kind = _kind(self.headers)
        return _is_html(kind) or kind.startswith("text/")

    @property
    def is_html(self) -> bool:
        """True if a browser shows it as a page with links and forms."""
        return _is_html(_kind(self.headers))

    @property
    def why_not(self) -> str:
        """Why this is not a page that a control can judge: its status, or its type. Empty if it is one."""
        if self.status != 200:
            return f"answered {self.status}"
        return "" if self.is_text else f"is of the type {_kind(self.headers)[:100]}, which is not read"

    @property
    def size_bytes(self) -> int:
        """Memory that the page's text, links, hosts and forms take."""
        words = [self.source, self.text, *self.beside, *self.hosts, *(form.action for form in self.forms)]
        words += [word for link in self.links for word in (link.url, link.text)]
        words += [word for form in self.forms for item in form.fields for word in (item.name, item.words, item.hint)]
        words += [*self.leads, *self.resources]
        return sum(map(sys.getsizeof, words))


def is_read(headers: Mapping[str, str]) -> bool:
    """True if the body of a response with these headers is read: text, or JSON, which may name pictures."""
    kind = _kind(headers)
    return _is_html(kind) or kind.startswith("text/") or kind in _JSON


def _kind(headers: Mapping[str, str]) -> str:
    """The media type; HTML if it is missing or invalid, because a browser may then show the page as HTML."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else "text/html"


def _is_html(kind: str) -> bool:
    return "html" in kind or kind in _XML or kind == "image/svg+xml"  # XML pages load and link as HTML does


def read_page(page: SitePage, html: str) -> SitePage:
    """*page* with its body, and what it shows if it is HTML; `SitePage.unread` if it exceeds a limit."""
    if not page.is_html:
        return replace(page, source=html)
    if html.count("<") > TAGS_MAX:
        return replace(page, unread=f"{urlsplit(page.url).path} has more than {TAGS_MAX} tags and is not read")
    html = _with_shadow_roots(html)
    tree = LexborHTMLParser(html)
    base, forms = _joined(page.url, _attribute(tree.css_first("base[href]"), "href")) or page.url, tree.css("form")
    if len(base) > ADDRESS_MAX or len(forms) > LINKS_MAX:
        most = f"a base address over {ADDRESS_MAX} characters, or more than {LINKS_MAX} forms,"
        return replace(page, unread=f"{urlsplit(page.url).path} has {most} and is not read")
    host = urlsplit(page.url).hostname or ""
    links, is_cut = _links(tree, base, host)
    loaded = [*_joined_all(base, _loaded(tree)), *_joined_all(page.url, _loaded_by_headers(page.headers))]
    leads = _joined_all(base, _leads(tree, page.headers))
    sent = [*_joined_all(base, _sent(tree)), *_joined_all(page.url, _reported(page.headers))]
    used = [urlsplit(address) for address in (*loaded, *leads, *sent)]
    loads = {urlsplit(address).hostname or "" for address in (*loaded, *leads)} - {host}
    text, beside = _text(tree)
    return replace(
        page,
        links=links,
        is_cut=is_cut,
        forms=tuple(_form(tree, node, base) for node in forms),
        hosts=frozenset(parts.hostname or "" for parts in used) - {host},
        loads=frozenset(loads),
        in_clear=frozenset(parts.hostname or "" for parts in used if parts.scheme in {"http", "ws"}),
        leads=tuple(dict.fromkeys(address for address in leads if urlsplit(address).hostname == host)),
        resources=tuple(dict.fromkeys(address for address in loaded if urlsplit(address).hostname == host)),
        unseen=_unseen(tree, html, page.headers, {urlsplit(address).hostname or "" for address in leads} - {host}),
        text=text,
        beside=beside,
        source=html,
    )


def named_in_file(page: SitePage) -> list[str]:
    """Absolute addresses that a file in a page has a browser load: a style sheet, the manifest of an application, or a
    redirect to another host."""
    if 300 <= page.status < 400:
        return _joined_all(page.url, [page.headers.get("location", "")])
    if _kind(page.headers) not in _JSON:
        return _joined_all(page.url, _style_addresses(page.source))
    pictures = list[object]()
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(page.source, object_hook=lambda values: pictures.append(values.get("src")))
    return _joined_all(page.url, (address for address in pictures if isinstance(address, str)))


def imports(css: str, url: str) -> list[str]:
    """Addresses of the style sheets that a style sheet at *url* imports, absolute."""
    return _joined_all(url, _IMPORT.findall(_unescaped(css)))


def _style_addresses(css: str) -> list[str]:
    """What *css* loads, but for pictures of its own host in several sizes."""
    css = _unescaped(css)
    sets = (address for group in _IMAGE_SET.findall(css) for address in _QUOTED.findall(group))
    return [*_STYLE_URL.findall(css), *sets, *_IMPORT.findall(css)]


def _unescaped(css: str) -> str:
    """*css* with what its escapes stand for (CSS Syntax 4.3.7)."""

    def meant(escape: re.Match[str]) -> str:
        code = int(escape[1] or "0", 16)
        return escape[2] or (chr(code) if code <= sys.maxunicode else "\ufffd")

    return _ESCAPE.sub(meant, css) if "\\" in css else css


def _with_shadow_roots(html: str) -> str:
    """*html* where what a browser shows as the content of another element (a declarative shadow root) is content of the
    page; other templates show nothing."""
    if not _SHADOW.search(html):
        return html
    opened = list[bool]()

    def tag(match: re.Match[str]) -> str:
        if match[1]:
            return "</div>" if opened and opened.pop() else match[0]
        opened.append(_SHADOW.search(match[2]) is not None)
        return f"<div{match[2]}>" if opened[-1] else match[0]

    return _TEMPLATE.sub(tag, html)


def read_cookie(
    header: str, *, now: dt.datetime, allowing: Collection[tuple[str, str]] = frozenset()
) -> SetCookie | None:
    """Parses a Set-Cookie header as a browser does (RFC 6265bis 5.6); None if a browser would ignore it. Without an
    equals sign all of it is the value, and the cookie has no name. *allowing* are names and values by which a visitor
    allows what is not necessary."""
    pair, *rest = header.split(";")
    name, separator, value = pair.partition("=")
    if not separator:
        name, value = "", pair
    if not name.strip() and not value.strip():
        return None
    parts = (part.partition("=") for part in rest)
    attributes = {key.strip().lower(): text.strip() for key, _, text in parts}
    return SetCookie(
        allows=(name.strip(), unquote(value.strip().strip('"'))) in allowing,
        name=name.strip(),
        lifetime=_lifetime(attributes, now),
        domain=attributes.get("domain", "").lstrip(".").lower(),
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        same_site=attributes.get("samesite", "").lower(),
    )


def cookie_named(name: str) -> str:
    """How a finding names a cookie; a browser also keeps one whose name is empty."""
    return f"the cookie '{name}'" if name else "a cookie without a name"


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


def _form(tree: LexborHTMLParser, node: LexborNode, base: str) -> Form:
    fields: dict[str, FormField] = {}
    hidden = 0
    own, id_, hints = node.css("input, select, textarea"), _attribute(node, "id"), _hints(node)
    apart = [item for item in tree.css("[form]") if id_ and _attribute(item, "form") == id_] if id_ else []
    for item in [*own, *(item for item in apart if item.tag in _FIELDS)]:
        kind = _attribute(item, "type").lower() or "text" if item.tag == "input" else str(item.tag)
        name = _attribute(item, "name")
        hidden += kind == "hidden"
        if name and kind not in _BUTTONS and kind != "hidden":
            required = "required" in item.attributes or (name in fields and fields[name].required)
            words, hint = _words_beside(tree, item)[:WORDS_MAX], hints.get(item.mem_id, "")
            choices = tuple(" ".join(it.text(deep=True).split())[:60] for it in item.css("option")[:60])
            if name in fields:  # such as the further buttons of a choice
                choices = (*fields[name].choices, words)[:60]
                words, hint = f"{fields[name].words} {words}"[:WORDS_MAX], f"{fields[name].hint}\n{hint}"
            elif kind == "radio":
                choices = (words,)
            fields[name] = FormField(name, kind, required, words, hint, choices)
    method = _attribute(node, "method").lower() or "get"
    return Form(_joined(base, _attribute(node, "action")), method, tuple(fields.values()), hidden)


def _words_beside(tree: LexborHTMLParser, item: LexborNode) -> str:
    """The words that say what a field asks for: its labels, those in the field itself, and those to which it refers."""
    words = [_attribute(item, name) for name in ("aria-label", "placeholder", "title", "autocomplete")]
    parent, id_ = item.parent, _attribute(item, "id")
    if parent is not None and parent.tag == "label":
        words.append(parent.text(deep=True))
    if re.fullmatch(r"[\w-]+", id_):
        words += [label.text(deep=True) for label in tree.css(f'label[for="{id_}"]')]
    ids = f"{_attribute(item, 'aria-describedby')} {_attribute(item, 'aria-labelledby')}".split()[:4]
    if places := ", ".join(f'[id="{place}"]' for place in ids if re.fullmatch(r"[\w-]+", place)):
        words += [f". {node.text(deep=True)}" for node in tree.css(places)]
    return " ".join(" ".join(words).split())


def _hints(form: LexborNode) -> dict[int, str]:
    """The words before each field of a *form*, and behind its last, without those of its labels: a line for a block."""
    hints, words, last = dict[int, str](), list[str](), 0
    stack = [(form, False)]
    while stack:
        node, is_label = stack.pop()
        if node.is_text_node:
            words.append("" if is_label else (node.text(deep=False) or "").replace("\n", " "))
        elif node.tag in _FIELDS:
            if _attribute(node, "type").lower() not in {*_BUTTONS, "hidden"}:
                last = node.mem_id
                hints[last] = "".join(words)
                words.clear()
        elif node.is_element_node and node.tag not in _INVISIBLE and "hidden" not in node.attributes:
            inner = [*node.iter(include_text=True)]
            is_linked = node.tag == "label" and ("for" in node.attributes or any(it.tag in _FIELDS for it in inner))
            words.append("" if node.tag in _INLINE else "\n")
            stack.extend((it, is_label or is_linked) for it in reversed(inner))
    if last:
        hints[last] += f"\n{''.join(words)}"
    return {item: hint.strip() for item, hint in hints.items()}


def _loaded(tree: LexborHTMLParser) -> Iterator[str]:
    """Addresses that a browser requests for the page, apart from frames."""
    yield from (_attribute(node, "src") for node in tree.css("[src]") if node.tag not in {"iframe", "frame", "embed"})
    for name in ("srcset", "imagesrcset"):
        for node in tree.css(f"[{name}]"):
            yield from (part.split()[0] for part in _attribute(node, name).split(",") if part.split())
    yield from (_attribute(node, "poster") for node in tree.css("video[poster]"))
    yield from (_attribute(node, "background") for node in tree.css("[background]"))
    for node in tree.css("image, use, feImage"):
        yield _attribute(node, "href") or _attribute(node, "xlink:href")
    yield from (
        _attribute(node, "href")
        for node in tree.css("link[href]")
        if _LOADING & set(_attribute(node, "rel").lower().split())
    )
    styles = [node.text(deep=True) for node in tree.css("style")]
    for style in styles + [_attribute(node, "style") for node in tree.css("[style]")]:
        yield from _style_addresses(style)


def _leads(tree: LexborHTMLParser, headers: Mapping[str, str]) -> Iterator[str]:
    """Addresses of frames, and those that the page goes on to by itself."""
    yield from (_attribute(node, "src") for node in tree.css("iframe[src], frame[src], embed[src]"))
    yield from (_attribute(node, "data") for node in tree.css("object[data]"))
    refreshes = [_attribute(node, "content") for node in tree.css("meta[http-equiv=refresh i]")]
    for refresh in (*refreshes, headers.get("refresh", "")):
        if target := _REFRESH.match(refresh):
            yield target[1]


def _sent(tree: LexborHTMLParser) -> Iterator[str]:
    """Addresses that a browser sends to when a visitor does something."""
    yield from (_attribute(node, "action") for node in tree.css("form[action]"))
    yield from (_attribute(node, "formaction") for node in tree.css("[formaction]"))
    for name in ("ping", "attributionsrc"):
        for node in tree.css(f"[{name}]"):
            yield from _attribute(node, name).split()


def _loaded_by_headers(headers: Mapping[str, str]) -> Iterator[str]:
    for address, rest in re.findall(r"<([^>]{1,2000})>([^<]*)", headers.get("link", "")):
        rel = re.search(r"\brel\s*=\s*\"?([^\";,]+)", rest, re.I)
        if rel and _LOADING & set(rel[1].lower().split()):
            yield address
    yield from re.findall(r'"([^"]{1,2000})"', headers.get("speculation-rules", ""))
    yield from (f"https://{host}/" for host in re.findall(r'="([^":]+):\d+"', headers.get("alt-svc", "")))


def _reported(headers: Mapping[str, str]) -> Iterator[str]:
    """Addresses that a browser reports to: errors, and what a policy of the page forbids."""
    for name in ("content-security-policy", "content-security-policy-report-only"):
        for addresses in re.findall(r"report-uri\s+([^;,]+)", headers.get(name, ""), re.I):
            yield from addresses.split()
    yield from re.findall(r'"url"\s*:\s*"([^"]{1,2000})"', headers.get("report-to", ""), re.I)
    yield from re.findall(r'=\s*"([^"]{1,2000})"', headers.get("reporting-endpoints", ""))
    yield from re.findall(r'report-uri\s*=\s*"?([^",;\s]{1,2000})', headers.get("expect-ct", ""), re.I)


def _unseen(tree: LexborHTMLParser, html: str, headers: Mapping[str, str], frames: set[str]) -> str:
    """Why a visitor may meet more than the HTML shows; empty if there is no reason."""
    if tree.css("iframe[srcdoc]"):
        return "holds a frame with a page of its own, which is not seen"
    if hosts := sorted(frames - {""}):
        return f"shows a page of {hosts[0]}, which is not seen"
    if not _forbids_scripts(headers) and _has_script(tree, html):
        return "runs a script, and what it does is not seen"
    return ""


def _has_script(tree: LexborHTMLParser, html: str) -> bool:
    for node in tree.css("script"):
        is_code = _JAVASCRIPT.fullmatch(_attribute(node, "type")) is not None
        sources = (_attribute(node, name) for name in ("src", "href", "xlink:href"))
        if is_code and (any(sources) or node.text(deep=True).strip()):
            return True
    for node in tree.css("[href], [src], [action], [formaction], [data], [values], [to]"):
        addresses = (_attribute(node, name) for name in ("href", "src", "action", "formaction", "data", "values", "to"))
        # Browsers leave out control characters, and white space within.
        if any(re.sub(r"[\x00-\x20]", "", address).lower().startswith("javascript:") for address in addresses):
            return True
    if not _HANDLER.search(html):
        return False
    return any(name.startswith("on") and name[2:].isalpha() for node in tree.css("*") for name in node.attributes)


def _forbids_scripts(headers: Mapping[str, str]) -> bool:
    """True if the page's own policy (CSP) lets no script run. Several policies all count."""
    for policy in headers.get("content-security-policy", "").lower().split(","):
        directives: dict[str, list[str]] = {}
        for name, *values in filter(None, (part.split() for part in policy.split(";"))):
            directives.setdefault(name, values)  # the first of a name counts
        rest = directives.get("script-src", directives.get("default-src"))
        kinds = (directives.get("script-src-elem", rest), directives.get("script-src-attr", rest))
        if all(values is not None and values in ([], ["'none'"]) for values in kinds):
            return True
    return False


def _joined_all(base: str, addresses: Iterable[str]) -> list[str]:
    """The web addresses among *addresses*, absolute."""
    joined = (_joined(base, address) for address in dict.fromkeys(addresses) if address)
    parts = ((address, urlsplit(address)) for address in joined)
    return [address for address, part in parts if part.scheme in {"http", "https", "ws", "wss"} and part.hostname]


def as_browsers_read(base: str, address: str) -> str:
    """*address* on a page at *base* in the usual spelling: browsers take backslashes as slashes, and any number of
    slashes before a host (https://url.spec.whatwg.org)."""
    address = re.sub(r"[\t\r\n]", "", address.strip())
    if not re.match(r"(?:https?:|wss?:)|(?!\w+:)", address, re.I):
        return address
    start = re.match(r"[^?#]*", address)
    end = start.end() if start else 0
    address = address[:end].replace("\\", "/") + address[end:]
    scheme = urlsplit(base).scheme
    return re.sub(rf"^(?:((?!{scheme}:)(?:https?|wss?):)/*|(\w+:)?/{{2,}})", r"\1\2//", address, flags=re.I)


def _joined(base: str, address: str) -> str:
    try:
        joined = urljoin(base, as_browsers_read(base, address))
        urlsplit(joined)  # a malformed host is only detected here
    except ValueError:
        return ""
    return joined


def _text(tree: LexborHTMLParser) -> tuple[str, tuple[str, ...]]:
    """The visible text of the page's only article, or else its only main part, or else its body; and the other text
    that a visitor may see, in pieces that are each on lines of their own. Of these, links alone are left out."""
    root = next((found[0] for found in (tree.css("article"), tree.css("main, [role=main]")) if len(found) == 1), None)
    within, parts, pieces = root is not None, list[str](), list[str]()
    start = root or tree.body or tree.root
    root_id = start.mem_id if start is not None else 0
    # Each with whether it is in the main part, and in a link.
    stack: list[tuple[LexborNode | None, bool, bool]] = [(tree.body or tree.root, False, False)]
    piece, has_more = list[str](), False

    def end_piece() -> None:
        nonlocal has_more
        if has_more and (words := " ".join("".join(piece).split())):
            pieces.append(words)
        piece.clear()
        has_more = False

    while stack:
        node, is_main, is_link = stack.pop()
        if node is None:
            end_piece()
        elif node.is_text_node:
            words = node.text(deep=False) or ""
            (parts if is_main else piece).append(words)
            has_more = has_more or bool(not is_main and not is_link and words.strip())
        elif node.is_element_node or node.mem_id == root_id:
            is_root = node.mem_id == root_id
            if not is_root and (node.tag in _INVISIBLE or "hidden" in node.attributes):
                if is_main:
                    parts.append(" ")
                continue
            was_main, is_main = is_main, is_root or (is_main and not _is_silent(node, within))
            if was_main or is_main:
                parts.append(" ")
            is_block = node.tag not in _INLINE or was_main is not is_main
            if is_block:
                end_piece()
                stack.append((None, False, False))
            inner = [(child, is_main, is_link or node.tag == "a") for child in node.iter(include_text=True)]
            stack.extend(reversed(inner))
    end_piece()
    return " ".join("".join(parts).split()), tuple(pieces)


def _is_silent(node: LexborNode, within: bool) -> bool:
    attributes = node.attributes
    if node.tag in _SILENT or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return attributes.get("role") == "navigation" or (node.tag in {"header", "footer"} and not within)
