"""What differs between requests and other cases, from intake to the pages."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.declaration import Declaration
from troth.service.cases import identity
from troth.service.cases.case_links import OpenedCase
from troth.service.cases.content import CaseContent
from troth.service.cases.handling import CaseHandling
from troth.service.cases.intake.receive import Intake
from troth.service.cases.lifecycle import CaseRefused, Closing
from troth.service.cases.messages import day
from troth.service.cases.models import Case, CaseEvent, CaseOutcome, CaseState, Right, WaitReason
from troth.service.cases.pages.case_status import LedgerProof
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import enqueue
from troth.service.requests import actions, rules
from troth.service.requests.console import sheet
from troth.service.requests.console.actions import ACTIONS
from troth.service.requests.fulfilment import holds
from troth.service.requests.fulfilment.restriction import choices_in_force, record_choice
from troth.service.requests.models import CHOICES, CaseStep
from troth.service.requests.pages import status
from troth.service.requests.pages.forms import CorrectedValueField, categories_to_amend, points_form, purposes_for
from troth.service.requests.responses import outcome
from troth.service.requests.verification import proof

_CHANGES = 3


class RequestHandling(CaseHandling):
    """Requests are executed in every system, by batches and jobs (`fulfilment`)."""

    actions: ClassVar[Mapping[str, Any]] = ACTIONS
    staff_events: ClassVar[Mapping[str, Any]] = {
        "reviewed": _("A handler chose the person's rows"),
        "again": _("It was put back into execution"),
        "failed": _("The execution failed"),
        "restricted": _("The use of the data was restricted"),
        "lifting": _("The end of the restriction was announced"),
        "data_located": _("Evidence of who received the data was recorded"),
        "recipients_told": _("It was decided which recipients are told"),
        "task_ended": _("Staff ended a task"),
        "given_up": _("The case goes on without a system"),
        "needs_weighing": _("A handler has to weigh the objection"),
        "granted": _("The objection was granted"),
        "needs_window": _("The cooling-off period before the deletion began"),
        "needs_access": _("A request to see the data is answered first"),
        "needs_": _("It is carried out again"),
    }
    staff_reasons: ClassVar[Mapping[str, Any]] = {
        "nobody_named": _("The request contains no identifier that we can search for."),
        "access_first": _("The same person asked to see their data; that is answered first."),
        "not_approved": _("The plan has changed since it was approved."),
        "plan_refused": _("The plan cannot be carried out as it stands."),
        "run_failed": _("The execution failed several times."),
    }
    person_events: ClassVar[Mapping[str, Any]] = {
        "granted": _("A person weighed your objection and granted it"),
        "restricted": _("We recorded that your data may only be stored"),
    }

    def admit(self, intake: Intake, deployment: Deployment) -> int:
        if not intake.is_vouched_for and identity.goes_astray(intake.content):
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

    def opened(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> None:
        holds.place_hold(case, content, deployment, now)

    def proved(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> None:
        holds.confirm_hold(case, content, deployment, now)

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

    def waiting_words(self, case: Case, deployment: Deployment) -> str:
        return status.waiting_words(case, deployment)

    def outcome_words(self, case: Case, events: Iterable[CaseEvent]) -> str:
        return status.outcome_words(case, events)

    def event_words(self, event: CaseEvent, case: Case) -> str:
        return status.recipients_words(case) if event.what == "recipients_told" else ""

    def proofs(self, case: Case) -> list[LedgerProof]:
        return status.proofs(case)

    def status(self, case: Case, deployment: Deployment, *, inside: bool, now: dt.datetime) -> Any:
        return status.status(case, deployment, inside=inside, now=now)

    def status_context(self, opened: OpenedCase, deployment: Deployment, now: dt.datetime) -> Mapping[str, Any]:
        case = opened.case
        if not opened.is_inside or case.state != CaseState.VERIFYING or case.tier_needed < 2:
            return {}
        return {"points": points_form(opened, deployment, None), "tries_left": proof.tries_left(case, now=now)}

    def headers(self, case: Case) -> Mapping[str, str]:
        is_erased = case.right == Right.ERASE and case.state == CaseState.CLOSED
        return {"Clear-Site-Data": '"cache", "storage"'} if is_erased else {}

    def progress(self, cases: Collection[Case]) -> Mapping[int, tuple[int, int]]:
        waiting = [case.pk for case in cases if case.needs == WaitReason.SYSTEMS]
        if not waiting:
            return {}
        ended = Count("pk", filter=~Q(state=CaseStep.State.WAITING))
        rows = CaseStep.objects.filter(case__in=waiting).values_list("case").annotate(ended=ended, whole=Count("pk"))
        return {case: (done, whole) for case, done, whole in rows}

    def sheet(self, case: Case, deployment: Deployment) -> Any:
        return sheet.sheet(case, deployment)

    def sheet_context(self, request: HttpRequest, case: Case, deployment: Deployment) -> Mapping[str, Any]:
        return sheet.differences(request, case, deployment)

    def fields(self, name: str, declaration: Declaration) -> Mapping[str, forms.Field]:
        fields: dict[str, forms.Field] = {}
        targets = categories_to_amend(declaration) if name == Right.AMEND else {}
        for number in range(_CHANGES if targets else 0):
            fields[f"what-{number}"] = forms.ChoiceField(
                choices=[("", _("Choose")), *targets.items()], required=False, label=_("What is wrong")
            )
            fields[f"new-{number}"] = CorrectedValueField()
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
