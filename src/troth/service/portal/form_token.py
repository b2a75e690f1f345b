"""CSRF tokens for public forms: signed for the form's path and the visitor's session, valid for a
day. Unlike Django's own, they need no cookie.

Without a session, a forged form could do no more than its sender could do directly; with a session, the session key is
part of the signed value. Requests whose browser headers state another origin are rejected.
"""

from __future__ import annotations

import datetime as dt

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest

from troth.service.headers import HAS_FORM

FIELD = "form-token"
_GOOD_FOR = dt.timedelta(days=1)
_ELSEWHERE = ("cross-site", "same-site")


def token_for(request: HttpRequest, path: str) -> str:
    """Token for a form that is submitted to *path*."""
    request.META[HAS_FORM] = True
    told = _told(request, path)
    return _signer().sign(told).removeprefix(f"{told}:")


def is_ours(request: HttpRequest) -> bool:
    """True if the form came from a page of ours, rendered for this visitor within a day."""
    if request.headers.get("Sec-Fetch-Site") in _ELSEWHERE:
        return False
    if request.headers.get("Origin", _origin(request)) != _origin(request):
        return False
    try:
        _signer().unsign(f"{_told(request, request.path)}:{request.POST.get(FIELD, '')}", max_age=_GOOD_FOR)
    except BadSignature:
        return False
    return True


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="troth.form")


def _told(request: HttpRequest, path: str) -> str:
    return f"{path}\x1f{request.session.session_key or ''}"


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
