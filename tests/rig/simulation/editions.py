"""Editions of a newsletter, sent by several workers while people stop, come back, and the company imports its rows.

`CommitLog` sees each commit in the order in which they happen, whoever is killed meanwhile; the mail server asks it
whether a message may come.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

import yaml
from django.db import connection, transaction
from tests.rig.simulation.tasks import Task
from tests.rig.simulation.world import Actor, World

from troth.declaration import Declaration, IdentityKind
from troth.protect import Keyring
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.registry import Kind, Retry
from troth.service.core.jobs.running import RunningJob
from troth.service.core.models import ControlEvent, EntryRow
from troth.service.mail import sending
from troth.service.mail.bounces import judge
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.bulk import delivery
from troth.service.mail.bulk.kinds import AudienceRows, CheckedMessage, Doubt, EditionRecipient
from troth.service.mail.message import Message
from troth.service.mail.models import DeliveryGroup, Edition, EditionDelivery, RateSlot
from troth.service.mail.preflight import MailFault
from troth.service.mail.stops.actions import StopScope, stop
from troth.service.mail.transports import Doubtful, MessageRefused, ServerUnreachable
from troth.service.preferences import actions as preferences
from troth.service.preferences.actions import record_named
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.preferences.rules import OWN_ACT, Scope, Source, fingerprints
from troth.stores import Row, StoreUnreachable

KEYS = Keyring(b"\x01" * 32)
DECLARATION = """
troth: 1
organisation: {name: Example Shop Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               regulator: ICO, site: "https://shop.example.org"}
policy: {file: policy.md, effective: 2026-01-01}
purposes:
  news: {title: The newsletter, basis: consent, use: marketing.communications.email, data: [user.contact.email]}
  offers: {title: Offers, basis: legitimate_interests, interests: to sell more, use: marketing.advertising,
           data: [user.contact.email]}
systems: {shop: {store: "${SHOP}", tables: {subscriber: {
    key: id, identity: {email: email}, fields: {email: user.contact.email}, erase: delete}}}}
newsletters:
  monthly: {title: News, purpose: news, audience: {table: shop.subscriber, email: email, consent: confirmed_at}}
  offers: {title: Offers, purpose: offers, audience: {table: shop.subscriber, email: email}}
