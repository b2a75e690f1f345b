"""Tokens of programs: made once and shown once, good for some scopes until a day.

What a program has opened is the program's, whichever of its tokens asks: the next token takes over from the last.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import re
import secrets
from collections.abc import Collection

from django.db import IntegrityError, transaction

from troth.ledger import Entry, Name, Pseudonym, Value
from troth.service.api.models import Token
from troth.service.configuration import ServiceError
from troth.service.record.ledger import record

LASTS_MAX = dt.timedelta(days=366)
_PREFIX = "troth_"
_TOKEN = re.compile(r"troth_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Scope(enum.StrEnum):
    """One thing that a token may be used for."""

    CASES_WRITE = "cases.write"
    CASES_READ = "cases.read"
    CASES_ALL = "cases.all"
    PACKAGES_READ = "packages.read"
    GUARD_READ = "guard.read"
    DISCLOSURES_WRITE = "disclosures.write"
    DISCLOSURES_READ = "disclosures.read"
    EVIDENCE_WRITE = "evidence.write"

    @property
    def reaches_personal(self) -> bool:
        """Whether a program comes by somebody's data with it, or may have it changed in their name."""
        return self in (Scope.CASES_WRITE, Scope.CASES_ALL, Scope.PACKAGES_READ, Scope.DISCLOSURES_READ)


class TokenRefused(ServiceError):
    """No such token can be made; the message says why."""


def make(
    name: str, scopes: Collection[str], *, until: dt.datetime, now: dt.datetime, by: str = "", program: str = ""
) -> str:
    """Make a token and return its secret, which is shown this once. It is the first of the program that it is named
    after, or a further one of *program*. Who may make which is for the caller to know: the operator any. Raises
    `TokenRefused`."""
    if not _NAME.fullmatch(name):
        raise TokenRefused("a token is named after its program: small letters, digits and _, such as shop")
    unknown = sorted(set(scopes) - set(Scope))
    if unknown or not scopes:
        raise TokenRefused(f"a token has some of these scopes: {', '.join(Scope)}")
    if not now < until <= now + LASTS_MAX:
        raise TokenRefused("a token ends within a year")
    if program and not Token.objects.filter(program=program).exists():
        raise TokenRefused("there is no such program; troth api token list shows those that there are")
    secret = _PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            Token.objects.create(
                name=name,
                program=program or name,
                digest=_digest(secret),
                scopes=sorted(scopes),
                made_at=now,
                until=until,
            )
            said: dict[str, Value] = {"token": Name(name), "change": "made", "until": until.date()}
            record(Entry("token.changed", now, said | ({"by": Pseudonym(by)} if by else {})))
    except IntegrityError:
        raise TokenRefused(
            f"there has been a token called {name}; give the next one another name, and say which program it is of"
        ) from None
    return secret


def end(name: str, *, now: dt.datetime, by: str = "") -> bool:
    """End a token at once. Whether there was one."""
    with transaction.atomic():
        ended = Token.objects.filter(name=name, ended_at=None).update(ended_at=now)
        if ended:
            said: dict[str, Value] = {"token": Name(name), "change": "ended"}
            record(Entry("token.changed", now, said | ({"by": Pseudonym(by)} if by else {})))
    return bool(ended)


def known(secret: str, *, now: dt.datetime) -> Token | None:
    """The token of *secret*, None where there is none that is good at *now*."""
    if not _TOKEN.fullmatch(secret):
        return None
    token = Token.objects.filter(digest=_digest(secret), ended_at=None, until__gt=now).first()
    if token is not None and token.used_on != now.date():
        Token.objects.filter(pk=token.pk).update(used_on=now.date())
    return token


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
