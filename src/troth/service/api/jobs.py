"""Background jobs of the API: webhooks are sent, and stored responses expire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from troth.service.api import webhooks
from troth.service.api.models import Answered
from troth.service.core.clock import may_end
from troth.service.core.jobs.registry import Retry, batch_job, job
from troth.service.core.jobs.running import RunningJob

_ANSWERS_KEPT = dt.timedelta(days=2)


@batch_job("api.webhook", most=200, at_once=1, retry=Retry(waits=webhooks.WAITS))
def send_messages(jobs: Sequence[RunningJob]) -> None:
    """Send messages to webhooks; the keys are those of the deliveries."""
    webhooks.deliver(jobs, now=jobs[0].now)


@job("api.expire_answers", every=dt.timedelta(minutes=10))
def expire_answers(job: RunningJob) -> None:
    """Delete old responses to requests with an idempotency key."""
    if may_end(job.now):
        Answered.objects.filter(at__lt=job.now - _ANSWERS_KEPT).delete()
