"""Collects facts about the site: its first pages as a new visitor sees them, the link to the policy, and forms."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from troth.audit.facts import FormFacts, SiteFacts
from troth.controls import run
from troth.declaration import Declaration, Organisation, Policy
from troth.detect import classify
from troth.policy import PolicyError, published_text
from troth.site import HOME, Form, ProbeError, Site, SitePage, SiteSnapshot
from troth.site import controls as _controls  # noqa: F401 - registers them
from troth.stores import Column, ColumnKind, TableSchema

PAGES_MAX: Final = 20
"""Maximum number of pages fetched: the home page, the policy, and pages that the home page links to."""
_POLICY: Final = re.compile(r"\b(?:privacy|data protection|datenschutz)\b", re.I)
_FILES: Final = re.compile(r"\.(?:pdf|zip|png|jpe?g|svg|gif|css|js|xml|json|mp[34]|docx?|xlsx?)$", re.I)


def look_at_site(site: Site, *, now: dt.datetime) -> SiteFacts:
    """Facts from the first visit of a new visitor. Raises `ProbeError` if the home page cannot be read."""
    snapshot = SiteSnapshot(site, now=now)
    home = snapshot.page(HOME)
    if home.why_not:
        raise ProbeError(f"the home page {home.why_not}")
    policy = next((link.url for link in home.links if _POLICY.search(link.text) or _POLICY.search(_path(link.url))), "")
    own = (link.url for link in home.links if _is_own(site, link.url) and not _FILES.search(_path(link.url)))
    # A link with a query string may trigger an action, so it is not followed.
    linked = dict.fromkeys([*([policy] if policy else []), *(url for url in own if not urlsplit(url).query)])
    view = snapshot.view(*[url for url in linked if url != home.url][: PAGES_MAX - 1])
    view = replace(view, pages={home.url: home, **view.pages})  # with the cookies of a redirect to the home page
    pages = view.pages
    forms: dict[tuple[str, frozenset[str]], FormFacts] = {}
    for page in pages.values():
        for form in page.forms:
            asked = _form(_path(page.url), form)
            if asked is not None:  # the same form is often on every page
                forms.setdefault((_path(form.action), frozenset(asked.asks)), asked)
    lifetimes = {name: cookie.lifetime for name, (_, cookie) in view.cookies().items()}
    cookies = {name: None if lifetime is None else lifetime.days for name, lifetime in lifetimes.items()}
    return SiteFacts(
        home=_without_query(home.url),
        pages=tuple(_path(url) for url in pages),
        skipped=MappingProxyType({_path(url): why for url, why in view.why_not.items()}),
        cookies=MappingProxyType(cookies),
        hosts=MappingProxyType(_hosts(site, pages.values())),
        forms=tuple(forms.values()),
        policy_page=_without_query(policy),
        policy_faults=tuple(_faults(snapshot, policy, now)) if policy else (),
        policy_published=_words(pages.get(policy)),
    )


def _is_own(site: Site, url: str) -> bool:
    parts = urlsplit(url)
    return parts.hostname == site.host and parts.scheme in {"http", "https"}


def _path(url: str) -> str:
    return urlsplit(url).path or "/"


def _without_query(url: str) -> str:
    return urlsplit(url)._replace(query="", fragment="").geturl()


def _hosts(site: Site, pages: Iterable[SitePage]) -> dict[str, str]:
    """Other hosts, without the site's own subdomains, with the first page that uses each."""
    own = site.host.removeprefix("www.")
    found: dict[str, str] = {}
    for page in pages:
        for host in sorted(page.hosts):
            if host != own and not host.endswith(f".{own}"):
                found.setdefault(host, _path(page.url))
    return found


def _form(path: str, form: Form) -> FormFacts | None:
    """Classify a form's fields like the columns of a table about people; None if none is personal."""
    named = [field for field in form.fields if field.name]
    kinds = {"email": "email", "tel": "phone"}
    columns = {kinds.get(field.kind, field.name): field.name for field in named if field.kind != "password"}
    table = TableSchema("contact", tuple(Column(name, ColumnKind.TEXT, "text") for name in columns))
    asks: Mapping[str, str] = {}
    for it in classify(table, {}):
        if it.entity != "FREE_TEXT":
            asks = {columns[it.column]: it.category, **asks}
    return FormFacts(path, len(form.fields), MappingProxyType(dict(asks))) if asks else None


def _faults(snapshot: SiteSnapshot, policy: str, now: dt.datetime) -> Iterator[str]:
    """Faults of the policy link, found by the control ``site.policy_conspicuous``."""
    site = snapshot.declared
    declaration = Declaration(
        troth=1,
        organisation=Organisation(name=site.host, country="GB", address="-", email="-", site=site.home),
        policy=Policy(file=Path("policy"), effective=now.date(), url=policy),
    )
    check = run("site.policy_conspicuous", {"declaration": declaration, "site": snapshot, "now": now})
    yield from (finding.message for finding in check.findings)


def _words(page: SitePage | None) -> str | None:
    """The normalised words of the policy page, for comparison; None if it could not be read."""
    if page is None or not page.source:
        return None
    try:
        return published_text(page.source)
    except PolicyError:
        return None
