"""Portal sessions: the links that a visitor has opened, one of each app, and who they are by the company's own login.

A session stores primary keys of links and a sealed identity, never personal data in clear. Its key is renewed when
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
from troth.service.portal.handover import SignedInPerson
from troth.service.portal.links import kind_of, session_end
from troth.service.portal.models import MailedLink

_LINKS, _KNOWN, _SALT = "troth.links", "troth.known", "troth.salt"
_KNOWN_FOR = dt.timedelta(hours=1)


def open_session(request: HttpRequest, link: MailedLink, *, now: dt.datetime) -> None:
    """Open a portal session for a link that was just used. A standing link does not replace another one about the same
    matter."""
    app = kind_of(link).app
    before = opened(request, app, now=now)
    if before is None or not kind_of(link).is_standing or before.matter != link.matter:
        request.session[_LINKS] = {**request.session.get(_LINKS, {}), app: link.pk}
    request.session.cycle_key()


def opened(request: HttpRequest, app: str, *, now: dt.datetime) -> MailedLink | None:
    """The link of *app* whose session is open in this browser, or None."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    link = MailedLink.objects.filter(pk=request.session.get(_LINKS, {}).get(app)).first()
    if link is None:
        return None
    until = session_end(link)
    return link if until is not None and now < until else None


def remember(request: HttpRequest, person: SignedInPerson, deployment: Deployment, *, now: dt.datetime) -> None:
    """Store in the session, for an hour, the person whom the company signed in."""
    salt = secrets.token_hex(16)
    content = json.dumps({"until": (now + _KNOWN_FOR).timestamp(), **asdict(person)}).encode()
    sealed = deployment.keyring.seal(content, _context(salt))
    request.session[_KNOWN], request.session[_SALT] = base64.b64encode(sealed).decode(), salt
    request.session.cycle_key()


def known(request: HttpRequest, deployment: Deployment, *, now: dt.datetime) -> SignedInPerson | None:
    """The person whom the company signed in; None if there is none, or too long ago."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or _KNOWN not in request.session:
        return None
    try:
        sealed = base64.b64decode(request.session[_KNOWN])
        content = json.loads(deployment.keyring.unseal(sealed, _context(str(request.session.get(_SALT, "")))))
    except (OpenError, binascii.Error, ValueError):
        return None
    if content.pop("until") <= now.timestamp():
        return None
    content["identifiers"] = tuple((kind, value) for kind, value in content["identifiers"])
    return SignedInPerson(**content)


def forget(request: HttpRequest) -> None:
    """End the session and delete its data."""
    request.session.flush()


def _context(salt: str) -> SealingContext:
    return SealingContext(domain="portal", table="session", field="known", subject=salt)
