"""Figures of the console's first page about tasks and jobs."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.cases.messages import day
from troth.service.core.deployment import current
from troth.service.requests.console import halts, tasks
from troth.service.staff.base import ConsoleFigure
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.rights import StaffRight


def figures(request: HttpRequest) -> Iterator[ConsoleFigure]:
    """Figures that the sender of *request* may see. Each counts the rows of the list that it leads to."""
    standing, today = standing_of(request), day(timezone.now(), current().without_own)
    is_handler = standing.may(StaffRight.CASES_HANDLE)
    if is_handler:
        for title, only, is_bad in (
            (gettext("Tasks due today"), "today", False),
            (gettext("Tasks that are late"), "late", True),
            (gettext("Tasks that wait for me"), "mine", False),
        ):
            number = tasks.filtered(request, {"only": only}, today).count()
            yield ConsoleFigure(title, number, "tasks", {"only": only}, is_bad)
        title, number = gettext("E-mails that came back"), halts.returned(request)
        yield ConsoleFigure(title, number, "work", is_bad=True, anchor="letters")
    if is_handler or standing.may(EVIDENCE_READ):
        wanted = {"state": "attention"}
        number = halts.filtered(request, wanted).count()
        yield ConsoleFigure(gettext("Jobs that failed or stopped"), number, "work", wanted, is_bad=True, anchor="jobs")
