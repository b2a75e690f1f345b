"""One look at the site: each page is requested once, kept as it was then, and read by all controls of a run."""

from __future__ import annotations

import codecs
import contextlib
import datetime as dt
import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import urljoin, urlsplit

from troth.controls import ControlFinding, ControlResult, Evidence
from troth.site.fetch import Site, SiteUnreachable, get
from troth.site.page import ProbeError, SetCookie, SitePage, is_text, read_cookie, read_page
from troth.site.tls import Tls, tls

HOME: Final = "/"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_LINKED: Final = "its text was not kept, because it was only linked"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_T = TypeVar("_T")


class LimitReached(ProbeError):
    """The page was not requested, because a limit for the whole snapshot is reached, or the snapshot is closed."""


class SiteSnapshot:
    """What a new visitor sees of the *declared* site at *now*. A page is requested when it is first asked for; after
    that everyone gets the same response, or the same failure. Each set of additional request headers has its own pages.
    A page that was only linked may be requested a second time, for its text.

    No cookie is sent unless a header says so, not even one that a redirect has just set. `FetchLimits` bounds requests,
    time and memory. It may be shared between threads; who waits too long for another thread's request keeps that page
    as a failure, for everyone. Close it at the end: a check that was abandoned then makes no more requests.
    """

    def __init__(self, site: Site, *, now: dt.datetime) -> None:
        self.declared = site
        self._now, self._begun = now, time.monotonic()
        self._kept: dict[object, Future[object]] = {}
        self._lock = threading.Lock()
        self._bytes, self._seconds, self._is_closed = 0, 0.0, False

    def close(self) -> None:
        """Make no more requests. What is kept can still be read."""
        self._is_closed = True

    def page(self, path: str, *, sends: Mapping[str, str] = _NOTHING, whole: bool = True) -> SitePage:
        """The page at a path (`HOME` is the declared home page) or an address. A response of any status is a page.

        Follows redirects on the site's own host. Without *whole*, its text may be missing (`SitePage.unread`), as of
        pages that are only linked. Raises `OtherHost`, `LimitReached`, and `SiteUnreachable`, also for missing text.
        """
        page = self.response(path, sends=sends, whole=whole)
        visited, cookies, redirects_max = list[str](), page.cookies, self.declared.limits.redirects_max
        while page.status in _REDIRECTS and (target := page.headers.get("location")):
            if len(visited) >= redirects_max:
                raise SiteUnreachable(f"{urlsplit(path).path} redirects more than {redirects_max} times")
            visited.append(page.url)
            page = self.response(_joined(page.url, target), sends=sends, whole=whole)
            cookies += page.cookies
        if whole and page.unread:
            raise SiteUnreachable(page.unread)
        return replace(page, redirects=tuple(visited), cookies=cookies)

    def response(self, path: str, *, sends: Mapping[str, str] = _NOTHING, whole: bool = True) -> SitePage:
        """The response itself, even if it is a redirect or its text is missing. Otherwise as `page`."""
        url = self._address(path)
        key = (url, *sorted(sends.items()))
        page = self._once(key, lambda: self._fetch(url, sends, whole))
        if whole and page.unread == _LINKED:
            return self._once((key, "whole"), lambda: self._fetch(url, sends, whole))
        return page

    def view_all(self, *more: str, sends: Mapping[str, str] = _NOTHING) -> SiteView:
        """The home page, the site's pages and *more*, as a visitor sees them who *sends* these headers."""
        return self.view(HOME, *self.declared.pages, *more, sends=sends)

    def view(self, *paths: str, sends: Mapping[str, str] = _NOTHING) -> SiteView:
        """The pages at *paths*, and why others did not answer as a page does."""
        pages, why_not, asked = dict[str, SitePage](), dict[str, str](), dict[str, dt.datetime | None]()
        for path in dict.fromkeys(paths):
            url = self._address(path)
            try:
                page = self.page(path, sends=sends)
            except ProbeError as error:
                asked[url], why_not[path] = None, str(error)
                continue
            asked[url] = page.fetched_at
            if page.why_not:
                why_not[path] = page.why_not
            else:
                pages[path] = page
        return SiteView(pages, why_not, tuple(asked.items()))

    def tls(self) -> Tls:
        """What the site's port offers. Raises `SiteUnreachable`."""
        return self.declared.offers or self._once("tls", lambda: tls(self.declared, now=self._now))

    def _address(self, path: str) -> str:
        return _joined(self.declared.home, "" if path == HOME else path)

    def _once(self, key: object, look: Callable[[], _T]) -> _T:
        """What *look* returned or raised when it was first called for *key*."""
        with self._lock:
            is_first = key not in self._kept
            kept: Future[object] = self._kept.setdefault(key, Future())
        if is_first:
            try:
                _settle(kept, look())
            except Exception as error:  # noqa: BLE001 - raised below, and again for the next
                _settle(kept, error)
        try:
            outcome = kept.result(self.declared.limits.seconds)
        except TimeoutError:
            _settle(kept, SiteUnreachable("an earlier check still waits for the answer"))
            outcome = kept.result()
        if isinstance(outcome, Exception):
            raise outcome.with_traceback(None)
        return outcome  # type: ignore[return-value]  # the key says of which type

    def _fetch(self, url: str, sends: Mapping[str, str], whole: bool) -> SitePage:
        limits, path = self.declared.limits, urlsplit(url).path
        if self._is_closed:
            raise LimitReached("the look at the site is over")
        if len(self._kept) > limits.requests_max or self._seconds > limits.total_seconds:
            most = f"{limits.requests_max} requests or {limits.total_seconds:g} s"
            raise LimitReached(f"{path} was not requested: one look at the site takes {most} at most")
        # Pages that are only linked leave room for those that are read.
        has_room = self._bytes < limits.total_bytes_max // (1 if whole else 2)
        begun = time.monotonic()
        try:
            is_read = is_text if has_room else lambda headers: False
            response, body, unread = get(self.declared, url, sends, is_read=is_read)
        finally:
            with self._lock:
                self._seconds += time.monotonic() - begun
        if not has_room and is_text(response.headers):
            most = f"one look at the site keeps {limits.total_bytes_max} bytes at most"
            unread = f"{path} was not kept: {most}" if whole else _LINKED
        fetched_at = self._now + dt.timedelta(seconds=time.monotonic() - self._begun)
        cookies = (read_cookie(header, now=fetched_at) for header in response.headers.get_list("set-cookie"))
        page = SitePage(
            url,
            response.status_code,
            MappingProxyType({name: value for name, value in response.headers.items() if name != "set-cookie"}),
            fetched_at,
            cookies=tuple(cookie for cookie in cookies if cookie is not None),
            unread=unread,
        )
        if not unread:
            page = read_page(page, _decoded(body, response.charset_encoding))
            with self._lock:
                self._bytes += page.size_bytes
        return page


