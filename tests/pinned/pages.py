"""A browser without a screen: pages as text, forms that are filled in, and a walk along the links."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve
from selectolax.lexbor import LexborHTMLParser, LexborNode

_PAGES = {"your-data/<right:right>/": 10, "console/cases/<str:reference>/": 10, "policy/status/<slug:name>/": 3}
"""How many pages of a route are looked at, where it is more than one."""
_LINES = re.compile(
    "address|article|blockquote|body|br|button|caption|d[dlt]|details|div|fieldset|figure|footer|form|h[1-6]|header|hr"
    "|input|label|legend|li|main|nav|ol|p|pre|section|select|summary|table|tbody|textarea|thead|tr|ul"
)
_UNSEEN = frozenset(("script", "style", "template", "-comment", "!doctype"))
_BEFORE = {"li": "- ", "td": " | ", "th": " | "} | {f"h{level}": "#" * level + " " for level in range(1, 7)}
_MARKS = ("name", "type", "value", "required", "checked", "hidden", "maxlength", "accept")
_TOKENS = ("form-token", "csrfmiddlewaretoken")
_OPTIONS_MAX = 12


def text_of(html: str, *, whole: bool = False) -> str:
    """The visible text of a page, line by line: headings with #, links with their paths, fields with their names.

    Only what stands in ``main`` unless the *whole* page is wanted.
    """
    tree = LexborHTMLParser(html)
    begin = tree.body if whole else tree.css_first("main") or tree.body
    title = tree.css_first("title")
    assert begin is not None
    assert title is not None
    lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(_parts(begin)).split("\0"))
    return "\n".join(filter(None, (f"title: {title.text(strip=True)}", *lines))) + "\n"


def _parts(node: LexborNode) -> Iterator[str]:
    """Text, with a NUL where a line ends."""
    tag, has = str(node.tag), node.attributes
    if tag == "-text":
        yield node.text(deep=False) or ""
    if tag in _UNSEEN or tag == "-text":
        return
    line = "\0" if _LINES.fullmatch(tag) else ""
    yield line + _BEFORE.get(tag, "")
    if tag == "form":
        yield f"<form {has.get('method')} {_path(has.get('action') or '')}>\0"
    if tag in ("input", "button", "select", "textarea"):
        yield f"[{tag}{''.join(_marks(has))}] "
    options = node.css("option") if tag == "select" else []
    for option in options[: _OPTIONS_MAX if len(options) <= _OPTIONS_MAX else 3]:
        yield f"\0{option.attributes.get('value')}: {option.text(strip=True)}"
    if tag != "select":
        for child in node.iter(include_text=True):
            yield from _parts(child)
    elif len(options) > _OPTIONS_MAX:
        yield f"\0… {len(options)} in all"
    yield (f" <{_path(has['href'] or '')}>" if tag == "a" and "href" in has else "") + line


def _marks(has: Mapping[str, str | None]) -> Iterator[str]:
    for name in _MARKS:
        if name in has and not (name == "value" and has.get("name") in _TOKENS):
            yield f" {name}={has[name]}" if has[name] else f" {name}"


def _path(href: str) -> str:
    """A link as a path; to other places as it is."""
    parts = urlsplit(href)
    is_here = parts.scheme in ("", "http") and parts.hostname in (None, "localhost")
    return parts._replace(scheme="", netloc="").geturl() if is_here else href


class Browser:
    """Somebody's browser, with the page that it shows."""

    def __init__(self, port: int, network: int) -> None:
        host = {"host": f"localhost:{port}"}
        self._client = Client(enforce_csrf_checks=True, headers=host, REMOTE_ADDR=f"203.0.{network}.7")
        self.at, self.html, self.shown = "", "", ""

    def open(self, path: str) -> Browser:
        """Open a page of Troth's, and follow where it leads."""
        return self._show(path, self._client.get(path, follow=True))

    def send(self, **fields: str) -> Browser:
        """Fill in the page's first form and send it. What a field is called stands before a digit after a hyphen."""
        form = LexborHTMLParser(self.html).css("main form")[0]
        target = urljoin(self.at, form.attributes.get("action") or "")
        filled = dict(_filled(form)) | {re.sub(r"_(?=\d)", "-", name): value for name, value in fields.items()}
        return self._show(target, self._client.post(target, filled, follow=True))

    def _show(self, path: str, response: Any) -> Browser:
        self.at = urlsplit(response.redirect_chain[-1][0]).path if response.redirect_chain else path
        kind, body = response["Content-Type"].partition(";")[0], b"".join(response)
        self.html = body.decode() if kind == "text/html" else ""
        moved = "" if self.at == path else f" → {self.at}"
        self.shown = f"=== {path}{moved}: {response.status_code}\n{_text(kind, body)}"
        return self

    def walk(self, start: Iterable[str], *, within: str) -> dict[str, list[str]]:
        """Open what can be reached by links *within* (a pattern of paths), one or a few of each route: what was shown,
        by route."""
        waiting, seen, found = list(start), set[str](), defaultdict[str, list[str]](list)
        while waiting:
            path = waiting.pop(0)
            try:
                route = resolve(path).route
            except Resolver404:
                continue
            if path in seen or len(found[route]) >= _PAGES.get(route, 1):
                continue
            seen.add(path)
            found[route].append(self.open(path).shown)
            links = (link.attributes.get("href") or "" for link in LexborHTMLParser(self.html or "-").css("a"))
            near = (_path(urljoin(self.at, link)).partition("#")[0] for link in links)
            waiting += [link for link in near if re.match(within, link) and "?" not in link]
        return {route: shown for route, shown in found.items() if shown}


def _text(kind: str, body: bytes) -> str:
    if kind == "text/html":
        return text_of(body.decode())
    if kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return "".join(f"{name}\n" for name in archive.namelist())
    if kind == "application/json":
        return json.dumps(json.loads(body), indent=1, ensure_ascii=False) + "\n"
    return body.decode() if kind.startswith("text/") else f"({kind})\n"


def _filled(form: LexborNode) -> Iterator[tuple[str, str]]:
    """What the form has in it before anybody writes into it."""
    for field in form.css("input, textarea, select"):
        has, name = field.attributes, field.attributes.get("name")
        chosen = field.css_first("option[selected]") or field.css_first("option")
        if name and (has.get("type") not in ("checkbox", "radio") or "checked" in has):
            yield name, (chosen.attributes if chosen else has).get("value") or ""
