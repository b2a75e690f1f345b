"""Tasks: one open per control and scope, opened by a failed check, closed only by a check that finds nothing.

A scope is a system that the control examines. A fault outside all systems belongs to the whole control, whose scope is
empty.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction

from troth.service.core.models import CheckRow, Task

_CLOSING = frozenset({CheckRow.Outcome.PASS.value, CheckRow.Outcome.NOT_APPLICABLE.value})
WHOLE = ""
"""Scope of a fault outside any one system."""


@dataclass(frozen=True, slots=True)
class TaskChange:
    """Effect of a check on the tasks of its control."""

    opened: tuple[Task, ...] = ()
    closed: tuple[Task, ...] = ()


def follow(check: CheckRow) -> TaskChange:
    """Open, update or close the tasks of the check's control, in one transaction.

    A pass closes all. A failure keeps tasks open for systems with findings, and closes those of systems that it
    examined without findings. An error neither opens nor closes: what could not be examined is neither broken nor
    fixed.
    """
    is_pass = check.outcome in _CLOSING
    if not is_pass and check.outcome != CheckRow.Outcome.FAIL:
        return TaskChange()
    with transaction.atomic():
        tasks = list(Task.objects.select_for_update().filter(control=check.control, closed_at=None))
        failing = (
            frozenset()
            if is_pass
            else scopes((finding["place"] for finding in check.findings), check.evidence.get("in_scope", ()))
        )
        closed = tuple(task for task in tasks if is_pass or _is_fixed(task.scope, failing, check))
        for task in tasks:
            task.latest = check
            if task in closed:
                task.closed_at, task.closed_by = check.at, check
            if task in closed or task.scope in failing:
                task.save()
        opened = tuple(filter(None, (_opened(check, scope) for scope in failing - {task.scope for task in tasks})))
    return TaskChange(opened, closed)


def _opened(check: CheckRow, scope: str) -> Task | None:
    # Another process may have opened it since: the constraint allows one, and both use it.
    told = {"opened_at": check.at, "opened_by": check, "latest": check}
    task, is_new = Task.objects.get_or_create(control=check.control, scope=scope, closed_at=None, defaults=told)
    return task if is_new else None


def scopes(places: Iterable[str], systems: Collection[str]) -> frozenset[str]:
    """Scopes of findings at these *places*, of a check that examined *systems*."""
    first = (re.split(r"[. ]", place, maxsplit=1)[0] for place in places)
    return frozenset(name if name in systems else WHOLE for name in first) or frozenset({WHOLE})


def _is_fixed(scope: str, failing: frozenset[str], check: CheckRow) -> bool:
    """True if a check that failed elsewhere examined that system and found nothing there."""
    return scope != WHOLE and not failing & {scope, WHOLE} and scope in check.evidence.get("observed", ())
