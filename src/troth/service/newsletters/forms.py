"""Public forms of newsletters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from troth.service.portal.forms import PublicForm

ALL = "*"
"""The choice of all marketing."""


class SignUpForm(PublicForm):
    """An address, and what else the newsletter's text may name."""

    def __init__(self, *given: Any, values: Sequence[str], **named: Any) -> None:
        super().__init__(*given, **named)
        for name in values:
            label = gettext_lazy("Your name") if name == "name" else name.replace("_", " ").capitalize()
            self.fields[name] = forms.CharField(label=label, max_length=120, required=False)


class StopForm(PublicForm):
    """An address, and what it wants no more of. Nobody need show that it is theirs: to stop harms nobody much."""

    list = forms.ChoiceField(label=gettext_lazy("What shall stop?"), initial=ALL)

    def __init__(self, *given: Any, lists: Sequence[tuple[str, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["list"].choices = [(ALL, gettext_lazy("All marketing")), *lists]  # type: ignore[attr-defined]
