"""Background jobs of mail: queued e-mails are sent, and messages of failed ones expire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from troth.service.core.jobs.registry import Retry, batch_job, job
from troth.service.core.jobs.running import RunningJob
from troth.service.mail.actions import forget_failed, send_letters

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
