"""Forms of the privacy centre, and their conversion to cases."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from troth.declaration import Declaration, IdentityKind, covers
from troth.service.cases.case_links import OpenedCase
from troth.service.cases.content import CaseContent, readable
from troth.service.cases.forms import MESSAGE_MAX, ResidenceForm
from troth.service.cases.labels import category_words, purpose_words
from troth.service.cases.models import Right
from troth.service.core.deployment import Deployment
from troth.service.portal.forms import mailable
from troth.service.portal.handover import SignedInPerson
from troth.service.requests import rules
from troth.service.requests.models import CHOICES
from troth.service.requests.verification import proof

ROWS_MAX = 12
_VALUE_MAX = 500


class CorrectedValueField(forms.CharField):
    """The new value of a correction: one line, because e-mails repeat it."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=_VALUE_MAX, label=gettext_lazy("What it should be"))

    def clean(self, value: Any) -> str:
        text = readable(super().clean(value)).strip()
        if "\n" in text:
            raise ValidationError(gettext_lazy("Write it on one line."))
        return text


def change_fields(targets: Mapping[str, str], rows: int) -> dict[str, forms.Field]:
    """Fields for *rows* corrections: each has a target and its new value. None without *targets*."""
    fields: dict[str, forms.Field] = {}
    for number in range(rows if targets else 0):
        choices = [("", gettext_lazy("Choose")), *targets.items()]
        fields[f"what-{number}"] = forms.ChoiceField(
            choices=choices, required=False, label=gettext_lazy("What is wrong")
        )
        fields[f"new-{number}"] = CorrectedValueField()
    return fields


