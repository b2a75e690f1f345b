"""A job while a worker runs it: its steps, and how it ends, waits, or is retried.

`Suspended` unwinds a job that goes on later, or in another worker. It is no ``Exception``, so that no handler catches
it by accident.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from django.db import Error, connection, connections, transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.functions import Collate

from troth.service.configuration import ServiceError
from troth.service.core.jobs.models import CODE_MAX, KIND_MAX, ROWS_MAX, Job
from troth.service.database import may_pass

if TYPE_CHECKING:
    from troth.service.core.jobs.registry import Kind

_LOG = logging.getLogger("troth.jobs")
State = Job.State

Result = None | bool | int | str | Sequence["Result"] | Mapping[str, "Result"]
"""Result of a step: few ids, counts and codes."""

AGAIN = dt.timedelta(seconds=5)
"""Pause of a job that our own database interrupted."""
_RESULT_CHARACTERS_MAX = 20_000
_PLAIN = re.compile(r"[\w.:/+=-]{0,200}", re.ASCII)
CODE = re.compile(r"[a-z][a-z0-9_.:-]*")


class Stopped(ServiceError):
    """Raised in a job: it stops until somebody has fixed *reason*, a code such as ``declaration_changed``, and resumes
    it; it then goes on at the step where it stopped."""

    def __init__(self, reason: str) -> None:
        assert CODE.fullmatch(reason), "a reason is a code: anything else may hold a value"
        super().__init__(f"the job stopped: {reason}")
        self.reason = reason[:CODE_MAX]


class TryAgain(ServiceError):
    """Raised in a job: it is retried, for *reason*, a code, *after* this time or as its kind is retried."""

    retryable = True

    def __init__(self, reason: str, after: dt.timedelta | None = None) -> None:
        assert CODE.fullmatch(reason), "a reason is a code: anything else may hold a value"
        super().__init__(f"the job is tried again: {reason}")
        self.reason, self.retry_after = reason, after


class LeaseLost(ServiceError):
    """Another worker has this job now: whatever the open transaction did must not happen."""


class Suspended(BaseException):
    """Unwinds a job that goes on later or elsewhere; its row says when."""


class WorkerLease(Protocol):
    """Lease of a worker: it may be ending, or others may have taken over its jobs."""

    name: str

    @property
    def is_ending(self) -> bool: ...

    @property
    def is_lost(self) -> bool: ...


class RunningJob:
    """One job, from its claim by a worker until it is done or put back."""

    def __init__(self, kind: Kind, row: Claimed, lease: WorkerLease, clock: Callable[[], dt.datetime]) -> None:
        self.kind = kind
        self.pk, self.key, self.calls, self.begun, self.signals, self.claims, self.attempts, self.steps = row
        self.is_over = False
        """True once its row says that it does not run here any more."""
        self._lease = lease
        self._clock = clock
        self._step = ""

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.pk}>"

    @property
    def worker(self) -> str:
        """Name of the worker that runs it."""
        return self._lease.name

    @property
    def now(self) -> dt.datetime:
        """The current time of the worker."""
        return self._clock()

    def step(self, name: str, do: Callable[[], Result]) -> Result:
        """Result of *do*, done now or recorded before.

        *do* runs at least once: a worker may die between the effect and the record. It returns few ids, counts and
        codes. Raises `Suspended` if this worker may not go on, ``ValueError`` if the result may hold a value, and
        whatever *do* raises.
        """
        assert not self._step, "steps cannot be nested"
        assert len(name) <= KIND_MAX, "a step's name is short"
        if name in self.steps:
            return self.steps[name]  # type: ignore[no-any-return]
        self.go_on()
        close_broken()
        self._step = name
        steps = {**self.steps, name: _plain(do())}
        if not self.mine().update(steps=steps, attempts=0, step="", reason=""):
            raise Suspended
        self.steps, self.attempts, self._step = steps, 0, ""
        return steps[name]  # type: ignore[no-any-return]

    def wait(self, time: dt.timedelta) -> NoReturn:
        """Suspend the job for *time*, or until somebody signals it or enqueues it again. It then begins at its top, and
        skips its recorded steps. A signal since it was claimed counts: look first, then wait."""
        now = self.now
        is_called = Q(calls__gt=self.calls) | Q(signals__gt=self.signals)
        due = Case(When(is_called, then=Value(now)), default=Value(now + time))
        self._put_back(State.WAITING, due, attempts=0, step="", reason="")
        raise Suspended

    def go_on(self) -> None:
        """Return if this worker may go on; otherwise put the job back, and raise `Suspended`."""
        if self._lease.is_lost:
            raise Suspended
        if self._lease.is_ending:
            self.put_back()
            raise Suspended

    def finish(self, next_run: dt.datetime | None = None) -> None:
        """End the job in the open transaction, which then has its effects exactly once: another worker that has it by
        now makes this raise `LeaseLost`. A recurring job is queued for its *next_run*."""
        mine = self.mine()
        if next_run is None and mine.filter(calls=self.begun).delete()[0]:
            self.is_over = True
            return
        now = self.now
        due = now if next_run is None else Case(When(calls__gt=self.begun, then=Value(now)), default=Value(next_run))
        if not mine.update(**_away(State.QUEUED, due, now), steps={}, attempts=0, step="", reason=""):
            raise LeaseLost(f"the lease on {self.kind.name} expired; another worker has taken it over")
        self.is_over = True

    def lock(self) -> None:
        """Hold the job in the open transaction, so that no other worker takes it over before its end. Raises
        `LeaseLost`."""
        if not list(self.mine().select_for_update().values_list("pk")):
            raise LeaseLost(f"the lease on {self.kind.name} expired; another worker has taken it over")

    def retry(self, reason: str, *, after: dt.timedelta | None = None, until: dt.datetime | None = None) -> None:
        """Put the job back for a retry, as its kind says but not before *after*, and *until* then at the latest."""
        self.attempts += 1
        pause = self.kind.retry.pause(self.attempts)
        due = self.now + max(pause, after or pause)
        due = due if until is None else min(due, until)
        self._put_back(State.QUEUED, due, attempts=self.attempts, reason=reason, step=self._step)

    def put_back(self, after: dt.timedelta = dt.timedelta(), **more: object) -> None:
        """Put the job back for any worker, untried."""
        self._put_back(State.QUEUED, self.now + after, **more)

    def end_with(self, error: Exception) -> None:
        """Put the job back, stop it, or fail it for *error*, recorded as a code because an error's text may hold
        values. While our own database is unavailable, the row still says that the job runs here, and the worker puts
        it back later."""
        try:
            close_broken()
            if isinstance(error, LeaseLost):
                _LOG.warning("%s", error)
            elif isinstance(error, Stopped):
                self._put_back(State.STOPPED, None, attempts=self.attempts, reason=error.reason, step=self._step)
            elif isinstance(error, Error) and may_pass(error):  # our own database: nobody else is asked less often
                self.put_back(AGAIN, reason=_code(error), step=self._step)
            elif _may_pass(error):
                self.retry(error.reason if isinstance(error, TryAgain) else _code(error), after=_asked(error))
            else:
                _LOG.error("a job failed: %s, at %s", self.kind.name, self._step or "no step", exc_info=error)
                if self.kind.every is not None:  # it is needed again whatever this is
                    self.retry(_code(error))
                    return
                self._put_back(State.FAILED, None, attempts=self.attempts, reason=_code(error), step=self._step)
        except Error:
            _LOG.exception("the state of a job could not be stored; it is put back and repeats its step")

    def mine(self) -> QuerySet[Job]:
        """The row, if this worker still has the job: one that lost it changes nothing."""
        return Job.objects.filter(pk=self.pk, state=State.RUNNING, worker=self._lease.name, claims=self.claims)

    def _put_back(self, state: Job.State, due: object, **more: object) -> None:
        self.mine().update(**_away(state, due, self.now), **more)
        self.is_over = True


Claimed = tuple[int, str, int, int, int, int, int, dict[str, Any]]
"""Columns of a claimed row: pk, key, calls, begun, signals, claims, attempts, steps."""


def finish_all(done: Sequence[tuple[RunningJob, dt.datetime | None]]) -> None:
    """End several jobs in one transaction, each with its next run; one that another worker has by now is left to it."""
    with transaction.atomic():
        if len(done) > 1 and connection.features.has_select_for_update:
            # In the order in which `enqueue` locks them, so that two transactions do not wait for each other.
            rows = (
                Job.objects.select_for_update().filter(pk__in=[job.pk for job, _ in done]).order_by(Collate("key", "C"))
            )
            list(rows.values_list("pk"))
        ending = [job for job, next_run in done if next_run is None]
        left = _delete(ending)
        for job, next_run in done:
            if next_run is not None or left:  # for those that are gone this changes nothing
                with contextlib.suppress(LeaseLost):
                    job.finish(next_run)


def _delete(jobs: Sequence[RunningJob]) -> int:
    """Delete the rows of jobs that nobody called again. Returns how many were not deleted."""
    deleted = 0
    for start in range(0, len(jobs), ROWS_MAX):
        some = jobs[start : start + ROWS_MAX]
        rows = ", ".join(["(%s, %s, %s)"] * len(some))
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM core_job WHERE (id, claims, calls) IN (VALUES {rows}) AND worker = %s",  # noqa: S608
                [*(value for job in some for value in (job.pk, job.claims, job.begun)), some[0].worker],
            )
            deleted += cursor.rowcount
    return len(jobs) - deleted


def close_broken() -> None:
    """Close broken connections of this thread, so that the next statement opens a new one."""
    for opened in connections.all(initialized_only=True):
        if opened.errors_occurred and not opened.in_atomic_block:
            with contextlib.suppress(Error):
                opened.close()


def _away(state: Job.State, due: object, now: dt.datetime) -> dict[str, Any]:
    return {"state": state, "due_at": due, "worker": "", "changed_at": now}


def _may_pass(error: Exception) -> bool:
    retryable = getattr(error, "retryable", None)
    return bool(retryable) if retryable is not None else isinstance(error, OSError) or may_pass(error)


def _asked(error: Exception) -> dt.timedelta | None:
    """How long *error* asks to wait, if it does."""
    after = getattr(error, "retry_after", None)
    return after if after is None or isinstance(after, dt.timedelta) else dt.timedelta(seconds=float(after))


def _code(error: Exception) -> str:
    """Error code: type and store, without the error's text."""
    store = getattr(error, "store", "")
    where = f":{store}" if isinstance(store, str) and store and _PLAIN.fullmatch(store) else ""
    return f"{type(error).__name__}{where}"[:CODE_MAX]


def _plain(result: Result) -> Result:
    """*result*, if it holds only ids, counts and codes: it is stored in clear. Raises ``ValueError``."""
    if len(json.dumps(result)) > _RESULT_CHARACTERS_MAX or not _is_plain(result):
        raise ValueError(
            "a step may return a few ids, counts and codes; store anything else in a row and return its id"
        )
    return result


def _is_plain(result: Any) -> bool:
    if isinstance(result, str):
        return _PLAIN.fullmatch(result) is not None
    if isinstance(result, Mapping):
        return all(isinstance(name, str) and _PLAIN.fullmatch(name) and _is_plain(of) for name, of in result.items())
    if isinstance(result, (list, tuple)):
        return all(_is_plain(item) for item in result)
    return result is None or isinstance(result, (bool, int))
