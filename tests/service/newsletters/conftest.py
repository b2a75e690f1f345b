"""A small company with a newsletter: its subscribers in SQLite, on Troth's database of `database`."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.rig.jobs import run_due
from tests.service.mailing import Sink

from troth.service.configuration import Settings
from troth.service.core.deployment import Deployment, current
from troth.service.core.keys import make_keys
from troth.service.core.store_pool import close_stores
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.bulk import delivery
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.signatures.keys import DomainKey, activate, make_domain_key
from troth.service.mail.smtp import Smtp
from troth.service.newsletters.actions import plan
from troth.service.newsletters.editions import outside

ANN, BEN, CHLOE = "ann@example.org", "ben@example.org", "chloe@example.org"
TEXT = "# News in June\n\nDear {{name}},\n\nwe have [news](https://example.org/june).\n"
DECLARATION = """
troth: 1
organisation: {name: Example Shop Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               regulator: ICO, site: "https://shop.example.org"}
policy: {file: policy.md, effective: 2026-01-01}
purposes:
  news: {title: The newsletter, basis: consent, use: marketing.communications.email,
         data: [user.contact.email, user.name]}
  offers: {title: Offers, basis: legitimate_interests, interests: to sell more, use: marketing.advertising,
           data: [user.contact.email, user.name]}
systems:
  shop:
    store: ${SHOP_DATABASE_URL}
    tables:
      subscriber:
        key: id
        identity: {email: email}
        fields: {email: user.contact.email, name: user.name}
        erase: delete
        ignore: [confirmed_at, state]
newsletters:
  monthly:
    title: {en: Our monthly news, de: Unsere Neuigkeiten}
    purpose: news
    audience: {table: shop.subscriber, email: email, where: {state: active}, consent: confirmed_at, values: [name]}
    signup: true
  offers:
    title: Offers
    purpose: offers
    audience: {table: shop.subscriber, email: email, where: {state: active}, values: [name]}
"""


@dataclass
class Publisher:
    """The company, and what a test does in it."""

    folder: Path
    sink: Sink
    clock: list[dt.datetime] = field(default_factory=lambda: [dt.datetime.now(dt.UTC)])

    @property
    def deployment(self) -> Deployment:
        return current().without_own

    def now(self) -> dt.datetime:
        return self.clock[0]

    def do(self, script: str) -> None:
        with sqlite3.connect(self.folder / "shop.sqlite") as shop:
            shop.executescript(script)

    def sign(self, domain: str = "example.org") -> DomainKey:
        """Sign what leaves from now on."""
        key = make_domain_key(domain, "ed25519-sha256", self.deployment.keyring, now=self.now())
        return activate(key.selector, self.deployment.keyring, None, now=self.now())

    def plan(self, text: str = TEXT, name: str = "monthly", **more: Any) -> bulk.EditionPlan:
        return plan(text, name, self.deployment, actor="ps1:" + "0" * 32, now=self.now(), **more)

    def start(self, text: str = TEXT, name: str = "monthly", **more: Any) -> Edition:
        return bulk.start(self.plan(text, name, **more).edition.plan_hash, self.deployment, now=self.now())

    def work(self) -> None:
        run_due(self.now(), "mail.deliver")

    def send(self, text: str = TEXT, name: str = "monthly") -> Edition:
        edition = self.start(text, name)
        self.work()
        edition.refresh_from_db()
        return edition

    def outcomes(self, edition: Edition) -> dict[str, int]:
        states = list(EditionDelivery.objects.filter(edition=edition).values_list("state", flat=True))
        return {state: states.count(state) for state in sorted(set(states))}

    @property
    def got(self) -> list[str]:
        """Who got a message, in the order in which they left."""
        return [address for envelope in self.sink.taken for address in envelope.rcpt_tos]


@pytest.fixture
def publisher(database: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with Sink() as sink:
        configured = Settings.read(
            {
                "TROTH_HOME": str(tmp_path / "home"),
                "TROTH_DATABASE_URL": database,
                "TROTH_DECLARATION": str(tmp_path / "troth.yaml"),
                "TROTH_MAIL_URL": f"smtp://127.0.0.1:{sink.port}",
            }
        )
        configured.home.mkdir(mode=0o700)
        make_keys(configured.home)
        settings.TROTH = configured
        monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{tmp_path}/shop.sqlite")
        monkeypatch.setenv("TROTH_MAIL_RATES", "*=10000")
        monkeypatch.setattr(outside, "is_live", lambda deployment: False)  # tests ask no name server, and no page
        (tmp_path / "policy.md").write_text("We send news.\n", encoding="utf-8")
        (tmp_path / "troth.yaml").write_text(DECLARATION, encoding="utf-8")
        made, smtp = Publisher(tmp_path, sink), Smtp(sink.server)
        monkeypatch.setattr(delivery, "way_out", lambda server: smtp)  # closed at the end, unlike a worker's own
        made.do(
            "create table subscriber (id integer primary key, email text, name text, state text, confirmed_at text);"
            f"insert into subscriber values (1, '{ANN}', 'Ann', 'active', '2026-01-01 10:00:00'),"
            f"(2, '{BEN}', 'Ben', 'active', '2026-01-02 10:00:00'), (3, '{CHLOE}', 'Chloe', 'active', null);"
        )
        yield made
        smtp.close()
        close_stores()
