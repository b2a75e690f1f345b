"""Background jobs of newsletters."""

from __future__ import annotations

import datetime as dt

from troth.service.core.deployment import current
from troth.service.core.jobs.registry import job
from troth.service.core.jobs.running import RunningJob
from troth.service.newsletters.actions import add_confirmed
from troth.service.newsletters.reachability import canaries


@job("newsletters.add", at_once=1)
def add(job: RunningJob) -> None:
    """Add somebody who has confirmed a sign-up to the audience; the key is that of the sign-up."""
    add_confirmed(int(job.key), current().without_own, now=job.now)


@job("newsletters.stop_canaries", every=dt.timedelta(minutes=5), at_once=1)
def tend_canaries(job: RunningJob) -> None:
    """Keep the canaries that stop newsletters, and have those who do it by e-mail write."""
    canaries.tend(current().without_own, now=job.now)
