"""Background jobs of mail: queued e-mails and editions are sent, failed ones expire, and mailboxes are read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from django.conf import settings

from troth.service.core.deployment import current
from troth.service.core.jobs.models import HIGH
from troth.service.core.jobs.queue import enqueue
from troth.service.core.jobs.registry import Retry, batch_job, job
from troth.service.core.jobs.running import RunningJob, TryAgain
from troth.service.mail.bulk.delivery import deliver
from troth.service.mail.inbox import reading
from troth.service.mail.inbox.mailboxes import MailboxAway
from troth.service.mail.sending import forget_failed, send_letters

_WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Pauses after each temporary failure; the last one repeats."""
_EVERY = dt.timedelta(seconds=3)
"""How often a mailbox is read: a stop by e-mail counts within five seconds."""


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
    """Make sure that each configured mailbox is read."""
    enqueue("mail.mailbox", *map(str, range(len(settings.TROTH.mailboxes))), not_before=job.now, priority=HIGH)


@job("mail.mailbox", retry=Retry(first=dt.timedelta(seconds=5), longest=dt.timedelta(minutes=5)), at_once=3)
def read_mailbox(job: RunningJob) -> dt.datetime | None:
    """Read new messages of one mailbox; the key is its place among them. Each has a job of its own, so that one that
    does not answer holds up no other."""
    try:
        is_more = reading.read_due(int(job.key), job.now)
    except MailboxAway as away:
        reason = "away:" + re.sub(r"\W+", "_", away.reason.lower())
        raise TryAgain(reason, dt.timedelta(seconds=away.retry_after)) from None
    return None if is_more is None else job.now if is_more else job.now + _EVERY


@job("mail.deliver", at_once=2, retry=Retry(waits=_WAITS))
def deliver_group(job: RunningJob) -> None:
    """Hand over a group of an edition; the key is that of its row."""
    deliver(job, current().without_own)
