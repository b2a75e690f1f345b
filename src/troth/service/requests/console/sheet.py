"""What the console's case page shows about a request: plan, systems, receipts, recipients, file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from troth.declaration import Declaration
from troth.errors import TrothError
from troth.service.cases.console.actions import ConsoleAction
from troth.service.cases.handling import CaseHandling
from troth.service.cases.models import Case, CaseOutcome, CaseState, Right, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.models import Job
from troth.service.disclosures.notifications import NotificationState as NoticeState
from troth.service.disclosures.notifications import notices
from troth.service.labels import sentence
from troth.service.requests.console.actions import ACTIONS
from troth.service.requests.fulfilment import preview
from troth.service.requests.models import STOPS, CaseStep, Package


@dataclass(frozen=True, slots=True)
class SystemTask:
    """One system's part of the case: its own task, or our work in its store."""

    id: int | None
    """The step's primary key; None for a system whose store we access ourselves."""
    system: str
    way: str
    state: str
    sign: str
    mark: str
    why: str = ""
    at: dt.datetime | None = None
    tries: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    evidence: str = ""
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class RequestSheet:
    """Plan, systems, receipts, recipients and file of one request, without personal data."""

    lines: tuple[Mapping[str, Any], ...]
    steps: tuple[SystemTask, ...]
    receipts: tuple[Any, ...]
    recipients: tuple[tuple[str, str, str], ...]
    """Recipients to be notified of the change: name, state in words, CSS class."""
    package: Package | None
    amendment: Mapping[str, Any]
    """For an amendment: current and new values, or why they were not read."""

    glance: ClassVar[str] = "requests/console/glance.html"
    body: ClassVar[str] = "requests/console/sheet.html"


class RequestConsole(CaseHandling):
    """What differs on the pages of staff."""

    actions: ClassVar[Mapping[str, ConsoleAction]] = ACTIONS
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

    def sheet(self, request: HttpRequest, case: Case, deployment: Deployment) -> RequestSheet:
        return RequestSheet(
            lines=tuple(case.plan or ()),
            steps=tuple(_systems(case, deployment.declaration)),
            receipts=tuple(case.receipts.select_related("entry").order_by("at", "id")),
            recipients=tuple(_recipients(case, deployment.declaration)),
            package=Package.objects.defer("sealed").filter(case=case).first(),
            amendment=_amendment(request, case, deployment),
        )

    def progress(self, cases: Collection[Case]) -> Mapping[int, tuple[int, int]]:
        waiting = [case.pk for case in cases if case.needs == WaitReason.SYSTEMS]
        if not waiting:
            return {}
        ended = Count("pk", filter=~Q(state=CaseStep.State.WAITING))
        rows = CaseStep.objects.filter(case__in=waiting).values_list("case").annotate(ended=ended, whole=Count("pk"))
        return {case: (done, whole) for case, done, whole in rows}


def _amendment(request: HttpRequest, case: Case, deployment: Deployment) -> dict[str, Any]:
    """Values are read from the systems only on demand."""
    if case.right != Right.AMEND or case.state == CaseState.CLOSED:
        return {}
    try:
        compared = preview.differences(case, deployment, at=timezone.now()) if request.GET.get("values") else None
        return {"is_possible": True, "differences": compared}
    except TrothError as refused:
        return {"is_possible": True, "not_compared": sentence(refused)}


_NOTICES: Mapping[NoticeState, tuple[Any, str]] = {
    NoticeState.OWED: (_("the e-mail is being sent"), "soon"),
    NoticeState.SENT: (_("told by e-mail"), "good"),
    NoticeState.UNTOLD: (_("somebody has to tell them"), "bad"),
    NoticeState.UNSHOWN: (
        _("no record shows that this person's data went there: somebody has to find out, and tell them only if it did"),
        "bad",
    ),
    NoticeState.TOLD: (_("told by staff"), "good"),
    NoticeState.NOTHING_SENT: (_("staff found out that no data of this person went there"), "still"),
    NoticeState.EXCUSED: (_("cannot be told; the reason is recorded"), "still"),
}


def _recipients(case: Case, declaration: Declaration) -> Iterable[tuple[str, str, str]]:
    for notice in notices(case.reference):
        known = declaration.recipients.get(notice.recipient)
        words, mark = _NOTICES[notice.state]
        yield (known.title or notice.recipient) if known is not None else notice.recipient, str(words), mark


_STEP: Mapping[str, tuple[Any, str, str]] = {
    CaseStep.State.WAITING: (_("waiting"), "…", "soon"),
    CaseStep.State.DONE: (_("done"), "✓", "good"),
    CaseStep.State.REFUSED: (_("refused"), "✗", "bad"),
    CaseStep.State.FAILED: (_("failed"), "✗", "bad"),
}
STEP_WHY: Mapping[str, Any] = {
    "unreachable": _("cannot be reached; it is retried"),
    "refused": _("refused the request"),
    "still_there": _("reported done, but the data is still there"),
    "secret_missing": _("a secret of its configuration is missing"),
    "not_declared": _("is no longer declared"),
    "no_mark": _("has no flag column for it, or not for each row: somebody has to stop it there"),
    "nothing_held": _("holds nothing about the person"),
    "not_verified": _("reported done; not verified"),
    "accepted": _("accepted, not done yet"),
    "running": _("works on it"),
    "right_not_answered": _("does not answer this right"),
    "no_answer": _("never answered; the case went on without it"),
    "erased": _("no longer needed: the data was deleted at the person’s request"),
    "cannot_find": _("the person cannot be found there"),
    "must_keep": _("the law requires keeping it"),
    "not_possible": _("the system cannot do it"),
    "other": _("another reason, in the note"),
}


def _systems(case: Case, declaration: Declaration) -> Iterable[SystemTask]:
    """All systems that the case affects: those whose stores we access, and those that are asked."""
    steps = list(case.steps.order_by("id"))
    asked = {step.system for step in steps}
    if case.state not in (CaseState.RECEIVED, CaseState.VERIFYING):
        for name, system in declaration.systems.items():
            if system.tables and name not in asked and case.right not in STOPS:
                yield _looked_into(case, system.title or name)
    keys = [str(step.pk) for step in steps]
    attempts = dict(Job.objects.filter(kind="requests.ask", key__in=keys).values_list("key", "attempts"))
    for step in steps:
        yield _asked(step, declaration, 1 + attempts.get(str(step.pk), 0))


def _looked_into(case: Case, title: str) -> SystemTask:
    finished = case.outcome in (CaseOutcome.FULFILLED, CaseOutcome.PARTLY_FULFILLED) or case.needs == WaitReason.SYSTEMS
    state, sign, mark = (_("done"), "✓", "good") if finished else (_("not yet"), "–", "still")
    return SystemTask(id=None, system=title, way="store", state=str(state), sign=sign, mark=mark)


def _asked(step: CaseStep, declaration: Declaration, tries: int) -> SystemTask:
    system = declaration.systems.get(step.system)
    state, sign, mark = _STEP[step.state]
    counts = step.facts.get("counts") or {}
    return SystemTask(
        id=step.pk,
        system=(system.title or step.system) if system is not None else step.system,
        way=step.way,
        state=str(state),
        sign=sign,
        mark=mark,
        why=str(STEP_WHY.get(step.why, step.why.replace("_", " "))),
        at=step.ended_at or step.asked_at,
        tries=tries,
        counts=tuple((str(name), int(count)) for name, count in counts.items()),
        evidence=str(step.facts.get("evidence") or ""),
        is_waiting=step.state == CaseStep.State.WAITING,
    )
