"""A company with a newsletter at Mailchimp: its own list in a SQLite file, its declaration, and the fake."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.rig.mailchimp import KEY, LIST, FakeMailchimp, Form

from troth.declaration import IdentityKind, parse
from troth.protect import Keyring
from troth.service.core.deployment import Deployment
from troth.service.core.store_pool import close_stores
from troth.service.core.tombstones import Erased, Tombstones
from troth.service.preferences.actions import may, record_choices
from troth.service.preferences.models import ChoiceState
from troth.service.preferences.rules import Scope, Source, fingerprints
from troth.service.processors import actions
from troth.service.processors.models import ListedPerson
from troth.stores.external import mailchimp
from troth.subjects import Identity

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
DECLARED = """
troth: 1
organisation:
  {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org, site: "https://example.org"}
policy: {file: policy.md, effective: 2026-11-01}
purposes:
  newsletter: {basis: BASIS, interests: to sell, use: marketing.communications.email, data: [user.contact, user.name]}
systems:
  shop:
    store: ${SHOP_URL}
    purposes: [newsletter]
    tables:
      subscriber:
        identity: {email: email}
        fields: {email: user.contact.email, name: user.name}
        ignore: [id, active]
  news:
    store: ${NEWS_LIST}
    purposes: [newsletter]
    asked:
      answers: [view, amend, erase, object, withdraw]
      secret: ${MAILCHIMP_API_KEY}
      holds: {email: user.contact.email, FNAME: user.name}
      sync: {purpose: newsletter, table: shop.subscriber, where: {active: 1}, fields: {FNAME: name}}
"""
KEYS = Keyring(b"\x02" * 32)


class Newsletter:
    """The company, its list, and what people do. Times go forward with `later`."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, *, basis: str = "consent", seed: int = 0) -> None:
        self.fake, self.now, self.act = FakeMailchimp(seed=seed), NOW, 0
        self.shop = folder / "shop.db"
        close_stores()  # they are pooled by their declaration, which is the same each time
        self.shop.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(self.shop)) as made, made:
            made.execute("create table subscriber (id integer primary key, email text, name text, active integer)")
        patch.setenv("SHOP_URL", f"sqlite:///{self.shop}")
        patch.setenv("NEWS_LIST", f"mailchimp:http://localhost:1/{LIST}")
        patch.setenv("MAILCHIMP_API_KEY", KEY)
        patch.setattr(httpx, "HTTPTransport", lambda **_: self.fake.transport())
        patch.setattr(mailchimp, "_PAUSE_S", 0.0)
        self.deployment = Deployment(parse(DECLARED.replace("BASIS", basis)), keyring=KEYS, clock=lambda: self.now)

    def subscribe(self, *addresses: str, active: int = 1) -> None:
        """On the company's own list."""
        with contextlib.closing(sqlite3.connect(self.shop)) as shop, shop:
            rows = [(address, address.partition("@")[0].title(), active) for address in addresses]
            shop.executemany("insert into subscriber (email, name, active) values (?, ?, ?)", rows)

    def choose(self, state: str, *addresses: str) -> None:
        for address in addresses:
            self.act += 1
            source = Source("tests", f"act:{self.act}", "subject")
            scope = Scope.of("newsletter")
            record_choices([("email", address)], ChoiceState(state), [scope], source, KEYS, now=self.now)

    def consent(self, *addresses: str) -> None:
        self.subscribe(*addresses)
        self.choose("given", *addresses)

    def erase(self, *addresses: str, from_shop: bool = True) -> None:
        """As the end of a run does: rows, tombstones and the duties are told."""
        if from_shop:
            with contextlib.closing(sqlite3.connect(self.shop)) as shop, shop:
                shop.executemany("delete from subscriber where lower(email) = ?", [(a.lower(),) for a in addresses])
        gone = [Erased("shop", IdentityKind.EMAIL, address) for address in addresses]
        Tombstones(KEYS).bury(gone, erased_at=self.now, until=self.now + dt.timedelta(days=700))
        actions.people_erased(self.names(addresses), self.now)

    def names(self, addresses: Iterable[str]) -> list[str]:
        return fingerprints([("email", address) for address in addresses], KEYS)

    def may(self, address: str) -> bool:
        return may(Identity.of(email=address), "newsletter", self.deployment).allowed

    def later(self, **time: float) -> None:
        self.now += dt.timedelta(**time)
        self.fake.at(self.now)

    def sync(self, **more: Any) -> Counter[str]:
        self.later(seconds=30)
        return actions.sync("news", self.deployment, now=self.now, **more)

    def deliver(self, *forms: Form) -> None:
        """The webhook's forms arrive: those given, or all that wait."""
        for form in forms or self.fake.events:
            actions.take_in("news", form, self.deployment, now=self.now)
        if not forms:
            self.fake.events.clear()

    def known(self) -> dict[str, int]:
        return dict(Counter(ListedPerson.objects.values_list("status", flat=True)))
