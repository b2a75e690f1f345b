"""Forms about cases in the privacy centre, and what they share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy

from troth.service.cases.content import readable
from troth.service.cases.labels import country
from troth.service.portal.forms import PublicForm

MESSAGE_MAX = 4_000
_COUNTRIES = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IS IE IT LV LI LT LU MT NL NO PL PT RO SK SI ES SE CH CA US-CA"
_country = lazy(country, str)
PLACES = (
    ("", gettext_lazy("I would rather not say")),
    *((code, _country(code)) for code in ("GB", *_COUNTRIES.split())),
    ("US", gettext_lazy("another state of the United States")),
)
"""Places with a rule set. Other places have none, so choosing them would change nothing."""


class ResidenceForm(PublicForm):
    """A form that asks where the person lives, and has a message."""

    residence = forms.ChoiceField(
        choices=PLACES,
        required=False,
        label=gettext_lazy("Where do you live?"),
        help_text=gettext_lazy("It tells us which law counts for you. Without it we keep to the strictest that may."),
    )

    def clean_message(self) -> str:
        return readable(self.cleaned_data["message"])


class ResendLinksForm(PublicForm):
    """Form to have the links of earlier cases sent again."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["email"].help_text = gettext_lazy("The one that you gave when you asked.")


class ClarificationAnswerForm(forms.Form):
    """Answer to our question while the case is paused."""

    answer = forms.CharField(
        max_length=MESSAGE_MAX,
        label=gettext_lazy("Your answer"),
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": gettext_lazy("Write your answer first.")},
    )

    def clean_answer(self) -> str:
        return readable(self.cleaned_data["answer"])