"""
LISTS = {"monthly": "news", "offers": "offers"}
ADDRESSES = [f"ann{number}@example.org" for number in range(9)]
NAMED = dict(zip(ADDRESSES, fingerprints([(IdentityKind.EMAIL, it) for it in ADDRESSES], KEYS), strict=True))
WAVE_S: Final = 0.7
STOP_S: Final = 1.0
_ACTOR = "ps1:" + "0" * 32
_AGAINST = {state for state in ChoiceState if state != ChoiceState.GIVEN}


@dataclass
class CommitLog:
    """What has been committed, in its order: who is stopped for which purpose, and which deliveries leave."""

    now_s: Callable[[], float]
    stopped: dict[tuple[str, str], float] = field(default_factory=dict)
    """When a stop that holds was committed, by fingerprint and purpose."""
    leaving: dict[int, tuple[str, str, float]] = field(default_factory=dict)
    """Of each delivery the last hand-over that was committed: its mark, to whom, and when."""
    wrong: list[str] = field(default_factory=list)
    _choices: int = 0

    def look(self) -> None:
        """Note what the last commit has changed."""
        raw, now = connection.connection, self.now_s()
        chosen = raw.execute(
            "SELECT id, fingerprint, state, scope, purpose FROM preferences_choice WHERE id > ? ORDER BY id",
            [self._choices],
        ).fetchall()
        for pk, name, state, scope, purpose in chosen:
            self._choices = pk
            for one in LISTS.values() if scope == "marketing" else [purpose]:
                if state in _AGAINST:
                    self.stopped.setdefault((name, one), now)
                else:
                    self.stopped.pop((name, one), None)
        rows = raw.execute(
            "SELECT d.id, d.handed_at, d.fingerprint, e.purpose, e.state"
            " FROM mail_delivery d JOIN mail_edition e ON e.id = d.edition_id WHERE d.handed_at IS NOT NULL"
        ).fetchall()
        for pk, handed_at, name, purpose, state in rows:
            if self.leaving.get(pk, ("",))[0] != handed_at:
                self.leaving[pk] = handed_at, name, now
                if (name, purpose) in self.stopped:
                    self.wrong.append(f"the hand-over of {pk} was committed after a stop")
                if state != "sending":
                    self.wrong.append(f"the hand-over of {pk} was committed while its edition was {state}")


class Shop:
    """The company: its subscribers, its mail server, and its editions (`troth.service.mail.bulk.kinds.EditionKind`).
    *doubt* of an edition stands in its text."""

    def __init__(self) -> None:
        declaration = Declaration.model_validate(yaml.safe_load(DECLARATION))
        self._declaration = declaration
        self._running = False

    def reset(self, world: World) -> None:
        if self._running:
            return  # each of its actors asks for it
        self._running = True
        self.world, self.rng = world, world.rng
        self.deployment = Deployment(self._declaration, keyring=KEYS, clock=world.tasks.now)
        self.log = CommitLog(world.tasks.monotonic)
        world.database.on_commit = self.log.look
        self.doubt: Doubt = self.rng.choice(("show", "show", "repeat"))
        self._rate = self.rng.choice((4, 50, 50))
        self._pace_s = self.rng.choice((0.0, 0.02, 0.2, 0.6))
        self.rows = dict(enumerate(ADDRESSES[: self.rng.choice((2, 4, 7))]))
        self.keys = itertools.count(100)
        self.taken: Counter[tuple[int, str]] = Counter()
        self.sure: Counter[int] = Counter()
        self.numbers = itertools.count()
        self._watching = list[Task]()
        self._next = ADDRESSES[0], "monthly"
        with connection.cursor() as cursor:
            for model in (EditionDelivery, DeliveryGroup, Edition, RateSlot, Choice, ControlEvent, EntryRow):
                cursor.execute(f"DELETE FROM {model._meta.db_table}")
        for target, name, value in (
            (bulk, "kinds", lambda: {"simulated": self}),
            (delivery, "kinds", lambda: {"simulated": self}),
            (bulk, "GROUP_MAX", self.rng.choice((2, 4, 50))),
            (delivery, "setting", lambda name: self.rng.choice(({}, {"*": 3.0}))),
            (delivery, "uptime_s", world.tasks.monotonic),
            (preferences, "named", lambda name: ()),
            (sending, "time", SimpleNamespace(sleep=world.tasks.sleep)),
            (delivery, "time", SimpleNamespace(sleep=world.tasks.sleep)),
        ):
            world.patch(target, name, value)

    # --- an edition ----------------------------------------------------------------------------------------------

    def per_second(self, edition: Edition, deployment: Deployment) -> int:
        return self._rate

    def template(self, edition: Edition, deployment: Deployment) -> Shop:
        return self

    def preflight(self, recipients: Sequence[EditionRecipient]) -> list[MailFault]:
        return []

    def message(self, recipient: EditionRecipient, delivery: EditionDelivery) -> CheckedMessage:
        made = Message(f"<{delivery.pk}@example.org>", "us@example.org", recipient.address, b"")
        return CheckedMessage.of(made, [])

    def audience(self, edition: Edition, deployment: Deployment) -> AudienceRows:
        self._answer()
        return AudienceRows([(key,) for key in self.rows], [_recipient(address) for address in self.rows.values()])

    def recipients(
        self, edition: Edition, keys: Sequence[Row], deployment: Deployment
    ) -> list[EditionRecipient | None]:
        self._answer()
        rows = [self.rows.get(int(str(key))) for (key,) in keys]
        self._next = next(filter(None, rows), ADDRESSES[0]), edition.about.partition(":")[2]
        return [_recipient(address) if address is not None else None for address in rows]

    def anybody(self) -> tuple[str, str]:
        """An address and a list: often whoever is about to get something."""
        if self.rng.random() < 0.5:
            return self._next
        return self.rng.choice(ADDRESSES[:4]), self.rng.choice(list(LISTS))

    def watch(self) -> None:
        """Let the current task wait until a worker is about to commit or to hand over, or a minute."""
        task = self.world.tasks.current
        assert task is not None, "an actor watches"
        self._watching.append(task)
        self.world.tasks.rest(60.0)

    def _begins(self) -> None:
        """A worker has come to a moment that matters: those who wait for it go on, or its process is in trouble."""
        tasks = self.world.tasks
        while self._watching:
            tasks.wake(self._watching.pop())
        if tasks.current is not None:
            if self.world.is_hurt(0.02):
                tasks.current.process.frozen_until = tasks.monotonic() + self.rng.choice((2.0, 100.0))
            if self.world.is_hurt(0.02):
                tasks.current.process.is_dead = True
            tasks.sleep(0.0)

    def _answer(self) -> None:
        """The company's store: slow now and then, or away."""
        if self.world.tasks.current is not None:
            self.world.tasks.sleep(self.rng.choice((0.0, 0.0, 0.3, 40.0)) if self.world.is_hurt(0.2) else 0.0)
        if self.world.is_hurt(0.05):
            raise StoreUnreachable("away", store="shop", retryable=True)
        self._begins()

    # --- the mail server (`troth.service.mail.transports.MailTransport`) ------------------------------------------

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        world, log = self.world, self.log
        pk = int(message.id.strip("<>").partition("@")[0])
        log.look()
        _, name, since = log.leaving.get(pk, ("", "", 0.0))
        if name != NAMED[message.to]:
            log.wrong.append(f"{pk} leaves, and its hand-over to this person was not committed")
        if world.tasks.monotonic() - since > WAVE_S + 1e-6:
            log.wrong.append(f"{pk} leaves {world.tasks.monotonic() - since:.1f} s after its hand-over was committed")
        self._next = message.to, self._next[1]
        self._begins()
        if world.is_hurt(0.03):
            raise ServerUnreachable("421")
        if world.is_hurt(0.06):
            raise MessageRefused("451 4.3.0", for_good=False)
        if world.is_hurt(0.03):
            raise MessageRefused("550 5.1.1", for_good=True, judged=judge("550 5.1.1 no such user"))
        world.tasks.sleep(self._pace_s)
        if world.is_hurt(0.03):  # a slow server
            self._begins()
            world.tasks.sleep(self.rng.choice((5.0, 50.0)))
        purpose = Edition.objects.values_list("purpose", flat=True).get(deliveries=pk)
        point_of_no_return()
        late = world.tasks.monotonic() - log.stopped.get((NAMED[message.to], purpose), world.tasks.monotonic())
        if late > STOP_S + self._pace_s + 1e-6:
            log.wrong.append(f"{pk} left {late:.1f} s after its person stopped")
        is_lost = world.is_hurt(0.05)
        if not is_lost or self.rng.random() < 0.5:
            self.taken[pk, message.to] += 1
        self._begins()  # a process that is killed now does not get the answer
        if is_lost:
            raise Doubtful("no answer to the message")

    def close(self) -> None:
        """Nothing to close."""

    def run(self, jobs: Sequence[RunningJob]) -> None:
        [job] = jobs
        delivery.deliver(job, self.deployment, self)

    # --- at the end ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        if not self._running:
            return
        self._running = False
        self.log.look()
        assert not self.log.wrong, self.log.wrong
        editions = dict(Edition.objects.values_list("pk", "state"))
        assert set(editions.values()) <= {"draft", "finished", "cancelled"}, f"an edition has not ended: {editions}"
        by_person = Counter[tuple[int, str]]()
        for row in EditionDelivery.objects.all():
            state, taken = row.state, {to: n for (pk, to), n in self.taken.items() if pk == row.pk}
            got = sum(taken.values())
            by_person.update({(row.edition_id, to): n for to, n in taken.items()})
            assert row.ended_at is not None, f"{row.pk} of an edition that ended is {state}"
            if state == "sent":
                assert got >= 1, f"{row.pk} is said to be sent, and no server took it"
            elif self.doubt == "show":
                assert got == 0 or state == "in_doubt", f"a server took {row.pk}, which is said to be {state}"
        if self.doubt == "show":
            assert all(count == 1 for count in by_person.values()), "somebody got an edition twice"
        for pk, state in editions.items():
            if state == "finished":
                planned = Edition.objects.get(pk=pk).deliveries.count()
                assert planned, "it went to nobody"


