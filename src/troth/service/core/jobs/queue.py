"""Enqueue, signal and resume jobs, in the caller's transaction: a rollback takes it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.functions import Least

from troth.service.core.jobs.models import KEY_MAX, NORMAL, ROWS_MAX, Job, WorkerRow

State = Job.State

_HOUR = dt.timedelta(hours=1)
_LATE = dt.timedelta(minutes=2)
_INSERT = """
INSERT INTO core_job (kind, key, state, priority, due_at, calls, begun, signals, claims, attempts, steps, step, reason,
                      worker, enqueued_at, changed_at)
VALUES {rows}
ON CONFLICT (kind, key) DO UPDATE SET
    calls = core_job.calls + 1,
    state = CASE WHEN core_job.state IN ('stopped', 'failed') THEN 'queued' ELSE core_job.state END,
    due_at = CASE
        WHEN core_job.state IN ('stopped', 'failed') THEN excluded.due_at
        WHEN core_job.state = 'waiting' OR core_job.attempts = 0 AND excluded.due_at < core_job.due_at
            THEN CASE WHEN excluded.due_at < core_job.due_at THEN excluded.due_at ELSE core_job.due_at END
        ELSE core_job.due_at END,
    attempts = CASE WHEN core_job.state IN ('stopped', 'failed') THEN 0 ELSE core_job.attempts END,
    changed_at = excluded.changed_at
"""
_ROW = "(%s, %s, 'queued', %s, %s, 1, 0, 0, 0, 0, '{{}}', '', '', '', %s, %s)"


def enqueue(kind: str, *keys: str, not_before: dt.datetime | None = None, priority: int = NORMAL) -> None:
    """Enqueue the job *kind* for each of *keys*, in the caller's transaction.

    There is one job of a kind for each key. One that is queued is brought forward if this is earlier, but no retry is
    hurried; one that waits goes on; one that stopped or failed resumes. One that has done a step, or runs, runs again
    afterwards, from its first step.
    """
    assert all(len(key) <= KEY_MAX for key in keys), "an id is short"
    now = _now()
    adapt = connection.ops.adapt_datetimefield_value
    due, at = adapt(not_before or now), adapt(now)
    wanted = sorted(set(keys))  # in one order, so that two transactions do not wait for each other
    for start in range(0, len(wanted), ROWS_MAX):
        some = wanted[start : start + ROWS_MAX]
        rows = ", ".join([_ROW.format()] * len(some))
        values = [value for key in some for value in (kind, key, priority, due, at, at)]
        with connection.cursor() as cursor:
            cursor.execute(_INSERT.format(rows=rows), values)


def signal(kind: str, key: str) -> None:
    """Let a job that waits, or is about to, look again; harmless if there is none. Callable from any process."""
    now = _now()
    Job.objects.filter(kind=kind, key=key).update(
        signals=F("signals") + 1,
        due_at=Case(When(state=State.WAITING, then=Least(F("due_at"), Value(now))), default=F("due_at")),
    )


def hasten(kind: str, keys: Collection[str] | None = None, *, at: dt.datetime) -> int:
    """Bring jobs of *kind* forward to *at*, if they are due later, retries too; one that runs runs again afterwards.
    Returns how many."""
    jobs = Job.objects.filter(kind=kind)
    if keys is not None:
        jobs = jobs.filter(key__in=keys)
    running = jobs.filter(state=State.RUNNING).update(calls=F("calls") + 1)
    return running + jobs.filter(due_at__gt=at).update(due_at=at)


def hasten_all(*, at: dt.datetime) -> int:
    """Bring every queued job forward to *at*, as after a wrong clock. Returns how many."""
    return Job.objects.filter(state=State.QUEUED, due_at__gt=at).update(due_at=at)


def bring_forward(kind: str, dates: Mapping[str, dt.datetime]) -> bool:
    """Bring the jobs of *kind* with these keys forward to their dates, if they are due later, in the open transaction.
    If one runs, change nothing and return False."""
    rows = list(Job.objects.select_for_update().filter(kind=kind, key__in=list(dates)).order_by("pk"))
    if any(row.state == State.RUNNING for row in rows):
        return False
    for row in rows:
        Job.objects.filter(pk=row.pk, due_at__gt=dates[row.key]).update(due_at=dates[row.key])
    return True


def cancel(kind: str, *, keeping: Iterable[str] = ()) -> int:
    """Delete jobs of *kind* that do not run, but those with a key in *keeping*. Returns how many."""
    gone, _ = Job.objects.filter(kind=kind).exclude(key__in=set(keeping)).exclude(state=State.RUNNING).delete()
    return gone


def resume(jobs: QuerySet[Job], *, now: dt.datetime | None = None) -> int:
    """Run stopped and failed jobs again, from the step where they were. Returns how many; takes no lock if there are
    none."""
    ended = jobs.filter(state__in=[State.STOPPED, State.FAILED])
    if not ended.exists():
        return 0
    now = now or _now()
    return ended.update(state=State.QUEUED, due_at=now, attempts=0, enqueued_at=now, changed_at=now)


def resume_stopped(names: Collection[str], reasons: Collection[str]) -> int:
    """Resume jobs of these kinds that stopped for one of *reasons*, now fixed. Returns how many."""
    return resume(Job.objects.filter(state=State.STOPPED, kind__in=names, reason__in=reasons))


@dataclass(frozen=True, slots=True)
class Health:
    """State of the queue. *queued* jobs are due, *scheduled* ones later. *oldest* is the time since which a job has
    been due and unclaimed; of recurring ones and those of low priority, if it is an hour ago."""

    workers: int
    queued: int
    scheduled: int
    running: int
    waiting: int
    stopped: int
    failed: int
    oldest: dt.datetime | None

    def is_behind(self, now: dt.datetime) -> bool:
        """True if a job is overdue by more than two minutes, because there are too few workers or none."""
        return self.oldest is not None and self.oldest < now - _LATE


def health(now: dt.datetime | None = None, *, among: QuerySet[Job] | None = None) -> Health:
    """State of the queue at *now*, of all jobs or *among* some. Raises Django's ``DatabaseError``."""
    now, jobs = now or _now(), Job.objects.all() if among is None else among
    counts = jobs.aggregate(oldest=Min("due_at", filter=Q(due_at__lte=now) & _is_late(now)), **_by_state(now))
    return Health(workers=workers(now).count(), **counts)


