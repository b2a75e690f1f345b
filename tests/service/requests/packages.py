"""Contents to make packages of: what Example Ltd holds about Ann."""

from __future__ import annotations

import datetime as dt
import functools
import io
import json
import uuid
import zipfile
from decimal import Decimal
from typing import Any

from troth.declaration import Declaration, parse
from troth.service.requests.package import Contents, Shared, TableContents

MADE = dt.datetime(2026, 11, 24, 9, 41, 7, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)

DECLARED = """
troth: 1
organisation:
  name: Example Ltd
  country: GB
  address: 1 Example Street, Exampleton
  email: privacy@example.org
  regulator: ICO
  officer: {email: dpo@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems:
  shop:
    title: The shop
    store: sqlite:///shop.sqlite3
    purposes: [account, order, tax, security, newsletter]
    tables:
      customer:
        key: id
        identity: {email: email}
        fields:
          email: user.contact.email
          name: user.name
          born: user.demographic.date_of_birth
          score: user.demographic.profile
        erase: delete
      order_line:
        key: [order_id, line]
        belongs_to: {customer_id: customer.id}
        fields: {product: user.behavior.purchase_history, paid: user.behavior.purchase_history}
        erase: delete
      invoice:
        key: id
        belongs_to: {customer_id: customer.id}
        fields: {billed_name: user.name}
        keep: {for: 6 years, from: issued_at, because: tax law has us keep invoices, cite: VATA 1994 Sch 11 para 6}
        erase: delete
      login:
        key: id
        belongs_to: {customer_id: customer.id}
        fields: {ip: user.device.ip_address, at: user.behavior}
        erase: delete
  desk:
    title: The support desk
    store: sqlite:///desk.sqlite3
    purposes: [support]
    tables:
      message:
        key: id
        mentions: {email: author_email}
        fields:
          author_email: user.contact.email
          body: {category: user.content.private, free_text: true}
        erase: delete
  payroll: {title: Payroll, store: task, owner: hr@example.org}
purposes:
  account: {title: To run your account, basis: contract, use: essential.service, data: [user.contact.email, user.name]}
  order:
    title: To take your order
    basis: contract
    use: essential.service
    data: [user.behavior.purchase_history]
  tax: {basis: legal_obligation, use: essential.legal_obligation, data: [user.name, user.behavior.purchase_history]}
  support:
    title: To answer you
    basis: legitimate_interests
    use: essential.service.operations.support
    interests: to answer people who write to us
    data: [user.contact.email, user.content.private]
  security:
    title: To keep strangers out
    basis: legitimate_interests
    use: essential.service.security
    interests: to keep accounts safe
    data: [user.device, user.behavior, user.demographic.profile]
  newsletter:
    title: To send the newsletter
    basis: consent
    use: marketing.communications.email
    data: [user.contact.email, user.demographic]
recipients:
  hosting: {title: Example Hosting GmbH, role: processor, country: DE, receives: [user], contract: hosting.pdf}
  post:
    title: Example Post Inc
    role: processor
    country: US
    safeguard: uk_bridge
    receives: [user.contact.email]
    contract: post.pdf
    notice: https://post.example.org/privacy
  doctor: {title: Example Health, role: controller, country: GB, receives: [user.health_and_medical]}
collection_points:
  register:
    page: /register/
    purposes: [account, newsletter]
    fields:
      name: {need: required, category: user.name}
      email: {need: required, category: user.contact.email}
      born: {need: optional, category: user.demographic.date_of_birth}
retention:
  accounts: {table: shop.customer, for: 3 years, from: active_at}
  logins: {table: shop.login, for: 90 days, from: at}
"""


@functools.cache
def declared() -> Declaration:
    return parse(DECLARED)


ANN = TableContents(
    "shop.customer",
    ("id", "email", "name", "born", "score"),
    (None, "user.contact.email", "user.name", "user.demographic.date_of_birth", "user.demographic.profile"),
    ((5, "ann@example.org", "Ann Example", dt.date(1990, 2, 3), Decimal("0.250")),),
)
LINES = TableContents(
    "shop.order_line",
    ("order_id", "line", "product", "paid"),
    (None, None, "user.behavior.purchase_history", "user.behavior.purchase_history"),
    tuple((7, line, f"Tea no. {line}", Decimal("3.50")) for line in range(1, 25)),
)
INVOICE = TableContents("shop.invoice", ("id", "billed_name"), (None, "user.name"), ((70, "Ann Example"),))
LOGINS = TableContents(
    "shop.login",
    ("id", "ip", "at"),
    (None, "user.device.ip_address", "user.behavior"),
    ((uuid.UUID(int=1), "192.0.2.7", MADE - 3 * DAY), (uuid.UUID(int=2), "192.0.2.8", MADE - 2 * DAY)),
)
MESSAGES = TableContents(
    "desk.message",
    ("id", "author_email", "body"),
    (None, "user.contact.email", "user.content.private"),
    ((1, "ann@example.org", "Where is my tea?"), (2, "[about someone else]", "[about someone else]")),
    withheld=2,
)


def contents(**other: Any) -> Contents:
    """A usual person's package: 30 rows in five tables of two systems."""
    told: dict[str, Any] = {
        "right": "view",
        "reference": "R-2026-0187",
        "language": "en",
        "declaration": declared(),
        "parts": (ANN, LINES, INVOICE, LOGINS, MESSAGES),
        "received_at": MADE - 2 * DAY,
        "made_at": MADE,
        "until": MADE + 7 * DAY,
        "shared": (Shared("post", ("user.contact.email",), "newsletter", MADE - 30 * DAY),),
        "looks": ((MADE - DAY, "support", "support"),),
        "unanswered": {"payroll": "waiting"},
        "site": "https://example.org/your-data/",
    }
    return Contents(**{**told, **other})


def unzipped(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def as_json(package: bytes, name: str) -> Any:
    return json.loads(unzipped(package)[name])
