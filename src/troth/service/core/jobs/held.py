"""Jobs that a process runs itself, without a worker: a command, or a step of another job.

It holds them by a lease. If it dies, workers run them by the handler of their kind.
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
    """Holds jobs for a process, whichever of its threads asks."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._lease = ProcessLease(runtime)

    def lease(self) -> str:
        """The name by which this process holds jobs from now on. Call it before the transaction that uses it. Raises
        Django's errors."""
        assert not connection.in_atomic_block, "the lease has to be there when the transaction commits"
        with self._lock:
            if not self._lease.name or self._lease.is_lost or not self._lease.renew():
                self._lease.end(for_good=False)
                asked = self._runtime.monotonic()
                self._lease = lease = ProcessLease(
                    self._runtime,
                    runs_jobs=False,
                    needed=lambda: (
                        self._runtime.monotonic() < asked + _IDLE_S
                        or Job.objects.filter(worker=lease.name, state=State.RUNNING).exists()
                    ),
                )
                lease.begin()
            return self._lease.name

    def hold(self, kind: str, key: str, lease: str) -> None:
        """Begin a job of this process in the open transaction, which commits what it is about."""
        now = self._runtime.now()
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
        """Take a job that no living process has; with *again*, also one of this process itself. False if another has
        it, or it is done."""
        lease, now = self.lease(), self._runtime.now()
        if dead := find_dead(now):
            take_over(dead, now)
        free = ~Q(state=State.RUNNING) | Q(worker=lease) if again else ~Q(state=State.RUNNING)
        return bool(
            Job.objects.filter(free, kind=kind, key=key).update(
                state=State.RUNNING, worker=lease, due_at=None, claims=F("claims") + 1, changed_at=now
            )
        )

    def release(self, kind: str, key: str) -> None:
        """Leave the job to any process that claims it, and soon to the workers."""
        now = self._runtime.now()
        held = Job.objects.filter(kind=kind, key=key, state=State.RUNNING, worker=self._lease.name)
        held.update(state=State.QUEUED, worker="", due_at=now + _RELEASED, changed_at=now)

    def end(self) -> None:
        """Hold nothing any more: what this process still has is left to others."""
        self._lease.end(for_good=True)
        self._runtime.close()


def done(kind: str, key: str) -> None:
    """End the job in the open transaction, whichever process has it."""
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
