"""Public forms of newsletters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from troth.service.portal.forms import PublicForm

ALL = "*"
"""The choice of all marketing."""


class StopForm(PublicForm):
    """An address, and what it wants no more of. Nobody need show that it is theirs: to stop harms nobody much."""

    list = forms.ChoiceField(label=gettext_lazy("What shall stop?"), initial=ALL)

    def __init__(self, *given: Any, lists: Sequence[tuple[str, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["list"].choices = [(ALL, gettext_lazy("All marketing")), *lists]  # type: ignore[attr-defined]
