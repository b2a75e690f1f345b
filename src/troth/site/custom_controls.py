"""HTTP checks for the company's own controls: a number from the response, or whether the response is as expected."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from troth.controls import BadFigure, CheckOutcome, ControlResult, Evidence, answers_own, figure_of, judged
from troth.declaration import HttpFigure, OwnControl, resolve
from troth.site.fetch import SiteUnreachable
from troth.site.page import SitePage
from troth.site.sandboxed_fetch import fetch
from troth.site.snapshot import SiteSnapshot
from troth.text import counted

_BYTES_MAX = 1_000_000


@answers_own("http")
def own_http(own: OwnControl, site: SiteSnapshot | None = None) -> ControlResult:
    """One request per address (https or localhost only). Redirects are not followed, and the response body is not
    kept. Pages of the site are those of the snapshot, if the control would request them in the same way."""
    asked = own.http
    assert asked is not None, "it is registered for these"
    host = urlsplit(asked.url).hostname or ""
    addresses = list(dict.fromkeys([asked.url, *(urljoin(asked.url, path) for path in asked.also)]))
    query = "sha256:" + hashlib.sha256("\0".join(addresses).encode()).hexdigest()
    pages = _kept(asked, addresses, site)
    if not pages and site is not None and site.declared.transport is not None:
        raise SiteUnreachable(f"{host} is not asked, because the site is a scripted one")
    places, answered = [_place(host, url, asked) for url in addresses], list(_ask(asked, addresses, pages))
    scope, times = frozenset(places), sorted(page.fetched_at for page in pages)
    period = (times[0], times[-1]) if times else None
    evidence = Evidence(scope, scope, len(addresses), len(addresses), period=period, query=query)
    if asked.json_ is None:
        figures = [(place, int(is_right)) for place, (is_right, _, _) in zip(places, answered, strict=True)]
        return _all_alike(own, figures, evidence)
    [(is_right, status, body)] = answered
    if not is_right:
        why = f"{host} answered {status}, or without the expected text, and returned no figure."
        return ControlResult(CheckOutcome.ERROR, why, Evidence(scope, query=query))
    return judged(own, figure_of(_at(body, asked)), host, evidence)


def _place(host: str, url: str, asked: HttpFigure) -> str:
    """The label of an address: its host, and its path if there are several. Addresses that differ only in their query
    share a label."""
    return f"{host} {urlsplit(url).path or '/'}" if asked.also else host


def _kept(asked: HttpFigure, addresses: Sequence[str], site: SiteSnapshot | None) -> list[SitePage]:
    """The addresses in the snapshot, if all are text of the site, requested as a visitor does who waits as long."""
    is_alike = asked.token is None and asked.json_ is None
    if site is None or not is_alike or asked.timeout_s != site.declared.limits.seconds:
        return []
    if urlsplit(asked.url)[:2] != urlsplit(site.declared.home)[:2]:
        return []
    pages = [site.response(url) for url in addresses]
    return pages if all(page.is_text and not page.unread for page in pages) else []


def _ask(asked: HttpFigure, addresses: Sequence[str], pages: Sequence[SitePage]) -> Iterator[tuple[bool, int, bytes]]:
    """For each address: whether it answered as expected, the status and the body."""
    if pages:
        answers = [(page.status, page.source.encode()) for page in pages]
    else:
        sent = {"authorization": f"Bearer {resolve(asked.token, os.environ).reveal()}"} if asked.token else {}
        answers = fetch(addresses, sent, within_s=asked.timeout_s, bytes_max=_BYTES_MAX)
    for status, body in answers:
        has_words = asked.contains is None or asked.contains.encode() in body
        yield status == asked.status and has_words, status, body


def _all_alike(own: OwnControl, figures: Sequence[tuple[str, int]], evidence: Evidence) -> ControlResult:
    """The result of the first page whose figure violates `must`, or of the first page if none does."""
    wrong = [each for each in figures if own.must is not None and not own.must.holds(each[1])]
    place, figure = (wrong or figures)[0]
    answer = judged(own, figure, place, evidence)
    pages = f" {counted(len(figures), 'page')} asked, {len(wrong)} of them failing." if len(figures) > 1 else ""
    return replace(answer, summary=answer.summary + pages)


def _at(body: bytes, asked: HttpFigure) -> Any:
    """The value at the JSON pointer (RFC 6901). Raises `BadFigure`."""
    assert asked.json_ is not None, "it is asked for"
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise BadFigure("the answer is not JSON") from None
    for part in asked.json_[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdecimal() and len(key) < 8 and int(key) < len(found):
            found = found[int(key)]
        else:
            raise BadFigure(f"the answer has no {asked.json_}")
    return found
