"""Forms about cases in the privacy centre, and what they share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from troth.service.cases.content import readable
from troth.service.portal.forms import PublicForm

MESSAGE_MAX = 4_000
PLACES = (
    ("", gettext_lazy("I would rather not say")),
    ("GB", gettext_lazy("the United Kingdom")),
    ("AT", gettext_lazy("Austria")),
    ("BE", gettext_lazy("Belgium")),
    ("BG", gettext_lazy("Bulgaria")),
    ("HR", gettext_lazy("Croatia")),
    ("CY", gettext_lazy("Cyprus")),
    ("CZ", gettext_lazy("Czechia")),
    ("DK", gettext_lazy("Denmark")),
    ("EE", gettext_lazy("Estonia")),
    ("FI", gettext_lazy("Finland")),
    ("FR", gettext_lazy("France")),
    ("DE", gettext_lazy("Germany")),
    ("GR", gettext_lazy("Greece")),
    ("HU", gettext_lazy("Hungary")),
    ("IS", gettext_lazy("Iceland")),
    ("IE", gettext_lazy("Ireland")),
    ("IT", gettext_lazy("Italy")),
    ("LV", gettext_lazy("Latvia")),
    ("LI", gettext_lazy("Liechtenstein")),
    ("LT", gettext_lazy("Lithuania")),
    ("LU", gettext_lazy("Luxembourg")),
    ("MT", gettext_lazy("Malta")),
    ("NL", gettext_lazy("the Netherlands")),
    ("NO", gettext_lazy("Norway")),
    ("PL", gettext_lazy("Poland")),
    ("PT", gettext_lazy("Portugal")),
    ("RO", gettext_lazy("Romania")),
    ("SK", gettext_lazy("Slovakia")),
    ("SI", gettext_lazy("Slovenia")),
    ("ES", gettext_lazy("Spain")),
    ("SE", gettext_lazy("Sweden")),
    ("CH", gettext_lazy("Switzerland")),
    ("CA", gettext_lazy("Canada")),
    ("US-CA", gettext_lazy("California")),
    ("US", gettext_lazy("another state of the United States")),
)
"""Places with a rule set. Other places have none, so choosing them would change nothing."""


class ResidenceForm(PublicForm):
    """A form that asks where the person lives."""

    residence = forms.ChoiceField(
        choices=PLACES,
        required=False,
        label=gettext_lazy("Where do you live?"),
        help_text=gettext_lazy("It tells us which law counts for you. Without it we keep to the strictest that may."),
    )


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
