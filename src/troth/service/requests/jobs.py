"""Background jobs of requests. Their keys are ids of batches and cases, never personal data."""

from __future__ import annotations

import datetime as dt

from troth.service.core.jobs.registry import Retry, job, poller
from troth.service.core.jobs.running import RunningJob, TryAgain
from troth.service.requests.fulfilment import restriction, steps
from troth.service.requests.fulfilment.queue import form_batches

_AT_ONCE = 3
"""Batches and cases that one worker handles at once: systems of the company may be slow."""
_LOOK_AGAIN = dt.timedelta(days=1)
"""Answers signal the jobs that wait for them."""


@poller
def ready_cases(now: dt.datetime) -> None:
    """Put cases that are ready into batches."""
    form_batches()


@job("requests.batch", at_once=_AT_ONCE)
def batch(job: RunningJob) -> None:
    """Process a batch of cases of one right: decide and execute, ask external systems, answer."""
    number = int(job.key)
    if job.step("act", lambda: steps.act(number)):
        job.step("ask", lambda: steps.ask(number))
    job.step("settle", lambda: steps.settle_batch(number))


@job("requests.follow", at_once=_AT_ONCE)
def follow(job: RunningJob) -> None:
    """Follow one case with slow systems: wait until all have answered, then answer the person."""
    number = int(job.key)
    if steps.is_waiting(number):
        job.wait(_LOOK_AGAIN)
    steps.settle_case(number)


@job("requests.ask", retry=Retry(first=dt.timedelta(seconds=5), longest=dt.timedelta(hours=6)), at_once=_AT_ONCE)
def ask(job: RunningJob) -> None:
    """Ask an external system again about a case; the key is that of the step."""
    later = steps.ask_again(int(job.key))
    if later is None:
        return
    after = None if later.wait_s is None else dt.timedelta(seconds=later.wait_s)
    if after is not None and not later.has_failed:
        job.wait(after)
    raise TryAgain("not_answered", after)


@job("requests.lift")
def lift(job: RunningJob) -> None:
    """Lift the restrictions of a case."""
    restriction.lift(int(job.key))
