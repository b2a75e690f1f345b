"""One look at the site: each page is requested once, kept as it was then, and read by all controls of a run."""

from __future__ import annotations

import codecs
import contextlib
import datetime as dt
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx

from troth.controls import ControlFinding, ControlResult, Evidence
from troth.site.crawl import Trail, clicks_from, name_of
from troth.site.fetch import LeadsNowhere, OtherHost, Site, SiteUnreachable, Submission, get, submit
from troth.site.page import (
    ProbeError,
    SetCookie,
    SitePage,
    as_browsers_read,
    imports,
    is_read,
    named_in_file,
    read_cookie,
    read_page,
)
from troth.site.tls import Tls, tls

HOME: Final = "/"
NAMED_MAX: Final = 5
"""Pages that a result names for one reason."""
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

    def page(
        self, path: str, *, sends: Mapping[str, str] = _NOTHING, whole: bool = True, leaves: bool = False
    ) -> SitePage:
        """The page at a path (`HOME` is the declared home page) or an address. A response of any status is a page.

        Follows redirects on the site's own host. Without *whole*, its text may be missing (`SitePage.unread`), as of
        pages that are only linked. If it *leaves* the host, the page is the redirect that does. Raises `OtherHost`,
        `LimitReached`, and `SiteUnreachable`, also for missing text.
        """
        page = self.response(path, sends=sends, whole=whole)
        visited, cookies, redirects_max = list[str](), page.cookies, self.declared.limits.redirects_max
        while page.status in _REDIRECTS and (target := page.headers.get("location")):
            if len(visited) >= redirects_max:
                raise LeadsNowhere(f"{urlsplit(path).path} redirects more than {redirects_max} times")
            try:
                further = self.response(_joined(page.url, target), sends=sends, whole=whole)
            except OtherHost:
                if not leaves:
                    raise
                break
            visited.append(page.url)
            page, cookies = further, cookies + further.cookies
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

    def visit(self, *more: str, sends: Mapping[str, str] = _NOTHING) -> SiteView:
        """The pages that a visitor reaches: the home page, the site's pages, *more*, those of other programs if they
        exist, and every page of the host to which links lead from these, within `FetchLimits`. A page that needs a
        login or does not exist is a page only if it stores, asks or loads something.

        Links that sign out or delete are not followed, nor more than some addresses that differ in their query: they
        count as not observed.
        """
        site, limits = self.declared, self.declared.limits
        view = self.view(HOME, *site.pages, *more, *site.also, sends=sends)
        absent = {path for path in site.also if view.why_not.get(path) == "answered 404"}
        pages, why_not = dict(view.pages), {path: why for path, why in view.why_not.items() if path not in absent}
        asked = dict(view.asked)
        names = {self._address(path): path for path in pages}
        read = {address: pages[path] for address, path in names.items()}
        served = [path for path in site.also if path not in absent]
        trail = Trail(site, served=[*served, *(site.staff if served else ())])
        for address in dict.fromkeys(asked):
            trail.start(address)
        linked = left_out = 0
        while trail:
            address = trail.next()
            if address not in asked:
                if linked >= limits.pages_max:
                    left_out = len(trail) + 1
                    break
                try:
                    page = self.page(address, sends=sends, whole=False, leaves=True)
                except LimitReached:
                    left_out = len(trail) + 1
                    break
                except ProbeError as error:
                    linked += 1
                    asked[address], why_not[name_of(address, {*pages, *why_not})] = None, str(error)
                    continue
                asked[address] = page.fetched_at
                if not page.is_html:
                    continue
                linked += 1
                read[address] = page
                if why := _unread(page):
                    why_not[name_of(address, {*pages, *why_not})] = why
                elif _is_another(page, pages.values()):
                    pages[name_of(address, {*pages, *why_not})] = page
            if address in read:
                trail.go_on(read[address])
        if left_out:
            why_not["further pages"] = f"{left_out} or more are left out, because one visit reads {linked} linked pages"
        for address, why in trail.skipped.items():
            why_not[name_of(address, {*pages, *why_not})] = why
        cut = cut_links(pages)
        clicks = clicks_from(self._address(HOME), read)
        return SiteView(pages, {**why_not, **cut}, tuple(asked.items()), clicks, max(left_out - 1, 0))

    def resources(self, view: SiteView) -> SiteView:
        """The style sheets, pictures and files of the site's own host in the pages of *view*, and what these load from
        it, up to the limit; not how they look, but their headers, and what they load."""
        named = dict.fromkeys(address for page in view.pages.values() for address in page.resources)
        # Style sheets first: each picture is one file, and a style sheet may load many.
        queue = deque(sorted(named, key=lambda address: not urlsplit(address).path.endswith(".css")))
        seen, pages, why_not = {*queue}, dict[str, SitePage](), dict[str, str]()
        for _ in range(self.declared.limits.resources_max):
            if not queue:
                break
            address = queue.popleft()
            name = name_of(address, {*pages, *why_not})
            try:
                page = pages[name] = self.page(address, whole=False, leaves=True)
            except ProbeError as error:
                why_not[name] = str(error)
                continue
            if page.status == 200 and not page.is_html:
                named = dict.fromkeys(it for it in named_in_file(page) if urlsplit(it).hostname == self.declared.host)
                further = [it for it in named if it not in seen]
                seen.update(further)
                imported = {*imports(page.source, page.url)}
                queue.extendleft(it for it in further if it in imported)
                queue.extend(it for it in further if it not in imported)
        return SiteView(pages, why_not, tuple((page.url, page.fetched_at) for page in pages.values()))

    def submit(self, path: str, fill: Callable[[httpx.Response, str], Submission]) -> tuple[httpx.Response, str]:
        """The response, and its text, to the form that *fill* makes of the page at *path*, sent once. The form has to
        be one that changes nothing. Raises as `page`, and what *fill* raises."""
        url = self._address(path)

        def send() -> tuple[httpx.Response, str]:
            self._require_room(urlsplit(url).path)
            with self._timed():
                return submit(self.declared, url, fill)

        return self._once(("form", url), send)

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
        self._require_room(path)
        # Pages that are only linked leave room for those that are read.
        has_room = self._bytes < limits.total_bytes_max // (1 if whole else 2)
        wanted = is_read if has_room else lambda headers: False
        with self._timed():
            response, body, unread = get(self.declared, url, sends, is_read=wanted)
        if not has_room and is_read(response.headers):
            most = f"one look at the site keeps {limits.total_bytes_max} bytes at most"
            unread = f"{path} was not kept: {most}" if whole else _LINKED
        fetched_at = self._now + dt.timedelta(seconds=time.monotonic() - self._begun)
        cookies = (
            read_cookie(header, now=fetched_at, allowing=self.declared.allowing)
            for header in response.headers.get_list("set-cookie")
        )
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

    def _require_room(self, path: str) -> None:
        """Raises `LimitReached` if no more requests may be made."""
        limits = self.declared.limits
        if self._is_closed:
            raise LimitReached("the look at the site is over")
        if len(self._kept) > limits.requests_max or self._seconds > limits.total_seconds:
            most = f"{limits.requests_max} requests or {limits.total_seconds:g} s"
            raise LimitReached(f"{path} was not requested: one look at the site takes {most} at most")

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._seconds += time.monotonic() - begun


