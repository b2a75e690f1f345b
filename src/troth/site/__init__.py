"""Probes the company's running site from outside, like an anonymous visitor.

Sends no cookie except one that the declaration configures, contacts no host other than the requested one, stores no
cookie values, stays within the size and time limits of `FetchLimits`, and reports what it could not look at.
"""

from troth.site import controls as _controls  # noqa: F401 - registers this room's answers
from troth.site import custom_controls as _own  # noqa: F401 - and those to the company's own
from troth.site import privacy_signal as _signal  # noqa: F401
from troth.site.fetch import FetchLimits, OtherHost, Site, SiteUnreachable, fetch
from troth.site.page import Form, FormField, PageLink, ProbeError, SetCookie, SitePage
from troth.site.public_addresses import Allowed, NotPublic, PublicOnly, addresses_of
from troth.site.snapshot import asked_hash
from troth.site.tls import Tls, tls

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
