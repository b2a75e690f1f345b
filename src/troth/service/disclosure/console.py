"""``/console/disclosures/``: what went to whom, who received one person's data, and whom staff have to tell."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from troth.declaration import IdentityKind
from troth.service.disclosure.models import Disclosure, Kind, Notice
from troth.service.disclosure.plan import ANSWERING
from troth.service.disclosure.run import names_of, received
from troth.service.disclosure.telling import NoticeEnded, end, untold
from troth.service.pages import the_company
from troth.service.record.console import IDENTIFIERS, own_keyring
from troth.service.staff.doors import needs
from troth.service.staff.looking import look, withheld_from
from troth.service.staff.rights import Right
from troth.service.staff.standing import standing_of
from troth.subjects import Identity, IdentityRefused

_SHOWN = 50
KINDS = {
    Kind.NOTICE: _("notice of a change"),
    Kind.EXPORT: _("as the person wished"),
    Kind.SHARE: _("shared"),
    Kind.PROCESSOR: _("to a processor"),
    Kind.LEGAL_DEMAND: _("on a legal demand"),
    Kind.SALE: _("sold"),
}


class Person(forms.Form):
    """Somebody whom staff look for, by one identifier, and for which purpose."""

    kind = forms.ChoiceField(choices=IDENTIFIERS, label=_("The person is named by"))
    value = forms.CharField(
        label=_("Which"), max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    purpose = forms.ChoiceField(label=_("What you look for it for"), help_text=_("The look is on record."))

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.label_suffix = ""
        declared = the_company().declaration.purposes
        field = self.fields["purpose"]
        assert isinstance(field, forms.ChoiceField)
        titled = [(one.title or name, name) for name, one in declared.items()]
        field.choices = [(name, title) for title, name in sorted(titled)]
        field.initial = "troth_requests"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") and cleaned.get("value"):
            try:
                cleaned["identity"] = Identity(((IdentityKind(cleaned["kind"]), cleaned["value"].strip()),))
            except IdentityRefused as refused:
                self.add_error("value", str(refused))
        return cleaned


@needs(Right.DISCLOSURES_SEE)
@require_safe
def disclosures(request: HttpRequest) -> HttpResponse:
    """The latest disclosures, without whose data it was, and the recipients that wait to be told."""
    return _page(request, Person())


def _page(request: HttpRequest, form: Person, *, found: Any = None, wrong: str = "", status: int = 200) -> HttpResponse:
    withheld = withheld_from(request)
    latest = Disclosure.objects.exclude(case__in=withheld).order_by("-at", "-id")[:_SHOWN]
    shown = {
        "here": "disclosures",
        "form": form,
        "found": found,
        "wrong": wrong,
        "untold": [one for one in untold() if one.case not in withheld][:_SHOWN],
        "latest": [(row, KINDS[Kind(row.kind)]) for row in latest],
        "recipients": the_company().declaration.recipients,
        "purposes": _purposes(),
        "is_searched": found is not None,
    }
    return render(request, "disclosure/console/disclosures.html", shown, status=status)


def _purposes() -> dict[str, str]:
    titles = {name: str(one.title) for name, one in the_company().declaration.purposes.items() if one.title}
    return {**titles, ANSWERING: gettext("to answer a person’s request")}


@needs(Right.DISCLOSURES_SEE, personal=True)
@require_POST
def received_by(request: HttpRequest) -> HttpResponse:
    """Who received one person's data, as the person would be told (GDPR Art. 15(1)(c)). The identifier is sent in the
    body, found by its keyed reference, and not kept."""
    form = Person(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    names = names_of(form.cleaned_data["identity"], own_keyring())
    look(request, subjects=names[:1], purpose=form.cleaned_data["purpose"])
    return _page(request, form, found=[(one, KINDS[Kind(one.kind)]) for one in received(names)])


@needs(Right.DISCLOSURES_SEE)
@require_POST
def notice_ended(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has told the recipient in another way, or says why nobody can (GDPR Art. 19)."""
    how = request.POST.get("how", "")
    if not Notice.objects.filter(pk=pk).exclude(case__in=withheld_from(request)).exists():
        raise Http404
    try:
        if how not in Notice.Ended.values:
            raise NoticeEnded("say whether they were told, or why they cannot be")
        end(pk, Notice.Ended(how), by=standing_of(request).pseudonym or "", now=timezone.now())
    except NoticeEnded as refused:
        return _page(request, Person(), wrong=str(refused)[:1].upper() + str(refused)[1:], status=409)
    return HttpResponseRedirect(reverse("disclosures"))
