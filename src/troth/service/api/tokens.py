"""API tokens of programs: created and shown once, valid for some scopes until a date.

Cases belong to the program, whichever of its tokens it uses: a new token takes over from the last.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Collection

from django.db import IntegrityError, transaction

from troth.ledger import DeclaredName, Entry, Pseudonym, Value
from troth.service.api.models import ApiToken
from troth.service.api.scopes import scopes
from troth.service.configuration import ServiceError
from troth.service.core.ledger import record

LASTS_MAX = dt.timedelta(days=366)
_PREFIX = "troth_"
_TOKEN = re.compile(r"troth_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class ApiTokenRefused(ServiceError):
    """The token cannot be created; the message says why."""


def make(
    name: str, wanted: Collection[str], *, until: dt.datetime, now: dt.datetime, by: str = "", program: str = ""
) -> str:
    """Create a token and return its secret, shown only now. It is the first one of the program *name*, or a further one
    of *program*. The caller checks permission; the operator may create any. Raises `ApiTokenRefused`."""
    if not _NAME.fullmatch(name):
        raise ApiTokenRefused("name the token after its program: lower-case letters, digits and _, such as shop")
    unknown = sorted(set(wanted) - set(scopes()))
    if unknown or not wanted:
        raise ApiTokenRefused(f"a token has one or more of these scopes: {', '.join(scopes())}")
    if not now < until <= now + LASTS_MAX:
        raise ApiTokenRefused("a token is valid for at most a year; choose an earlier day, after today")
    if program and not ApiToken.objects.filter(program=program).exists():
        raise ApiTokenRefused("there is no such program; troth api token list shows the known ones")
    secret = _PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            ApiToken.objects.create(
                name=name,
                program=program or name,
                digest=_digest(secret),
                scopes=sorted(wanted),
                made_at=now,
                until=until,
            )
            record(_entry(name, now, by, change="made", until=until.date()))
    except IntegrityError:
        raise ApiTokenRefused(
            f"the name {name} is or was used by another token; choose a new name, and say which program the token "
            "belongs to"
        ) from None
    return secret


def end(name: str, *, now: dt.datetime, by: str = "") -> bool:
    """Revoke a token at once. True if there was one."""
    with transaction.atomic():
        ended = ApiToken.objects.filter(name=name, ended_at=None).update(ended_at=now)
        if ended:
            record(_entry(name, now, by, change="ended"))
    return bool(ended)


def _entry(name: str, now: dt.datetime, by: str, **fields: Value) -> Entry:
    actor = {"by": Pseudonym(by)} if by else {}
    return Entry("token.changed", now, {"token": DeclaredName(name), **fields, **actor})


def known(secret: str, *, now: dt.datetime) -> ApiToken | None:
    """Token of *secret*; None unless it is valid at *now*."""
    if not _TOKEN.fullmatch(secret):
        return None
    token = ApiToken.objects.filter(digest=_digest(secret), ended_at=None, until__gt=now).first()
    if token is not None and token.used_on != now.date():
        ApiToken.objects.filter(pk=token.pk).update(used_on=now.date())
    return token


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
