"""Figures of the console's first page about cases."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from troth.service.cases.console import cases
from troth.service.cases.messages import day
from troth.service.core.deployment import current
from troth.service.staff.base import ConsoleFigure
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.rights import StaffRight


def figures(request: HttpRequest) -> Iterator[ConsoleFigure]:
    """Figures that the sender of *request* may see. Each counts the rows of the list that it leads to."""
    standing, today = standing_of(request), day(timezone.now(), current().without_own)
    is_handler, is_approver = standing.may(StaffRight.CASES_HANDLE), standing.may(StaffRight.CASES_APPROVE)
    of_cases = list[tuple[str, dict[str, str], bool]]()
    if is_handler or is_approver:
        of_cases += [
            (gettext("Requests due today"), {"only": "today"}, False),
            (gettext("Requests that are late"), {"only": "late"}, True),
        ]
    if is_handler:
        of_cases += [
            (gettext("Requests that wait for me"), {"only": "mine", "needs": "handler"}, False),
            (gettext("Requests that wait for a handler"), {"only": "unassigned", "needs": "handler"}, False),
        ]
    if is_approver:
        of_cases.append((gettext("Plans that wait for approval"), {"needs": "approval"}, False))
    for title, wanted, is_bad in of_cases:
        number = cases.filtered(request, wanted, today).count()
        yield ConsoleFigure(title, number, "cases", wanted, is_bad)
