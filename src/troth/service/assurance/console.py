"""``/console/controls/``: failing controls, their owners, and attestations about to expire. Only a check closes a
task. ``/console/promises/``: waivers and attestations that wait for a second person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from troth.controls import Control
from troth.declaration import Promise
from troth.service.assurance.duty import EVIDENCE_READ, PROMISES_APPROVE
from troth.service.assurance.models import ReminderRow
from troth.service.assurance.rules import owners_of, promise_name
from troth.service.assurance.statements import approve, waiting
from troth.service.core.deployment import Deployment, current
from troth.service.core.models import Task
from troth.service.staff.approvals import OwnPlan
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.models import StaffMember
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight

_SHOWN, _ENDED_SHOWN, _FINDINGS_SHOWN = 200, 20, 5
_WEIGHT: Mapping[str, int] = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class ControlTaskRow:
    """A task as displayed."""

    task: Task
    control: Control | None
    owners: tuple[str, ...]
    promises: tuple[tuple[str, str], ...]
    """Anchor and quote of each promise that depends on the control."""

    @property
    def findings(self) -> list[dict[str, str]]:
        return list(self.task.latest.findings[:_FINDINGS_SHOWN])

    @property
    def more(self) -> int:
        return len(self.task.latest.findings) - len(self.findings)


@dataclass(frozen=True, slots=True)
class Reminder:
    """An attestation that is about to expire, or has."""

    anchor: str
    promise: Promise
    until: dt.date


@needs(EVIDENCE_READ, StaffRight.CASES_HANDLE)
@require_safe
def controls(request: HttpRequest) -> HttpResponse:
    """Open tasks of controls, most severe first, and the attestations to renew."""
    deployment = current()
    rows = Task.objects.select_related("latest")
    lines = [_line(task, deployment) for task in rows.filter(closed_at=None).order_by("opened_at", "pk")[:_SHOWN]]
    lines.sort(key=lambda line: _WEIGHT[line.control.severity] if line.control else len(_WEIGHT))
    ended = rows.exclude(closed_at=None).order_by("-closed_at", "-pk")[:_ENDED_SHOWN]
    shown = {
        "here": "controls",
        "now": timezone.now(),
        "lines": lines,
        "ended": [_line(task, deployment) for task in ended],
        "reminders": list(_reminders(deployment)),
    }
    return render(request, "assurance/console/controls.html", shown)


def _line(task: Task, deployment: Deployment) -> ControlTaskRow:
    control = deployment.controls.get(task.control)
    bound = [promise for promise in deployment.declaration.promises if task.control in promise.controls]
    owners = owners_of(task.control, deployment.declaration, deployment.controls)
    return ControlTaskRow(task, control, owners, tuple((_anchor(each), each.quote) for each in bound))


def _reminders(deployment: Deployment) -> Iterator[Reminder]:
    named = {promise_name(promise): promise for promise in deployment.declaration.promises}
    for row in ReminderRow.objects.filter(closed_at=None).order_by("until"):
        if row.promise in named:
            promise = named[row.promise]
            yield Reminder(_anchor(promise), promise, row.until)


def _anchor(promise: Promise) -> str:
    return f"p-{promise_name(promise).removeprefix('~')}"


@needs(PROMISES_APPROVE)
@require_safe
def statements(request: HttpRequest) -> HttpResponse:
    """Waivers and attestations that wait for a second person, with a button where the reader may be that person."""
    return _statements(request, current())


@needs(PROMISES_APPROVE)
@require_POST
def approve_statement(request: HttpRequest) -> HttpResponse:
    """Approve exactly the text that was shown, as somebody who neither gave it nor owns its promise."""
    deployment = current()
    now = timezone.now()
    wanted = [each for each in waiting(deployment.declaration, now) if each.hash == request.POST.get("hash")]
    if not wanted:
        wrong = gettext("It no longer waits, or its text has changed since it was shown to you. Read it again.")
        return _statements(request, deployment, wrong, status=409)
    try:
        approve(wanted, by=_member(request), actor="staff", now=now)
    except OwnPlan:
        return _statements(request, deployment, gettext("Somebody else has to approve this."), status=403)
    return redirect("statements")


def _statements(request: HttpRequest, deployment: Deployment, wrong: str = "", *, status: int = 200) -> HttpResponse:
    member = _member(request)
    lines = [
        (each, _anchor(each.promise), each.is_open_to(member))
        for each in waiting(deployment.declaration, timezone.now())
    ]
    shown = {"here": "statements", "lines": lines, "wrong": wrong}
    return render(request, "assurance/console/statements.html", shown, status=status)


def _member(request: HttpRequest) -> StaffMember:
    member = standing_of(request).member
    assert member is not None, "the page needs a right, which only members have"
    return member
