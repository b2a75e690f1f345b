"""Background jobs of mailing lists. Their keys are the lists' names in the declaration."""

from __future__ import annotations

import datetime as dt

from troth.service.core.deployment import current
from troth.service.core.jobs.queue import enqueue
from troth.service.core.jobs.registry import Retry, job
from troth.service.core.jobs.running import RunningJob
from troth.service.processors import actions


@job(actions.SYNC, retry=Retry(longest=dt.timedelta(minutes=10)), at_once=1)
def sync(job: RunningJob) -> None:
    """Bring a list into line with what people chose."""
    deployment = current().without_own
    if job.key in actions.lists_of(deployment):
        actions.sync(job.key, deployment, now=job.now, go_on=job.go_on)


@job("processors.schedule", every=dt.timedelta(minutes=15))
def schedule(job: RunningJob) -> None:
    """Have each list looked at; comparisons happen only when they are due."""
    enqueue(actions.SYNC, *actions.lists_of(current().without_own))
