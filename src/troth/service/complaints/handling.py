"""What differs between complaints, questions and appeals, and other cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.service.cases.console.actions import At, ConsoleAction, waits_for
from troth.service.cases.content import CaseContent
from troth.service.cases.handling import CaseHandling
from troth.service.cases.intake.receive import Intake
from troth.service.cases.lifecycle import has_other
from troth.service.cases.models import Case, CaseKind, CaseState, Channel, Right, WaitReason
from troth.service.complaints import actions
from troth.service.complaints.forms import AnswerForm
from troth.service.core.deployment import Deployment


def _answer(at: At, given: Mapping[str, Any]) -> None:
    if at.case.right == Right.APPEAL:
        actions.decide(at.case.pk, given["text"], at.deployment, granted=given["granted"], who=at.who, now=at.now)
        return
    actions.answer(at.case.pk, given["text"], at.deployment, who=at.who, now=at.now, remedy=given.get("remedy", ""))


class QuestionHandling(CaseHandling):
    """A handler answers in writing."""

    actions: ClassVar[Mapping[str, Any]] = {
        "answer": ConsoleAction(
            _("Answer"),
            _("Send the answer, and close"),
            _answer,
            lambda made: waits_for(made, WaitReason.ANSWER),
            AnswerForm,
            place=20,
            is_first=True,
        )
    }


class ComplaintHandling(QuestionHandling):
    """A complaint is possible against every answer but that to a complaint."""

    def redress(self, case: Case, deployment: Deployment, *, is_less: bool) -> Mapping[str, str]:
        is_complaint = case.kind == CaseKind.COMPLAINT
        return {} if is_complaint else {"complaint_link": f"{deployment.site}/your-data/complain/"}

    def contest_page(self, case: Case) -> tuple[str, str] | None:
        is_closed = case.state == CaseState.CLOSED
        return ("centre-complain", gettext("I do not agree with this")) if is_closed else None


class AppealHandling(QuestionHandling):
    """An appeal is possible against a request that was refused or partly fulfilled, and is decided by somebody else."""

    staff_events: ClassVar[Mapping[str, Any]] = {"appealed": _("The person appealed")}
    person_events: ClassVar[Mapping[str, Any]] = {"appealed": _("You appealed")}

    def admit(self, intake: Intake, deployment: Deployment) -> int:
        return 1

    def next_step(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> str:
        if has_other(case, now):
            return gettext("Next, somebody who had no part in our first answer decides, and we write to you why.")
        return gettext("Next, a person decides, and we write to you why.")

    def redress(self, case: Case, deployment: Deployment, *, is_less: bool) -> Mapping[str, str]:
        """How to appeal, in the language of *case*. Several US state laws require this text; everyone may appeal."""
        if not is_less or case.kind != CaseKind.REQUEST or case.right == Right.APPEAL:
            return {}
        with translation.override(case.language):
            text = gettext("You may also appeal: on the page of your request, or by answering this letter.")
            if case.residence.startswith("US") or deployment.declaration.organisation.country == "US":
                turn = gettext("If your appeal is refused, you may turn to the attorney general of your state.")
                text = f"{text} {turn}"
        return {"appeal": text}

    def contest(self, case: Case, text: str, deployment: Deployment, *, now: dt.datetime, **more: Any) -> Case | None:
        if not actions.may_appeal(case):
            return None
        return actions.open_appeal(case.pk, text, deployment, channel=Channel.MAIL, is_proved=False, now=now, **more)

    def contest_page(self, case: Case) -> tuple[str, str] | None:
        return ("centre-appeal", gettext("Appeal")) if actions.may_appeal(case) else None
