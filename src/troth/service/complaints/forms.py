"""Forms of complaints, questions and appeals, for people and for staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from troth.declaration import IdentityKind
from troth.service.cases.console.forms import ActionForm, text_field
from troth.service.cases.content import CaseContent
from troth.service.cases.forms import MESSAGE_MAX, ClarificationAnswerForm, ResidenceForm
from troth.service.cases.models import Case, CaseKind, Right


class ComplaintForm(ResidenceForm):
    """A complaint, or a question about the policy."""

    message = forms.CharField(
        max_length=MESSAGE_MAX,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": gettext_lazy("Write a few words, so that we know what it is about.")},
    )

    def __init__(self, *given: Any, clauses: Sequence[tuple[str, str]] = (), **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["email"].help_text = gettext_lazy("The answer goes there.")
        if clauses:
            nothing = ("", gettext_lazy("The policy as a whole"))
            self.fields["clause"] = forms.ChoiceField(
                choices=[nothing, *clauses], required=False, label=gettext_lazy("Which sentence is it about?")
            )
            self.fields["message"].label = gettext_lazy("Your question")
        else:
            self.fields["message"].label = gettext_lazy("What went wrong, and what would put it right?")

    def content(self) -> CaseContent:
        address = self.cleaned_data["email"]
        return CaseContent(
            address=address, identifiers=((IdentityKind.EMAIL, address),), message=self.cleaned_data["message"]
        )


class AppealForm(ClarificationAnswerForm):
    """Reasons for an appeal."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["answer"].label = gettext_lazy("What is wrong with our answer?")
        self.fields["answer"].error_messages["required"] = gettext_lazy("Write what is wrong first.")


class AnswerForm(ActionForm):
    text = text_field(_("Your answer"), rows=7, help_text=_("The person gets it by e-mail, word for word."))
    remedy = text_field(_("Remedy"), rows=3, required=False)
    granted = forms.BooleanField(label=_("The person is right: the original request is carried out"), required=False)

    def __init__(self, *given: Any, case: Case, **named: Any) -> None:
        super().__init__(*given, case=case, **named)
        if case.type != CaseKind.COMPLAINT:
            del self.fields["remedy"]
        if case.type != Right.APPEAL:
            del self.fields["granted"]
