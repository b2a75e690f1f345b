"""Durable flows of cases. Their arguments are ids of batches and cases, or keyed references, never personal data."""

from __future__ import annotations

import datetime as dt

from troth.service.requests.fulfilment import restriction, steps
from troth.service.requests.fulfilment.queue import form_batches
from troth.service.requests.responses.resend_links import resend_links
from troth.service.work.run import feeder, flow, step, wait_for_word

feeder(form_batches)


@flow("cases.batch")
def batch(about: str) -> None:
    """Process a batch of cases of one right: locate, execute, ask external systems, answer."""
    number = int(about)
    if step("look", lambda: steps.look(number)):
        step("act", lambda: steps.act(number))
        step("ask", lambda: steps.ask(number))
    step("settle", lambda: steps.settle_batch(number))


@flow("cases.follow")
def follow(about: str) -> None:
    """Follow one case with slow systems: poll until all have answered, then answer the person."""
    number = int(about)
    while True:
        wait_s = step("poll", lambda: steps.poll(number))
        assert isinstance(wait_s, int), "poll counts seconds"
        if wait_s <= 0:
            break
        wait_for_word(dt.timedelta(seconds=wait_s))
    step("settle", lambda: steps.settle_case(number))


@flow("cases.lift")
def lift(about: str) -> None:
    """Lift the restrictions of a case."""
    number = int(about)
    step("lift", lambda: restriction.lift(number))


@flow("cases.again")
def again(about: str) -> None:
    """Resend the links of a person's cases; *about* is their keyed reference."""
    step("send", lambda: resend_links(about, now=dt.datetime.now(dt.UTC)))
