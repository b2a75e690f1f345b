"""A snapshot of the site: the declared pages that answered, and the cookies that they set."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from troth.controls import ControlFinding, ControlResult, Evidence
from troth.site.fetch import Site, fetch
from troth.site.page import ProbeError, SetCookie, SitePage

HOME = "/"


@dataclass(frozen=True, slots=True)
class SiteSnapshot:
    """The requested pages by path: *pages* answered, *why_not* are the reasons for the others. *asked* are the
    addresses, without their queries."""

    pages: Mapping[str, SitePage]
    why_not: Mapping[str, str]
    asked: tuple[str, ...]

    def evidence(self, *, population: int | None = None, excluded: int = 0) -> Evidence:
        """How many pages were requested and how many answered. Give *population* and *excluded* if the check counts
        links."""
        seen = frozenset(f"site {path}" for path in self.pages)
        unseen = frozenset(f"site {path}" for path in self.why_not)
        size = len(seen | unseen) if population is None else population
        tested = len(seen) if population is None else population - excluded
        query = asked_hash(*self.asked)
        return Evidence(seen | unseen, seen, population=size, tested=tested, excluded=excluded, query=query)

    def answer(
        self, summary: str, findings: list[ControlFinding], figures: Mapping[str, int], **size: int
    ) -> ControlResult:
        """Fails on any finding; without findings, `run` reports unobserved pages as an error."""
        notes = "".join(f" {path}: {why}." for path, why in self.why_not.items())
        return ControlResult.of(summary + notes, evidence=self.evidence(**size), findings=findings, figures=figures)


def look_at(site: Site, *more: str, sends: Mapping[str, str] = MappingProxyType({})) -> SiteSnapshot:
    """The home page, the site's pages and *more*, each fetched as a new visitor that *sends* these headers."""
    pages, why_not, wanted = {}, {}, tuple(dict.fromkeys((HOME, *site.pages, *more)))
    for path in wanted:
        try:
            page = fetch(site, site.home if path == HOME else path, sends=sends)
        except ProbeError as error:
            why_not[path] = str(error)
            continue
        if page.status == 200:
            pages[path] = page
        else:
            why_not[path] = f"answered {page.status}"
    return SiteSnapshot(pages, why_not, tuple(address_of(site, path) for path in wanted))


def asked_hash(*addresses: str) -> str:
    """A hash of the requested addresses without their queries, independent of their order."""
    named = sorted({address.partition("?")[0] for address in addresses})
    return "sha256:" + hashlib.sha256("\0".join(named).encode()).hexdigest()


def address_of(site: Site, path: str) -> str:
    """The address of a page, without its query."""
    return (site.home if path == HOME else site.address(path)).partition("?")[0]


def cookies_set(look: SiteSnapshot) -> dict[str, tuple[str, SetCookie]]:
    """The cookies that pages set, each with the page where it lives longest."""
    found: dict[str, tuple[str, SetCookie]] = {}
    for path, page in look.pages.items():
        for cookie in page.cookies:
            known = found.get(cookie.name)
            if not cookie.is_deleted and (known is None or _life(cookie) > _life(known[1])):
                found[cookie.name] = (path, cookie)
    return found


def _life(cookie: SetCookie) -> dt.timedelta:
    return cookie.lifetime or dt.timedelta(0)