@dataclass(frozen=True, slots=True)
class SiteView:
    """The pages that a check reads, by path: *pages* answered, *why_not* are the reasons for those that did not, or
    were not seen whole. *asked* are all addresses that the check rests on, with the time of the response, if there was
    one. *clicks* are the fewest clicks from the home page by path, and *left_out* counts further pages."""

    pages: Mapping[str, SitePage]
    why_not: Mapping[str, str]
    asked: tuple[tuple[str, dt.datetime | None], ...]
    clicks: Mapping[str, int] = field(default_factory=dict)
    left_out: int = 0

    def evidence(self, *, population: int | None = None, excluded: int | None = None) -> Evidence:
        """How many pages were requested and how many were seen whole, and from when to when. Give *population* and
        *excluded* if the check counts links."""
        unseen = frozenset(f"site {path}" for path in self.why_not)
        seen = frozenset(f"site {path}" for path in self.pages) - unseen
        size, tested = len(seen | unseen) + self.left_out, len(seen)
        if population is not None:
            size, tested = population, population - (excluded or 0)
        left_out = self.left_out + 1 if "further pages" in self.why_not else 0
        times = sorted(at for _, at in self.asked if at is not None)
        period = (times[0], times[-1]) if times else None
        query = asked_hash(*(url for url, _ in self.asked))
        return Evidence(seen | unseen, seen, size, tested, left_out if excluded is None else excluded, period, query)

    def answer(
        self, summary: str, findings: list[ControlFinding], figures: Mapping[str, int], **size: int
    ) -> ControlResult:
        """Fails on any finding; without findings, `run` reports unobserved pages as an error."""
        notes = "".join(f" {paths}: {why}." for paths, why in _by_reason(self.why_not))
        return ControlResult.of(summary + notes, evidence=self.evidence(**size), findings=findings, figures=figures)

    def but(self, why_not: Mapping[str, str]) -> SiteView:
        """The same view, where for these reasons more was not seen."""
        return replace(self, why_not={**why_not, **self.why_not})

    def cookies(self) -> dict[str, tuple[str, SetCookie]]:
        """The cookies that pages set, each with the page where it lives longest."""
        cookies = [(path, it) for path, page in self.pages.items() for it in page.cookies if not it.is_deleted]
        longest: dict[str, tuple[str, SetCookie]] = {}
        for path, cookie in cookies:
            if cookie.name not in longest or _life(cookie) > _life(longest[cookie.name][1]):
                longest[cookie.name] = (path, cookie)
        return longest


