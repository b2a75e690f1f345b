"""Public pages of newsletters: sign up, confirm, and stop by a link or by one's address."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods

from troth.declaration import in_language
from troth.declaration.newsletters import Newsletter
from troth.service.core.deployment import Deployment
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope, lists
from troth.service.mail.stops.inbox import list_of
from troth.service.newsletters.actions import confirm as confirm_sign_up
from troth.service.newsletters.actions import sign_up, stop_by_address, stop_by_token
from troth.service.newsletters.forms import ALL, TRACKING, SignUpForm, StopForm
from troth.service.newsletters.models import SignUp
from troth.service.newsletters.rules import owed_by_law
from troth.service.newsletters.statistics.counting import tracking_purpose
from troth.service.newsletters.statistics.pages import tracking_text
from troth.service.portal.base import public_page, shown
from troth.service.portal.confirmation import Confirmation, confirmed
from troth.service.portal.models import MailedLink
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
    title = _list_title(list_of(read, deployment), deployment)
    stopped = title if title and scope is StopScope.LIST else gettext("our marketing")
    done = request.method == "POST"
    values = {"list": title or gettext("our marketing"), "stopped": stopped, "done": done, "is_known": bool(title)}
    owed = owed_by_law(deployment.declaration, deployment.now().date()) if done else None
    return shown(request, deployment, "newsletters/stop.html", {**values, "owed": owed})


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
        if is_done:  # also with the trap filled in: a stop harms nobody
            name, scope = form.cleaned_data["list"], StopScope.LIST
            if name == ALL:
                name, scope = "", StopScope.ALL
            address = form.cleaned_data["email"]
            stop_by_address(address, name, scope, deployment, channel="centre", now=timezone.now())
    status = 422 if form.is_bound and form.errors else 200
    owed = owed_by_law(deployment.declaration, deployment.now().date()) if is_done else None
    values = {"form": form, "done": is_done, "owed": owed}
    return shown(request, deployment, "newsletters/by_address.html", values, status=status)


def _sign_up(request: HttpRequest, deployment: Deployment, name: str) -> HttpResponse:
    """``/your-data/newsletters/<name>``: ask for a newsletter. A form of the company's own pages may post here: nothing
    comes of it but one e-mail to the address, by which its owner decides."""
    newsletter = deployment.declaration.newsletters.get(name)
    if newsletter is None or not newsletter.signup:
        raise Http404
    values = newsletter.audience.values
    counts = tracking_text() if newsletter.statistics != "none" else ""
    form = SignUpForm(request.POST or None, values=values, tracking=counts)
    title, is_done = _title(newsletter), False
    if request.method == "POST":
        if refused := too_many(request, deployment):
            return refused
        is_done = form.is_valid()
        if is_done and not form.is_by_a_program:
            given = {column: form.cleaned_data[column] for column in values if form.cleaned_data[column]}
            language, now = get_language() or "en", timezone.now()
            # The form may be the company's own; the page with the button is what everybody sees who confirms.
            page = _confirmation(title)
            text, address = f"{page.heading} {page.lead} {page.button}", form.cleaned_data["email"]
            tracking = counts if form.cleaned_data.get(TRACKING) else ""
            sign_up(name, address, given, deployment, shown=text, language=language, now=now, tracking=tracking)
    status = 422 if form.is_bound and form.errors else 200
    asks = gettext("Send me “%(title)s”. I can stop it whenever I like.") % {"title": title}
    context = {"form": form, "fields": [form[column] for column in values], "asks": asks, "done": is_done}
    context |= {"tracking": form[TRACKING]} if counts else {}
    return shown(request, deployment, "newsletters/sign_up.html", {**context, "title": title}, status=status)


sign_up_page = require_http_methods(["GET", "HEAD", "POST"])(public_page(_sign_up, takes_forms_from_elsewhere=True))


def _question(request: HttpRequest, deployment: Deployment, link: MailedLink) -> Confirmation:
    row = SignUp.objects.filter(pk=link.matter).first()
    newsletter = deployment.declaration.newsletters.get(row.list) if row is not None else None
    counts = row is not None and row.tracking != "" and tracking_purpose(deployment.declaration) != ""
    if row is not None and row.list == SignUp.TRACKING:
        return Confirmation(
            title=gettext("One more step"),
            heading=gettext("May we count how our e-mails are read?"),
            lead=tracking_text() if counts else "",
            button=gettext("Yes, you may"),
            refusal=gettext("No"),
        )
    return _confirmation(_title(newsletter) if newsletter is not None else "", counts)


def _confirmation(title: str, counts: bool = False) -> Confirmation:
    return Confirmation(
        title=gettext("One more step"),
        heading=gettext("Do you want this newsletter?"),
        lead=title,
        text=[gettext("You also agreed with this:"), tracking_text()] if counts else (),
        button=gettext("Yes, send it to me"),
        refusal=gettext("Send it, without counting") if counts else "",
        note=gettext("If you did not ask for it, close this page."),
    )


@confirmed(_question)
def confirm(request: HttpRequest, deployment: Deployment, link: MailedLink) -> HttpResponse:
    """The button was pressed: the address is its owner's, who wants the newsletter."""
    may_count = "no" not in request.POST
    row = confirm_sign_up(link.matter, deployment, now=timezone.now(), is_counted=may_count)
    newsletter = deployment.declaration.newsletters.get(row.list) if row is not None else None
    if row is not None and row.list == SignUp.TRACKING:
        done = "allowed" if may_count else "refuse"
        return shown(request, deployment, "newsletters/tracking.html", {"done": done})
    if newsletter is None:
        return shown(request, deployment, "portal/dead.html", {}, status=410)
    return shown(request, deployment, "newsletters/confirmed.html", {"title": _title(newsletter)})


def _list_title(name: str, deployment: Deployment) -> str:
    """The title of what a token of the list *name* stops; empty if that is declared no more."""
    if (newsletter := deployment.declaration.newsletters.get(name)) is not None:
        return _title(newsletter)
    purpose = lists(deployment.declaration).get(name, "")
    title = deployment.declaration.purposes[purpose].title if purpose else None
    return (in_language(title, get_language() or "en") or str(title)) if title is not None else purpose


def _title(newsletter: Newsletter) -> str:
    return in_language(newsletter.title, get_language() or "en") or str(newsletter.title)
