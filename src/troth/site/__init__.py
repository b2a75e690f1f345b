"""Probes the company's running site from outside, like an anonymous visitor.

Sends no cookie except one that the declaration configures, contacts no host other than the requested one, stores no
cookie values, stays within the size and time limits of `FetchLimits`, and reports what it could not look at.

What compares a snapshot is imported on first access, so that a process that fetches one address starts quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.lazy_imports import lazy_imports
from troth.site.fetch import FetchLimits, OtherHost, Site, SiteUnreachable, fetch
from troth.site.page import Form, FormField, PageLink, ProbeError, SetCookie, SitePage
from troth.site.public_addresses import Allowed, NotPublic, PublicOnly, addresses_of
from troth.site.tls import Tls, tls

if TYPE_CHECKING:
    from troth.site.snapshot import asked_hash

__all__ = [
    "Allowed",
    "FetchLimits",
    "Form",
    "FormField",
    "NotPublic",
    "OtherHost",
    "PageLink",
    "ProbeError",
    "PublicOnly",
    "SetCookie",
    "Site",
    "SitePage",
    "SiteUnreachable",
    "Tls",
    "addresses_of",
    "asked_hash",
    "fetch",
    "tls",
]

__getattr__ = lazy_imports(__name__, {"snapshot": "asked_hash"})
