"""Loop of one worker: it claims due jobs, runs them in threads, and takes over the jobs of dead workers.

Any number of workers share a PostgreSQL database, on any number of machines, or an SQLite file on one. Each holds a
lease, renewed by its own thread; a worker whose lease expired has lost its jobs and finishes only their current step.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import Error, connection

from troth.service.configuration import ServiceError
from troth.service.core.jobs.lease import AWAY_S, CLOCKS_DIFFER, LENGTH, ProcessLease, take_over
from troth.service.core.jobs.models import Job
from troth.service.core.jobs.process import is_gone
from troth.service.core.jobs.queue import enqueue
from troth.service.core.jobs.registry import Kind, chosen, pollers
from troth.service.core.jobs.running import AGAIN, Claimed, RunningJob, Suspended, close_broken, finish_all
from troth.service.core.jobs.runtime import Runtime, Threads
from troth.service.database import may_pass, say_away
from troth.service.duty import import_all

_LOG = logging.getLogger("troth.jobs")
State = Job.State


class WorkerLost(ServiceError):
    """This worker's lease expired, and others have taken over its jobs; start another."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Concurrency and timing of a worker."""

    threads: int = 6
    """Jobs that one worker runs at once. On PostgreSQL it uses up to this many connections plus three."""
    lease: dt.timedelta = LENGTH
    look_s: float = 0.1
    """Polling interval."""
    poll_s: float = 1.0
    """How often pollers are called."""
    stop_s: float = 10.0
    """How long a stopping worker waits for running steps."""


_CLAIMED_MAX = 100
"""Short jobs claimed ahead."""
_SEEN_MAX = 20
"""Due jobs looked at for kinds that are limited; those kinds are full then, and the next look finds others."""


def run_jobs(
    stop: threading.Event,
    *,
    pace: Pace | None = None,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    only: Collection[str] = (),
    until_idle: bool = False,
) -> None:
    """Run jobs until *stop* is set, or with *until_idle* until none can proceed at the time of *clock*.

    *only* names kinds, or their beginnings such as ``mail``. Jobs running at the end are put back at their next step
    and resume elsewhere. Raises `WorkerLost`, and Django's errors with *until_idle* or if they are not transient.
    """
    import_all("jobs")
    worker = Worker(Threads(clock), pace or Pace(), chosen(only), is_patient=not until_idle)
    worker.run(stop.is_set, until_idle=until_idle)


@dataclass(slots=True)
class _Group:
    """Jobs of one kind that run together: one, unless the kind takes several."""

    kind: Kind
    jobs: list[RunningJob]
    next_run: dt.datetime | None = None
    is_done: bool = field(default=False)
    """True if its handler returned: what it has not ended itself is done."""


