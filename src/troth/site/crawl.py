"""Which pages of the site a visitor reaches who follows links. Decides; `SiteSnapshot.visit` requests the pages."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from troth.site.fetch import Site
from troth.site.page import SitePage

QUERIES_MAX = 10
"""Addresses that differ in their query alone are mostly one page: so many of them are visited."""
SKIPPED_MAX = 100
"""Addresses that are named as not visited."""
NAME_MAX = 200
_ACTS = re.compile(
    r"(?:^|[/=&])(?:log-?out|log-?off|sign-?out|abmelden|unsubscribe|delete|remove|destroy)(?:$|[/=&])", re.I
)


class Trail:
    """The addresses that are still to be visited, each once and in the order in which they were named. None is below
    the paths in *served*, which another program serves, unless it is named by `start`. *skipped* are other addresses
    that a link leads to and that are not visited, with the reason."""

    def __init__(self, site: Site, *, served: Collection[str]) -> None:
        self._site, self._served = site, tuple(served)
        self._queue, self._seen, self._variants = deque[str](), set[str](), Counter[str]()
        self.skipped: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._queue)

    def start(self, address: str) -> None:
        """Visit *address* in any case."""
        if address not in self._seen:
            self._seen.add(address)
            self._queue.append(address)

    def next(self) -> str:
        """The address to visit now."""
        return self._queue.popleft()

    def go_on(self, page: SitePage) -> None:
        """Visit what *page* links to."""
        self._seen.add(page.url)
        for target in _targets(page):
            if target in self._seen or not self._is_for_visitors(target):
                continue
            if why := self._why_skipped(target):
                # A page is named once, not with each of its queries.
                path = urlsplit(target)._replace(query="").geturl()
                if len(self.skipped) < SKIPPED_MAX:
                    self.skipped.setdefault(path, why)
            else:
                self.start(target)

    def _is_for_visitors(self, address: str) -> bool:
        parts, home = urlsplit(address), urlsplit(self._site.home)
        if parts.hostname != home.hostname or parts.port not in {None, 80, 443, home.port}:
            return False
        return not parts.path.startswith(self._served)

    def _why_skipped(self, address: str) -> str:
        parts = urlsplit(address)
        # A program that follows such a link would do what it says.
        if _ACTS.search(parts.path) or _ACTS.search(f"&{parts.query}"):
            return "is not visited, because the link to it may change something"
        self._variants[parts.path] += bool(parts.query)
        if parts.query and self._variants[parts.path] > QUERIES_MAX:
            return f"has more than {QUERIES_MAX} addresses that differ in their query, and the others are not visited"
        return ""


def clicks_from(home: str, read: Mapping[str, SitePage]) -> dict[str, int]:
    """The fewest clicks from *home* by which each path is reached, over the pages that were *read*, by address."""
    clicks, reached, queue = {urlsplit(home).path: 0}, {home: 0}, deque([home])
    while queue:
        address = queue.popleft()
        if (page := read.get(address)) is None:
            continue
        for target in _targets(page):
            if target not in reached and urlsplit(target).hostname == urlsplit(home).hostname:
                reached[target] = reached[address] + 1
                clicks.setdefault(urlsplit(target).path or "/", reached[target])
                queue.append(target)
    return clicks


def name_of(address: str, taken: Collection[str]) -> str:
    """The name of a page in results: its path, and a number if that is *taken*. A query may hold personal data."""
    path, number = (urlsplit(address).path or "/")[:NAME_MAX], 1
    name = path
    while name in taken:
        number += 1
        name = f"{path} ({number})"
    return name


def _targets(page: SitePage) -> dict[str, None]:
    return dict.fromkeys([*page.leads, *(link.url for link in page.links)])
