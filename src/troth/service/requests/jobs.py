"""Background jobs of requests. Their keys are ids of batches and cases, or keyed references, never personal data."""

from __future__ import annotations

import datetime as dt

from troth.service.core.jobs.registry import job, poller
from troth.service.core.jobs.running import RunningJob
from troth.service.requests import deadlines
from troth.service.requests.fulfilment import restriction, steps
from troth.service.requests.fulfilment.queue import form_batches
from troth.service.requests.intake import mailbox
from troth.service.requests.responses import resend_links as responses

_AT_ONCE = 3
"""Batches and cases that one worker handles at once: systems of the company may be slow."""


@poller
def ready_cases(now: dt.datetime) -> None:
    """Put cases that are ready into batches."""
    form_batches()


@job("requests.batch", at_once=_AT_ONCE)
def batch(job: RunningJob) -> None:
    """Process a batch of cases of one right: locate, execute, ask external systems, answer."""
    number = int(job.key)
    if job.step("look", lambda: steps.look(number)):
        job.step("act", lambda: steps.act(number))
        job.step("ask", lambda: steps.ask(number))
    job.step("settle", lambda: steps.settle_batch(number))


@job("requests.follow", at_once=_AT_ONCE)
def follow(job: RunningJob) -> None:
    """Follow one case with slow systems: poll until all have answered, then answer the person."""
    number = int(job.key)
    if (wait_s := steps.poll(number)) > 0:
        job.wait(dt.timedelta(seconds=wait_s))
    steps.settle_case(number)


@job("requests.lift")
def lift(job: RunningJob) -> None:
    """Lift the restrictions of a case."""
    restriction.lift(int(job.key))


@job("requests.resend_links")
def resend_links(job: RunningJob) -> None:
    """Resend the links of a person's cases; the key is their keyed reference."""
    responses.resend_links(job.key, now=job.now)


@job("requests.mailbox", every=dt.timedelta(minutes=1), at_once=1)
def read_mailbox(job: RunningJob) -> None:
    """Ingest new messages, if a mailbox is configured and declared."""
    mailbox.read_due(job.now)


@job("requests.deadlines", every=dt.timedelta(minutes=5), at_once=1)
def watch(job: RunningJob) -> None:
    """Remind, escalate and end what is due."""
    deadlines.watch(job.now)
