"""Pages of no single duty: errors, health, and the well-known files that browsers and researchers look for."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from troth.declaration import Audience, Declaration
from troth.ledger import receipt
from troth.service.access_rules import public
from troth.service.configuration import Settings, is_local
from troth.service.core.deployment import NoDeployment, current
from troth.service.core.jobs.queue import health
from troth.service.core.keys import keyring, ledger_signer
from troth.service.core.ledger import DatabaseLog, tree
from troth.service.database import may_pass
from troth.service.entry_labels import entry_facts, entry_title
from troth.service.health import causes

_SECURITY_TXT_DAYS = 180  # RFC 9116 §2.5.5 recommends less than a year


def the_log() -> DatabaseLog:
    """The ledger of this deployment."""
    return DatabaseLog(ledger_signer(keyring(_settings().home), current().declaration.organisation))


def told_of(log: DatabaseLog, leaf: int) -> dict[str, Any]:
    """Context of `receipt_body.html`: an entry of *log*, its exact bytes and its inclusion proof. The caller has
    checked that it may be seen."""
    content, entry = log.entry_bytes(leaf), log.entry(leaf)
    return {
        "leaf": leaf,
        "recorded_at": entry.at,
        "what": entry_title(entry),
        "facts": entry_facts(entry, current().declaration),
        "content": content.decode("ascii"),
        "receipt": receipt(log, leaf, extra=content),
        "verifier": str(log.verifier),
        "now": timezone.now(),
    }


def _settings() -> Settings:
    told: Settings = settings.TROTH
    return told


def audience_of(request: HttpRequest) -> Audience:
    """Audience of a request. In development, requests from this machine count as staff."""
    user = getattr(request, "user", None)  # a request that fails early has none
    if user is not None and user.is_authenticated and user.is_staff:
        return Audience.STAFF
    if not _settings().is_production and is_local(request.META.get("REMOTE_ADDR", "")):
        return Audience.STAFF
    return Audience.PUBLIC


def may_see(declaration: Declaration, audience: Audience) -> bool:
    """Whether the status of the policy is published to *audience*."""
    widths = tuple(Audience)  # from the narrowest to the widest
    return widths.index(audience) <= widths.index(declaration.policy.publish.status)


def site(request: HttpRequest) -> dict[str, Any]:
    """Context of every template. Never raises: the error pages use it too."""
    told: dict[str, Any] = {"is_development": not _settings().is_production}
    try:
        declaration = current().declaration
        told |= {"organisation": declaration.organisation, "tree": SimpleLazyObject(tree), "now": timezone.now()}
        told["may_see_status"] = may_see(declaration, audience_of(request))
        told["status_is_public"] = may_see(declaration, Audience.PUBLIC)
        told["choices"] = _choices(declaration)
    except (NoDeployment, Error):
        told["organisation"] = None
    return told


def _choices(declaration: Declaration) -> str | None:
    """The company's page for changing cookie choices, which must be as easy as consenting (GDPR Art. 7(3)); None if no
    cookie needs a choice."""
    if all(cookie.purpose == "necessary" for cookie in declaration.cookies.values()):
        return None
    return urljoin(declaration.organisation.site or "", declaration.notice.choices)


# --- the company's logo ----------------------------------------------------------------------------------------------

_LOGO_BYTES_MAX = 100_000
_PICTURES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}


@public
@require_safe
@cache_control(public=True, max_age=3_600)
def logo(request: HttpRequest) -> HttpResponse:
    """``/policy/logo``: the image that the declaration names, from the declaration's folder only."""
    name = _declared().organisation.logo
    if name is None:
        raise Http404
    folder = _settings().declaration.parent.resolve()
    file = (folder / name).resolve()
    if not file.is_relative_to(folder) or file.suffix.lower() not in _PICTURES:
        raise Http404
    try:
        with file.open("rb") as opened:
            picture = opened.read(_LOGO_BYTES_MAX + 1)
    except OSError as error:
        raise Http404 from error
    if len(picture) > _LOGO_BYTES_MAX:
        raise Http404
    response = HttpResponse(picture, content_type=_PICTURES[file.suffix.lower()])
    # Opened directly, an SVG is a document that could run scripts.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


