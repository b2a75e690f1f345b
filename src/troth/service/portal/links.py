"""Mailed links: create, look up without using, and use by pressing a button.

A link is of a registered kind (`duty.LinkKind`) and about one row of the duty that made it, its *matter*. Mail scanners
fetch every URL in an e-mail, so fetching changes nothing. Pressing the button acts; for some hours the same link works
again, for people who lost the page, and then it expires.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models.functions import Coalesce

from troth.service.configuration import ServiceError
from troth.service.core.deployment import Deployment
from troth.service.duty import LinkKind, listed
from troth.service.portal.models import MailedLink

SESSION_HOURS = 4
"""How long a used link works, and the session that it opened."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkDead(ServiceError):
    """The link is unknown, used or expired; the error does not say which."""

    def __init__(self) -> None:
        super().__init__("this link does not work any more; ask for a new one")


def make(kind: LinkKind, matter: int, *, language: str, now: dt.datetime, lasts: dt.timedelta | None = None) -> str:
    """`make_all` for one link."""
    return make_all(kind, [(matter, language)], now=now, lasts=lasts)[0]


def make_all(
    kind: LinkKind, matters: Sequence[tuple[int, str]], *, now: dt.datetime, lasts: dt.timedelta | None = None
) -> list[str]:
    """Create a link about each of *matters* in the caller's transaction, given with the language of its message.
    Returns their secrets, which are stored only in the e-mails."""
    made = [secrets.token_urlsafe(32) for _ in matters]
    MailedLink.objects.bulk_create(
        MailedLink(
            kind=kind.name,
            matter=matter,
            language=language,
            digest=_digest(secret),
            made_at=now,
            until=now + (lasts or kind.lasts),
        )
        for (matter, language), secret in zip(matters, made, strict=True)
    )
    return made


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
    link = MailedLink.objects.filter(digest=_digest(secret)).first()
    if link is None or link.kind not in _kinds() or not _is_alive(link, now):
        raise LinkDead
    return link


def use(secret: str, *, now: dt.datetime) -> MailedLink:
    """Use the link: unless it is a standing one, it works only for some hours from now on. Raises `LinkDead`."""
    with transaction.atomic():
        link = find(secret, now=now)
        if link.used_at is None and not kind_of(link).is_standing:
            until = now + dt.timedelta(hours=SESSION_HOURS)
            if MailedLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now, open_until=until):
                link.used_at, link.open_until = now, until
            else:  # used concurrently: take the session of the other request
                link.refresh_from_db()
        return link


def close(link: MailedLink, *, now: dt.datetime) -> None:
    """End the use of a link, and its session."""
    MailedLink.objects.filter(pk=link.pk).update(used_at=Coalesce("used_at", now), open_until=now)


def kind_of(link: MailedLink) -> LinkKind:
    """The registered kind of *link*, which is one that `find` or a session returned."""
    return _kinds()[link.kind]


@functools.cache
def _kinds() -> Mapping[str, LinkKind]:
    return {kind.name: kind for kind in listed("links")}


def _is_alive(link: MailedLink, now: dt.datetime) -> bool:
    if link.used_at is not None:
        return link.open_until is not None and now < link.open_until
    return now < link.until


def session_end(link: MailedLink) -> dt.datetime | None:
    """When the session that *link* opens is over; None if it opens none."""
    if link.kind not in _kinds():
        return None
    return link.until if kind_of(link).is_standing and link.open_until is None else link.open_until


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
