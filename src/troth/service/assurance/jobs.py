"""Background jobs that keep statuses up to date: controls are checked, and what follows from the checks is judged."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from troth.controls import Check, Status
from troth.service.assurance.actions import PASS, PASS_EVERY, KeepContext, Last, check_controls, conclude, prepare
from troth.service.assurance.rules import CHECK
from troth.service.core.deployment import given
from troth.service.core.jobs.queue import hasten as bring_forward
from troth.service.core.jobs.registry import HIGH, batch_job, job
from troth.service.core.jobs.running import RunningJob
from troth.service.core.jobs.worker import run_jobs
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import clock_fault, sequence_if_sound
from troth.service.core.witnessing import refusals

_last = Last()
_made: list[Check] = []
"""Checks of this process's pass, while `run_due` runs."""


@job(PASS, every=PASS_EVERY, priority=HIGH)
def look_around(job: RunningJob) -> None:
    """Note changes, make controls due, and judge if there is something new."""
    office = KeepContext.open()
    if prepare(office, job.now, _last).is_old:
        conclude(office, job.now, _last)
        sequence_if_sound(ledger_signer(office.keyring, office.company.declaration.organisation), now=job.now)


@batch_job(CHECK, most=50, at_once=1)
def check(jobs: Sequence[RunningJob]) -> None:
    """Check the controls that are due, with one look at everything; the keys are the controls' ids."""
    _made.extend(check_controls(KeepContext.open(), jobs))
    bring_forward(PASS, at=jobs[0].now)


@dataclass(frozen=True, slots=True)
class PassReport:
    """Result of one pass. *promises_changed* are the sentences whose status changed, with the new status; *unsigned*
    tells why the ledger's checkpoint is not signed by us or an outsider, and what is wrong with the clock."""

    checks: tuple[Check, ...]
    promises_changed: tuple[tuple[str, Status], ...]
    entries_sequenced: int
    unsigned: tuple[str, ...] = field(default=())


def run_due(
    at: dt.datetime | None = None,
    *,
    office: KeepContext | None = None,
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
    now = at or dt.datetime.now(dt.UTC)
    office, last = office or KeepContext.open(), last or Last()
    signer = ledger_signer(office.keyring, office.company.declaration.organisation)
    prepared = prepare(office, now, last)
    if hasten:
        bring_forward(CHECK, at=now)
    _made.clear()
    refusals.clear()
    with given(office):
        kinds = ("core", "mail", "api", "staff", *([CHECK] if checks else ()), "requests.mailbox", "requests.deadlines")
        run_jobs(threading.Event(), clock=lambda: at or dt.datetime.now(dt.UTC), only=kinds, until_idle=True)
    made, changed = tuple(_made), ()  # type: tuple[Check, ...], tuple[tuple[str, Status], ...]
    if prepared.is_old or made:
        changed = conclude(office, now, last)
    sequenced, broken = sequence_if_sound(signer, now=now)
    clock = clock_fault(now) or (str(prepared.doubt) if prepared.doubt is not None else "")
    faults = [clock, broken, *([] if broken else refusals)]
    return PassReport(made, changed, prepared.sequenced + sequenced, tuple(fault for fault in faults if fault))
