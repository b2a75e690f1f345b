"""Background jobs that keep statuses up to date: controls are checked, and what follows from the checks is judged."""

from __future__ import annotations

import contextlib
import ctypes
import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from troth.controls import Check, Status
from troth.detect.release import release
from troth.service.assurance import canaries
from troth.service.assurance.actions import PASS, PASS_EVERY, Last, check_controls, conclude, prepare
from troth.service.assurance.contact_checks import ask_due
from troth.service.assurance.rules import CHECK
from troth.service.core.deployment import Deployment, current, given
from troth.service.core.jobs import queue
from troth.service.core.jobs.models import HIGH
from troth.service.core.jobs.registry import batch_job, job
from troth.service.core.jobs.running import RunningJob
from troth.service.core.jobs.worker import run_jobs
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import clock_fault, sequence_if_sound
from troth.service.core.witnessing import refusals


@dataclass(slots=True)
class _Pass:
    """What `run_due` gathers."""

    last: Last
    checks: list[Check] = field(default_factory=list)
    changed: list[tuple[str, Status]] = field(default_factory=list)


CANARY = "assurance.canary"
_SOON = dt.timedelta(seconds=10)
_last = Last()
_pass: _Pass | None = None
"""The pass that this process makes with `run_due`."""


@job(PASS, every=PASS_EVERY, priority=HIGH)
def look_around(job: RunningJob) -> None:
    """Note changes, make controls due, and judge if there is something new."""
    deployment = current()
    if prepare(deployment, job.now, _last).is_old:
        _judge(deployment, job.now)


@batch_job(CHECK, most=500, at_once=1)
def check(jobs: Sequence[RunningJob]) -> None:
    """Check the controls that are due, with one look at everything, and judge; the keys are the controls' ids."""
    if canaries.are_planted(jobs[0].now):  # controls would count it as a person
        for job in jobs:
            job.put_back(_SOON)
        return
    deployment = current()
    checks = check_controls(deployment, jobs)
    if _pass is not None:
        _pass.checks += checks
    if checks:
        _judge(deployment, jobs[0].now)
        _release_memory()


@job(CANARY, every=dt.timedelta(hours=1), at_once=1)
def tend_canary(job: RunningJob) -> dt.datetime | None:
    """Once a week, plant an invented person in the systems that allow it, and erase it; look for it again."""
    return canaries.tend(current(), now=job.now)


@job("assurance.contacts", every=dt.timedelta(hours=1))
def ask_contacts(job: RunningJob) -> None:
    """Ask the declared mailboxes whose last e-mail is a week old."""
    ask_due(current(), now=job.now)


def _release_memory() -> None:
    """Return what checks have loaded to the system: they run an hour apart, and the worker waits in between."""
    release()
    with contextlib.suppress(OSError, AttributeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)


def _judge(deployment: Deployment, now: dt.datetime) -> None:
    changed = conclude(deployment, now, _last if _pass is None else _pass.last)
    sequence_if_sound(ledger_signer(deployment.keyring, deployment.declaration.organisation), now=now)
    if _pass is not None:
        _pass.changed += changed


_KINDS = (
    *("core.disposal", "core.epochs", "core.resealing", "core.scrubbing", "core.run"),
    *("assurance.contacts", "mail", "api", "staff", "requests.deadlines"),
)


def _run_jobs(at: dt.datetime | None, *kinds: str) -> None:
    run_jobs(threading.Event(), clock=lambda: at or dt.datetime.now(dt.UTC), only=kinds, until_idle=True)


@dataclass(frozen=True, slots=True)
class PassReport:
    """Result of one pass. *promises_changed* are the sentences whose status changed, with the new status; *unsigned*
    tells why the ledger's checkpoint is not signed by us or an outsider, and what is wrong with the clock."""

    checks: tuple[Check, ...]
    promises_changed: tuple[tuple[str, Status], ...]
    unsigned: tuple[str, ...] = field(default=())


def run_due(
    at: dt.datetime | None = None,
    *,
    deployment: Deployment | None = None,
    hasten: bool = False,
    checks: bool = True,
    last: Last | None = None,
) -> PassReport:
    """One pass: everything that is due but requests, every promise judged, the ledger sequenced. *at* is the time of
    the whole pass, for tests.

    With *hasten* every control is due, as after a fix; without *checks* none runs. With *last*, unchanged state is not
    judged again. Idempotent, and safe beside workers and other passes. Raises `NoDeployment`, `ProtectError` and
    Django's ``DatabaseError``.
    """
    global _pass  # noqa: PLW0603 - jobs run in threads of their own
    now = at or dt.datetime.now(dt.UTC)
    deployment, made = deployment or current(), _Pass(last or Last())
    signer = ledger_signer(deployment.keyring, deployment.declaration.organisation)
    prepared = prepare(deployment, now, made.last)
    if hasten:
        queue.hasten(CHECK, at=now)
    refusals.clear()
    _pass = made
    try:
        with given(deployment):
            if canaries.allowing(deployment.declaration):
                _run_jobs(at, CANARY)  # by itself: while it is planted, controls wait
            _run_jobs(at, *_KINDS, *([CHECK] if checks else ()))
            if prepared.is_old and not made.checks:
                _judge(deployment, now)
            _, broken = sequence_if_sound(signer, now=now)
            _run_jobs(at, "core.witnesses")  # they sign what the pass has recorded
    finally:
        _pass = None
    clock = clock_fault(now) or (str(prepared.doubt) if prepared.doubt is not None else "")
    faults = [clock, broken, *([] if broken else refusals)]
    unsigned = tuple(fault for fault in faults if fault)
    return PassReport(tuple(made.checks), tuple(made.changed), unsigned)