class RequestForm(ResidenceForm):
    """Form for one right: requester, subject, and the details that the right needs."""

    message = forms.CharField(
        required=False,
        max_length=MESSAGE_MAX,
        label=gettext_lazy("Anything else that we should know"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    agent_name = forms.CharField(
        required=False,
        max_length=60,
        label=gettext_lazy("Your name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    agent_email = forms.EmailField(
        required=False,
        max_length=254,
        label=gettext_lazy("Your own e-mail address"),
        error_messages={
            "invalid": gettext_lazy("That does not look like an e-mail address. An example: ben@example.org")
        },
    )

    def __init__(
        self,
        *given: Any,
        right: str,
        declaration: Declaration,
        someone: SignedInPerson | None = None,
        rows: int = 1,
        **named: Any,
    ) -> None:
        super().__init__(*given, **named)
        self.right, self.rows, self.someone = right, min(max(rows, 1), ROWS_MAX), someone
        self.link = rules.link_needed(declaration, right, rules.stoppable(declaration, right))
        self.fields["email"].help_text = (
            gettext_lazy("We write there. Use the one under which we know you.")
            if self.link != "link"
            else gettext_lazy("We send a link there, to see that it is yours. Use the one under which we know you.")
        )
        if someone is not None:  # signed in by the company, so only for themselves and that address
            del self.fields["email"]
        if someone is not None or right in CHOICES:  # answers go to the address of the person, not to an agent
            del self.fields["agent_name"], self.fields["agent_email"]
        self._targets = categories_to_amend(declaration) if right == Right.AMEND else {}
        self._purposes = purposes_for(declaration, right)
        self.fields.update(change_fields(self._targets, self.rows))
        if self._purposes:
            self.fields["purposes"] = forms.MultipleChoiceField(
                choices=list(self._purposes.items()),
                widget=forms.CheckboxSelectMultiple,
                label=gettext_lazy("What should stop?")
                if right == Right.OBJECT
                else gettext_lazy("Which consent do you withdraw?"),
                error_messages={"required": gettext_lazy("Choose at least one.")},
            )

    @property
    def changes(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Rows of an amendment: the target and the new value."""
        return [(self[f"what-{number}"], self[f"new-{number}"]) for number in range(self.rows) if self._targets]

    @property
    def has_purposes(self) -> bool:
        return bool(self._purposes)

    @property
    def is_unusual(self) -> bool:
        """True if a collapsed field was filled in or has an error."""
        folded = ("agent_name", "agent_email")
        return any(self.data.get(name) for name in folded) or any(name in self.errors for name in folded)

    def clean_agent_email(self) -> str:
        address: str = self.cleaned_data["agent_email"]
        return mailable(address) if address else ""

    def clean_agent_name(self) -> str:
        name = readable(self.cleaned_data["agent_name"]).strip()
        if any(not _is_of_a_name(letter) for letter in name) or "www." in name.casefold():
            raise ValidationError(gettext_lazy("Write the name alone: letters, spaces, and . ' - or , between them."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        name, address = cleaned.get("agent_name"), cleaned.get("agent_email")
        if address and not name and "agent_name" not in self.errors:
            self.add_error("agent_name", gettext_lazy("Enter your name: we tell it to the person whose data it is."))
        if name and not address and "agent_email" not in self.errors:
            self.add_error("agent_email", gettext_lazy("Enter your own address as well, or leave out your name."))
        if address and cleaned.get("email") and address.casefold() == cleaned["email"].casefold():
            self.add_error(
                "agent_email", gettext_lazy("This is the same address twice. For your own data, leave this part empty.")
            )
        if self._targets:
            self._clean_changes(cleaned)
        return cleaned

    def _clean_changes(self, cleaned: dict[str, Any]) -> None:
        found: dict[str, str] = {}
        for number in range(self.rows):
            what, new = cleaned.get(f"what-{number}", ""), cleaned.get(f"new-{number}", "")
            if new and not what:
                self.add_error(f"what-{number}", gettext_lazy("Choose what this is about."))
            elif what and what in found:
                self.add_error(f"what-{number}", gettext_lazy("This is there twice. Keep the row that is right."))
            elif what:
                found[what] = new
        if not found and not cleaned.get("message") and not self.errors:
            self.add_error("what-0", gettext_lazy("Choose what is wrong, or describe it below."))
        cleaned["changes"] = found

    def content(self) -> CaseContent:
        cleaned, someone = self.cleaned_data, self.someone
        return CaseContent(
            address=someone.email if someone is not None else cleaned["email"],
            identifiers=someone.identifiers if someone is not None else ((IdentityKind.EMAIL, cleaned["email"]),),
            message=cleaned["message"],
            changes=cleaned.get("changes", {}),
            purposes=tuple(cleaned.get("purposes", ())),
            agent_name=cleaned.get("agent_name", ""),
            agent_address=cleaned.get("agent_email", ""),
        )


def _is_of_a_name(letter: str) -> bool:
    return letter in " .,'’-" or unicodedata.category(letter)[0] in "LM"


class DataPointsForm(forms.Form):
    """Questions about stored data points that the person knows."""

    def __init__(self, *given: Any, questions: Sequence[Any], needed: int, declares: bool, **named: Any) -> None:
        super().__init__(*given, **named)
        self.needed = needed
        for question in questions:
            self.fields[question.name] = forms.CharField(
                required=False,
                max_length=_VALUE_MAX,
                label=question.label,
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )
        if declares:
            self.fields["declares"] = forms.BooleanField(
                label=gettext_lazy("I declare under penalty of perjury that I am the person whose data this is."),
                error_messages={
                    "required": gettext_lazy("The law asks for this declaration where the details are this personal.")
                },
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given = sum(bool(value) for name, value in cleaned.items() if name != "declares")
        if given < self.needed:
            raise ValidationError(gettext_lazy("Fill in at least %(number)d of these."), params={"number": self.needed})
        return cleaned

    def answers(self) -> Mapping[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if name != "declares" and value}


def points_form(opened: OpenedCase, deployment: Deployment, data: Any) -> DataPointsForm:
    """The form by which the person proves their identity with stored data."""
    needed = proof.points_needed(opened.case)
    return DataPointsForm(data, questions=proof.questions(deployment), needed=needed, declares=needed > 2)


# --- choices from the declaration ------------------------------------------------------------------------------------


_NOT_TYPED = (
    "user.account",
    "user.authorization",
    "user.behavior",
    "user.device",
    "user.payment",
    "user.privacy_preferences",
    "user.unique_id",
)
"""Categories that cannot be corrected by typing a value: traces, tokens and choices. Errors in them are described."""


def categories_to_amend(declaration: Declaration) -> dict[str, str]:
    """Declared categories that people may want to correct, with titles."""
    held = {
        use.category
        for system in declaration.systems.values()
        for table in system.tables.values()
        for use in table.fields.values()
        if not use.free_text
    }
    named = {
        category: category_words(category)
        for category in held
        if not any(covers(traces, category) for traces in _NOT_TYPED)
    }
    return dict(sorted(named.items(), key=lambda item: item[1].casefold()))


def purposes_for(declaration: Declaration, right: str) -> dict[str, str]:
    """Purposes that *right* can stop (by objection or withdrawal), with titles; empty for other rights."""
    return {name: purpose_words(declaration, name) for name in rules.stoppable(declaration, right)}