def unseen_work(pages: Mapping[str, SitePage]) -> dict[str, str]:
    """Reasons for `SiteView.why_not`: which pages do more than their HTML shows, because they run a script."""
    return {path: page.unseen for path, page in pages.items() if page.unseen}


def cut_links(pages: Mapping[str, SitePage]) -> dict[str, str]:
    """Reasons for `SiteView.why_not`: of which pages some links are left out."""
    return {f"{path} links": "some are left out" for path, page in pages.items() if page.is_cut}


def _by_reason(why_not: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each reason once, with the first pages that it concerns."""
    for why in dict.fromkeys(why_not.values()):
        paths = [path for path, reason in why_not.items() if reason == why]
        more = f" and {len(paths) - NAMED_MAX} more" if len(paths) > NAMED_MAX else ""
        yield ", ".join(paths[:NAMED_MAX]) + more, why


def _unread(page: SitePage) -> str:
    """Why a linked page cannot be judged; a page that is missing or needs a login can be."""
    if page.status == 429 or page.status >= 500:
        return f"answered {page.status}"
    return page.unread


def _is_another(page: SitePage, pages: Collection[SitePage]) -> bool:
    """True if there is something to judge that no other page has."""
    if page.status != 200:
        return bool(page.cookies or page.forms or page.hosts or page.unseen)
    return bool(page.cookies or page.redirects) or all(page.url != other.url for other in pages)


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
        parts = urlsplit(urljoin(base, as_browsers_read(base, target)))
    except ValueError:
        raise LeadsNowhere(f"{urlsplit(base).path} leads to something that is not a web address") from None
    return parts._replace(path=parts.path or "/", fragment="").geturl()


_NOT_OF_THE_WEB = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf_7"})
"""Codecs of Python that browsers do not know; some take minutes for a page."""


def _decoded(body: bytes, charset: str | None) -> str:
    try:
        name = codecs.lookup(charset or "utf-8").name.replace("-", "_")
        return body.decode("utf-8" if name in _NOT_OF_THE_WEB else name, "replace")
    except (LookupError, UnicodeError):  # unknown, or takes no errors
        return body.decode("utf-8", "replace")
