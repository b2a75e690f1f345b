"""Background jobs of cases."""

from __future__ import annotations

import datetime as dt

from troth.service.cases import deadlines
from troth.service.core.jobs.registry import job
from troth.service.core.jobs.running import RunningJob


@job("requests.deadlines", every=dt.timedelta(minutes=5), at_once=1)
def watch(job: RunningJob) -> None:
    """Remind, escalate and end what is due."""
    deadlines.watch(job.now)
