"""A scripted website: the pages that a declaration says the company has, kept in memory.

It is the site of a company that keeps its word: every page links to the policy, forms ask for the declared fields, and
no page runs a script or sets a cookie. A fault changes a page. Paths that are not scripted go to *behind*, which is
Troth's own pages in a rehearsal.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from troth.declaration import CollectionPoint, Declaration
from troth.site import HOME, Site, Tls

Start = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]
_STATUS: Final = {200: "200 OK", 404: "404 Not Found", 500: "500 Internal Server Error"}
_SIGNAL: Final = "<p>Your browser sends the Global Privacy Control signal, and we took it as a refusal.</p>"


@dataclass(slots=True)
class ScriptedPage:
    """A page: its *body* inside the frame that all pages share, and what a fault made of it: *left_out* are texts that
    the page does not show."""

    body: str
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    head: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class ScriptedSite:
    """The pages by path, and the foot of each. *tls* is what its port offers."""

    pages: dict[str, ScriptedPage]
    foot: str
    behind: CachedPages
    tls: Tls = field(default_factory=lambda: Tls(frozenset({"TLSv1.2", "TLSv1.3"}), days_left=60, trusted=True))
    secure: bool = True
    answers_signal: bool = True

    @classmethod
    def of(cls, declaration: Declaration, policy: str, behind: CachedPages) -> ScriptedSite:
        """The site that *declaration* describes; *policy* is the text of its policy as HTML, if the company itself
        publishes it."""
        where = urlsplit(declaration.policy.url).path
        links = {where: "Privacy policy", "/your-data/": "Your data"}
        pages = {HOME: ScriptedPage("<h1>Welcome</h1>")}
        for point in declaration.collection_points.values():
            if point.page:
                pages.setdefault(point.page, ScriptedPage("")).body += _form(point)
                links[point.page] = point.title or point.page.strip("/")
        for own in declaration.controls.values():
            if own.http is not None and own.http.contains:
                for path in (urlsplit(own.http.url).path, *own.http.also):
                    pages.setdefault(path, ScriptedPage("")).body += own.http.contains
        if not where.startswith("/policy"):
            pages[where] = ScriptedPage(f"<article>{policy}</article>")
        foot = "".join(f'<a href="{path}">{html.escape(str(title))}</a> ' for path, title in links.items())
        return cls({path: page for path, page in pages.items() if not _is_troths(path)}, foot, behind)

    def shown(self, path: str) -> str:
        """The body of the page at *path*, with the foot that all pages share."""
        return self.pages[path].body + self.foot

    def copy(self) -> ScriptedSite:
        """The same site, so that a fault in one is not in the other."""
        pages = {path: replace(page, headers=list(page.headers)) for path, page in self.pages.items()}
        return replace(self, pages=pages)

    def served(self, site: Site) -> Site:
        """*site* as a snapshot looks at it: its requests come here, and go nowhere else."""
        return replace(site, transport=httpx.WSGITransport(self, raise_app_exceptions=False), offers=self.tls)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """WSGI."""
        path = environ["PATH_INFO"] or HOME
        page = self.pages.get(path)
        if page is None and _is_troths(path):
            return self.behind(environ, start)
        page = page or ScriptedPage("<h1>Not found</h1>", status=404)
        signal = _SIGNAL if self.answers_signal and environ.get("HTTP_SEC_GPC") == "1" else ""
        frame = f"<main>{page.body}</main><footer>{signal}<nav>{self.foot}</nav></footer>"
        for text in page.left_out:
            frame = frame.replace(text, "")
        text = f"<!doctype html><html lang=en><head><title>Example</title>{page.head}</head><body>{frame}</body></html>"
        headers = [("content-type", "text/html; charset=utf-8"), *page.headers]
        if self.secure and environ["wsgi.url_scheme"] == "https":
            headers.append(("strict-transport-security", "max-age=31536000"))
        start(_STATUS[page.status], headers)
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


def _is_troths(path: str) -> bool:
    return path.startswith(("/policy/", "/your-data/", "/ledger/", "/static/", "/.well-known/", "/console/"))


def _form(point: CollectionPoint) -> str:
    fields = "".join(
        f'<label>{html.escape(name)} <input name="{html.escape(name)}"'
        f"{' required' if use.need == 'required' else ''}></label>"
        for name, use in point.fields.items()
    )
    return f'<form method="post" action="{html.escape(str(point.page))}">{fields}<button>Send</button></form>'
