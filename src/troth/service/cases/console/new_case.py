"""``/console/cases/new/``: staff open a case for a person who asked by telephone, by post or in person."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from troth.declaration import Declaration, IdentityKind
from troth.errors import TrothError
from troth.service.cases import lifecycle
from troth.service.cases.console.case_page import everyone_in
from troth.service.cases.console.cases import who
from troth.service.cases.console.queue_row import labels
from troth.service.cases.content import CaseContent, goes_astray
from troth.service.cases.forms import PLACES
from troth.service.cases.handling import case_types, handling_of
from troth.service.cases.intake import receive
from troth.service.cases.messages import day
from troth.service.cases.models import CaseKind, Channel
from troth.service.cases.rules import zone_of
from troth.service.core.deployment import current
from troth.service.labels import sentence
from troth.service.staff.access_log import refuse_own
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight as Leave

_TIERS = (
    (0, _("Not at all: they get a link by e-mail, if one is needed")),
    (1, _("They answered at an address or number that we have")),
    (2, _("They knew two details that we have")),
    (3, _("They signed in, or knew three details and declared their identity")),
    (4, _("Staff checked a document")),
)


class NewCaseForm(forms.Form):
    """Who asks for what, when it arrived, and how they proved their identity."""

    arrived_on = forms.DateField(
        label=_("Arrived on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The clock starts on that day, even if nobody acted on it then."),
    )
    address = forms.EmailField(label=_("E-mail address for replies"), required=False, max_length=254)
    email = forms.EmailField(label=_("Identifier: e-mail address"), required=False, max_length=254)
    phone = forms.CharField(label=_("Identifier: telephone number"), required=False, max_length=40)
    account = forms.CharField(label=_("Identifier: account"), required=False, max_length=100)
    name = forms.CharField(label=_("Name, as they gave it"), required=False, max_length=100)
    message = forms.CharField(
        label=_("What they asked for"), required=False, max_length=4_000, widget=forms.Textarea(attrs={"rows": 4})
    )
    language = forms.ChoiceField(label=_("Language of the e-mails"), choices=settings.LANGUAGES)
    residence = forms.ChoiceField(label=_("Lives in"), choices=PLACES, required=False)
    tier = forms.TypedChoiceField(label=_("Proof of identity"), choices=_TIERS, coerce=int)
    proof = forms.CharField(
        label=_("What was checked, when, and by whom"),
        required=False,
        max_length=1_000,
        help_text=_("Kept as a note. Do not copy the document or its number."),
    )
    is_confidential = forms.BooleanField(label=_("For the officer and the deputy alone"), required=False)

    def __init__(
        self, *given: Any, what: str, declaration: Declaration, is_officer: bool, today: dt.date, **named: Any
    ) -> None:
        super().__init__(*given, **named)
        self.label_suffix = ""
        self.what, self.today = what, today
        self.fields["arrived_on"].initial = today
        if not is_officer:
            del self.fields["is_confidential"]
        self.fields.update(handling_of(what).fields(what, declaration))

    def clean_arrived_on(self) -> dt.date:
        on: dt.date = self.cleaned_data["arrived_on"]
        if on > self.today:
            raise ValidationError(_("The date is in the future."))
        return on

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("tier") and not cleaned.get("proof"):
            self.add_error("proof", _("Write what was checked: the proof needs it."))
        if not cleaned.get("address") and not cleaned.get("tier") and not self.errors:
            self.add_error(
                "address",
                _("Enter an address: without one the person can neither prove their identity nor get an answer."),
            )
        is_request = case_types()[self.what].kind == CaseKind.REQUEST
        if is_request and not cleaned.get("tier") and not self.errors and goes_astray(self.content()):
            self.add_error("address", _("Without a proof, e-mails go to the address that identifies the person."))
        return cleaned

    def content(self) -> CaseContent:
        """The content of the new case."""
        cleaned = self.cleaned_data
        kinds = ((IdentityKind.EMAIL, "email"), (IdentityKind.PHONE, "phone"), (IdentityKind.ACCOUNT, "account"))
        return CaseContent(
            address=cleaned["address"],
            identifiers=tuple((str(kind), cleaned[field].strip()) for kind, field in kinds if cleaned[field].strip()),
            name=cleaned["name"],
            message=cleaned["message"],
            **handling_of(self.what).given(cleaned),
        )


@needs(Leave.CASES_HANDLE)
@require_http_methods(["GET", "HEAD", "POST"])
def new_case(request: HttpRequest) -> HttpResponse:
    """Choose the subject of the case, then fill in its form. The case page then shows the input, with a recorded
    access."""
    what = request.POST.get("about") or request.GET.get("about") or ""
    titles = {name: title for name, title in labels().items() if not case_types()[name].is_followup}
    if what not in titles:
        return render(request, "cases/console/new.html", {"here": "cases", "kinds": titles.items()})
    deployment, now = current().without_own, timezone.now()
    today = day(now, deployment)
    form = NewCaseForm(
        request.POST or None,
        what=what,
        declaration=deployment.declaration,
        is_officer=standing_of(request).is_officer,
        today=today,
    )
    wrong = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        refuse_own(request, everyone_in(form.content(), deployment))
        arrived = dt.datetime.combine(given["arrived_on"], dt.time(), zone_of(deployment.declaration.organisation))
        kind = CaseKind(case_types()[what].kind)
        intake = receive.Intake(
            kind=kind,
            right=what if kind == CaseKind.REQUEST else "",
            content=form.content(),
            channel=Channel.STAFF,
            language=given["language"],
            residence=given["residence"],
            tier=given["tier"],
            is_confidential=bool(given.get("is_confidential")),
            received_at=now if given["arrived_on"] == today else arrived,
            who=who(request),
        )
        try:
            with transaction.atomic():
                intakes = handling_of(what).parts(intake, deployment.declaration)
                cases = receive.receive_all(intakes, deployment, now=now)
                for case in cases if given["proof"] else ():
                    lifecycle.note(case, given["proof"], deployment, who=who(request), now=now)
            return HttpResponseRedirect(reverse("case", args=[cases[0].reference]))
        except TrothError as refused:
            wrong = sentence(refused)
    shown = {"here": "cases", "form": form, "what": what, "title": titles[what], "wrong": wrong}
    return render(request, "cases/console/new.html", shown, status=400 if form.errors or wrong else 200)
