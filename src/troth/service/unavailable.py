"""Responses with 503: while our own database is unavailable, locked or full, a plain page that does not use it; and
while no declaration can be read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext

from troth.service.core.deployment import NoDeployment, current
from troth.service.pages import not_ready
from troth.service.policy_pages.offline_copy import the_copy
from troth.service.policy_pages.policy_text import chapters, title_of

_AGAIN_S = 60


def writes(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: note whether a form changed a row, because the page of `unavailable` says that none did."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return respond(request)

        def noting(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
            done = execute(sql, *more)
            if not sql.lstrip().upper().startswith(("SELECT", "BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")):
                request.troth_wrote = True  # type: ignore[attr-defined]
            return done

        with connection.execute_wrapper(noting):
            return respond(request)

    return middleware


class NotReady:
    """Middleware: answers with `pages.not_ready` where a view raises `NoDeployment`."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._respond(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return not_ready(request, exception) if isinstance(exception, NoDeployment) else None


def unavailable(request: HttpRequest) -> HttpResponse:
    """Response when our own database failed; does not query it. The policy is shown as last published."""
    response = _notice(request) or _plain(request)
    response["Cache-Control"] = "no-store"
    return response


def _plain(request: HttpRequest) -> HttpResponse:
    if request.path_info.endswith(".json"):
        response: HttpResponse = JsonResponse({"error": "the database is unavailable; try again in a minute"})
    else:
        text = gettext("Please try again in a few minutes.")
        if request.method == "POST":
            text = gettext("Nothing of what you sent was recorded. Please send it again in a few minutes.")
            if getattr(request, "troth_wrote", False):
                text = gettext(
                    "What you sent may not have been recorded. Please look in a few minutes, and send it again if not."
                )
        title = gettext("We cannot reach our records just now")
        response = HttpResponse(render_to_string("unavailable.html", {**_organisation(), "title": title, "text": text}))
    response.status_code = 503
    response["Retry-After"] = str(_AGAIN_S)
    return response


def _notice(request: HttpRequest) -> HttpResponse | None:
    """``/policy/`` from the offline copy; None for any other page, and if there is no copy."""
    if request.method not in ("GET", "HEAD") or request.path_info != reverse("notice") or "version" in request.GET:
        return None
    shown = the_copy(settings.TROTH.home)
    told = _organisation()
    if shown is None or not told:
        return None
    facts = {
        "here": "notice",
        "effective": shown.effective,
        "coming": shown.coming,
        "is_copy": True,
        "title": title_of(shown.policy),
        "chapters": list(chapters(shown.policy)),
    }
    return HttpResponse(render_to_string("policy_pages/notice.html", {**told, **facts}))


def _organisation() -> dict[str, Any]:
    with contextlib.suppress(NoDeployment):
        return {"organisation": current().declaration.organisation}
    return {}
