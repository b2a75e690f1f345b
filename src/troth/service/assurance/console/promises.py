"""``/console/promises/``: the status of each promise. ``/console/controls/``: failing controls, their owners, and
attestations about to expire; only a check closes a task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from troth.controls import Control, PromiseStatus, Status, promise_id, promise_name
from troth.declaration import Promise
from troth.service.assurance.duty import EVIDENCE_READ, PROMISES_APPROVE
from troth.service.assurance.evaluation import judge, judge_with_dates
from troth.service.assurance.models import ReminderRow
from troth.service.assurance.rules import broken_by, owners_of
from troth.service.assurance.statements import waiting
from troth.service.core.deployment import Deployment, NoDeployment, current
from troth.service.core.models import Task
from troth.service.labels import STATUSES
from troth.service.staff.base import ConsoleFigure
from troth.service.staff.console.lists import FilterForm, list_page
from troth.service.staff.effective_rights import standing_of
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
    promises: tuple[PromiseStatus, ...] | None
    """The promises that it breaks; None while that is unknown."""

    @property
    def findings(self) -> list[dict[str, str]]:
        return list(self.task.latest.findings[:_FINDINGS_SHOWN])

    @property
    def more(self) -> int:
        return len(self.task.latest.findings) - len(self.findings)


class PromiseFilterForm(FilterForm):
    """Filter of the list of promises."""

    status = forms.ChoiceField(
        choices=[("", _("All")), *((status.value, STATUSES[status.value]) for status in reversed(Status))],
        required=False,
        label=_("Status"),
    )


@needs(EVIDENCE_READ, StaffRight.CASES_HANDLE)
@require_safe
def promises(request: HttpRequest) -> HttpResponse:
    """Promises and their status, the worst first."""
    now, form = timezone.now(), PromiseFilterForm(request.GET)
    page = list_page(form, _filtered(current(), form.wanted, now))
    shown = {"here": "promises", "list": page, "now": now}
    return render(request, "assurance/console/promises.html", shown, status=page.status)


def _filtered(deployment: Deployment, wanted: Mapping[str, str], now: dt.datetime) -> list[PromiseStatus]:
    order, status = tuple(Status), wanted.get("status")
    rows = [row for row in judge_with_dates(deployment, now) if status in (None, row.status)]
    return sorted(rows, key=lambda row: order.index(row.status), reverse=True)


def figures(request: HttpRequest) -> Iterator[ConsoleFigure]:
    """Figures of the console's first page that the sender of *request* may see."""
    standing, deployment, now = standing_of(request), current(), timezone.now()
    if standing.may(PROMISES_APPROVE) and standing.member is not None:
        number = sum(each.is_open_to(standing.member) for each in waiting(deployment.declaration, now))
        wanted = {"state": "mine"}
        yield ConsoleFigure(gettext("Waivers and attestations that wait for me"), number, "waivers", wanted)
    if standing.may(EVIDENCE_READ) or standing.may(StaffRight.CASES_HANDLE):
        wanted = {"status": Status.BROKEN.value}
        number = len(_filtered(deployment, wanted, now))  # last, because it needs the policy
        yield ConsoleFigure(gettext("Broken promises"), number, "promises", wanted, is_bad=True)


@needs(EVIDENCE_READ, StaffRight.CASES_HANDLE)
@require_safe
def controls(request: HttpRequest) -> HttpResponse:
    """Open tasks of controls, most severe first, and the attestations to renew."""
    deployment = current()
    now, rows = timezone.now(), Task.objects.select_related("latest")
    statuses = _statuses(deployment, now)
    open_ = rows.filter(closed_at=None).order_by("opened_at", "pk")[:_SHOWN]
    lines = [_line(task, deployment, statuses) for task in open_]
    lines.sort(key=lambda line: _WEIGHT[line.control.severity] if line.control else len(_WEIGHT))
    ended = rows.exclude(closed_at=None).order_by("-closed_at", "-pk")[:_ENDED_SHOWN]
    shown = {
        "here": "controls",
        "now": now,
        "lines": lines,
        "ended": ended,
        "reminders": list(_reminders(deployment)),
    }
    return render(request, "assurance/console/controls.html", shown)


def _statuses(deployment: Deployment, now: dt.datetime) -> Sequence[PromiseStatus] | None:
    """Status of each promise; None while the policy cannot be read."""
    try:
        return judge(deployment, now=now)
    except NoDeployment:
        return None


def _line(task: Task, deployment: Deployment, statuses: Sequence[PromiseStatus] | None) -> ControlTaskRow:
    control = deployment.controls.get(task.control)
    owners = owners_of(task.control, deployment.declaration, deployment.controls)
    promises = None if statuses is None else broken_by(task.control, task.scope, statuses)
    return ControlTaskRow(task, control, owners, promises)


def _reminders(deployment: Deployment) -> Iterator[tuple[str, Promise, dt.date]]:
    """Attestations that are about to expire, or have: id and promise, and until when."""
    named = {promise_name(promise): promise for promise in deployment.declaration.promises}
    for row in ReminderRow.objects.filter(closed_at=None).order_by("until"):
        if row.promise in named:
            promise = named[row.promise]
            yield promise_id(promise), promise, row.until
