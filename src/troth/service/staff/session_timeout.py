"""Session timeout: fifteen idle minutes, and a working day at most (PCI DSS 8.2.8)."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from troth.service.staff.models import StaffMember
from troth.service.staff.rules import IDLE

_SEEN, _BEGAN = "troth.seen", "troth.began"
_NOTED_EVERY_S = 60
"""Resolution of the last activity; each update writes the session."""
_WORKDAY_S = 12 * 3600
_HOUR = dt.timedelta(hours=1)


def presence(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: end idle and old sessions, and note members' activity. Free for visitors without a session."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            _note(request)
        return respond(request)

    return middleware


def _note(request: HttpRequest) -> None:
    now, session = time.time(), request.session
    seen, began = session.get(_SEEN, now), session.get(_BEGAN, now)
    if now - seen > IDLE.total_seconds() or now - began > _WORKDAY_S:
        logout(request)
        return
    if _SEEN not in session or now - seen >= _NOTED_EVERY_S:
        session[_SEEN], session[_BEGAN] = now, began
        stale = Q(seen_at__isnull=True) | Q(seen_at__lt=timezone.now() - _HOUR)
        assert request.user.pk is not None
        StaffMember.objects.filter(stale, user_id=request.user.pk, left_at__isnull=True).update(seen_at=timezone.now())