@dataclass(frozen=True, slots=True)
class KindHealth:
    """Jobs of one kind by state, as in `Health`. *due_since* is the time since which one has been due and unclaimed.
    *late* is the number of those that have been for over two minutes, the first *late_since*; of recurring ones and
    those of low priority, for over an hour."""

    kind: str
    states: Mapping[str, int]
    due_since: dt.datetime | None
    late: int
    late_since: dt.datetime | None


def health_by_kind(now: dt.datetime, *, among: QuerySet[Job] | None = None) -> list[KindHealth]:
    """State of each kind that has jobs at *now*, of all jobs or *among* some. One statement."""
    jobs = Job.objects.all() if among is None else among
    is_late, states = Q(due_at__lt=now - _LATE) & _is_late(now), _by_state(now)
    figures = {
        "due_since": Min("due_at", filter=Q(due_at__lte=now)),
        "late": Count("pk", filter=is_late),
        "late_since": Min("due_at", filter=is_late),
    }
    rows: Any = jobs.values("kind").annotate(**figures, **states).order_by("kind")
    return [
        KindHealth(row["kind"], {state: row[state] for state in states}, *(row[name] for name in figures))
        for row in rows
    ]


def workers(now: dt.datetime) -> QuerySet[WorkerRow]:
    """Workers that are alive at *now*."""
    return WorkerRow.objects.filter(lease_until__gt=now, runs_jobs=True)


def _is_late(now: dt.datetime) -> Q:
    """Condition on due jobs: recurring ones and those of low priority count after an hour."""
    return Q(priority__lte=NORMAL) & ~Q(key="") | Q(due_at__lt=now - _HOUR)


def _by_state(now: dt.datetime) -> dict[str, Count]:
    return {
        **{state.value: Count("pk", filter=Q(state=state)) for state in State},
        "queued": Count("pk", filter=Q(state=State.QUEUED, due_at__lte=now)),
        "scheduled": Count("pk", filter=Q(state=State.QUEUED, due_at__gt=now)),
    }


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
