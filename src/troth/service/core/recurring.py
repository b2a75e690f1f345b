"""Jobs of the base: runs that were left, disposal, keys, and the ledger's witnesses."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import Error

from troth.errors import TrothError
from troth.ledger import LedgerError, WitnessRefused
from troth.protect import EPOCH_GRACE, Keyring, KeyState
from troth.service.core.actions import resume_one
from troth.service.core.clock import may_end
from troth.service.core.deployment import current
from troth.service.core.disposal import dispose
from troth.service.core.jobs.models import LOW
from troth.service.core.jobs.registry import Retry, job
from troth.service.core.jobs.running import RunningJob, TryAgain
from troth.service.core.journal import RUN, read_run
from troth.service.core.key_lifecycle import sealed_places
from troth.service.core.key_registry import RESEALING
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog, sequence_if_sound
from troth.service.core.resealing import reseal
from troth.service.core.subject_keys import SubjectKeys, scrub
from troth.service.core.witnessing import refusals, show_outside

_LOG = logging.getLogger("troth.keep")
_HOURLY = dt.timedelta(hours=1)
_DAILY = dt.timedelta(days=1)
_SOON = dt.timedelta(minutes=2)
_RESEALED_AT_ONCE = 20_000
"""Values resealed per run, a few seconds of work."""


@job("core.disposal", every=_HOURLY, priority=LOW)
def dispose_expired(job: RunningJob) -> dt.datetime | None:
    """Delete expired rows of our own, unless the clock is in doubt."""
    if not may_end(job.now):
        return job.now + _SOON
    dispose(job.now, evidence=current().declaration.evidence.keep)
    return None


@job("core.epochs", every=_SOON)
def roll_epochs(job: RunningJob) -> None:
    """End the epoch of subject keys when it is over, unless the clock is in doubt."""
    keyring = current().keyring
    if keyring.chain is None or not may_end(job.now):
        return
    rolled = SubjectKeys(keyring).roll(now=job.now)
    if rolled.closed:
        _LOG.warning("%d subject keys cannot be opened and are left unchanged", rolled.closed)
    for info in rolled.destroyed:
        _LOG.info("%s is destroyed: earlier backups no longer open for people erased in that epoch", info.name)


@job(RESEALING, every=_DAILY, priority=LOW)
def reseal_values(job: RunningJob) -> dt.datetime | None:
    """Continue resealing values of older field keys, a bounded part at a time; again once slow processes must have
    stored what they sealed before a rotation."""
    keyring = current().keyring
    return None if keyring.chain is None else _reseal(keyring, job.now)


def _reseal(keyring: Keyring, now: dt.datetime) -> dt.datetime | None:
    assert keyring.chain is not None, "without one nothing is sealed under field keys"
    active = keyring.chain.active("field")
    if active is None:
        return now + _SOON
    resealed = reseal(keyring, sealed_places(), most=_RESEALED_AT_ONCE)
    if resealed.closed:
        _LOG.warning("%d sealed values cannot be opened and stay under an older key", resealed.closed)
    if not resealed.finished or keyring.chain.active("field") != active:
        return now
    settled = active.since[KeyState.ACTIVE] + EPOCH_GRACE
    return settled if settled > now else None


@job("core.scrubbing", every=_SOON, priority=LOW)
def scrub_log(job: RunningJob) -> None:
    """Remove erased data from SQLite's WAL if a reader prevented that before or the process was killed."""
    if not scrub():
        _LOG.warning(
            "a reader of the database keeps erased rows in its write-ahead log; removing them is retried in a few "
            "minutes"
        )


@job(RUN, retry=Retry(first=dt.timedelta(seconds=5)))
def finish_run(job: RunningJob) -> None:
    """Finish a run on the company's stores whose process is gone or released it; its end deletes this job."""
    run = read_run(job.key)
    if run is None:
        return
    try:
        deployment = current()
        resume_one(run, deployment.declaration, deployment.keyring)
    except Error:
        raise  # our own database
    except Exception as cause:  # whatever it is: half of the run may have happened
        _LOG.warning(
            "run %s cannot be finished yet: %s", run.id, cause if isinstance(cause, TrothError) else type(cause)
        )
        raise TryAgain("run_interrupted") from cause
    _LOG.warning("run %s was resumed and is finished", run.id)


@job("core.witnesses", every=dt.timedelta(minutes=10))
def show_checkpoint(job: RunningJob) -> None:
    """Have the declared outsiders sign the ledger's checkpoint."""
    known = current()
    declaration = known.declaration
    if declaration.ledger is None:
        return
    signer = ledger_signer(known.keyring, declaration.organisation)
    sequence_if_sound(signer, now=job.now)
    log = DatabaseLog(signer)
    try:
        for refused in show_outside(log, declaration.ledger, declaration.folder, now=job.now):
            conflict = isinstance(refused, WitnessRefused) and refused.conflict
            _LOG.log(logging.ERROR if conflict else logging.WARNING, "the ledger: %s", refused)
            refusals.append(str(refused))
    except LedgerError as broken:  # nothing to show
        _LOG.error("the ledger: %s", broken)
        refusals.append(str(broken))
