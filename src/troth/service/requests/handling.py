"""What differs between requests and other cases, from intake to the pages."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.declaration import Declaration
from troth.service.cases.content import CaseContent, goes_astray
from troth.service.cases.intake.receive import Intake
from troth.service.cases.lifecycle import CaseRefused, Closing
from troth.service.cases.messages import day
from troth.service.cases.models import Case, CaseOutcome, Right
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import enqueue
from troth.service.requests import actions, rules
from troth.service.requests.console.sheet import RequestConsole
from troth.service.requests.fulfilment import holds
from troth.service.requests.fulfilment.restriction import choices_in_force, record_choice
from troth.service.requests.models import CHOICES
from troth.service.requests.pages.forms import categories_to_amend, change_fields, purposes_for
from troth.service.requests.pages.status import RequestPages
from troth.service.requests.responses import outcome

_CHANGES = 3


class RequestHandling(RequestPages, RequestConsole):
    """Requests are executed in every system, by batches and jobs (`fulfilment`)."""

    def admit(self, intake: Intake, deployment: Deployment) -> int:
        if not intake.is_vouched_for and goes_astray(intake.content):
            raise CaseRefused(
                "e-mails would go to another address than the one that identifies the person, and a link in them would "
                "prove nothing; use that address, or a better proof of identity"
            )
        declaration, purposes = deployment.declaration, intake.content.purposes
        for name, reason in rules.not_stoppable(declaration, intake.right, purposes)[:1]:
            raise CaseRefused(f"'{name[:80]}' cannot be stopped by this: {reason}")
        return rules.tier_needed(declaration, intake.right, residence=intake.residence, purposes=purposes)

    def parts(self, intake: Intake, declaration: Declaration) -> list[Intake]:
        parts = rules.split(declaration, intake.right, intake.content.purposes)
        content = intake.content
        return [dataclasses.replace(intake, content=dataclasses.replace(content, purposes=part)) for part in parts]

    def identified(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> None:
        holds.hold(case, content, deployment, now)

    def begun(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> None:
        if case.right in CHOICES and case.subject:
            record_choice(case, content, deployment, now)

    def next_step(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> str:
        declaration = deployment.declaration
        if (end := rules.window_of(case, declaration)) is not None:
            text = gettext(
                "On %(until)s we delete your data. Before that day you can take your request back, on its page. Until "
                "then we mark your data as restricted in those of our systems that can mark it."
            )
            return text % {"until": formats.date_format(day(end, deployment), "DATE_FORMAT")}
        if rules.weighed(declaration, case.right, rules.stopped_by(declaration, case.right, content.purposes)):
            return gettext(
                "Next, a person weighs your objection. Until they have decided, we stop this use in those of our "
                "systems that can mark it as stopped, and we write to you which these are."
            )
        return ""

    def withdrawing(self, case: Case) -> Mapping[str, str]:
        if not choices_in_force(case).exists():
            return {}
        enqueue("requests.lift", str(case.pk))
        return {"lifted": "yes"}

    def closing(self, closings: Sequence[Closing], deployment: Deployment, now: dt.datetime) -> None:
        for closing in closings:
            right = closing.case.right
            if right == Right.AMEND or (right == Right.OBJECT and closing.outcome == CaseOutcome.REFUSED):
                actions.end_halt(closing.case, deployment, now)
        holds.release_holds([closing.case for closing in closings], deployment, now)

    def expire(self, deployment: Deployment, now: dt.datetime) -> None:
        while outcome.sweep(deployment, now=now):
            pass
        holds.end_unproved(deployment, now)

    def fields(self, name: str, declaration: Declaration) -> Mapping[str, forms.Field]:
        fields = change_fields(categories_to_amend(declaration) if name == Right.AMEND else {}, _CHANGES)
        if purposes := purposes_for(declaration, name):
            fields["purposes"] = forms.MultipleChoiceField(
                choices=list(purposes.items()), widget=forms.CheckboxSelectMultiple, label=_("What should stop")
            )
        return fields

    def given(self, cleaned: Mapping[str, Any]) -> Mapping[str, Any]:
        changes = {
            cleaned[f"what-{number}"]: cleaned.get(f"new-{number}", "")
            for number in range(_CHANGES)
            if cleaned.get(f"what-{number}")
        }
        return {"changes": changes, "purposes": tuple(cleaned.get("purposes", ()))}
