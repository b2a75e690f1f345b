"""Background jobs of staff accounts."""

from __future__ import annotations

import datetime as dt
import logging

from troth.service.core.clock import may_end
from troth.service.core.jobs.registry import job
from troth.service.core.jobs.running import RunningJob
from troth.service.staff.actions import close_inactive

_LOG = logging.getLogger("troth.staff")


@job("staff.close_inactive", every=dt.timedelta(hours=1))
def close_accounts(job: RunningJob) -> None:
    """Close accounts that nobody used for long, unless the clock is in doubt."""
    if may_end(job.now) and (closed := close_inactive(job.now)):
        _LOG.info("closed %d inactive accounts", closed)
