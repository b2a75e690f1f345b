"""Jobs that a process runs itself, without a worker: a command, or a step of another job.

The process holds them by a lease. If it dies or releases them, a worker runs them with the handler of their kind.
"""

from __future__ import annotations

import atexit
import datetime as dt
import os
import threading

from django.db import connection
from django.db.models import F, Q

from troth.service.core.jobs.lease import ProcessLease, find_dead, take_over
from troth.service.core.jobs.models import NORMAL, Job
from troth.service.core.jobs.runtime import Runtime, Threads

State = Job.State

_IDLE_S = 30.0
"""How long a lease is kept while this process has no job."""
_RELEASED = dt.timedelta(seconds=10)
"""Pause before a worker runs a released job: whoever wanted it may claim it sooner."""


class Holder:
    """Holds jobs for this process. Safe for several threads."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._lease = ProcessLease(runtime)
        self._asked = 0.0
        self._active = set[tuple[str, str]]()
        """Jobs that are worked on: one that could not be released is left to others with the lease."""

    def lease(self) -> str:
        """Name of this process's lease, for `hold`; takes a lease if there is none. Call it outside transactions, just
        before the one that uses the name. Raises Django's errors."""
        assert not connection.in_atomic_block, "the lease has to be there when the transaction commits"
        with self._lock:
            self._asked = self._runtime.monotonic()
            if not self._lease.name or self._lease.is_lost or not self._lease.renew():
                lease = ProcessLease(self._runtime, runs_jobs=False, needed=lambda: self._is_needed(lease.name))
                lease.begin()
                # What nobody has taken over since the old lease was lost stays with this process.
                Job.objects.filter(state=State.RUNNING, worker=self._lease.name).update(worker=lease.name)
                self._lease.end(for_good=True)
                self._lease = lease
            return self._lease.name

    def _is_needed(self, lease: str) -> bool:
        if self._runtime.monotonic() < self._asked + _IDLE_S:
            return True
        held = Job.objects.filter(worker=lease, state=State.RUNNING).values_list("kind", "key")
        return any(job in self._active for job in held)

    def hold(self, kind: str, key: str, lease: str) -> None:
        """Create a job that this process runs, under *lease*, in the open transaction: that of the row it is about."""
        now = self._runtime.now()
        self._active.add((kind, key))
        Job.objects.create(
            kind=kind,
            key=key,
            state=State.RUNNING,
            priority=NORMAL,
            claims=1,
            begun=1,
            worker=lease,
            enqueued_at=now,
            changed_at=now,
        )

    def claim(self, kind: str, key: str, *, again: bool = False) -> bool:
        """Claim a job that no living process has; with *again*, also one that this process has already. False if
        another process has it, or it is done. Raises Django's errors."""
        lease, now = self.lease(), self._runtime.now()
        if dead := find_dead(now):
            take_over(dead, now)
        free = ~Q(state=State.RUNNING) | Q(worker=lease) if again else ~Q(state=State.RUNNING)
        self._active.add((kind, key))
        return bool(
            Job.objects.filter(free, kind=kind, key=key).update(
                state=State.RUNNING, worker=lease, due_at=None, claims=F("claims") + 1, changed_at=now
            )
        )

    def release(self, kind: str, key: str) -> None:
        """Release the job: any process may claim it now, and a worker runs it after ten seconds."""
        now = self._runtime.now()
        self._active.discard((kind, key))
        held = Job.objects.filter(kind=kind, key=key, state=State.RUNNING, worker=self._lease.name)
        held.update(state=State.QUEUED, worker="", due_at=now + _RELEASED, changed_at=now)

    def end(self) -> None:
        """End the lease: other processes may take over the jobs that this one still has."""
        self._lease.end(for_good=True)
        self._runtime.close()


def done(kind: str, key: str) -> None:
    """Delete the job in the open transaction, whichever process has it."""
    Job.objects.filter(kind=kind, key=key).delete()


_holders: dict[int, Holder] = {}


def holder() -> Holder:
    """The holder of this process; a fork has its own."""
    pid = os.getpid()
    if pid not in _holders:
        _holders.clear()
        _holders[pid] = Holder(Threads(lambda: dt.datetime.now(dt.UTC)))
    return _holders[pid]


@atexit.register
def end() -> None:
    """End the holder of this process, if it has one."""
    if (mine := _holders.pop(os.getpid(), None)) is not None:
        mine.end()
