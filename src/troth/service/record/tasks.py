"""Tasks: one open for each control and scope, opened by a check that failed, closed only by one that passed."""

from __future__ import annotations

from django.db import transaction

from troth.service.record.models import CheckRow, Task

__all__ = ["follow"]

_CLOSING = frozenset({CheckRow.Outcome.PASS, CheckRow.Outcome.NOT_APPLICABLE})


def follow(check: CheckRow, *, scope: str = "") -> Task | None:
    """Open, keep up or close the task of this control, as *check* asks. The task concerned, None when there is none.

    An error neither opens nor closes: what could not be looked at is neither broken nor mended.
    """
    with transaction.atomic():
        open_task = (
            Task.objects.select_for_update().filter(control=check.control, scope=scope, closed_at__isnull=True).first()
        )
        if check.outcome in _CLOSING and open_task is not None:
            open_task.closed_at, open_task.closed_by, open_task.latest = check.at, check, check
            open_task.save()
        elif check.outcome == CheckRow.Outcome.FAIL and open_task is not None:
            open_task.latest = check
            open_task.save()
        elif check.outcome == CheckRow.Outcome.FAIL:
            # Another process may have opened it since: the constraint lets in one, and both carry on with that one.
            open_task, _ = Task.objects.get_or_create(
                control=check.control,
                scope=scope,
                closed_at=None,
                defaults={"opened_at": check.at, "opened_by": check, "latest": check},
            )
        return open_task
