"""Whom rows are about, compared with queries that somebody wrote by hand for this company."""

from __future__ import annotations

import json
import math
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from troth.declaration import Declaration, load
from troth.rows import AffectedPerson, DataMap, map_data, whose
from troth.stores import AnyOf, Match, Store, open_stores

NAMES = """
CREATE TEMP VIEW address_of AS
    SELECT email AS email, 'customer ' || id AS name FROM shop.customer
    UNION SELECT email, 'customer ' || customer_ref FROM logins.account WHERE customer_ref IS NOT NULL;
CREATE TEMP VIEW named AS
    SELECT DISTINCT lower(mail.email) AS email, coalesce(known.name, lower(mail.email)) AS name FROM (
        SELECT opened_by_email AS email FROM desk.ticket UNION SELECT author_email FROM desk.message
        UNION SELECT email FROM newsletter.subscriber UNION SELECT email FROM logins.account
    ) AS mail LEFT JOIN address_of AS known ON known.email = lower(mail.email) WHERE mail.email IS NOT NULL;
CREATE TEMP VIEW of_ticket AS
    SELECT t.id, 'customer ' || c.id AS name FROM desk.ticket AS t JOIN shop.customer AS c ON c.id = t.customer_ref
    UNION SELECT t.id, n.name FROM desk.ticket AS t JOIN named AS n ON n.email = lower(t.opened_by_email);
CREATE TEMP VIEW of_message AS
    SELECT m.id, o.name FROM desk.message AS m JOIN of_ticket AS o ON o.id = m.ticket_id
    UNION SELECT m.id, n.name FROM desk.message AS m JOIN named AS n ON n.email = lower(m.author_email);
CREATE TEMP VIEW of_account AS
    SELECT a.id, n.name FROM logins.account AS a JOIN named AS n ON n.email = lower(a.email);
"""

QUERIES: Mapping[str, tuple[str, str]] = {
    "shop.customer": ("id", "SELECT id, 'customer ' || id FROM shop.customer"),
    "shop.address": ("customer_id, kind", "SELECT customer_id, kind, 'customer ' || customer_id FROM shop.address"),
    "shop.payment_method": ("id", "SELECT id, 'customer ' || customer_id FROM shop.payment_method"),
    "shop.orders": ("id", "SELECT id, 'customer ' || customer_id FROM shop.orders"),
    "shop.order_item": (
        "order_id, line",
        "SELECT order_id, line, 'customer ' || customer_id FROM shop.order_item JOIN shop.orders ON id = order_id",
    ),
    "shop.invoice": ("id", "SELECT id, 'customer ' || customer_id FROM shop.invoice WHERE customer_id IS NOT NULL"),
    "desk.ticket": ("id", "SELECT id, name FROM of_ticket"),
    "desk.message": ("id", "SELECT id, name FROM of_message"),
    "desk.attachment": (
        "id",
        "SELECT a.id, m.name FROM desk.attachment AS a JOIN of_message AS m ON m.id = message_id",
    ),
    "newsletter.subscriber": (
        "id",
        "SELECT id, n.name FROM newsletter.subscriber AS s JOIN named AS n ON n.email = lower(s.email)",
    ),
    "logins.account": ("id", "SELECT id, name FROM of_account"),
    "logins.session": ("id", "SELECT s.id, name FROM logins.session AS s JOIN of_account AS a ON a.id = account_id"),
    "logins.login": ("id", "SELECT l.id, name FROM logins.login AS l JOIN of_account AS a ON a.id = account_id"),
    "transcripts.calls": (
        "call, turn",
        "SELECT call, turn, 'customer ' || customer_id FROM calls "
        "UNION SELECT call, turn, speaker_phone FROM calls WHERE speaker_phone IS NOT NULL",
    ),
}


@pytest.fixture(scope="module")
def declaration(folder: Path) -> Declaration:
    return load(folder / "troth.yaml")


@pytest.fixture(scope="module")
def stores(laid: Any, declaration: Declaration) -> Iterator[dict[str, Store]]:
    stores = open_stores(declaration, laid.environment(), read_only=True)
    yield stores
    for store in stores.values():
        store.close()


@pytest.fixture(scope="module")
def map_(declaration: Declaration, stores: dict[str, Store]) -> DataMap:
    return map_data(declaration, {name: store.describe() for name, store in stores.items()})


@pytest.fixture(scope="module")
def database(laid: Any) -> Iterator[sqlite3.Connection]:
    """All systems in one connection, so that a query can join them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, url in laid.databases.items():
            connection.execute(f"ATTACH ? AS {name}", (url.removeprefix("sqlite:///"),))
        connection.execute("CREATE TABLE calls (call, turn, customer_id, speaker_phone)")
        for path in sorted(laid.transcripts.glob("calls/*.jsonl")):
            turns = [json.loads(line) for line in path.read_text().splitlines()]
            connection.executemany("INSERT INTO calls VALUES (:call, :turn, :customer_id, :speaker_phone)", turns)
        connection.executescript(NAMES)
        yield connection


@pytest.mark.parametrize("place", list(QUERIES))
def test_the_people_of_a_whole_table_are_those_of_the_query(
    map_: DataMap, stores: dict[str, Store], database: sqlite3.Connection, place: str
) -> None:
    _compare(map_, stores, database, place, random.Random(1), share=1)


@pytest.mark.parametrize("selections", [10, pytest.param(200, marks=pytest.mark.soak)])
def test_the_people_of_random_rows_are_those_of_the_query(
    map_: DataMap, stores: dict[str, Store], database: sqlite3.Connection, selections: int
) -> None:
    chance = random.Random(selections)
    for _ in range(selections):
        _compare(map_, stores, database, chance.choice(list(QUERIES)), chance, share=chance.random() ** 3)


def test_every_declared_table_has_a_query(map_: DataMap) -> None:
    assert {node.place for node in map_} == set(QUERIES)


def _compare(
    map_: DataMap,
    stores: dict[str, Store],
    database: sqlite3.Connection,
    place: str,
    chance: random.Random,
    *,
    share: float,
) -> None:
    key, query = QUERIES[place]
    names, (system, table) = tuple(key.split(", ")), place.split(".")
    keys = sorted(stores[system].read(table, names, None), key=repr)
    some = set(chance.sample(keys, math.ceil(len(keys) * share)))
    about = {(row[:-1], row[-1]) for row in database.execute(query) if row[:-1] in some}
    people, nameless = Counter[str](), 0
    for part in whose(map_, stores, place, AnyOf((Match(names, tuple(some)),))):
        people.update({_name(person): count for person, count in part.people.items()})
        nameless += part.nameless
    assert people == Counter(name for _, name in about)
    assert nameless == len(some - {row for row, _ in about})


def _name(person: AffectedPerson) -> str:
    customers = [key for place, key in person.rows if place == "shop.customer"]
    if customers:
        [(number,)] = customers
        return f"customer {number!r}"
    [(_, value)] = person.identifiers
    return value if "@" in value else "+" + "".join(filter(str.isdigit, value))
