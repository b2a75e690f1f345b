"""Short codes to type in, where a link does not help: a code that is read out, or typed on another device.

A code is about one matter, like a link of the same kind. It works once and for minutes; a few wrong ones end it. A new
code replaces the one before.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from troth.service.configuration import ServiceError
from troth.service.duty import LinkKind
from troth.service.portal.models import OneTimeCode

CODE_LASTS = dt.timedelta(minutes=10)
"""NIST SP 800-63B 5.1.3.2: an out-of-band secret is valid for ten minutes at most."""
TRIES_MAX = 5
_DIGITS = 8
"""Five guesses hit one of 10^8 codes once in twenty million times."""


class CodeRefused(ServiceError):
    """The code is wrong, used or expired, or too many were tried; the error does not say which."""

    def __init__(self) -> None:
        super().__init__("this code does not work; check it, or ask for a new one")


def make(kind: LinkKind, matter: int, *, now: dt.datetime) -> str:
    """Create the code of *matter* in the caller's transaction. Returns its digits, which are stored nowhere. The caller
    limits how often this is called, because each code may be tried some times."""
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    fresh = {"digest": _digest(kind, matter, code), "until": now + CODE_LASTS, "tries": 0}
    OneTimeCode.objects.update_or_create(kind=kind.name, matter=matter, defaults=fresh)
    return code


def use(kind: LinkKind, matter: int, typed: str, *, now: dt.datetime) -> None:
    """Check what somebody *typed*, with or without spaces and hyphens, and delete the code if it is right. Call this
    outside of a transaction, so that a wrong code stays counted. Raises `CodeRefused`."""
    rows = OneTimeCode.objects.filter(kind=kind.name, matter=matter)
    with transaction.atomic(durable=True):
        # Counted before the comparison, so that concurrent guesses all count.
        is_open = rows.filter(until__gt=now, tries__lt=TRIES_MAX).update(tries=F("tries") + 1)
    row = rows.first() if is_open else None
    given = _digest(kind, matter, typed.replace(" ", "").replace("-", ""))
    if row is None or not hmac.compare_digest(bytes(row.digest), given):
        raise CodeRefused
    if not rows.filter(pk=row.pk, digest=row.digest).delete()[0]:  # used concurrently
        raise CodeRefused


def _digest(kind: LinkKind, matter: int, code: str) -> bytes:
    """Keyed, because so few codes could all be tried against a plain digest."""
    return salted_hmac("troth.code", f"{kind.name}\x1f{matter}\x1f{code}", algorithm="sha256").digest()