# --- small files ----------------------------------------------------------------------------------------------------


@public
@require_safe
@cache_control(public=True, max_age=86_400)
def security_txt(request: HttpRequest) -> HttpResponse:
    """``/.well-known/security.txt`` (RFC 9116): where to report a vulnerability."""
    organisation = _declared().organisation
    expires = (timezone.now() + dt.timedelta(days=_SECURITY_TXT_DAYS)).replace(hour=0, minute=0, second=0)
    lines = [f"Contact: mailto:{organisation.email}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}"]
    if organisation.site:
        lines.append(f"Canonical: {urljoin(organisation.site, '/.well-known/security.txt')}")
    lines.append(f"Preferred-Languages: {_declared().policy.language}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@public
@require_safe
@cache_control(public=True, max_age=86_400)
def gpc(request: HttpRequest) -> JsonResponse:
    """``/.well-known/gpc.json``: that Global Privacy Control signals are honoured, since the policy took effect."""
    return JsonResponse({"gpc": True, "lastUpdate": _declared().policy.effective.isoformat()})


def _declared() -> Any:
    try:
        return current().declaration
    except NoDeployment as error:
        raise Http404 from error


# --- how the service is ---------------------------------------------------------------------------------------------


@public
@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """``/health/live``: this process answers. Does not use the database; restart a process that is silent."""
    return JsonResponse({"live": True})


@public
@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """``/health/ready``: 200 if the process can serve people, else 503, with the causes as codes (`health.causes`).
    Also reports, without effect on the status, whether workers keep up: ``ok``, ``behind``, ``nobody`` or
    ``unknown``."""
    found = causes(_settings())
    work = "unknown"
    with contextlib.suppress(Error):
        now = health()
        work = "behind" if now.is_behind(timezone.now()) else "ok" if now.workers else "nobody"
    told = {
        "ready": not found,
        "causes": found,
        "database": not {"database", "migrations"} & set(found),
        "declaration": "declaration" not in found,
        "work": work,
    }
    return JsonResponse(told, status=503 if found else 200)


# --- errors ---------------------------------------------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 400, gettext("We could not read that request"), gettext("Go back and try once more."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(
        request, 403, gettext("This page is not open to you"), gettext("Sign in with an account that is.")
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 404, gettext("There is no page here"), gettext("The address may be mistyped, or old."))


def server_error(request: HttpRequest) -> HttpResponse:
    """An error of ours; if our own database is unavailable, `unavailable.unavailable` answers."""
    error = sys.exc_info()[1]
    if error is not None and may_pass(error):
        from troth.service.unavailable import unavailable  # it imports the policy pages, which import this module

        return unavailable(request)
    text = gettext("It is our fault, not yours. Please try again in a minute.")
    return error_page(request, 500, gettext("Something went wrong"), text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = gettext("The form was open for too long, or cookies are switched off. Go back, reload it and send it again.")
    return error_page(request, 403, gettext("We could not accept that form"), text)


def not_ready(request: HttpRequest, error: NoDeployment) -> HttpResponse:
    """No declaration can be read. Development shows the reason, because its reader can fix it."""
    text = gettext("The privacy policy cannot be shown at the moment. Please come back in a few minutes.")
    detail = "" if _settings().is_production else str(error)
    return error_page(request, 503, gettext("Not ready yet"), text, detail=detail)


def error_page(request: HttpRequest, status: int, title: str, text: str, *, detail: str = "") -> HttpResponse:
    """A page that says what went wrong; *detail* is for those who can fix it."""
    return render(
        request, "error.html", {"status": status, "title": title, "text": text, "detail": detail}, status=status
    )
