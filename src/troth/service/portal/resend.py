"""Sends people new links to what they have asked for before.

The page does the same work for every address: it stores one keyed reference. Whether there is anything to send is
determined later, in the worker, and only the owner of the mailbox learns it.
"""

from __future__ import annotations

import datetime as dt

from troth.declaration import IdentityKind
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.models import HIGH
from troth.service.core.jobs.queue import enqueue
from troth.service.duty import listed, resolve
from troth.subjects import Identity, references


def request_links(address: str, deployment: Deployment) -> None:
    """Request that links are resent to *address*, if there are any; the work is the same if there are none. Raises
    `troth.subjects.IdentityRefused`."""
    [subject] = references([Identity(((IdentityKind.EMAIL, address),))], deployment.keyring)
    enqueue("portal.resend_links", str(subject), priority=HIGH)


def resend_links(subject: str, *, now: dt.datetime) -> None:
    """Mail new links of every kind that can be resent. Idempotent if the duties' functions are."""
    for kind in listed("links"):
        if kind.resend:
            resolve(kind.resend)(subject, now=now)
