"""Public pages of newsletters: stop by a link, or by one's address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods

from troth.declaration import in_language
from troth.declaration.newsletters import Newsletter
from troth.service.core.deployment import Deployment
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import list_of, stop_by_address, stop_by_token
from troth.service.newsletters.forms import ALL, StopForm
from troth.service.portal.base import public_page, shown
from troth.service.portal.throttle import too_many


def _stop(request: HttpRequest, deployment: Deployment, token: str) -> HttpResponse:
    """``/your-data/stop/<token>``: GET shows a button. POST stops, with any body and without a form token (RFC 8058),
    because whoever has the link could press the button as well."""
    if request.method == "POST":
        # The body may be anything, and a reader that fails on it must not keep the stop.
        scope = StopScope.ALL if request.body[:100] == b"scope=all" else StopScope.LIST
        read = stop_by_token(token, scope, deployment, channel="link", now=timezone.now())
    else:
        scope, read = StopScope.LIST, tokens.read(token, deployment.keyring)
    if read is None:
        return shown(request, deployment, "newsletters/unknown.html", {}, status=404)
    newsletter = deployment.declaration.newsletters.get(list_of(read, deployment))
    is_list = newsletter is not None and scope is StopScope.LIST
    title = _title(newsletter) if newsletter is not None else gettext("our marketing")
    stopped = title if is_list else gettext("our marketing")
    values = {"list": title, "stopped": stopped, "done": request.method == "POST", "is_known": newsletter is not None}
    return shown(request, deployment, "newsletters/stop.html", values)


stop = require_http_methods(["GET", "HEAD", "POST"])(public_page(_stop, takes_forms_from_elsewhere=True))


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def by_address(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/stop/``: stop for an address that the visitor types in."""
    newsletters = deployment.declaration.newsletters
    form = StopForm(request.POST or None, lists=[(name, _title(one)) for name, one in newsletters.items()])
    is_done = False
    if request.method == "POST":
        if refused := too_many(request, deployment):
            return refused
        is_done = form.is_valid()
        if is_done and not form.is_by_a_program:
            name, scope = form.cleaned_data["list"], StopScope.LIST
            if name == ALL:
                name, scope = "", StopScope.ALL
            address = form.cleaned_data["email"]
            stop_by_address(address, name, scope, deployment, channel="centre", now=timezone.now())
    status = 422 if form.is_bound and form.errors else 200
    return shown(request, deployment, "newsletters/by_address.html", {"form": form, "done": is_done}, status=status)


def _title(newsletter: Newsletter) -> str:
    return in_language(newsletter.title, get_language() or "en") or str(newsletter.title)
