"""Background jobs of mail: queued e-mails and editions are sent, failed ones expire, and the mailbox is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from troth.service.core.deployment import current
from troth.service.core.jobs.registry import Retry, batch_job, job
from troth.service.core.jobs.running import RunningJob
from troth.service.mail.actions import forget_failed, send_letters
from troth.service.mail.bulk.delivery import deliver
from troth.service.mail.inbox import reading

_WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Pauses after each temporary failure; the last one repeats."""


@batch_job("mail.send", most=50, at_once=1, retry=Retry(waits=_WAITS))
def send(jobs: Sequence[RunningJob]) -> None:
    """Send e-mails over one connection; the keys are those of their rows."""
    send_letters(jobs)


@job("mail.forget_failed", every=dt.timedelta(hours=1))
def forget(job: RunningJob) -> None:
    """Delete messages of e-mails that failed long ago."""
    forget_failed(job.now)


@job("mail.inbox", every=dt.timedelta(minutes=1), at_once=1)
def read_inbox(job: RunningJob) -> None:
    """Read new messages, if a mailbox is configured and declared."""
    reading.read_due(job.now)


@job("mail.deliver", at_once=2, retry=Retry(waits=_WAITS))
def deliver_group(job: RunningJob) -> None:
    """Hand over a group of an edition; the key is that of its row."""
    deliver(job, current().without_own)
