"""``/console/holds/``: what must not be deleted, why, and its review date."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from troth.declaration import IdentityKind
from troth.errors import TrothError
from troth.protect import Keyring
from troth.service.core import holds
from troth.service.core.deployment import current
from troth.service.core.keys import keyring
from troth.service.core.models import LegalHold
from troth.service.core.own_tables import OWN
from troth.service.staff.access_log import withheld_from
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight
from troth.subjects import Identity, IdentityRefused, references

IDENTIFIERS = (
    (IdentityKind.EMAIL, _("E-mail address")),
    (IdentityKind.PHONE, _("Telephone number")),
    (IdentityKind.ACCOUNT, _("Account")),
)
"""Identifiers by which staff name a person whose data they do not see."""
_CASE = re.compile(r"[A-Z]-[0-9]{4}-[0-9]+")
_RELEASED_SHOWN = 50
_REVIEW_SOON = dt.timedelta(days=14)


class HoldForm(forms.Form):
    """A hold on a person, a place, or a person's rows in a place."""

    matter = forms.CharField(
        label=_("Matter"), max_length=80, help_text=_("The file number of the dispute or demand; no names.")
    )
    citation = forms.CharField(label=_("Legal ground"), max_length=200)
    kind = forms.ChoiceField(choices=IDENTIFIERS, label=_("Person identified by"))
    value = forms.CharField(
        label=_("Which"),
        max_length=254,
        required=False,
        help_text=_(
            "The value is not stored, only a keyed fingerprint of it. Leave it empty to hold a place for everybody."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    scope = forms.ChoiceField(label=_("Where"), required=False, choices=lambda: [("", _("Everywhere")), *_places()])
    review_on = forms.DateField(label=_("Review on"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean_matter(self) -> str:
        matter: str = self.cleaned_data["matter"]
        if _CASE.fullmatch(matter.strip()):
            raise ValidationError(_("That is the reference of a case. Cases place and release their own holds."))
        return matter

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        value = (cleaned.get("value") or "").strip()
        cleaned["subject"] = ""
        if value and "kind" in cleaned:
            try:
                identity = Identity(((IdentityKind(cleaned["kind"]), value),))
                [name] = references([identity], own_keyring())
                cleaned["subject"] = str(name)
            except IdentityRefused as refused:
                self.add_error("value", str(refused))
        elif not cleaned.get("scope") and not self.errors:
            raise ValidationError(_("Name a person or a place. A hold cannot cover everything."))
        return cleaned


def _places() -> list[tuple[str, str]]:
    found = []
    for name, system in current().declaration.systems.items():
        if name != OWN:
            found.append((name, system.title or name))
            found += [(f"{name}.{table}", f"{name}.{table}") for table in system.tables]
    return found


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold as displayed. *is_of_case*: it belongs to an open access request and ends with it."""

    row: LegalHold
    is_of_case: bool
    is_to_review: bool


@needs(StaffRight.HOLDS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def holds_page(request: HttpRequest) -> HttpResponse:
    """Holds in force, recently released ones, and a form to place one. No personal data."""
    form, now = HoldForm(request.POST or None), timezone.now()
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            holds.place(
                given["matter"],
                given["citation"],
                subject=given["subject"],
                scope=given["scope"],
                review_on=given["review_on"],
                keyring=own_keyring(),
                by=_by(request),
                now=now,
            )
            return redirect("holds")
        except TrothError as refused:
            form.add_error("review_on", str(refused))
    return _page(request, form, now, status=400 if form.errors else 200)


def _page(
    request: HttpRequest, form: HoldForm, now: dt.datetime, *, wrong: str = "", status: int = 200
) -> HttpResponse:
    known = LegalHold.objects.exclude(matter__in=withheld_from(request))
    in_force = known.filter(Q(released_at=None) | Q(released_at__gt=now)).order_by("review_at", "id")
    shown = {
        "here": "holds",
        "form": form,
        "wrong": wrong,
        "held": [HoldRow(row, _is_of_case(row), row.review_at < now + _REVIEW_SOON) for row in in_force],
        "released": known.filter(released_at__lte=now).order_by("-released_at", "-id")[:_RELEASED_SHOWN],
    }
    return render(request, "core/console/holds.html", shown, status=status)


def _is_of_case(row: LegalHold) -> bool:
    """True if it was placed with a case (`requests.fulfilment.holds`), and ends with it."""
    return _CASE.fullmatch(row.matter) is not None


@needs(StaffRight.HOLDS_MANAGE)
@require_POST
def change_hold(request: HttpRequest, pk: int, *, is_kept: bool) -> HttpResponse:
    """Extend a hold until another review date, or release it. The hold of an open request ends with its answer, not by
    hand."""
    now, by = timezone.now(), _by(request)
    try:
        row = get_object_or_404(LegalHold.objects.exclude(matter__in=withheld_from(request)), pk=pk)
        if _is_of_case(row):
            raise holds.HoldRefused("this hold belongs to an open request, and is released with its answer")
        if is_kept:
            day = forms.DateField().clean(request.POST.get("review_on"))
            holds.review(pk, day, keyring=own_keyring(), by=by, now=now)
        else:
            holds.release(pk, keyring=own_keyring(), by=by, now=now)
    except (TrothError, ValidationError) as refused:
        text = refused.messages[0] if isinstance(refused, ValidationError) else str(refused)
        return _page(request, HoldForm(), now, wrong=text[:1].upper() + text[1:], status=409)
    return redirect("holds")


def _by(request: HttpRequest) -> str:
    return standing_of(request).pseudonym or ""


def own_keyring() -> Keyring:
    """Keyring of this deployment."""
    return keyring(settings.TROTH.home)