class _InShop:
    """Somebody in the shop's schedule."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.kinds: Mapping[str, Kind] = {
            "mail.deliver": Kind("mail.deliver", shop.run, shop.run, retry=Retry(longest=dt.timedelta(seconds=30)))
        }

    def reset(self, world: World) -> None:
        self.shop.reset(world)

    def check(self) -> None:
        self.shop.check()

    def pause(self) -> None:
        """Let some time pass, often until workers look for jobs."""
        tasks, rng = self.shop.world.tasks, self.shop.rng
        if rng.random() < 0.6:
            self.shop.watch()
            return
        tasks.sleep(rng.choice((0.0, 0.0, 0.3, 1.0, 10.0 - tasks.monotonic() % 10.0, 10.3 - tasks.monotonic() % 10.0)))


class Publisher(_InShop):
    """Starts editions; pauses, resumes and cancels them."""

    def act(self) -> None:
        shop, world = self.shop, self.shop.world
        if Edition.objects.exists() and shop.rng.random() < 0.8:
            return  # most schedules have one, so that there are more schedules
        name = shop.rng.choice(list(LISTS))
        text = {"subject": str(next(shop.numbers))}
        planned = list[str]()
        with suppress(bulk.EditionRefused, StoreUnreachable):
            world.insist(lambda: planned.append(self._plan(name, text)))
            world.insist(lambda: self._start(planned[-1]))
        edition = Edition(plan_hash=planned[-1]) if planned else None
        while edition is not None and shop.rng.random() < 0.5:
            self.pause()
            if shop.rng.random() < 0.2:
                world.insist(lambda: self._change(bulk.cancel, edition))
                return
            world.insist(lambda: self._change(bulk.pause, edition))
            self.pause()
            world.insist(lambda: self._change(bulk.resume, edition))

    def _plan(self, name: str, text: Mapping[str, str]) -> str:
        shop = self.shop
        plan = bulk.plan(
            "simulated",
            f"newsletter:{name}",
            LISTS[name],
            text,
            shop.deployment,
            actor=_ACTOR,
            now=shop.deployment.now(),
        )
        return plan.edition.plan_hash

    def _start(self, plan_hash: str) -> None:
        with suppress(bulk.EditionRefused, StoreUnreachable):
            bulk.start(plan_hash, self.shop.deployment, now=self.shop.deployment.now())

    def _change(self, change: Any, edition: Edition) -> None:
        with suppress(bulk.EditionRefused):  # it is so already, or has ended
            known = Edition.objects.get(plan_hash=edition.plan_hash)
            change(known, self.shop.deployment, now=self.shop.deployment.now())


class People(_InShop):
    """Stop by link, address or telephone, for one list or all, and come back by signing up."""

    def act(self) -> None:
        shop = self.shop
        for _ in range(shop.rng.choice((1, 1, 2))):
            self.pause()
            address, name = shop.anybody()
            scope = shop.rng.choice(list(StopScope))
            if shop.rng.random() < 0.25:
                self._come_back(address, name)
            else:
                shop.world.insist(partial(self._stop, address, name, scope))

    def _stop(self, address: str, name: str, scope: StopScope) -> None:
        deployment = self.shop.deployment
        stop(NAMED[address], name, scope, deployment, channel="link", now=deployment.now())

    def _come_back(self, address: str, name: str) -> None:
        shop = self.shop
        source = Source("newsletters", f"signup:{next(shop.numbers)}", OWN_ACT)

        def confirm() -> None:
            with transaction.atomic():
                now = shop.deployment.now()
                record_named([NAMED[address]], ChoiceState.GIVEN, [Scope.of(LISTS[name])], source, KEYS, now=now)

        shop.world.insist(confirm)
        shop.rows.setdefault(next(shop.keys), address)


class Imports(_InShop):
    """The company imports its rows again: people who left are back, rows go, and addresses change."""

    def act(self) -> None:
        shop = self.shop
        self.pause()
        key = shop.rng.choice(list(shop.rows)) if shop.rows else next(shop.keys)
        match shop.rng.randrange(4):
            case 0:
                shop.rows.pop(key, None)
            case 1:
                shop.rows[key] = shop.rng.choice(ADDRESSES)
            case 2:
                shop.rows = {next(shop.keys): address for address in shop.rows.values()}
            case _:
                shop.rows[next(shop.keys)] = shop.rng.choice(ADDRESSES)


def _recipient(address: str) -> EditionRecipient:
    return EditionRecipient(address, NAMED[address], has_consented=True)


def everybody(shop: Shop) -> list[Actor]:
    return [Publisher(shop), People(shop), People(shop), Imports(shop)]
