"""The durable flows of cases. They carry the numbers of batches and cases, never a value."""

from __future__ import annotations

import datetime as dt

from troth.service.requests.fulfilment import restriction, steps
from troth.service.requests.fulfilment.queue import form_batches
from troth.service.requests.responses.resend_links import resend_links
from troth.service.work.run import feeder, flow, step, wait_for_word

feeder(form_batches)


@flow("cases.batch")
def batch(about: str) -> None:
    """Cases of one right, carried out together: look, act, ask, answer."""
    number = int(about)
    if step("look", lambda: steps.look(number)):
        step("act", lambda: steps.act(number))
        step("ask", lambda: steps.ask(number))
    step("settle", lambda: steps.settle_batch(number))


@flow("cases.follow")
def follow(about: str) -> None:
    """One case whose systems take their time: ask again until all have answered, then answer the person."""
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
    """End what a case had restricted."""
    number = int(about)
    step("lift", lambda: restriction.lift(number))


@flow("cases.again")
def again(about: str) -> None:
    """Somebody wants the links of their cases once more; *about* is their keyed reference."""
    step("send", lambda: resend_links(about, now=dt.datetime.now(dt.UTC)))
