"""``/console/stops/``: record that somebody said, on the telephone or in person, that they want no more marketing; and
lift what undeliverable messages stopped."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from troth.declaration import IdentityKind
from troth.service.core.deployment import current
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import lift_undeliverable, stop_by_address
from troth.service.newsletters.duty import LIFTING_REASONS
from troth.service.newsletters.forms import ALL
from troth.service.preferences.rules import fingerprints
from troth.service.staff.access_log import record_access
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight
from troth.subjects import IdentityRefused

_PURPOSE = "troth_preferences"
_REASONS = dict(
    zip(
        LIFTING_REASONS,
        (
            _("The person says that the mailbox works"),
            _("The report was about something else"),
            _("The person gave the same address again"),
        ),
        strict=True,
    )
)


class _AddressForm(forms.Form):
    """The address that somebody names."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if address := cleaned.get("email"):
            try:
                [cleaned["fingerprint"]] = fingerprints([(IdentityKind.EMAIL, address)], current().keyring)
            except IdentityRefused as refused:
                self.add_error("email", str(refused))
        return cleaned


class StaffStopForm(_AddressForm):
    """A stop that somebody says to staff."""

    list = forms.ChoiceField(
        label=_("What shall stop?"),
        initial=ALL,
        choices=lambda: [
            (ALL, gettext("All marketing")),
            *((name, str(newsletter.title)) for name, newsletter in current().declaration.newsletters.items()),
        ],
    )
    channel = forms.ChoiceField(
        label=_("They said so"),
        choices=[("telephone", _("on the telephone")), ("person", _("in person")), ("paper", _("in writing"))],
    )


class LiftForm(_AddressForm):
    """What undeliverable messages stopped, to be lifted."""

    reason = forms.ChoiceField(label=_("Why"), choices=list(_REASONS.items()))


@needs(StaffRight.CASES_HANDLE)
@require_safe
def stops(request: HttpRequest) -> HttpResponse:
    """Two forms, and no personal data."""
    return _page(request)


def _page(
    request: HttpRequest, stop: StaffStopForm | None = None, lift: LiftForm | None = None, *, done: str = ""
) -> HttpResponse:
    forms = {"stop": stop or StaffStopForm(prefix="stop"), "lift": lift or LiftForm(prefix="lift")}
    wrong = next((form for form in forms.values() if form.errors), None)
    shown = {"here": "stops", **forms, "form": wrong, "done": done}
    return render(request, "newsletters/console/stops.html", shown, status=422 if wrong else 200)


@needs(StaffRight.CASES_HANDLE, personal=True)
@require_POST
def record_stop(request: HttpRequest) -> HttpResponse:
    """Record a stop. The answer says whether there was one already, so the access is recorded first."""
    form = StaffStopForm(request.POST, prefix="stop")
    if not form.is_valid():
        return _page(request, stop=form)
    given = form.cleaned_data
    record_access(request, subjects=[given["fingerprint"]], purpose=_PURPOSE)
    name, scope = ("", StopScope.ALL) if given["list"] == ALL else (given["list"], StopScope.LIST)
    deployment, channel = current(), given["channel"]
    is_new = stop_by_address(
        given["email"], name, scope, deployment, channel=channel, now=timezone.now(), actor="staff"
    )
    return _page(request, done=gettext("The stop is recorded.") if is_new else gettext("It was stopped already."))


@needs(StaffRight.CASES_HANDLE, personal=True)
@require_POST
def lift(request: HttpRequest) -> HttpResponse:
    """Lift what undeliverable messages stopped for an address."""
    form = LiftForm(request.POST, prefix="lift")
    if not form.is_valid():
        return _page(request, lift=form)
    fingerprint, by = form.cleaned_data["fingerprint"], standing_of(request).pseudonym or ""
    record_access(request, subjects=[fingerprint], purpose=_PURPOSE)
    if lift_undeliverable(fingerprint, form.cleaned_data["reason"], current(), by=by, now=timezone.now()):
        return _page(request, done=gettext("The address does not count as undeliverable any more."))
    return _page(request, done=gettext("The address did not count as undeliverable. Nothing was changed."))
