"""Public pages of newsletters: stop by a link, or by one's address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from troth.service.core.deployment import Deployment
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import list_of, stop_by_token
from troth.service.portal.base import public_page, shown


def _stop(request: HttpRequest, deployment: Deployment, token: str) -> HttpResponse:
    """``/your-data/stop/<token>``: GET shows a button. POST stops, with any body and without a form token (RFC 8058),
    because whoever has the link could press the button as well."""
    if request.method == "POST":
        # The body may be anything, and a reader that fails on it must not keep the stop.
        scope = StopScope.ALL if b"scope=all" in request.body[:1_000] else StopScope.LIST
        read = stop_by_token(token, scope, deployment, channel="link", now=timezone.now())
    else:
        read = tokens.read(token, deployment.keyring)
    if read is None:
        return shown(request, deployment, "newsletters/unknown.html", {}, status=404)
    name = list_of(read, deployment)
    newsletter = deployment.declaration.newsletters.get(name)
    title = str(newsletter.title) if newsletter is not None else gettext("Our e-mails")
    values = {"list": title, "done": request.method == "POST", "is_known": newsletter is not None}
    return shown(request, deployment, "newsletters/stop.html", values)


stop = require_http_methods(["GET", "HEAD", "POST"])(public_page(_stop, takes_forms_from_elsewhere=True))
