"""Forms for staff about cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from troth.service.cases.console.queue_row import NEEDS, RIGHTS
from troth.service.cases.models import CaseKind, Right
from troth.service.staff.console.lists import FilterForm

_TEXT_MAX = 4_000


class _Plain(forms.Form):
    """A form without a suffix after its labels."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.label_suffix = ""


def _text(label: Any, *, rows: int = 4, required: bool = True, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=_TEXT_MAX,
        required=required,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class CaseFilterForm(FilterForm):
    """Filter of the list of cases."""

    what = forms.ChoiceField(choices=[("", _("Everything")), *RIGHTS.items()], required=False, label=_("About"))
    needs = forms.ChoiceField(
        choices=[("", _("Anything")), ("somebody", _("Our staff")), ("handler", _("A handler")), *NEEDS.items()],
        required=False,
        label=_("Needs"),
    )
    only = forms.ChoiceField(
        choices=[
            ("", _("All open")),
            ("today", _("Due today")),
            ("late", _("Late")),
            ("mine", _("Mine")),
            ("unassigned", _("Without a handler")),
            ("closed", _("Closed")),
        ],
        required=False,
        label=_("Which"),
    )


class ClarificationForm(_Plain):
    question = _text(_("What you need to know"), help_text=_("The person gets it by e-mail, word for word."))


class ResumeForm(_Plain):
    text = _text(_("What the person answered"), required=False)


class ReasonsForm(_Plain):
    reasons = _text(_("Reasons"), help_text=_("The person gets them by e-mail, word for word."))


class RefusalForm(_Plain):
    reasons = _text(_("Reasons"), help_text=_("The person gets them by e-mail, word for word."))
    cite = forms.ChoiceField(label=_("Legal ground"), required=False)
    other = forms.CharField(
        label=_("Or another provision"), required=False, max_length=100, help_text=_("UK GDPR Art. 17(3)(b)")
    )

    def __init__(self, *given: Any, grounds: Iterable[tuple[str, str]] = (), **named: Any) -> None:
        super().__init__(*given, **named)
        field = self.fields["cite"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose")), *((cite, f"{cite}: {what}"[:120]) for cite, what in grounds)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["law"] = (cleaned.get("other") or "").strip() or cleaned.get("cite") or ""
        if not cleaned["law"] and not self.errors:
            self.add_error("cite", _("A refusal needs its legal ground: choose one, or write it below."))
        return cleaned


class AnswerForm(_Plain):
    text = _text(_("Your answer"), rows=7, help_text=_("The person gets it by e-mail, word for word."))
    remedy = _text(_("Remedy"), rows=3, required=False)
    granted = forms.BooleanField(label=_("The person is right: the original request is carried out"), required=False)

    def __init__(self, *given: Any, about: str = CaseKind.COMPLAINT, **named: Any) -> None:
        super().__init__(*given, **named)
        if about != CaseKind.COMPLAINT:
            del self.fields["remedy"]
        if about != Right.APPEAL:
            del self.fields["granted"]


class ChoiceForm(_Plain):
    rows = forms.MultipleChoiceField(label=_("Rows in question"), required=False, widget=forms.CheckboxSelectMultiple)
    other = _text(
        _("Other rows, one a line"),
        rows=3,
        required=False,
        help_text=_("As system.table=key, such as shop.customer=41"),
    )

    def __init__(self, *given: Any, known: Iterable[str] = (), **named: Any) -> None:
        super().__init__(*given, **named)
        choices = [(row, row) for row in dict.fromkeys(known)]
        if choices:
            field = self.fields["rows"]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = choices
        else:
            del self.fields["rows"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        typed = [line.strip() for line in cleaned.get("other", "").splitlines() if line.strip()]
        cleaned["chosen"] = tuple(dict.fromkeys([*cleaned.get("rows", ()), *typed]))
        if not cleaned["chosen"] and not self.errors:
            raise ValidationError(_("Choose at least one row, or write it as system.table=key."))
        return cleaned


class NoteForm(_Plain):
    text = _text(_("Note"), rows=3, help_text=_("For staff. The person does not see it, but may request it."))
