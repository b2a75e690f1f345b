"""Actions that staff may take on a request, each with its labels, its form, and when it is offered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from troth.service.cases.console.actions import ConsoleAction, is_idle, waits_for
from troth.service.cases.console.case_page import rows_in_question
from troth.service.cases.console.forms import ActionForm, ReasonsForm, text_field
from troth.service.cases.models import Case, CaseState, Right, WaitReason
from troth.service.requests import actions
from troth.service.requests.fulfilment import preview
from troth.service.requests.fulfilment.restriction import restrictions_in_force


class ChoiceForm(ActionForm):
    rows = forms.MultipleChoiceField(label=_("Rows in question"), required=False, widget=forms.CheckboxSelectMultiple)
    other = text_field(
        _("Other rows, one a line"),
        rows=3,
        required=False,
        help_text=_("As system.table=key, such as shop.customer=41"),
    )

    def __init__(self, *given: Any, case: Case, **named: Any) -> None:
        super().__init__(*given, case=case, **named)
        choices = [(row, row) for row in rows_in_question(case)]
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


_CHANGING = (Right.AMEND, Right.ERASE, Right.RESTRICT, Right.OBJECT, Right.WITHDRAW)

ACTIONS: Mapping[str, ConsoleAction] = {
    "rows": ConsoleAction(
        _("Choose the person's rows"),
        _("Continue with these rows"),
        lambda at, given: actions.choose_rows(at.case.pk, given["chosen"], at.deployment, who=at.who, now=at.now),
        lambda made: waits_for(made, WaitReason.REVIEW),
        ChoiceForm,
        hint=_("The case continues with exactly these rows."),
        place=10,
        is_first=True,
    ),
    "grant": ConsoleAction(
        _("Grant the objection"),
        _("Stop the use for good"),
        lambda at, given: actions.grant(at.case.pk, at.deployment, who=at.who, now=at.now),
        lambda made: waits_for(made, WaitReason.WEIGHING),
        hint=_(
            "Unless compelling grounds override the interests of this person, or a legal claim needs the data (GDPR "
            "Art. 21(1)). If so, refuse, and say what they are."
        ),
        place=30,
        is_first=True,
    ),
    "again": ConsoleAction(
        _("Try again"),
        _("Carry it out again"),
        lambda at, given: actions.try_again(at.case.pk, at.deployment, who=at.who, now=at.now),
        lambda made: waits_for(made, WaitReason.REVIEW) and bool(made.case.subject),
        hint=_("After something was fixed, or checked and found to be right."),
        place=40,
    ),
    "plan": ConsoleAction(
        _("Show what would be done"),
        _("Look now"),
        lambda at, given: preview.previewed(at.case, at.deployment, at=at.now),
        lambda made: is_idle(made) and made.case.right in _CHANGING and made.case.state == CaseState.IN_PROGRESS,
        hint=_("Searches every system and shows places, counts and grounds. Nothing is changed."),
        place=70,
        query=lambda case: {"values": "1"} if case.right == Right.AMEND else {},
    ),
    "lift": ConsoleAction(
        _("Lift the restriction"),
        _("Announce it to the person"),
        lambda at, given: actions.lift(at.case.pk, given["reasons"], at.deployment, who=at.who, now=at.now),
        lambda made: restrictions_in_force(made.case).exists(),
        ReasonsForm,
        hint=_("The person is told first; it is lifted three days later (GDPR Art. 18(3))."),
        place=120,
    ),
}
