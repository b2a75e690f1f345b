"""A small company whose requests are handled: a shop in SQLite, on Troth's database of `database`."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.rig.jobs import run_due

from troth.service.cases import case_links
from troth.service.cases.content import CaseContent
from troth.service.cases.duty import PROVE_LINK
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.configuration import Settings
from troth.service.core.deployment import Deployment, current
from troth.service.core.keys import make_keys
from troth.service.core.store_pool import close_stores
from troth.service.mail.models import LetterRow
from troth.service.portal import links

FLOWS = ("requests.batch", "requests.follow", "requests.ask", "requests.lift", "portal.resend_links")
"""Jobs that carry requests out."""
SHOP = """
create table customer (id integer primary key, email text not null, name text, phone text, postcode text,
                       on_hold text, mailing text);
create table invoice (id integer primary key, customer_id integer, address text, email text, issued_at text);
create table login (id integer primary key, customer_id integer references customer (id), ip text);
insert into customer values (1, 'ann@example.org', 'Ann', '+44 1632 960001', 'SW1A 1AA', null, 'yes');
insert into customer values (2, 'ben@example.org', 'Ben', '+44 1632 960002', 'M1 1AE', null, 'yes');
insert into customer values (3, 'chloe@example.org', 'Chloe', '+44 1632 960003', 'EH1 1YZ', null, 'yes');
insert into invoice values (1, 1, '1 High Street', 'ann@example.org', '2025-03-01');
insert into login values (1, 1, '192.0.2.1'), (2, 1, '192.0.2.2'), (3, 2, '192.0.2.3');
"""

DECLARATION = """
troth: 1
organisation: {name: Example Shop Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               regulator: ICO, site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-01-01}
requests: REQUESTS
purposes:
  orders: {title: To take orders, basis: contract, use: essential.service, data: [user]}
  news: {title: The newsletter, basis: consent, use: marketing.communications.email, data: [user.contact.email]}
recipients:
  post: {title: Example Post Ltd, role: processor, country: GB, receives: [user.contact.email],
         feed: {table: shop.customer, where: {mailing: "yes"}},
         contract: post.pdf, contract_until: 2030-01-01, contact: privacy@post.example.org}
systems:
  shop:
    store: ${SHOP_DATABASE_URL}
    tables:
      customer:
        key: id
        identity: {email: email, phone: {column: phone, shared: review}}
        fields: {email: user.contact.email, name: user.name, phone: user.contact.phone_number,
                 postcode: user.contact.address.postal_code}
        marks:
          restricted: {column: on_hold, value: "yes"}
          news: {column: mailing, value: stopped, lifted: "yes"}
        erase: delete
      invoice:
        key: id
        belongs_to: {customer_id: customer.id}
        fields: {address: user.contact.address, email: user.contact.email}
        keep: {for: 6 years, from: issued_at, because: tax law wants invoices, cite: VATA 1994 Sch 11,
               meanwhile: {email: null, customer_id: null}}
        erase: {address: mask, email: null}
      login:
        key: id
        belongs_to: {customer_id: customer.id}
        fields: {ip: user.device.ip_address}
        erase: delete
SYSTEMS
retention: {invoices: {table: shop.invoice, for: 6 years, from: issued_at}}
"""


@dataclass
class Office:
    """The company, and what a test does in it."""

    folder: Path
    settings: Settings

    @property
    def deployment(self) -> Deployment:
        return current().without_own

    def ask(self, right: str, who: str = "ann@example.org", *, tier: int = 0, **content: Any) -> Case:
        """A request from the centre by e-mail address."""
        asked = CaseContent(address=who, identifiers=(("email", who),), **content)
        intake = receive.Intake(CaseKind.REQUEST, asked, Channel.CENTRE, right=right, tier=tier)
        return receive.receive(intake, self.deployment, now=self.now())

    def prove(self, case: Case) -> Case:
        """The person opens the link that was mailed, and presses the button."""
        secret = case_links.make(case, PROVE_LINK, now=self.now())
        return receive.prove(links.use(secret, now=self.now()).matter, self.deployment, now=self.now())

    def work(self) -> None:
        """Carry everything that can go on now."""
        run_due(None, *FLOWS)

    def answered(self, right: str, who: str = "ann@example.org", **content: Any) -> Case:
        """A request, proved and carried out."""
        case = self.ask(right, who, **content)
        if case.state == "verifying":
            self.prove(case)
        self.work()
        return Case.objects.get(pk=case.pk)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.folder / "shop.sqlite") as shop:
            return shop.execute(query).fetchall()

    def do(self, script: str) -> None:
        with sqlite3.connect(self.folder / "shop.sqlite") as shop:
            shop.executescript(script)

    def letters(self, case: Case) -> list[str]:
        return list(LetterRow.objects.filter(about=case.about).order_by("id").values_list("kind", flat=True))

    def declare(self, *, requests: str = "{}", systems: str = "") -> None:
        """Write the declaration anew."""
        text = DECLARATION.replace("REQUESTS", requests).replace("SYSTEMS", systems)
        path = self.folder / "troth.yaml"
        path.write_text(text, encoding="utf-8")

    @staticmethod
    def now() -> dt.datetime:
        return dt.datetime.now(dt.UTC)


@pytest.fixture
def office(
    database: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Office]:
    told = Settings.read(
        {
            "TROTH_HOME": str(tmp_path / "home"),
            "TROTH_DATABASE_URL": database,
            "TROTH_DECLARATION": str(tmp_path / "troth.yaml"),
        }
    )
    told.home.mkdir(mode=0o700)
    make_keys(told.home)
    settings.TROTH = told
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{tmp_path}/shop.sqlite")
    (tmp_path / "policy.md").write_text("We answer.\n", encoding="utf-8")
    made = Office(tmp_path, told)
    shutil.copy(_shop(tmp_path_factory.getbasetemp()), tmp_path / "shop.sqlite")
    made.declare()
    yield made
    close_stores()


def _shop(folder: Path) -> Path:
    """The shop as it is laid down, made once in *folder*."""
    file = folder / "shop.sqlite"
    if not file.exists():
        with contextlib.closing(sqlite3.connect(file)) as laid:
            laid.executescript(SHOP)
    return file


Asked = Callable[..., Case]
