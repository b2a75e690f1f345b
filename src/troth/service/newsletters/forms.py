"""Public forms of newsletters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from troth.service.portal.forms import PublicForm

ALL = "*"
"""The choice of all marketing."""
TRACKING = "troth_tracking"
"""Name of the box that allows counting: no column of an audience is called so."""


class SignUpForm(PublicForm):
    """An address, and what else the newsletter's text may name; with *tracking*, a text, a box to agree with it."""

    def __init__(self, *given: Any, values: Sequence[str], tracking: str = "", **named: Any) -> None:
        super().__init__(*given, **named)
        for name in values:
            label = gettext_lazy("Your name") if name == "name" else name.replace("_", " ").capitalize()
            self.fields[name] = forms.CharField(label=label, max_length=120, required=False)
        if tracking:
            self.fields[TRACKING] = forms.BooleanField(label=tracking, required=False)


class StopForm(PublicForm):
    """An address, and what it wants no more of. Nobody need show that it is theirs: to stop harms nobody much."""

    list = forms.ChoiceField(label=gettext_lazy("What shall stop?"), initial=ALL)

    def __init__(self, *given: Any, lists: Sequence[tuple[str, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["list"].choices = [(ALL, gettext_lazy("All marketing")), *lists]  # type: ignore[attr-defined]


class TrackingForm(PublicForm):
    """An address, and whether its reading may be counted. To allow it takes a link to the address."""

    choice = forms.ChoiceField(
        label=gettext_lazy("May we count it?"),
        choices=[("refuse", gettext_lazy("No")), ("allow", gettext_lazy("Yes"))],
        widget=forms.RadioSelect,
    )
