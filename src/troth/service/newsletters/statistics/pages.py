"""Public pages about counting: where counted links lead on, and where people allow it and withdraw that."""

from __future__ import annotations

import base64
import logging

from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods, require_safe

from troth.declaration import in_language
from troth.service.core.deployment import Deployment
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope
from troth.service.mail.stops.inbox import list_of
from troth.service.newsletters.actions import allow_tracking, stop_by_address, stop_by_token
from troth.service.newsletters.forms import TrackingForm
from troth.service.newsletters.statistics import links
from troth.service.newsletters.statistics.counting import is_by_program, note, tracking_purpose
from troth.service.portal.base import public_page, shown
from troth.service.portal.throttle import too_many

_LOG = logging.getLogger("troth.newsletters")
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""


def tracking_text() -> str:
    """What people agree with."""
    return gettext(
        "Count how often I open these e-mails and follow their links, together with other readers and without my name. "
        "I can withdraw this whenever I like; e-mails that I have by then still count."
    )


@require_safe
@public_page
def read(request: HttpRequest, deployment: Deployment, token: str) -> HttpResponse:
    """``/your-data/read/<token>``: the image of an edition, or one of its links, which leads on whatever becomes of the
    counting. No cookie is set, and neither address nor browser is kept."""
    url = request.GET.get("to", "")
    named = links.read(token, url, deployment.keyring)
    if named is None:
        return shown(request, deployment, "newsletters/tracking.html", {"is_unknown": True}, status=404)
    if not is_by_program(request):
        try:
            note(*named, deployment.declaration)
        except Error as error:  # who follows a link wants the page
            _LOG.warning("a link was not counted: %s", type(error).__name__)
    if url:
        return HttpResponseRedirect(url, headers={"Referrer-Policy": "no-referrer"})
    return HttpResponse(_GIF, content_type="image/gif", headers={"Cross-Origin-Resource-Policy": "cross-origin"})


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def withdraw(request: HttpRequest, deployment: Deployment, token: str) -> HttpResponse:
    """``/your-data/tracking/<token>``, from a counted e-mail: GET shows a button, POST withdraws."""
    known, done = tokens.read(token, deployment.keyring), request.method == "POST"
    if known is None or not list_of(known, deployment).startswith("purpose:"):
        return shown(request, deployment, "newsletters/tracking.html", {"is_unknown": True}, status=404)
    if done:
        stop_by_token(token, StopScope.LIST, deployment, channel="link", now=timezone.now())
    return shown(request, deployment, "newsletters/tracking.html", {"is_known": True, "done": "refuse" if done else ""})


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def choose(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/tracking/``: allow counting or refuse it, for an address that the visitor types in. To refuse harms
    nobody; to allow takes a button behind a link to the address."""
    declared = deployment.declaration.newsletters.values()
    language = get_language() or "en"
    titles = [in_language(it.title, language) or str(it.title) for it in declared if it.statistics != "none"]
    form, done = TrackingForm(request.POST or None), ""
    if request.method == "POST" and titles:
        if refused := too_many(request, deployment):
            return refused
        if form.is_valid():
            done, address, now = form.cleaned_data["choice"], form.cleaned_data["email"], timezone.now()
            if done == "allow" and not form.is_by_a_program:
                allow_tracking(address, deployment, shown=tracking_text(), language=language, now=now)
            elif done != "allow":
                purpose = f"purpose:{tracking_purpose(deployment.declaration)}"
                stop_by_address(address, purpose, StopScope.LIST, deployment, channel="centre", now=now)
    status = 422 if form.is_bound and form.errors else 200
    values = {"form": form, "titles": titles, "text": tracking_text(), "done": done}
    return shown(request, deployment, "newsletters/tracking.html", values, status=status)
