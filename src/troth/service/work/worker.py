"""Loop of one worker process: it claims flows from the outbox, runs them, and takes over the flows of dead workers.

Any number of workers share a PostgreSQL database, on any number of machines. Each holds a lease, renewed by its own
thread; a worker whose lease expired loses its flows and finishes only its current step. On SQLite one worker is active
at a time, by a file lock, and the others stand by.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import logging
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import Error, close_old_connections, connections, transaction
from django.db.models import F
from django.utils.module_loading import autodiscover_modules

from troth.service.configuration import ServiceError, Settings
from troth.service.database import may_pass, say_away
from troth.service.work.carried import Flow, NotesAway
from troth.service.work.models import FlowRow, WorkerRow
from troth.service.work.notes import forget_newer
from troth.service.work.run import feeders, flows

if TYPE_CHECKING:
    from troth.service.work.engine import Engine

_LOG = logging.getLogger("troth.work")
_State = FlowRow.State


class WorkerLost(ServiceError):
    """This worker's lease expired, and others have taken over its flows; start another."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Concurrency and timing of a worker."""

    flows_max: int = 4
    """Flows that one worker runs at once. On PostgreSQL it uses up to twice as many connections plus three."""
    lease: dt.timedelta = dt.timedelta(seconds=30)
    """How long the flows of a dead worker have to wait."""
    look_s: float = 1.0
    """Polling interval while idle."""
    busy_s: float = 0.1
    """Polling interval while busy."""
    engine_idle_s: float = 20.0
    """How long the engine stays open without a flow."""
    stop_s: float = 10.0
    """How long a stopping worker waits for running steps."""


_BEGIN_S_MAX = 60.0
"""A flow that the engine has not started by then is released."""
_AGAIN = dt.timedelta(seconds=5)
_SWEEP_S = 3600.0
_AWAY_S = 1.0
"""Retry interval while the database is unavailable."""


def worker(
    stop: threading.Event,
    *,
    settings: Settings,
    pace: Pace | None = None,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    until_idle: bool = False,
) -> None:
    """Run flows until *stop* is set, or with *until_idle* until no flow can proceed at the time of *clock*.

    Flows running at the end are suspended at their next step and resume elsewhere. Raises `WorkerLost`.
    """
    autodiscover_modules("jobs")
    pace = pace or Pace()
    with _alone(settings, stop) as first:
        if not until_idle:
            _wait_for_database(stop)
        if first is not None and not stop.is_set():
            forget_newer(settings)
        with _Hold(pace.lease, alone=first is not None) as hold:
            if not stop.is_set():
                _Worker(settings, pace, clock, hold).work(stop, until_idle=until_idle)


class _Hold:
    """The lease of this worker, renewed by a thread until the worker ends."""

    def __init__(self, lease: dt.timedelta, *, alone: bool) -> None:
        self.executor = secrets.token_hex(8)
        self.is_alone = alone
        self.is_ending = False
        self._lease = lease
        self._valid_until = time.monotonic() + lease.total_seconds()
        self._taken = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="troth-work-lease", daemon=True)

    @property
    def is_lost(self) -> bool:
        # A worker with the exclusive file lock keeps it however long others lock the database.
        return self._taken or (not self.is_alone and time.monotonic() > self._valid_until)

    def __enter__(self) -> _Hold:
        now = _now()
        WorkerRow.objects.create(executor=self.executor, begun_at=now, lease_until=now + self._lease)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _keep(self) -> None:
        pause_s = every_s = self._lease.total_seconds() / 3
        while not self._end.wait(pause_s):
            asked, pause_s = time.monotonic(), min(_AWAY_S, every_s)
            try:
                mine = WorkerRow.objects.filter(executor=self.executor)
                if not mine.update(lease_until=_now() + self._lease):
                    self._taken = True
                    return
                self._valid_until, pause_s = asked + self._lease.total_seconds(), every_s
            except Error:
                say_away(_LOG, "the lease of this worker could not be renewed; retrying")
            finally:
                close_old_connections()
        connections.close_all()

    def take_over(self) -> int:
        """Release the flows of dead workers. Returns how many. Safe from several workers at once."""
        others = WorkerRow.objects.exclude(executor=self.executor)
        dead = others if self.is_alone else others.filter(lease_until__lt=_now())
        orphans = FlowRow.objects.filter(state=_State.RUNNING).exclude(
            worker__in=WorkerRow.objects.values_list("executor")
        )
        if not dead.exists() and not orphans.exists():
            return 0
        with transaction.atomic():
            gone = list(dead.select_for_update(skip_locked=True).values_list("executor", flat=True))
            WorkerRow.objects.filter(executor__in=gone).delete()
            now = _now()
            return orphans.update(state=_State.WANTED, worker="", due_at=now, changed_at=now)

    def let_go(self) -> None:
        """End the lease: no flow of this worker runs any more."""
        WorkerRow.objects.filter(executor=self.executor).delete()


