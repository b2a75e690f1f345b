"""Mailed links: create, look up without using, and use by pressing a button.

Mail scanners fetch every URL in an e-mail, so fetching changes nothing. Pressing the button opens a portal session of
some hours; during it the same link works again, for people who lost the page, and then it expires.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets

from django.db import transaction

from troth.service.configuration import ServiceError
from troth.service.core.deployment import Deployment
from troth.service.requests.models import Case, MailedLink

LINK_HOURS = 24
"""NIST SP 800-63A: a code sent by e-mail is valid for a day."""
WINDOW_HOURS = 4
_STATUS_DAYS = 400
"""Status links outlive the longest deadline, and the year in which people may come back to it."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkDead(ServiceError):
    """The link is unknown, used or expired; the error does not say which."""

    def __init__(self) -> None:
        super().__init__("this link does not work any more; ask for a new one")


def make(case: Case, use_for: str, *, now: dt.datetime, lasts: dt.timedelta | None = None) -> str:
    """Create a link for *case* in the caller's transaction. Returns its secret, which is stored only in the e-mail."""
    secret = secrets.token_urlsafe(32)
    default = dt.timedelta(days=_STATUS_DAYS) if use_for == MailedLink.Use.STATUS else dt.timedelta(hours=LINK_HOURS)
    MailedLink.objects.create(
        case=case, use=use_for, digest=_digest(secret), made_at=now, until=now + (lasts or default)
    )
    return secret


def drop(secret: str) -> None:
    """Delete a link that was not mailed."""
    MailedLink.objects.filter(digest=_digest(secret)).delete()


def address_of(secret: str, deployment: Deployment) -> str:
    """The URL to be mailed."""
    return f"{deployment.site}/your-data/link/{secret}"


def find(secret: str, *, now: dt.datetime) -> MailedLink:
    """The valid link of *secret*, without using it. Raises `LinkDead`."""
    if not _SECRET.fullmatch(secret):
        raise LinkDead
    link = MailedLink.objects.select_related("case", "case__key").filter(digest=_digest(secret)).first()
    if link is None or not _is_alive(link, now):
        raise LinkDead
    return link


def use(secret: str, *, now: dt.datetime) -> MailedLink:
    """Use the link: from now on it works only until the end of its portal session. Raises `LinkDead`."""
    with transaction.atomic():
        link = find(secret, now=now)
        if link.used_at is None and link.use != MailedLink.Use.STATUS:
            opened = now + dt.timedelta(hours=WINDOW_HOURS)
            if MailedLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now, open_until=opened):
                link.used_at, link.open_until = now, opened
            else:  # used concurrently: take the session of the other request
                link.refresh_from_db()
        return link


def _is_alive(link: MailedLink, now: dt.datetime) -> bool:
    if link.used_at is not None:
        return link.open_until is not None and now < link.open_until
    return now < link.until


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
