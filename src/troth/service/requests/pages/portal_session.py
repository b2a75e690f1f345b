"""Portal sessions: the link that a visitor has opened, and their identity from the company's own login.

A session stores the primary key of a link and a sealed hand-over, never personal data in clear. Its key is renewed when
something is added, so that a key planted in a browser beforehand is useless (session fixation).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import secrets
from dataclasses import asdict

from django.conf import settings
from django.http import HttpRequest

from troth.protect import OpenError, SealingContext
from troth.service.core.deployment import Deployment
from troth.service.requests.models import MailedLink
from troth.service.requests.verification.proof import HandOver

_OPENED, _KNOWN, _SALT = "troth.case", "troth.known", "troth.salt"
_KNOWN_FOR = dt.timedelta(hours=1)


def is_inside(link: MailedLink) -> bool:
    """True if *link* gives access to personal data; a status link does not."""
    return link.use != MailedLink.Use.STATUS


def open_window(request: HttpRequest, link: MailedLink, *, now: dt.datetime) -> None:
    """Open a portal session for the case of a link that was just used. Existing wider access to the case is kept."""
    before = opened(request, now=now)
    if before is None or is_inside(link) or before.case_id != link.case_id:
        request.session[_OPENED] = link.pk
    request.session.cycle_key()


def opened(request: HttpRequest, *, now: dt.datetime) -> MailedLink | None:
    """The link whose portal session is open in this browser, or None."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or _OPENED not in request.session:
        return None
    link = MailedLink.objects.select_related("case", "case__key").filter(pk=request.session[_OPENED]).first()
    if link is None:
        return None
    until = link.until if link.use == MailedLink.Use.STATUS else link.open_until
    return link if until is not None and now < until else None


def remember(request: HttpRequest, handed: HandOver, deployment: Deployment, *, now: dt.datetime) -> None:
    """Store in the session, for an hour, the person whom the company signed in."""
    salt = secrets.token_hex(16)
    told = json.dumps({"until": (now + _KNOWN_FOR).timestamp(), **asdict(handed)}).encode()
    sealed = deployment.keyring.seal(told, _context(salt))
    request.session[_KNOWN], request.session[_SALT] = base64.b64encode(sealed).decode(), salt
    request.session.cycle_key()


def known(request: HttpRequest, deployment: Deployment, *, now: dt.datetime) -> HandOver | None:
    """The person whom the company signed in; None if there is none, or too long ago."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or _KNOWN not in request.session:
        return None
    try:
        sealed = base64.b64decode(request.session[_KNOWN])
        told = json.loads(deployment.keyring.unseal(sealed, _context(str(request.session.get(_SALT, "")))))
    except (OpenError, binascii.Error, ValueError):
        return None
    if told.pop("until") <= now.timestamp():
        return None
    told["identifiers"] = tuple((kind, value) for kind, value in told["identifiers"])
    return HandOver(**told)


def forget(request: HttpRequest) -> None:
    """End the session and delete its data."""
    request.session.flush()


def _context(salt: str) -> SealingContext:
    return SealingContext(domain="requests", table="session", field="known", subject=salt)
