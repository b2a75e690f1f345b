"""Background jobs of the portal. Their keys are keyed references of people, never personal data."""

from __future__ import annotations

from troth.service.core.jobs.registry import job
from troth.service.core.jobs.running import RunningJob
from troth.service.portal import resend


@job("portal.resend_links")
def resend_links(job: RunningJob) -> None:
    """Resend the links of a person; the key is their keyed reference."""
    resend.resend_links(job.key, now=job.now)
