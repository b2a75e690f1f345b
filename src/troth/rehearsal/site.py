"""A scripted website: the pages that a declaration says the company has, kept in memory.

It is the site of a company that keeps its word: every page links to the policy, forms ask for the declared fields, no
page runs a script, cookies that need consent are set only for visitors who gave it, and nothing travels in clear. A
breach changes a page, or how the whole site answers. Paths that are not scripted go to *behind*, which is Troth's own
pages in a rehearsal; a scripted page at one of their paths takes its place.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from troth.declaration import CollectionPoint, Declaration
from troth.site import HOME, Site, Tls

Start = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]
Headers = list[tuple[str, str]]
STYLE: Final = "/site.css"
CENTRE: Final = "/your-data/"
_RULES: Final = "body { font-size: 16px; color: #222; background-color: #fff } nav a { color: #006 }"
_SIGNAL: Final = "<p>Your browser sends the Global Privacy Control signal, and we took it as a refusal.</p>"
_YEAR_S: Final = 31_536_000


@dataclass(slots=True)
class ScriptedPage:
    """A page: its *body* inside the frame that all pages share, and what a breach made of it: *left_out* are texts that
    the page does not show. What is of another *kind* than HTML has no frame."""

    body: str
    status: int = 200
    headers: Headers = field(default_factory=list)
    head: str = ""
    left_out: tuple[str, ...] = ()
    kind: str = "text/html"


@dataclass(frozen=True, slots=True)
class OptionalCookie:
    """A cookie that is set for visitors who allow it: their requests hold one of *allowed_by*, as name and value."""

    name: str
    allowed_by: Sequence[str]

    def is_allowed(self, environ: dict[str, Any]) -> bool:
        held = [pair.strip() for pair in environ.get("HTTP_COOKIE", "").split(";")]
        return any(pair in held for pair in self.allowed_by)


@dataclass(slots=True)
class ScriptedSite:
    """The pages by path, and the foot of each. *home* is the path of the first page. *tls* is what the port offers,
    *strict* the header Strict-Transport-Security, *in_clear* what the address without encryption shows instead of a
    redirect, and *missing* what an unknown address shows. *signal_counts* and *signal_shown* are whether a browser's
    Global Privacy Control signal is taken as a refusal, and whether the pages say so."""

    pages: dict[str, ScriptedPage]
    foot: str
    behind: CachedPages
    home: str = HOME
    optional: tuple[OptionalCookie, ...] = ()
    tls: Tls = field(default_factory=lambda: Tls(frozenset({"TLSv1.2", "TLSv1.3"}), days_left=60, trusted=True))
    strict: str = f"max-age={_YEAR_S}"
    in_clear: ScriptedPage | None = None
    missing: ScriptedPage = field(default_factory=lambda: ScriptedPage("<h1>Not found</h1>", status=404))
    signal_counts: bool = True
    signal_shown: bool = True

    @classmethod
    def of(cls, declaration: Declaration, policy: str, behind: CachedPages) -> ScriptedSite:
        """The site that *declaration* describes; *policy* is the text of its policy, which the site shows where
        Troth does not."""
        where = policy_path(declaration)
        links = {where: "Privacy policy", CENTRE: "Your data"}
        pages = {HOME: ScriptedPage("<h1>Welcome</h1>"), STYLE: ScriptedPage(_RULES, kind="text/css")}
        if not _is_troths(where):
            pages[where] = ScriptedPage(as_article(policy))
        for point in declaration.collection_points.values():
            if point.page:
                pages.setdefault(point.page, ScriptedPage("")).body += _form(point)
                links[point.page] = str(point.title or point.page.strip("/"))
        notice = declaration.notice
        links[notice.choices] = "Cookies"
        for path in (notice.choices, notice.requests, notice.complaints):
            pages.setdefault(path, ScriptedPage("<h1>Your choices</h1>"))
        for own in declaration.controls.values():
            if own.http is not None and own.http.contains:
                for path in (urlsplit(own.http.url).path, *own.http.also):
                    pages.setdefault(path, ScriptedPage("")).body += own.http.contains
        foot = " ".join(f'<a href="{path}">{html.escape(title)}</a>' for path, title in links.items())
        home = urlsplit(declaration.organisation.site or "").path or HOME
        own_pages = {path: page for path, page in pages.items() if not _is_troths(path)}
        return cls(own_pages, foot, behind, home, tuple(_optional(declaration)))

    def shown(self, path: str) -> str:
        """The body of the page at *path*, with the foot that all pages share."""
        return self.pages[path].body + self.foot

    def copy(self) -> ScriptedSite:
        """The same site, so that a breach of one is not in the other."""
        pages = {path: replace(page, headers=list(page.headers)) for path, page in self.pages.items()}
        return replace(self, pages=pages)

    def served(self, site: Site) -> Site:
        """*site* as a snapshot looks at it: its requests come here, and go nowhere else."""
        return replace(site, transport=httpx.WSGITransport(self, raise_app_exceptions=False), offers=self.tls)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """WSGI."""
        path = environ["PATH_INFO"] or HOME
        path = HOME if path == self.home else path
        if environ["wsgi.url_scheme"] == "http":
            redirect = ScriptedPage("", 301, [("location", f"https://{environ['HTTP_HOST']}{path}")])
            return self._answer(self.in_clear or redirect, "", [], start)
        always = [("strict-transport-security", self.strict)] if self.strict else []
        page = self.pages.get(path)
        if page is None and _is_troths(path):
            return self.behind(environ, lambda status, headers, *more: start(status, [*headers, *always], *more))
        has_signal = environ.get("HTTP_SEC_GPC") == "1"
        if not (has_signal and self.signal_counts):
            allowed = [cookie.name for cookie in self.optional if cookie.is_allowed(environ)]
            always += [("set-cookie", f"{name}=1; Max-Age=3600; Path=/; Secure") for name in allowed]
        signal = _SIGNAL if has_signal and self.signal_shown else ""
        return self._answer(page or self.missing, signal, always, start)

    def _answer(self, page: ScriptedPage, signal: str, always: Headers, start: Start) -> Iterable[bytes]:
        text = page.body
        if page.kind == "text/html":
            frame = f"<main>{page.body}</main><footer>{signal}<nav>{self.foot}</nav></footer>"
            for left_out in page.left_out:
                frame = frame.replace(left_out, "")
            head = f'<title>Example</title><link rel="stylesheet" href="{STYLE}">{page.head}'
            text = f"<!doctype html><html lang=en><head>{head}</head><body>{frame}</body></html>"
        status = HTTPStatus(page.status)
        headers = [("content-type", f"{page.kind}; charset=utf-8"), *page.headers, *always]
        start(f"{status.value} {status.phrase}", headers)
        return [text.encode()]


class CachedPages:
    """Answers of a WSGI *application* to GET, remembered by path and what a visitor sends; for pages that are the same
    for everybody as long as nothing of the application is changed."""

    def __init__(self, application: Wsgi) -> None:
        self._application = application
        self._answers: dict[object, tuple[tuple[Any, ...], list[bytes]]] = {}

    def forget(self) -> None:
        """Ask the application anew from now on."""
        self._answers.clear()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        asked = {**environ, "HTTP_HOST": "localhost", "SERVER_NAME": "localhost"}
        if environ["REQUEST_METHOD"] != "GET":
            return self._application(asked, start)
        sent = tuple(environ.get(name, "") for name in ("PATH_INFO", "QUERY_STRING", "HTTP_COOKIE", "HTTP_SEC_GPC"))
        if sent not in self._answers:
            started: list[Any] = []
            body = b"".join(self._application(asked, lambda *answer: started.extend(answer)))
            self._answers[sent] = (tuple(started), [body])
        answer, pieces = self._answers[sent]
        start(*answer)
        return pieces


def policy_path(declaration: Declaration) -> str:
    """The path of the page that shows the policy."""
    return urlsplit(declaration.policy.url).path or HOME


def as_article(policy: str) -> str:
    """The text of a policy as HTML."""
    return (
        f"<article>{''.join(f'<p>{html.escape(line)}</p>' for line in policy.splitlines() if line.strip())}</article>"
    )


def over_https(declaration: Declaration) -> Declaration:
    """*declaration*, whose site is reached over https at the usual port: a rehearsal begins with promises kept, also
    where the company tries Troth on its own machine first."""
    site = declaration.organisation.site
    if site is None or site.startswith("https://"):
        return declaration
    old = site.rstrip("/")
    new = f"https://{urlsplit(site).hostname}{urlsplit(old).path}"
    controls = {
        name: own.model_copy(update={"http": own.http.model_copy(update={"url": own.http.url.replace(old, new, 1)})})
        for name, own in declaration.controls.items()
        if own.http is not None and own.http.url.startswith(old)
    }
    changes = {
        "organisation": declaration.organisation.model_copy(update={"site": new}),
        "policy": declaration.policy.model_copy(update={"url": declaration.policy.url.replace(old, new, 1)}),
        "controls": {**declaration.controls, **controls},
    }
    return declaration.model_copy(update=changes)


def _optional(declaration: Declaration) -> Iterator[OptionalCookie]:
    allowed_by = [f"{name}={cookie.allows}" for name, cookie in declaration.cookies.items() if cookie.allows]
    for name, cookie in declaration.cookies.items():
        if cookie.purpose != "necessary":
            yield OptionalCookie(name, allowed_by)


def _is_troths(path: str) -> bool:
    return path.startswith(("/policy/", "/your-data/", "/ledger/", "/static/", "/.well-known/", "/console/"))


def _form(point: CollectionPoint) -> str:
    fields = "".join(
        f'<label>{html.escape(name)} <input name="{html.escape(name)}"'
        f"{' required' if use.need == 'required' else ''}></label>"
        for name, use in point.fields.items()
    )
    return f'<form method="post" action="{html.escape(str(point.page))}">{fields}<button>Send</button></form>'