@dataclass(frozen=True, slots=True)
class SiteView:
    """The pages that a check reads, by path: *pages* answered, *why_not* are the reasons for the others. *asked* are
    all addresses that the check rests on, with the time of the response, if there was one."""

    pages: Mapping[str, SitePage]
    why_not: Mapping[str, str]
    asked: tuple[tuple[str, dt.datetime | None], ...]

    def evidence(self, *, population: int | None = None, excluded: int = 0) -> Evidence:
        """How many pages were requested and how many answered, and from when to when. Give *population* and *excluded*
        if the check counts links."""
        seen = frozenset(f"site {path}" for path in self.pages)
        unseen = frozenset(f"site {path}" for path in self.why_not)
        size = len(seen | unseen) if population is None else population
        tested = len(seen) if population is None else population - excluded
        times = sorted(at for _, at in self.asked if at is not None)
        period = (times[0], times[-1]) if times else None
        query = asked_hash(*(url for url, _ in self.asked))
        return Evidence(seen | unseen, seen, size, tested, excluded, period, query)

    def answer(
        self, summary: str, findings: list[ControlFinding], figures: Mapping[str, int], **size: int
    ) -> ControlResult:
        """Fails on any finding; without findings, `run` reports unobserved pages as an error."""
        notes = "".join(f" {path}: {why}." for path, why in self.why_not.items())
        return ControlResult.of(summary + notes, evidence=self.evidence(**size), findings=findings, figures=figures)

    def cookies(self) -> dict[str, tuple[str, SetCookie]]:
        """The cookies that pages set, each with the page where it lives longest."""
        cookies = [(path, it) for path, page in self.pages.items() for it in page.cookies if not it.is_deleted]
        longest: dict[str, tuple[str, SetCookie]] = {}
        for path, cookie in cookies:
            if cookie.name not in longest or _life(cookie) > _life(longest[cookie.name][1]):
                longest[cookie.name] = (path, cookie)
        return longest


def cut_links(pages: Mapping[str, SitePage]) -> dict[str, str]:
    """Reasons for `SiteView.why_not`: of which pages some links are left out."""
    return {f"{path} links": "some are left out" for path, page in pages.items() if page.is_cut}


def asked_hash(*addresses: str) -> str:
    """A hash of the requested addresses without their queries, independent of their order."""
    named = sorted({address.partition("?")[0] for address in addresses})
    return "sha256:" + hashlib.sha256("\0".join(named).encode()).hexdigest()


def _life(cookie: SetCookie) -> dt.timedelta:
    return cookie.lifetime or dt.timedelta(0)


def _settle(kept: Future[object], outcome: object) -> None:
    with contextlib.suppress(InvalidStateError):  # the first outcome stays
        kept.set_result(outcome)


def _joined(base: str, target: str) -> str:
    """The address that *target* means on a page: absolute, without fragment, the same for both spellings of a host."""
    try:
        parts = urlsplit(urljoin(base, target))
    except ValueError:
        raise SiteUnreachable(f"{urlsplit(base).path} leads to something that is not a web address") from None
    return parts._replace(path=parts.path or "/", fragment="").geturl()


_NOT_OF_THE_WEB = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf_7"})
"""Codecs of Python that browsers do not know; some take minutes for a page."""


def _decoded(body: bytes, charset: str | None) -> str:
    try:
        name = codecs.lookup(charset or "utf-8").name.replace("-", "_")
        return body.decode("utf-8" if name in _NOT_OF_THE_WEB else name, "replace")
    except (LookupError, UnicodeError):  # unknown, or takes no errors
        return body.decode("utf-8", "replace")