class Worker:
    """One worker. Public for the tests' simulation; everybody else calls `run_jobs`."""

    def __init__(self, runtime: Runtime, pace: Pace, kinds: dict[str, Kind], *, is_patient: bool = True) -> None:
        self._runtime = runtime
        self._pace = pace
        self._kinds = kinds
        self._is_patient = is_patient
        self._lease = ProcessLease(runtime, pace.lease)
        self._lock = threading.Lock()
        self._ready: deque[_Group] = deque()
        self._running: Counter[str] = Counter()
        self._ended: deque[_Group] = deque()
        self._held: set[tuple[int, int]] = set()
        """Jobs that this worker has, each by its primary key and the number of its claim."""
        self._seen: dict[str, tuple[int, float]] = {}
        """How often other workers have renewed their leases, and since when it is so often."""
        self._ended_last = 0
        self._next_rounds = self._next_poll = 0.0

    def run(self, is_stopped: Callable[[], bool], *, until_idle: bool = False) -> None:
        """Run jobs until *is_stopped* says so. Raises `WorkerLost`."""
        while not self._begin():
            if is_stopped():
                return
            self._runtime.rest(AWAY_S)
        is_last = False
        try:
            while not is_stopped() and not self._lease.is_lost:
                claimed = self._turn()
                if until_idle and not claimed and not self._held:
                    if is_last:
                        break
                    is_last, self._next_poll = True, 0.0  # rows may have become ready meanwhile
                    continue
                is_last = False
                if not claimed or self._taken() >= self._pace.threads:
                    self._runtime.rest(self._pace.look_s)
            if self._lease.is_lost:
                raise WorkerLost("this worker's lease expired, and other workers have its jobs; start it again")
        finally:
            self._end()

    def _begin(self) -> bool:
        """Take a lease. False while our own database does not answer. Raises errors that are not transient."""
        try:
            self._lease.begin()
        except Error as away:
            if not (self._is_patient and may_pass(away)):
                raise
            say_away(_LOG, "the database does not answer; work starts once it does")
            return False
        else:
            return True
        finally:
            close_broken()

    def _turn(self) -> bool:
        """One pass over everything. True if jobs were claimed."""
        try:
            self._settle()
            if self._runtime.monotonic() >= self._next_rounds:
                self._make_rounds()
            if self._runtime.monotonic() >= self._next_poll:
                self._poll()
            return self._claim()
        except Error:
            self._next_rounds = 0.0
            if not self._is_patient:
                raise
            say_away(_LOG, "the database did not answer; work continues once it does")
            self._runtime.rest(AWAY_S)
            return True  # there may be work: it is not known to be idle
        finally:
            close_broken()

    # --- rounds --------------------------------------------------------------------------------------------------

    def _make_rounds(self) -> None:
        """Now and then: schedule recurring jobs, take over the jobs of dead workers, and put back those that are ours
        by their rows alone, as when the database failed while it told us that we have them."""
        now = self._runtime.now()
        recurring = {kind.name: kind for kind in self._kinds.values() if kind.every is not None}
        if recurring:
            known = Job.objects.filter(kind__in=recurring, key="").values_list("kind", flat=True)
            for name in sorted(recurring.keys() - set(known)):
                enqueue(name, "", not_before=now, priority=recurring[name].priority)
        over = _adapted(now - CLOCKS_DIFFER)
        workers = _rows("SELECT name, process, beats, lease_until < %s FROM core_worker", [over])
        running = _rows("SELECT id, claims, worker FROM core_job WHERE state = 'running'", [])
        dead = {
            name: beats for name, process, beats, is_over in workers if self._is_dead(name, process, beats, is_over)
        }
        alive = {name for name, *_ in workers} - dead.keys()
        if dead or any(worker not in alive for _, _, worker in running):
            _LOG.warning("took over %d jobs of dead workers", take_over(dead, now))
        mine = [pk for pk, claims, worker in running if worker == self._lease.name and (pk, claims) not in self._held]
        if mine:
            lost = Job.objects.filter(pk__in=mine, state=State.RUNNING, worker=self._lease.name)
            lost.update(state=State.QUEUED, worker="", due_at=now + AGAIN, reason="interrupted")
        self._next_rounds = self._runtime.monotonic() + self._pace.lease.total_seconds() / 3

    def _is_dead(self, name: str, process: str, beats: int, is_over: bool) -> bool:
        """True if a worker's lease is over or its process has ended, or it has not renewed its lease for as long as
        that is: by a clock that nobody sets, because its own may have been ahead."""
        if name == self._lease.name:
            return False
        before = self._seen.get(name)
        if before is None or before[0] != beats:
            before = self._seen[name] = (beats, self._runtime.monotonic())
        is_silent = self._runtime.monotonic() - before[1] > self._pace.lease.total_seconds()
        return is_silent or is_over or is_gone(process)

    def _poll(self) -> None:
        for poll in pollers():
            try:
                poll(self._runtime.now())
            except Exception:  # noqa: BLE001 - one that is broken holds up no other; the log has its type and place
                _LOG.exception("a poller failed; it is called again")
        self._next_poll = self._runtime.monotonic() + self._pace.poll_s

    # --- claiming ------------------------------------------------------------------------------------------------

    def _claim(self) -> bool:
        """Claim due jobs: as many as there are free threads, and more while jobs end quickly. Kinds that run few at
        once are claimed first, and one by one, so that other workers get the rest."""
        free = self._pace.threads - self._taken() + min(self._ended_last, _CLAIMED_MAX)
        self._ended_last = 0
        now = self._runtime.now()
        due = self._due(now) if free > 0 and self._kinds else {}
        if not due:  # asked first, because claiming locks SQLite
            return False
        limited = {name: kind for name, kind in self._kinds.items() if kind.at_once is not None or kind.batch > 1}
        claimed = list[tuple[str, Claimed]]()
        for name in sorted(due.keys() & limited.keys(), key=lambda name: (due[name], name)):
            kind = limited[name]
            room = free if kind.at_once is None else min(free, kind.at_once - self._running[kind.name])
            some = self._claimed([kind.name], room * kind.batch, now)
            claimed += some
            free -= -(-len(some) // kind.batch)
        claimed += self._claimed([name for name in self._kinds if name not in limited], free, now)
        jobs: dict[str, list[RunningJob]] = {}
        for name, row in claimed:
            job = RunningJob(self._kinds[name], row, self._lease, self._runtime.now)
            self._held.add((job.pk, job.claims))
            jobs.setdefault(name, []).append(job)
        with self._lock:
            for name, mine in jobs.items():
                kind = self._kinds[name]
                self._ready += [_Group(kind, mine[at : at + kind.batch]) for at in range(0, len(mine), kind.batch)]
        self._start()
        return bool(claimed)

    def _due(self, now: dt.datetime) -> dict[str, int]:
        """Kinds of which a job is due, of the first few that are, each with the best priority among these."""
        kinds = ", ".join(["%s"] * len(self._kinds))
        sql = f"SELECT kind, priority FROM core_job WHERE due_at <= %s AND kind IN ({kinds}) LIMIT {_SEEN_MAX}"  # noqa: S608
        due: dict[str, int] = {}
        for kind, priority in _rows(sql, [_adapted(now), *self._kinds]):
            due[kind] = min(priority, due.get(kind, priority))
        return due

    def _claimed(self, names: Sequence[str], most: int, now: dt.datetime) -> list[tuple[str, Claimed]]:
        if most <= 0 or not names:
            return []
        skip = " FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
        kinds = ", ".join(["%s"] * len(names))
        sql = (
            "UPDATE core_job SET state = 'running', worker = %s, due_at = NULL, claims = claims + 1,"  # noqa: S608
            " begun = CASE WHEN steps = '{}' THEN calls ELSE begun END,"
            f" changed_at = %s WHERE id IN (SELECT id FROM core_job WHERE due_at <= %s AND kind IN ({kinds})"
            f" ORDER BY priority, due_at, id LIMIT %s{skip})"
            " RETURNING kind, priority, id, key, calls, begun, signals, claims, attempts, steps"
        )
        claimed = _rows(sql, [self._lease.name, _adapted(now), _adapted(now), *names, most])
        claimed.sort(key=lambda row: row[1:3])
        return [(row[0], (*row[2:9], json.loads(row[9]) if isinstance(row[9], str) else row[9])) for row in claimed]

    def _taken(self) -> int:
        """How many threads are taken, and how many groups wait for one."""
        with self._lock:
            return self._running.total() + len(self._ready)

    def _is_full(self, kind: Kind) -> bool:
        return kind.at_once is not None and self._running[kind.name] >= kind.at_once

    # --- running -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Start threads for ready groups, up to the pace."""
        while (group := self._next()) is not None:
            self._runtime.spawn(lambda group=group: self._run(group))  # type: ignore[misc]

    def _next(self, ended: _Group | None = None) -> _Group | None:
        """The next group that may run now; *ended* makes room for it."""
        with self._lock:
            if ended is not None:
                self._running[ended.kind.name] -= 1
                self._ended.append(ended)
            if self._running.total() >= self._pace.threads:
                return None
            for place, group in enumerate(self._ready):
                if not self._is_full(group.kind):
                    del self._ready[place]
                    self._running[group.kind.name] += 1
                    return group
            return None

    def _run(self, group: _Group | None) -> None:
        """Run groups until there is none left, in a thread of its own."""
        while group is not None:
            self._run_one(group)
            group = self._next(group)
            self._runtime.wake()

    def _run_one(self, group: _Group) -> None:
        try:
            for job in group.jobs:
                job.go_on()
            returned = group.kind.run(group.jobs)
            group.next_run = returned if isinstance(returned, dt.datetime) else None
            if group.next_run is None and group.kind.every is not None:
                group.next_run = self._runtime.now() + group.kind.every
            group.is_done = True
        except Suspended:
            pass
        except Exception as error:  # noqa: BLE001 - any error ends in the job's row, as a retry or a failure
            for job in group.jobs:  # one that has ended is not ours any more, unless what ended it was rolled back
                job.end_with(error)
        finally:
            close_broken()

    def _settle(self) -> None:
        """Record that jobs are done, all that ended since the last time in one transaction, and start the next."""
        with self._lock:
            groups = list(self._ended)
            self._ended.clear()
        if not groups:
            return
        try:
            done = [(job, group.next_run) for group in groups if group.is_done for job in group.jobs if not job.is_over]
            if done:
                finish_all(done)
        except Error:
            with self._lock:
                self._ended.extendleft(reversed(groups))
            raise
        self._ended_last += sum(len(group.jobs) for group in groups)
        for group in groups:
            for job in group.jobs:
                self._held.discard((job.pk, job.claims))
        self._start()

    def _end(self) -> None:
        """Wait, within `Pace.stop_s`, for running jobs to be put back at their next step."""
        self._lease.is_ending = True
        with self._lock:
            ready = list(self._ready)
            self._ready.clear()
        for job in (job for group in ready for job in group.jobs):
            with contextlib.suppress(Error):
                job.put_back()
            self._held.discard((job.pk, job.claims))
        deadline = self._runtime.monotonic() + self._pace.stop_s
        while self._held and not self._lease.is_lost and self._runtime.monotonic() < deadline:
            try:
                self._settle()
            except Error:
                say_away(_LOG, "the database did not answer; jobs are put back once it does")
            if self._held:
                self._runtime.rest(self._pace.look_s)
        self._lease.end(for_good=not self._held and not self._lease.is_lost)
        self._runtime.close()


def _rows(sql: str, parameters: Sequence[Any]) -> list[Any]:
    """Rows of a statement. Plain SQL, where the ORM would take longer than the database and is asked all the time."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _adapted(at: dt.datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
