"""People whom the company's own application has signed in: it hands them over with a signed token."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from django.db import IntegrityError, transaction

from troth.declaration import IdentityKind
from troth.errors import TrothError
from troth.service.core.deployment import Deployment
from troth.service.portal.models import UsedHandover

HAND_OVER_LASTS = dt.timedelta(minutes=5)
_SKEW = dt.timedelta(seconds=30)
_SECRET_BYTES_MIN = 32


class HandOverRefused(TrothError):
    """The hand-over is not from the company, is too old, or was used before."""


@dataclass(frozen=True, slots=True)
class SignedInPerson:
    """A person whom the company's own login has identified. Its `repr` shows nothing."""

    identifiers: tuple[tuple[str, str], ...]
    email: str
    language: str = ""
    right: str = ""
    """The last part of the path of the page to show next."""
    tier: int = 2
    """Tier of identity proof: 2 for the company's login, 3 if it used a second factor."""

    def __repr__(self) -> str:
        return "SignedInPerson(…)"


def accept(token: str, secret: str, deployment: Deployment, *, now: dt.datetime) -> SignedInPerson:
    """Verify a signed hand-over (a JWT, HS256, from the company's application to ours), valid once and for five
    minutes.

    Claims: ``aud`` our site, ``iat``, ``exp``, ``jti`` random, ``email``, and ``phone`` and ``account`` if known;
    ``amr`` contains ``mfa`` if a second factor was used. Raises `HandOverRefused`, which does not give the reason.
    """
    if len(secret.encode()) < _SECRET_BYTES_MIN:
        raise HandOverRefused("no hand-over is set up here: TROTH_HANDOVER_SECRET is not set, or too short")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=deployment.site,
            leeway=_SKEW,
            options={"require": ["exp", "iat", "jti", "aud", "email"]},
        )
        issued = dt.datetime.fromtimestamp(claims["iat"], dt.UTC)
        ends = dt.datetime.fromtimestamp(claims["exp"], dt.UTC)
    except (jwt.InvalidTokenError, ValueError, OverflowError, OSError, TypeError):
        raise HandOverRefused("this hand-over is not valid; go back to the company's site and try again") from None
    if ends - issued > HAND_OVER_LASTS + _SKEW or ends < now - _SKEW:
        raise HandOverRefused("this hand-over is not valid; go back to the company's site and try again")
    identifiers = tuple(
        (str(kind), str(claims[kind])[:320])
        for kind in (IdentityKind.EMAIL, IdentityKind.PHONE, IdentityKind.ACCOUNT)
        if isinstance(claims.get(kind), str) and claims[kind].strip()
    )
    try:
        with transaction.atomic():
            UsedHandover.objects.filter(until__lt=now).delete()
            UsedHandover.objects.create(digest=hashlib.sha256(str(claims["jti"]).encode()).digest(), until=ends + _SKEW)
    except IntegrityError:
        raise HandOverRefused("this hand-over is not valid; go back to the company's site and try again") from None
    language, right = (str(claims.get(name) or "")[:20] for name in ("locale", "right"))
    return SignedInPerson(
        identifiers, str(claims["email"]), language, right, tier=3 if has_second_factor(claims) else 2
    )


def has_second_factor(claims: Mapping[str, Any]) -> bool:
    """True if the company's login reports a second factor, which makes it a full proof (11 CCR 7061)."""
    means = claims.get("amr")
    return isinstance(means, list) and "mfa" in means
