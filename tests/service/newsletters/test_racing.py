"""Stops while an edition goes out, without simulation: real threads, real transactions."""

from __future__ import annotations

import itertools
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from tests.rig.jobs import run_due
from tests.scale import scaled
from tests.service.newsletters.conftest import Publisher

from troth.service.mail.bulk import actions as bulk
from troth.service.mail.bulk import delivery
from troth.service.mail.message import Message
from troth.service.mail.models import EditionDelivery
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope, stop
from troth.service.newsletters.editions.kind import NewsletterEditions

State = EditionDelivery.State


class SlowServer:
    """Takes each message, after a while."""

    def __init__(self, message_s: float) -> None:
        self._message_s = message_s
        self.taken = list[str]()

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        time.sleep(self._message_s)
        point_of_no_return()
        self.taken.append(message.to)

    def close(self) -> None:
        """Nothing to close."""


def subscribe(publisher: Publisher, count: int) -> None:
    publisher.do(
        f"with recursive n(i) as (select 10 union all select i + 1 from n where i < {9 + count}) insert into subscriber"
        " select i, 'ann' || i || '@example.org', 'Ann', 'active', '2026-01-01' from n;"
        " delete from subscriber where id < 10;"
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NewsletterEditions, "per_second", lambda *of: 1_000)


def send() -> None:
    """Send what is due by the real clock, which tells the waves apart."""
    run_due(None, "mail.deliver")


def in_thread(do: Callable[[], Any]) -> Any:
    try:
        return do()
    finally:
        connections.close_all()


@pytest.mark.scaled
def test_no_hand_over_commits_after_a_stop_has(
    publisher: Publisher, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    server, order = SlowServer(0.001), itertools.count()
    stopped, leaving = dict[str, int](), dict[str, int]()
    asked = queue.SimpleQueue[str | None]()
    decide = delivery._within_rates

    def decide_slowly(*of: Any) -> Any:
        chosen = decide(*of)
        asked.put(chosen[-1].recipient.fingerprint if chosen else None)
        time.sleep(0.03)  # the stop of this person would slip in here, did it not wait
        moment = next(order)
        leaving.update({candidate.recipient.fingerprint: moment for candidate in chosen})
        return chosen

    monkeypatch.setattr(delivery, "_within_rates", decide_slowly)
    monkeypatch.setattr(delivery, "way_out", lambda settings: server)
    monkeypatch.setattr(bulk, "GROUP_MAX", 6)
    subscribe(publisher, scaled(100, 3_000))
    edition, deployment = publisher.start(), publisher.deployment
    people = list(edition.deliveries.values_list("fingerprint", flat=True))
    random.Random(17).shuffle(people)

    def stop_one(name: str) -> None:
        stop(name, "monthly", StopScope.LIST, deployment, channel="link", now=publisher.now())
        stopped[name] = next(order)

    def stop_some() -> None:
        for name in people[: len(people) // 3]:
            stop_one(name)

    def stop_those_who_are_next() -> None:
        with suppress(queue.Empty):
            while True:
                if name := asked.get(timeout=1.0):
                    stop_one(name)

    def pause_and_resume() -> None:
        for _ in range(8):
            time.sleep(0.03)
            with suppress(bulk.EditionRefused):  # it has ended
                bulk.pause(edition, deployment, now=publisher.now())
                bulk.resume(edition, deployment, now=publisher.now())

    jobs = [send, send, stop_some, stop_those_who_are_next, pause_and_resume]
    with ThreadPoolExecutor(len(jobs)) as threads:
        for done in [threads.submit(in_thread, job) for job in jobs]:
            done.result(120)
    send()
    edition.refresh_from_db()
    states = dict(edition.deliveries.values_list("fingerprint", "state"))
    late = [name for name in stopped if states[name] == State.SENT and leaving[name] > stopped[name]]
    assert (late, edition.state) == ([], "finished")
    assert Counter(states.values()) == {State.SENT: len(server.taken), State.STOPPED: len(people) - len(server.taken)}
    assert len(set(server.taken)) == len(server.taken)
    assert State.STOPPED in states.values(), "some stops came first"


def test_a_stop_by_web_counts_for_all_but_the_waves_that_have_begun(
    publisher: Publisher, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes 20 ms for each of 2,000 messages. By order, so that a busy machine changes nothing."""
    server = SlowServer(0.02)
    monkeypatch.setattr(delivery, "way_out", lambda settings: server)
    subscribe(publisher, 2_000)
    edition, deployment = publisher.start(), publisher.deployment
    sender = threading.Thread(target=in_thread, args=[send])
    sender.start()
    refused, begun = set[str](), set[str]()
    try:
        for taken in (5, 30, 60):
            while len(server.taken) < taken:
                time.sleep(0.005)
            waiting = edition.deliveries.filter(state=State.QUEUED).order_by("group", "position")
            for name in list(waiting.values_list("fingerprint", flat=True)[:4]):
                link = f"/your-data/stop/{tokens.make('monthly', name, deployment.keyring)}"
                assert Client(enforce_csrf_checks=True).post(link).status_code == 200
                handed = edition.deliveries.filter(fingerprint=name, state__in=[State.HANDING_OVER, State.SENT])
                (begun if handed.exists() else refused).add(name)
    finally:
        bulk.cancel(edition, deployment, now=publisher.now())
        sender.join()
    states = dict(edition.deliveries.values_list("fingerprint", "state"))
    assert refused
    assert {states[name] for name in refused} == {State.STOPPED}
    waves = Counter(edition.deliveries.filter(state=State.SENT).values_list("handed_at", flat=True))
    assert max(waves.values()) <= 0.7 / 0.02 + 1, "a wave ends after 0.7 s, and the message that it is at"
    assert Counter(states.values())[State.SENT] == len(server.taken) == len(set(server.taken))
    assert set(states.values()) == {State.SENT, State.STOPPED}
