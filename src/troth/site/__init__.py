"""Probes the company's running site from outside, like an anonymous visitor.

`SiteSnapshot` is one look at the site, which all controls of a run read: each page is requested once, or again if
only its status was kept.

Sends no cookie except one that the declaration configures, contacts no host other than the requested one, stores no
cookie values, sends no form except Troth's own, empty (`form_fault`), stays within the limits of `FetchLimits`, and
reports what it could not look at.

The snapshot is imported on first access, so that a process that fetches one address starts quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.lazy_imports import lazy_imports
from troth.site.fetch import FetchLimits, OtherHost, Site, SiteUnreachable
from troth.site.page import Form, FormField, PageLink, ProbeError, SetCookie, SitePage
from troth.site.public_addresses import Allowed, NotPublic, PublicOnly, addresses_of
from troth.site.tls import Tls

if TYPE_CHECKING:
    from troth.site.form_probe import form_fault
    from troth.site.snapshot import HOME, LimitReached, SiteSnapshot, SiteView, asked_hash, cut_links

__all__ = [
    "HOME",
    "Allowed",
    "FetchLimits",
    "Form",
    "FormField",
    "LimitReached",
    "NotPublic",
    "OtherHost",
    "PageLink",
    "ProbeError",
    "PublicOnly",
    "SetCookie",
    "Site",
    "SitePage",
    "SiteSnapshot",
    "SiteUnreachable",
    "SiteView",
    "Tls",
    "addresses_of",
    "asked_hash",
    "cut_links",
    "form_fault",
]

__getattr__ = lazy_imports(
    __name__,
    {"form_probe": "form_fault", "snapshot": "HOME LimitReached SiteSnapshot SiteView asked_hash cut_links"},
)
