from __future__ import annotations

from notes import actions
from troth.service.core.jobs.registry import job
from troth.service.core.jobs.running import RunningJob


@job("notes.send")
def send(job: RunningJob) -> None:
    actions.send(job)
