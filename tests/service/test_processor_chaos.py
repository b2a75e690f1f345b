"""Nobody who stopped or was erased comes back to a processor's list, whatever is lost, doubled, imported or killed."""

from __future__ import annotations

import contextlib
import datetime as dt
import multiprocessing
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection
from tests.rig.mailchimp import LIST, FakeMailchimp, Killed, Traps
from tests.rig.mailing_lists import NOW, Newsletter
from tests.scale import scaled

from troth.service.core.jobs.models import Job
from troth.service.core.models import ControlEvent, EntryRow, Tombstone
from troth.service.preferences.models import Choice
from troth.service.processors.models import ListedPerson, ListEvent, SyncedList
from troth.stores import StoreError, member_id

pytestmark = pytest.mark.scaled
_AT_ONCE = 20
PARTS = scaled(1, 250)
"""Tests of 20 runs each: 5,000 runs in all."""
PEOPLE = ["ann@example.org", "Ben+News@Example.org", "chloe@example.org"]
BYSTANDER = "bystander@example.org"
"""Consented, and does nothing: they stay on the list, so that to empty it is no way out."""
_ON = ("subscribed", "pending")


class Chaos:
    """One run: people, staff and faults in the order of a seed, and what has to hold."""

    def __init__(self, news: Newsletter, seed: int) -> None:
        self.news, self.chance = news, random.Random(seed)
        self.stopped: set[str] = set()
        """Of whose stop we know: made here, told by a webhook that we accepted, or recorded by a comparison."""
        self.erased: set[str] = set()
        self.traps = Traps(
            throttled=self.chance.choice((0, 0.1)),
            lost=self.chance.choice((0, 0.1, 0.3)),
            broken=self.chance.choice((0, 0.1)),
            killed=self.chance.choice((0, 0.05, 0.2)),
            lag_calls=self.chance.choice((0, 0, 3, 12)),
            cleaned_stays=self.chance.random() < 0.3,
            echoes=self.chance.random() < 0.5,
        )

    def run(self) -> None:
        news = self.news
        news.consent(BYSTANDER, *PEOPLE[:2])
        news.fake.add(PEOPLE[2], self.chance.choice(("subscribed", "unsubscribed", "cleaned", "archived")))
        news.fake.traps = self.traps
        for _ in range(self.chance.randint(10, 25)):
            act, weight = zip(*self.acts, strict=True)
            self.chance.choices(act, weight)[0](self.chance.choice(PEOPLE))
            news.later(seconds=self.chance.choice((1, 60, 4_000)))
        self.settle()

    @property
    def acts(self) -> list[tuple[Callable[[str], None], int]]:
        fake = self.news.fake
        return [
            (self.sync, 8),
            (self.deliver, 4),
            (self.consent, 2),
            (self.withdraw, 3),
            (self.erase, 1),
            (fake.person_unsubscribes, 3),
            (lambda address: fake.person_unsubscribes(address, "abuse"), 1),
            (fake.bounces, 1),
            (fake.person_subscribes, 2),
            (lambda _: fake.staff_imports(*PEOPLE), 2),
            (fake.staff_archives, 1),
            (self.restore, 1),
        ]

    def consent(self, address: str) -> None:
        self.news.later(seconds=1)
        self.news.consent(address)
        self.stopped.discard(address)

    def withdraw(self, address: str) -> None:
        self.news.later(seconds=1)
        self.news.choose("withdrawn", address)
        self.stopped.add(address)

    def erase(self, address: str) -> None:
        self.news.erase(address)
        self.erased.add(address)

    def restore(self, address: str) -> None:
        """Somebody copies an old backup of the account: who was deleted for good is on the list again."""
        self.news.fake.forgotten.discard(member_id(address))
        self.news.fake.add(address, "subscribed")

    def deliver(self, _: str) -> None:
        """Webhooks come in any order, twice or never."""
        waiting, self.news.fake.events = self.news.fake.events, []
        self.chance.shuffle(waiting)
        for form in waiting:
            for _time in range(self.chance.choice((0, 1, 1, 2))):
                self.news.deliver(form)
                is_stop = form["type"] in ("unsubscribe", "cleaned") and form.get("data[action]") != "delete"
                if is_stop:
                    self.stopped |= {one for one in PEOPLE if one.lower() == form["data[email]"].lower()}

    def sync(self, _: str) -> None:
        allowed = {one for one in (*PEOPLE, BYSTANDER) if self.news.may(one)} - self.stopped - self.erased
        before = len(self.news.fake.upwards)
        with contextlib.suppress(StoreError, Killed):
            self.news.sync(is_full=self.chance.random() < 0.3)
        for id_, was, _status in self.news.fake.upwards[before:]:
            assert was == "", f"set upwards from {was}"
            assert id_ in {member_id(one) for one in allowed}, "added who may not be"
        self.stopped |= {one for one in PEOPLE if not self.news.may(one) and Choice.objects.filter(
            fingerprint__in=self.news.names([one])).exclude(state="given").exists()}  # fmt: skip

    def settle(self) -> None:
        """The faults end; the list is compared, twice because the first may still see old answers."""
        news = self.news
        news.fake.traps, news.fake._old = Traps(), {}
        for _ in range(2):
            news.later(hours=21)
            news.sync()
        for address in PEOPLE:
            status = news.fake.status(address)
            assert not (address in self.erased and status), f"erased, and {status}"
            assert not (address in self.stopped and status in _ON), f"stopped, and {status}"
        assert (news.fake.status(BYSTANDER), news.may(BYSTANDER)) == ("subscribed", True)
        assert not ListEvent.objects.exists()
        assert not ListedPerson.objects.filter(due__gt=0).exists()


