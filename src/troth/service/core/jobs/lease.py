"""The lease of a process that runs jobs, and how others take over the jobs of a dead one."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import secrets
from collections.abc import Callable, Mapping

from django.db import Error, transaction
from django.db.models import F

from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.jobs.process import is_gone
from troth.service.core.jobs.running import close_broken
from troth.service.core.jobs.runtime import Runtime
from troth.service.database import say_away

_LOG = logging.getLogger("troth.jobs")

LENGTH = dt.timedelta(seconds=30)
"""The death of a process on another machine is noticed after this time and a third of it, at the latest."""
CLOCKS_DIFFER = dt.timedelta(minutes=5)
"""By how much the clocks of two machines may differ before a process is taken for dead that is alive."""
AWAY_S = 1.0
"""Retry interval while the database is unavailable."""


class ProcessLease:
    """A lease, renewed by a thread of its own until it ends, is lost, or is not *needed* any more. *runs_jobs* is True
    for a worker, False for a process that only runs jobs of its own."""

    def __init__(
        self,
        runtime: Runtime,
        length: dt.timedelta = LENGTH,
        *,
        runs_jobs: bool = True,
        needed: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = ""
        self.is_ending = False
        self._runtime = runtime
        self._length = length
        self._runs_jobs = runs_jobs
        self._needed = needed
        self._valid_until = 0.0
        self._is_taken = self._has_ended = False

    @property
    def is_lost(self) -> bool:
        """True if the lease has expired, or others have taken over its jobs."""
        return self._is_taken or self._runtime.monotonic() > self._valid_until

    def begin(self) -> None:
        """Take the lease, under a new name, and start to renew it. Raises Django's errors."""
        asked, now = self._runtime.monotonic(), self._runtime.now()
        self.name = secrets.token_hex(8)  # a new one each time: a commit may have succeeded without an answer
        WorkerRow.objects.create(
            name=self.name,
            process=self._runtime.process,
            runs_jobs=self._runs_jobs,
            begun_at=now,
            lease_until=now + self._length,
        )
        self._valid_until = asked + self._length.total_seconds()
        self._runtime.spawn(self._keep_renewing)

    def end(self, *, for_good: bool) -> None:
        """Stop renewing. With *for_good*, which says that no job runs here any more, delete the lease, so that others
        take over at once what is left; otherwise they wait until it expires."""
        self._has_ended = True
        if for_good and self.name:
            with contextlib.suppress(Error):
                WorkerRow.objects.filter(name=self.name).delete()

    def renew(self) -> bool:
        """Renew the lease now. False if it has ended, or others have taken over its jobs. Raises Django's errors."""
        asked = self._runtime.monotonic()
        mine = WorkerRow.objects.filter(name=self.name)
        if self._has_ended or not mine.update(lease_until=self._runtime.now() + self._length, beats=F("beats") + 1):
            self._is_taken = True
            return False
        self._valid_until = asked + self._length.total_seconds()
        return True

    def _keep_renewing(self) -> None:
        pause_s = every_s = self._length.total_seconds() / 3
        while True:
            self._runtime.sleep(pause_s)
            pause_s = min(AWAY_S, every_s)
            try:
                if self._has_ended or self._ends_unneeded() or not self.renew():
                    return
                pause_s = every_s
            except Error:
                say_away(_LOG, "the lease of this worker could not be renewed; retrying")
            finally:
                close_broken()

    def _ends_unneeded(self) -> bool:
        """End the lease if it is not needed. One that was renewed meanwhile goes on: somebody is about to use it."""
        mine = WorkerRow.objects.filter(name=self.name)
        row = mine.first()
        if row is None or self._needed() or not mine.filter(beats=row.beats).delete()[0]:
            return False
        self._has_ended = True
        return True


def find_dead(now: dt.datetime) -> dict[str, int]:
    """Processes that are dead at *now*, each with how often it renewed its lease: the lease has been over for
    `CLOCKS_DIFFER`, or the process is gone from this machine."""
    rows = WorkerRow.objects.values_list("name", "process", "beats", "lease_until")
    return {name: beats for name, process, beats, until in rows if until + CLOCKS_DIFFER < now or is_gone(process)}


def take_over(dead: Mapping[str, int], now: dt.datetime) -> int:
    """Put back the jobs of the *dead*, as `find_dead` returns them, and of processes without a lease; one that renewed
    its lease meanwhile keeps its jobs. Returns how many jobs. Safe in several processes at once."""
    with transaction.atomic():
        rows = WorkerRow.objects.select_for_update(skip_locked=True).filter(name__in=dead)
        still = [row.pk for row in rows if row.beats == dead[row.name]]
        WorkerRow.objects.filter(pk__in=still).delete()
        alive = WorkerRow.objects.values_list("name")
        orphans = Job.objects.filter(state=Job.State.RUNNING).exclude(worker__in=alive)
        return orphans.update(state=Job.State.QUEUED, worker="", due_at=now, changed_at=now)
