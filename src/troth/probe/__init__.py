"""Looking at the running company from outside, as a stranger would.

It promises to send no cookie but one that the declaration has it send, to go to no other host than it was asked to, to
keep no cookie's value, to read no more and wait no longer than `Limits` say, and to name what it could not look at.
"""

from troth.probe import controls as _controls  # noqa: F401 - registers this room's answers
from troth.probe import own as _own  # noqa: F401 - and those to the company's own
from troth.probe import signal as _signal  # noqa: F401
from troth.probe.looking import asked_hash
from troth.probe.page import Cookie, Form, FormField, Link, Page, ProbeError
from troth.probe.public import Allowed, NotPublic, PublicOnly, addresses_of
from troth.probe.site import Limits, OtherHost, Site, Unreachable, fetch
from troth.probe.transport import Tls, tls

__all__ = [
    "Allowed",
    "Cookie",
    "Form",
    "FormField",
    "Limits",
    "Link",
    "NotPublic",
    "OtherHost",
    "Page",
    "ProbeError",
    "PublicOnly",
    "Site",
    "Tls",
    "Unreachable",
    "addresses_of",
    "asked_hash",
    "fetch",
    "tls",
]