def _forget() -> None:
    for model in (Choice, ListedPerson, ListEvent, SyncedList, Tombstone, Job, ControlEvent, EntryRow):
        model.objects.all().delete()


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_who_stopped_or_was_erased_comes_back(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
    for seed in range(part * _AT_ONCE, (part + 1) * _AT_ONCE):
        _forget()
        try:
            Chaos(Newsletter(tmp_path, monkeypatch, seed=seed), seed).run()
        except BaseException as failed:
            failed.add_note(f"with the seed {seed}")
            raise


# --- a large list

MEMBERS = scaled(2_000, 100_000)
SECONDS_MAX = 60.0


def _serve(url: Any) -> None:
    fake = FakeMailchimp()
    for number in range(MEMBERS):
        fake.add(f"n{number}@example.org", "unsubscribed" if number % 10 == 0 else "subscribed")
    with fake.served() as served:
        url.put(served)
        time.sleep(600)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_large_list_is_compared_within_a_minute(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, forked = httpx.HTTPTransport, multiprocessing.get_context("fork")
    url = forked.Queue()
    provider = forked.Process(target=_serve, args=(url,), daemon=True)
    provider.start()  # in a process of its own, as the real one is
    news = Newsletter(tmp_path, monkeypatch)
    monkeypatch.setattr(httpx, "HTTPTransport", transport)
    people = [f"n{number}@example.org" for number in range(MEMBERS)]
    news.subscribe(*people)
    [entry] = EntryRow.objects.bulk_create([EntryRow(content=b"-")])
    chosen = {"scope": "purpose", "purpose": "newsletter", "actor": "subject", "entry": entry}
    chosen |= {"since": NOW - dt.timedelta(days=9)}
    rows = enumerate(news.names(people))
    states = ("withdrawn", *["given"] * 9)
    choices = [Choice(fingerprint=name, state=states[n % 10], act=f"act:{n}", **chosen) for n, name in rows]
    Choice.objects.bulk_create(choices, batch_size=500)
    monkeypatch.setenv("NEWS_LIST", f"mailchimp:{url.get(timeout=120)}/{LIST}")
    for _ in range(2):
        began = time.monotonic()
        counts = news.sync(is_full=True)
        took = time.monotonic() - began
        assert counts["nothing"] == MEMBERS
        assert took <= SECONDS_MAX
        print(f"{MEMBERS:,} members compared in {took:.1f} s")  # noqa: T201 - a figure of the soak
    assert news.known() == {"subscribed": MEMBERS * 9 // 10, "unsubscribed": MEMBERS // 10}
    provider.kill()
    provider.join()