class _Worker:
    def __init__(self, settings: Settings, pace: Pace, clock: Callable[[], dt.datetime], hold: _Hold) -> None:
        self._settings = settings
        self._pace = pace
        self._clock = clock
        self._hold = hold
        self._engine: Engine | None = None
        self._running: dict[str, tuple[Flow, float]] = {}
        self._busy_at = time.monotonic()
        self._next_rounds = 0.0
        self._next_feeding = 0.0
        self._next_sweep = 0.0
        self._is_patient = True

    def work(self, stop: threading.Event, *, until_idle: bool) -> None:
        self._is_patient = not until_idle
        try:
            while not stop.is_set() and not self._hold.is_lost:
                did = self._turn()
                if until_idle and not did and not self._running:
                    break
                self._rest(stop, did)
            is_lost = self._hold.is_lost
            self._end()
        finally:
            self._close_engine()
        if is_lost:
            raise WorkerLost("this worker's lease expired, and other workers have its flows; start it again")

    def _turn(self) -> bool:
        """One pass over everything. True if there was something to do."""
        try:
            self._collect()
            if time.monotonic() >= self._next_rounds:
                self._give_back_lost()
                self._next_rounds = time.monotonic() + self._pace.lease.total_seconds() / 3
                if count := self._hold.take_over():
                    _LOG.warning("took over %d flows of dead workers", count)
            self._feed()
            taken = self._take()
            if taken:
                self._begin(taken)
            elif not self._running and time.monotonic() - self._busy_at > self._pace.engine_idle_s:
                self._close_engine()
            return bool(taken)
        except (Error, NotesAway):
            self._next_rounds = 0.0
            if not self._is_patient:
                raise
            say_away(_LOG, "the database did not answer; work continues once it does")
            return False
        finally:
            close_old_connections()

    def _feed(self) -> None:
        if self._running and time.monotonic() < self._next_feeding:
            return  # a turn follows every flow that ends; feeders need not run that often
        for fill in feeders():
            try:
                fill()
            except Exception:  # noqa: BLE001 - one that is broken holds up no other; the log has its type and place
                _LOG.exception("a feeder failed; it is called again")
        self._next_feeding = time.monotonic() + self._pace.look_s

    def _take(self) -> list[Flow]:
        """Claim due flows, up to the free capacity of this worker."""
        free, now = self._pace.flows_max - len(self._running), self._clock()
        due = FlowRow.objects.filter(due_at__lte=now, name__in=list(flows()))
        if free <= 0 or not due.exists():  # checked outside a transaction, which would lock SQLite
            return []
        with transaction.atomic():
            rows = list(due.select_for_update(skip_locked=True).order_by("due_at", "pk")[:free])
            FlowRow.objects.filter(pk__in=[row.pk for row in rows]).update(
                state=_State.RUNNING,
                worker=self._hold.executor,
                due_at=None,
                for_word=False,
                takings=F("takings") + 1,
                changed_at=now,
            )
        for row in rows:
            row.takings += 1
        return [Flow(row, self._hold, self._clock) for row in rows]

    def _begin(self, taken: list[Flow]) -> None:
        begun = time.monotonic()
        self._running |= {flow.key: (flow, begun) for flow in taken}
        self._busy_at = begun
        try:
            engine = self._open_engine()
        except (Error, NotesAway):
            self._running = {key: one for key, one in self._running.items() if one[1] != begun}
            raise
        try:
            engine.begin(taken)
        except (Error, NotesAway):
            for flow in taken:
                if engine.withdraw(flow):
                    del self._running[flow.key]
            raise

    def _give_back_lost(self) -> None:
        """Release flows that are ours by their rows but not running here: the database failed while we claimed or
        released them, so the outcome is unknown."""
        for row in FlowRow.objects.filter(state=_State.RUNNING, worker=self._hold.executor):
            flow = Flow(row, self._hold, self._clock)
            if flow.key not in self._running:
                flow.give_back(_AGAIN, reason="interrupted")

    def _collect(self) -> None:
        """Drop flows that are done or suspended."""
        if self._engine is None:
            return
        while not self._engine.ended.empty():
            self._ended(self._engine.ended.get())
        late = time.monotonic() - _BEGIN_S_MAX
        for flow, begun in list(self._running.values()):
            if begun < late and not flow.has_begun:
                self._ended(flow)

    def _ended(self, flow: Flow) -> None:
        if self._running.get(flow.key, (None,))[0] is not flow or self._engine is None:
            return
        del self._running[flow.key]
        self._busy_at = time.monotonic()
        # If the database was unavailable, the row still says that the flow runs.
        flow.give_back(_AGAIN, reason="interrupted")
        done = FlowRow.objects.filter(pk=flow.pk, round=flow.round, state=_State.DONE).exists()
        self._engine.forget(flow, for_good=done or flow.is_spoilt)

    def _await_ended(self) -> None:
        """Drop the next flow that ends, if one does soon."""
        assert self._engine is not None, "flows run in an engine"
        try:
            self._ended(self._engine.ended.get(timeout=self._pace.busy_s))
        except queue.Empty:
            pass
        except (Error, NotesAway):
            self._next_rounds = 0.0  # its row is checked again
            _LOG.exception("a flow could not be released; retrying")

    def _rest(self, stop: threading.Event, did: bool) -> None:
        if did and len(self._running) < self._pace.flows_max:
            return
        is_busy = self._running or time.monotonic() - self._busy_at < 5.0
        if self._engine is not None and self._running:
            self._await_ended()
        else:
            stop.wait(self._pace.busy_s if is_busy else self._pace.look_s)

    def _end(self) -> None:
        """Wait, within `Pace.stop_s`, for running flows to be suspended at their next step."""
        self._hold.is_ending = True
        deadline = time.monotonic() + self._pace.stop_s
        while self._running and self._engine is not None and time.monotonic() < deadline:
            self._await_ended()
        if not self._running and not self._hold.is_lost:
            with contextlib.suppress(Error):  # then others take its flows when the lease expires
                self._hold.let_go()

    def _open_engine(self) -> Engine:
        if self._engine is None:
            from troth.service.work.engine import Engine

            self._engine = Engine(self._settings, executor=self._hold.executor, flows_max=self._pace.flows_max)
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + _SWEEP_S
            self._engine.sweep(list(WorkerRow.objects.values_list("executor", flat=True)))
        return self._engine

    def _close_engine(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _wait_for_database(stop: threading.Event) -> None:
    """Return once our own database answers. Raises Django errors that are not transient."""
    while not stop.is_set():
        try:
            WorkerRow.objects.exists()
            return
        except Error as away:
            if not may_pass(away):
                raise
            say_away(_LOG, "the database does not answer; work starts once it does")
        finally:
            close_old_connections()
        stop.wait(_AWAY_S)


@contextlib.contextmanager
def _alone(settings: Settings, stop: threading.Event) -> Iterator[int | None]:
    """On SQLite, hold the exclusive worker lock, waiting for it. None if several workers may run."""
    if settings.database.engine != "sqlite":
        yield None
        return
    file = Path(settings.database.name).with_name("work.lock")
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not stop.is_set():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stop.wait(1.0)
        yield descriptor
    finally:
        os.close(descriptor)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
