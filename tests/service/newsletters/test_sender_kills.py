"""A sender that is killed in the middle of an edition: another one ends it, nobody is missing or gets two."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
from collections import Counter
from typing import Any

import pytest
from tests import forks
from tests.scale import scaled
from tests.service.conftest import ROOT
from tests.service.newsletters.conftest import TEXT, Publisher

from troth.service.mail.models import Edition, EditionDelivery

pytestmark = pytest.mark.sampled

PEOPLE, PER_SECOND = 24, 20
WAVE = int(0.7 * PER_SECOND)


@pytest.fixture
def many(publisher: Publisher, monkeypatch: pytest.MonkeyPatch, database: str) -> Publisher:
    """The company with a few more subscribers, whose settings are those of the processes that it starts."""
    people = ", ".join(f"({n}, 'ann{n}@example.org', 'Ann', 'active', '2026-01-01')" for n in range(10, 8 + PEOPLE))
    publisher.do(f"insert into subscriber values {people};")
    for name, value in {
        "TROTH_MAIL_RATES": f"*={PER_SECOND}",
        "TROTH_HOME": publisher.folder / "home",
        "TROTH_DATABASE_URL": database,
        "TROTH_DECLARATION": publisher.folder / "troth.yaml",
        "TROTH_MAIL_URL": f"smtp://127.0.0.1:{publisher.sink.port}",
    }.items():
        monkeypatch.setenv(name, str(value))
    publisher.sign()  # those processes send nothing unsigned
    return publisher


def sender(*step: int) -> forks.Process:
    command = ["python", "-m", "tests.service.newsletters.sender", *map(str, step)]
    return forks.start(command, env=dict(os.environ), cwd=ROOT)


def end(publisher: Publisher, edition: Edition) -> None:
    """Let another sender end *edition*, and look at what became of it."""
    before = len(publisher.got)
    for _ in range(50):
        publisher.clock[0] = max(publisher.clock[0], dt.datetime.now(dt.UTC)) + dt.timedelta(minutes=1)
        publisher.work()
        edition.refresh_from_db()
        if edition.state == Edition.State.FINISHED:
            break
    outcomes, arrived = publisher.outcomes(edition), Counter(publisher.got)
    assert (edition.state, sum(outcomes.values())) == ("finished", PEOPLE), before
    assert max(arrived.values()) == 1, "nobody got it twice"
    in_doubt = edition.deliveries.filter(state=EditionDelivery.State.IN_DOUBT)
    assert in_doubt.count() <= WAVE
    assert in_doubt.values("handed_at").distinct().count() <= 1, "one wave"
    sent = outcomes.get("sent", 0)
    assert sent + in_doubt.count() == PEOPLE
    assert sent <= len(arrived) <= PEOPLE
    assert len(arrived) - sent <= in_doubt.count(), "whoever has it and is not said to have it is in doubt"


def test_one_killed_when_the_server_has_a_message_and_has_not_answered(many: Publisher) -> None:
    edition = many.start()
    begun = list[forks.Process]()

    def kill(server: Any) -> None:
        if len(many.sink.taken) == WAVE + 3:
            os.kill(begun[0].pid, signal.SIGKILL)

    many.sink.at_end = kill
    begun.append(sender())
    assert begun[0].wait(60) != 0
    many.sink.at_end = lambda server: None
    end(many, edition)
    assert many.outcomes(edition)["in_doubt"] >= 3


@pytest.mark.scaled
def test_one_killed_anywhere(many: Publisher) -> None:
    chance, killed = random.Random(17), 0
    for number in range(scaled(3, 60)):
        many.sink.taken.clear()
        edition = many.start(TEXT.replace("June", f"number {number}"))
        killed += sender(chance.randrange(20, 300)).wait(60) != 0
        end(many, edition)
    assert killed
