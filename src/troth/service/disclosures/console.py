"""``/console/disclosures/``: what went to whom, who received one person's data, and recipients that staff must
notify."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from troth.declaration import IdentityKind
from troth.service.core.deployment import current
from troth.service.disclosures.actions import names_of, received
from troth.service.disclosures.duty import DISCLOSURES_SEE
from troth.service.disclosures.models import Disclosure, DisclosureKind, RecipientNotification
from troth.service.disclosures.notifications import NotificationEnded, end, untold
from troth.service.disclosures.rules import ANSWERING
from troth.service.staff.access_log import record_access, withheld_from
from troth.service.staff.console.holds import IDENTIFIERS, own_keyring
from troth.service.staff.console.lists import FilterForm, by_title, list_page
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.subjects import Identity, IdentityRefused

_SHOWN = 50
KINDS = {
    DisclosureKind.NOTICE: _("notice of a change"),
    DisclosureKind.EXPORT: _("as the person wished"),
    DisclosureKind.SHARE: _("shared"),
    DisclosureKind.PROCESSOR: _("to a processor"),
    DisclosureKind.LEGAL_DEMAND: _("on legal demand"),
    DisclosureKind.SALE: _("sold"),
}


class PersonSearchForm(forms.Form):
    """Search for a person by one identifier, for a stated purpose."""

    kind = forms.ChoiceField(choices=IDENTIFIERS, label=_("Person identified by"))
    value = forms.CharField(
        label=_("Which"), max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    purpose = forms.ChoiceField(
        label=_("Purpose of the search"),
        help_text=_("The search is recorded."),
        choices=lambda: by_title(current().declaration.purposes),
        initial="troth_requests",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") and cleaned.get("value"):
            try:
                cleaned["identity"] = Identity(((IdentityKind(cleaned["kind"]), cleaned["value"].strip()),))
            except IdentityRefused as refused:
                self.add_error("value", str(refused))
        return cleaned


def _recipients() -> list[tuple[str, Any]]:
    return [("", _("All")), *by_title(current().declaration.recipients)]


class DisclosureFilterForm(FilterForm):
    """Filter of the register."""

    recipient = forms.ChoiceField(choices=_recipients, required=False, label=_("Recipient"))
    kind = forms.ChoiceField(choices=[("", _("All")), *KINDS.items()], required=False, label=_("Way"))


@needs(DISCLOSURES_SEE)
@require_safe
def disclosures(request: HttpRequest) -> HttpResponse:
    """The latest disclosures, without subjects, and the recipients still to be notified."""
    return _page(request, PersonSearchForm())


def _page(
    request: HttpRequest, form: PersonSearchForm, *, results: Any = None, wrong: str = "", status: int = 200
) -> HttpResponse:
    withheld = withheld_from(request)
    chosen = DisclosureFilterForm(request.GET)
    rows = Disclosure.objects.exclude(case__in=withheld).filter(**chosen.wanted)
    page = list_page(
        chosen, rows.order_by("-at", "-id"), show=lambda rows: [(row, KINDS[DisclosureKind(row.kind)]) for row in rows]
    )
    shown = {
        "here": "disclosures",
        "form": form,
        "found": results,
        "wrong": wrong,
        "untold": [one for one in untold() if one.case not in withheld][:_SHOWN],
        "list": page,
        "recipients": current().declaration.recipients,
        "purposes": _purposes(),
        "is_searched": results is not None,
    }
    return render(request, "disclosures/console/disclosures.html", shown, status=max(status, page.status))


def _purposes() -> dict[str, str]:
    titles = {name: str(one.title) for name, one in current().declaration.purposes.items() if one.title}
    return {**titles, ANSWERING: gettext("to answer a person’s request")}


@needs(DISCLOSURES_SEE, personal=True)
@require_POST
def received_by(request: HttpRequest) -> HttpResponse:
    """Recipients of one person's data, as the person would see them (GDPR Art. 15(1)(c)). The identifier is sent in the
    body, found by its keyed reference, and not stored."""
    form = PersonSearchForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    names = names_of(form.cleaned_data["identity"], own_keyring())
    record_access(request, subjects=names[:1], purpose=form.cleaned_data["purpose"])
    return _page(request, form, results=[(one, KINDS[DisclosureKind(one.kind)]) for one in received(names)])


@needs(DISCLOSURES_SEE)
@require_POST
def notice_ended(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that the recipient was told in another way, or why that cannot be done (GDPR Art. 19)."""
    how = request.POST.get("how", "")
    if not RecipientNotification.objects.filter(pk=pk).exclude(case__in=withheld_from(request)).exists():
        raise Http404
    try:
        if how not in RecipientNotification.Ended.values:
            raise NotificationEnded("say whether they were told, or why they cannot be told")
        end(pk, RecipientNotification.Ended(how), by=standing_of(request).pseudonym or "", now=timezone.now())
    except NotificationEnded as refused:
        return _page(request, PersonSearchForm(), wrong=str(refused)[:1].upper() + str(refused)[1:], status=409)
    return redirect("disclosures")
