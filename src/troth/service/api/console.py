"""``/console/tokens/``: API tokens of programs, and webhooks.

A program's secret is shown once, in the response to the form, and stored nowhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.db.models import Count, Max, OuterRef, Q, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.service.api import tokens as programs
from troth.service.api import webhooks
from troth.service.api.duty import API_MANAGE
from troth.service.api.models import ApiToken, Delivery, Webhook
from troth.service.api.scopes import scope_named, scopes
from troth.service.configuration import ServiceError
from troth.service.core.keys import keyring
from troth.service.duty import gathered
from troth.service.labels import sentence
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight
from troth.service.staff.rules import end_of

_SOON = dt.timedelta(days=14)
_ENDED_SHOWN = 50


def _scope_choices() -> list[tuple[str, str | Promise]]:
    return [(str(scope), gettext_lazy(scope.label)) for scope in scopes()]


def _program_choices() -> list[tuple[str, str | Promise]]:
    known = ApiToken.objects.order_by("program").values_list("program", flat=True).distinct()
    return [("", _("none (a new program)")), *((name, name) for name in known)]


def _event_choices() -> list[tuple[str, str | Promise]]:
    return [(event, gettext_lazy(title)) for event, title in gathered("webhooks").items()]


class NewTokenForm(forms.Form):
    """A program, its scopes, and its end date."""

    name = forms.CharField(
        label=_("Program"),
        max_length=40,
        help_text=_("Lower-case letters, digits and _, such as shop. Do not use a person’s name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    program = forms.ChoiceField(
        label=_("Replaces"),
        required=False,
        choices=_program_choices,
        help_text=_("The new token has its own name, and can follow the requests that the program opened."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"), choices=_scope_choices, widget=forms.CheckboxSelectMultiple
    )
    until = forms.DateField(
        label=_("Valid until (inclusive)"),
        help_text=_("At most a year from now."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )


class NewWebhookForm(forms.Form):
    """A URL and its events."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("An https:// address without a password in it."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(label=_("Events"), choices=_event_choices, widget=forms.CheckboxSelectMultiple)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as displayed."""

    row: ApiToken
    scopes: list[str | Promise]
    is_to_renew: bool


@needs(API_MANAGE)
@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    """Tokens and webhooks, with forms for new ones."""
    return _page(request)


@needs(API_MANAGE)
@require_http_methods(["POST"])
def make_token(request: HttpRequest) -> HttpResponse:
    """Create a token for a program; only this response shows its secret."""
    form, now = NewTokenForm(request.POST), timezone.now()
    if form.is_valid():
        given = form.cleaned_data
        last = now + programs.LASTS_MAX
        until = last if given["until"] == last.date() else end_of(given["until"])
        if not _may_give(request, given["scopes"]):
            form.add_error("scopes", _NOT_YOURS_TO_GIVE)
            return _page(request, token_form=form)
        try:
            secret = programs.make(
                given["name"], given["scopes"], until=until, now=now, by=_by(request), program=given["program"]
            )
            return _once(request, given["name"], secret)
        except ServiceError as refused:
            form.add_error("name", sentence(refused))
    return _page(request, token_form=form)


@needs(API_MANAGE)
@require_POST
def end_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke a token at once."""
    row = ApiToken.objects.filter(pk=pk).first()
    if row is None or not programs.end(row.name, now=timezone.now(), by=_by(request)):
        raise Http404
    return redirect("tokens")


@needs(API_MANAGE)
@require_POST
def make_hook(request: HttpRequest) -> HttpResponse:
    """Create a webhook; only this response shows its signing secret."""
    form = NewWebhookForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            keys = keyring(settings.TROTH.home)
            made, secret = webhooks.make(given["url"], given["events"], keys=keys, now=timezone.now())
            return _once(request, made.url, secret)
        except ServiceError as refused:
            form.add_error("url", sentence(refused))
    return _page(request, hook_form=form)


@needs(API_MANAGE)
@require_POST
def end_hook(request: HttpRequest, pk: int) -> HttpResponse:
    """End a webhook."""
    if not webhooks.end(pk, now=timezone.now()):
        raise Http404
    return redirect("tokens")


def _page(
    request: HttpRequest, *, token_form: NewTokenForm | None = None, hook_form: NewWebhookForm | None = None
) -> HttpResponse:
    now = timezone.now()
    rows = ApiToken.objects.order_by("name")
    ended = Q(ended_at__isnull=False) | Q(until__lte=now)
    wrong = token_form or hook_form
    shown = {
        "here": "tokens",
        "programs": [_program(row, now) for row in rows.exclude(ended)],
        "ended": rows.filter(ended).order_by("-until")[:_ENDED_SHOWN],
        "hooks": _hooks(),
        "not_public": webhooks.NOT_PUBLIC,
        "token_form": token_form or NewTokenForm(),
        "hook_form": hook_form or NewWebhookForm(),
        "form": wrong,
    }
    return render(request, "api/console/tokens.html", shown, status=400 if wrong else 200)


def _program(row: ApiToken, now: dt.datetime) -> TokenRow:
    titles: list[str | Promise] = [gettext_lazy(scope_named(scope).label) for scope in row.scopes]
    return TokenRow(row, titles, is_to_renew=row.until < now + _SOON)


def _hooks() -> list[Webhook]:
    waiting = Count("delivery", filter=Q(delivery__done_at=None))
    failed = Count("delivery", filter=Q(delivery__done_at=None) & ~Q(delivery__why=""))
    last = Max("delivery__done_at", filter=Q(delivery__why=""))
    tried = Delivery.objects.filter(hook=OuterRef("pk"), done_at=None).exclude(why="").order_by("-pk")
    why = Subquery(tried.values("why")[:1])
    rows = Webhook.objects.filter(ended_at=None).annotate(waiting=waiting, failed=failed, last=last, why=why)
    return list(rows.order_by("pk"))


_NOT_YOURS_TO_GIVE = _(
    "Only somebody who may see personal data and does not manage staff can make a token that opens requests, "
    "downloads packages or asks who received data. The operator can make it too: troth api token make."
)


def _may_give(request: HttpRequest, scopes: Collection[str]) -> bool:
    """True if the sender may create a token of *scopes*: their programs must not see what they may not see
    themselves."""
    standing = standing_of(request)
    may_see = standing.sees_personal and not standing.may(StaffRight.STAFF_MANAGE)
    return may_see or not any(scope_named(scope).reaches_personal for scope in scopes)


def _once(request: HttpRequest, name: str, secret: str) -> HttpResponse:
    return render(request, "api/console/made.html", {"here": "tokens", "name": name, "secret": secret})


def _by(request: HttpRequest) -> str:
    return standing_of(request).pseudonym or ""
