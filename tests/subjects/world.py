"""A small company in one or more real databases: Ann, Ben and Chloe, and every shape of reach that tracing must know.

`lay` makes the tables in any SQL database; `DECLARATION` declares them. Ann and Ben share a phone; Ann writes into
Ben's ticket; Chloe is Ann's boss; Ann's first invoice must be kept, her second one need not be any longer.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from troth.declaration import Declaration

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)

metadata = sa.MetaData()
_text = sa.String(60)

customer = sa.Table(
    "customer",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("email", sa.String(80), unique=True),
    sa.Column("name", _text, nullable=False),
    sa.Column("phone", sa.String(24)),
    sa.Column("born", sa.Date),
    sa.Column("referred_by", sa.ForeignKey("customer.id")),
)
address = sa.Table(
    "address",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer_id", sa.ForeignKey("customer.id"), nullable=False),
    sa.Column("street", _text),
)
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("shop", sa.String(8), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer_id", sa.ForeignKey("customer.id"), nullable=False),
    sa.Column("ship_to", sa.ForeignKey("address.id")),
    sa.Column("note", _text),
)
order_item = sa.Table(
    "order_item",
    metadata,
    sa.Column("shop", sa.String(8), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("engraving", _text),
    sa.ForeignKeyConstraint(["shop", "number"], ["orders.shop", "orders.number"]),
)
invoice = sa.Table(
    "invoice",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer_id", sa.ForeignKey("customer.id"), nullable=False),
    sa.Column("address", _text),
    sa.Column("total", sa.Numeric(10, 2)),
    sa.Column("issued", sa.Date, nullable=False),
)
ticket = sa.Table(
    "ticket",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer_ref", sa.String(12)),  # text on purpose: another system's number
    sa.Column("subject", _text),
)
message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("ticket_id", sa.Integer, nullable=False),
    sa.Column("reply_to", sa.Integer),
    sa.Column("sender", sa.String(80)),
    sa.Column("body", sa.String(200)),
)
subscriber = sa.Table(
    "subscriber",
    metadata,
    sa.Column("email", sa.String(80), primary_key=True),
    sa.Column("name", _text),
)

ROWS: dict[str, list[dict[str, Any]]] = {
    "customer": [
        {
            "id": 3,
            "email": "chloe@example.org",
            "name": "Chloe",
            "phone": "07700 900003",
            "born": None,
            "referred_by": None,
        },
        {
            "id": 1,
            "email": "Ann@Example.org",
            "name": "Ann",
            "phone": "07700 900001",
            "born": dt.date(1980, 2, 29),
            "referred_by": 3,
        },
        {
            "id": 2,
            "email": "ben@example.org",
            "name": "Ben",
            "phone": "+44 7700 900001",
            "born": None,
            "referred_by": 1,
        },
    ],
    "address": [
        {"id": 11, "customer_id": 1, "street": "1 Example Street"},
        {"id": 12, "customer_id": 1, "street": "2 Example Street"},
        {"id": 21, "customer_id": 2, "street": "3 Example Street"},
    ],
    "orders": [
        {"shop": "north", "number": 1, "customer_id": 1, "ship_to": 11, "note": "leave with Chloe"},
        {"shop": "south", "number": 1, "customer_id": 2, "ship_to": 21, "note": None},
        {"shop": "south", "number": 2, "customer_id": 2, "ship_to": 12, "note": "a present for Ann"},
    ],
    "order_item": [
        {"shop": "north", "number": 1, "line": 1, "engraving": "for Ann"},
        {"shop": "north", "number": 1, "line": 2, "engraving": None},
        {"shop": "south", "number": 1, "line": 1, "engraving": "for Ben"},
    ],
    "invoice": [
        {"id": 100, "customer_id": 1, "address": "1 Example Street", "total": 10, "issued": dt.date(2025, 1, 31)},
        {"id": 101, "customer_id": 1, "address": "1 Example Street", "total": 20, "issued": dt.date(2019, 1, 31)},
        {"id": 200, "customer_id": 2, "address": "3 Example Street", "total": 30, "issued": dt.date(2019, 1, 31)},
    ],
    "ticket": [
        {"id": 501, "customer_ref": "1", "subject": "late parcel"},
        {"id": 502, "customer_ref": "2", "subject": "wrong parcel"},
    ],
    "message": [
        {"id": 901, "ticket_id": 501, "reply_to": None, "sender": "ann@example.org", "body": "where is it?"},
        {"id": 902, "ticket_id": 501, "reply_to": 901, "sender": "help@example.org", "body": "on its way, Ann"},
        {"id": 903, "ticket_id": 502, "reply_to": None, "sender": "ben@example.org", "body": "not mine"},
        {"id": 904, "ticket_id": 502, "reply_to": 903, "sender": "ann@example.org", "body": "it was mine"},
    ],
    "subscriber": [
        {"email": "ann@example.org", "name": "Ann"},
        {"email": "chloe@example.org", "name": "Chloe"},
    ],
}

COMPANY: dict[str, Any] = {
    "troth": 1,
    "organisation": {
        "name": "Example Ltd",
        "country": "GB",
        "address": "1 Example Street",
        "email": "privacy@example.org",
    },
    "policy": {"file": "policy.md", "effective": dt.date(2026, 11, 1)},
    "systems": {
        "shop": {
            "store": "${SHOP}",
            "tables": {
                "customer": {
                    "identity": {"email": "email", "phone": {"column": "phone", "shared": "review"}},
                    "fields": {
                        "email": "user.contact.email",
                        "name": "user.name",
                        "phone": "user.contact.phone_number",
                        "born": "user.demographic.date_of_birth",
                    },
                    "refers_to": {"referred_by": "customer.id"},
                    "erase": {
                        "rows": "delete",
                        "fields": {"email": "mask", "name": "mask", "phone": "null", "born": "null"},
                    },
                },
                "address": {
                    "belongs_to": {"customer_id": "customer.id"},
                    "fields": {"street": "user.contact.address.street"},
                    "erase": "delete",
                },
                "orders": {
                    "belongs_to": {"customer_id": "customer.id"},
                    "refers_to": {"ship_to": "address.id"},
                    "fields": {"note": "user.content"},
                    "erase": "delete",
                },
                "order_item": {
                    "belongs_to": {"shop, number": "orders.(shop, number)"},
                    "fields": {"engraving": "user.content"},
                    "erase": "delete",
                },
                "invoice": {
                    "belongs_to": {"customer_id": "customer.id"},
                    "fields": {"address": "user.contact.address", "total": "user.payment"},
                    "keep": {
                        "for": "6 years",
                        "from": "issued",
                        "because": "tax law",
                        "cite": "VATA 1994 Sch 11",
                        "meanwhile": {"address": "mask"},
                    },
                    "erase": "delete",
                },
            },
        },
        "desk": {
            "store": "${DESK}",
            "tables": {
                "ticket": {
                    "belongs_to": {"customer_ref": "shop.customer.id"},
                    "fields": {"subject": {"category": "user.content", "free_text": True}},
                    "erase": "delete",
                },
                "message": {
                    "belongs_to": {"ticket_id": "ticket.id", "reply_to": "message.id"},
                    "mentions": {"email": "sender"},
                    "fields": {
                        "sender": {"category": "user.contact.email", "of": "sender"},
                        "body": {"category": "user.content", "of": "sender", "free_text": True},
                    },
                    "erase": "delete",
                },
            },
        },
        "newsletter": {
            "store": "${NEWSLETTER}",
            "tables": {
                "subscriber": {
                    "identity": {"email": "email"},
                    "fields": {"email": "user.contact.email", "name": "user.name"},
                    "erase": "delete",
                }
            },
        },
    },
}


def declaration(**changes: Any) -> Declaration:
    """The company's declaration. ``systems__shop__tables__…=value`` replaces one part of it."""
    import copy

    whole = copy.deepcopy(COMPANY)
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = whole
        for name in parents:
            part = part.setdefault(name, {})
        part[last] = value
    return Declaration.model_validate(whole)


TABLES = {
    "shop": ["customer", "address", "orders", "order_item", "invoice"],
    "desk": ["ticket", "message"],
    "newsletter": ["subscriber"],
}


def engine(url: str) -> sa.Engine:
    scheme, _, rest = url.partition("://")
    driver = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}.get(scheme, scheme)
    return sa.create_engine(f"{driver}://{rest}")


def lay(url: str, system: str) -> None:
    """Create one system's tables and rows in an empty database."""
    database = engine(url)
    tables = [metadata.tables[name] for name in TABLES[system]]
    with database.begin() as connection:
        metadata.create_all(connection, tables)
        for name in TABLES[system]:
            for row in ROWS[name]:  # one by one: a parent may stand in the same table
                connection.execute(metadata.tables[name].insert(), row)
    database.dispose()


def contents(url: str, system: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of one system, sorted: what a test compares before and after."""
    database = engine(url)
    with database.connect() as connection:
        found = {
            name: sorted((tuple(row) for row in connection.execute(sa.select(metadata.tables[name]))), key=repr)
            for name in TABLES[system]
        }
    database.dispose()
    return found
