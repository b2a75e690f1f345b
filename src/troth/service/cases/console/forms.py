"""Forms for staff about cases."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.declaration import Declaration
from troth.service.cases.console.case_page import grounds
from troth.service.cases.console.queue_row import NEEDS, labels
from troth.service.cases.models import Case
from troth.service.staff.console.lists import FilterForm

_TEXT_MAX = 4_000


class ActionForm(forms.Form):
    """The form of an action on a case."""

    def __init__(self, *given: Any, case: Case, declaration: Declaration, **named: Any) -> None:
        super().__init__(*given, **named)
        self.label_suffix = ""


def text_field(label: Any, *, rows: int = 4, required: bool = True, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=_TEXT_MAX,
        required=required,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class CaseFilterForm(FilterForm):
    """Filter of the list of cases."""

    what = forms.ChoiceField(
        choices=lambda: [("", _("Everything")), *labels().items()], required=False, label=_("About")
    )
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


class ClarificationForm(ActionForm):
    question = text_field(_("What you need to know"), help_text=_("The person gets it by e-mail, word for word."))


class ResumeForm(ActionForm):
    text = text_field(_("What the person answered"), required=False)


class ReasonsForm(ActionForm):
    reasons = text_field(_("Reasons"), help_text=_("The person gets them by e-mail, word for word."))


class RefusalForm(ActionForm):
    reasons = text_field(_("Reasons"), help_text=_("The person gets them by e-mail, word for word."))
    cite = forms.ChoiceField(label=_("Legal ground"), required=False)
    other = forms.CharField(
        label=_("Or another provision"), required=False, max_length=100, help_text=_("UK GDPR Art. 17(3)(b)")
    )

    def __init__(self, *given: Any, case: Case, declaration: Declaration, **named: Any) -> None:
        super().__init__(*given, case=case, declaration=declaration, **named)
        field = self.fields["cite"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("Choose")),
            *((cite, f"{cite}: {what}"[:120]) for cite, what in grounds(case, declaration)),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["law"] = (cleaned.get("other") or "").strip() or cleaned.get("cite") or ""
        if not cleaned["law"] and not self.errors:
            self.add_error("cite", _("A refusal needs its legal ground: choose one, or write it below."))
        return cleaned


class NoteForm(ActionForm):
    text = text_field(_("Note"), rows=3, help_text=_("For staff. The person does not see it, but may request it."))
