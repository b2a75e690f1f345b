"""Undeclared references are found by name and value, and tables get their role."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.scale import scaled

from troth.declaration import IdentityKind
from troth.detect import TableRole, TableSuggestion, classify, infer_references, suggest
from troth.stores import Store, StoreUnreachable, open_store

SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT, phone TEXT, rep_id INTEGER REFERENCES employee);
CREATE TABLE employee (id INTEGER PRIMARY KEY, name TEXT, email TEXT, manager_id INTEGER);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, ship_customer_id INTEGER,
  product_code TEXT, note TEXT);
CREATE TABLE order_line (id INTEGER PRIMARY KEY, order_id INTEGER, quantity INTEGER);
CREATE TABLE product (code TEXT PRIMARY KEY, name TEXT, price NUMERIC, category_id INTEGER);
CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE newsletter (email TEXT, since DATE);
INSERT INTO employee VALUES (1, 'Ben', 'ben@example.org', NULL),
  (2, 'Ann', 'a@example.org', 1), (3, 'Bo', 'b@example.org', 1);
INSERT INTO customer VALUES (11, 'Ann', 'ann@example.org', '+44 20 7946 0958', 1),
  (12, 'Chloe', 'c@example.org', '', 1),
  (13, 'Dan', 'd@example.org', NULL, 1), (14, 'Eve', 'e@example.org', NULL, 1);
INSERT INTO product VALUES ('p1', 'Tea', 1, 77), ('p2', 'Cup', 2, 77), ('p3', 'Pot', 3, 78), ('p4', 'Tin', 4, 79);
INSERT INTO orders VALUES (1, 11, 11, 'p1', 'x'), (2, 12, 12, 'p2', 'y'), (3, 13, 11, 'p3', 'z');
INSERT INTO order_line VALUES (1, 1, 1), (2, 2, 11), (3, 3, 12);
INSERT INTO category VALUES (1, 'Drinks'), (2, 'Pots');
INSERT INTO newsletter VALUES ('ann@example.org', '2026-01-02');
"""


@pytest.fixture
def shop(tmp_path: Path) -> Store:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(SHOP)
    return open_store("shop", f"sqlite:///{tmp_path}/shop.db", read_only=True)


def _suggested(store: Store) -> dict[str, TableSuggestion]:
    schema, findings = store.describe(), {}
    for name, table in schema.tables.items():
        columns = [column.name for column in table.columns]
        rows = store.sample(name, columns, rows=50)
        findings[name] = classify(table, {column: [row[at] for row in rows] for at, column in enumerate(columns)})
    return {it.table: it for it in suggest(schema, findings, infer_references(schema, store))}


def test_references_are_found_by_name_and_confirmed_by_values(shop: Store) -> None:
    found = {(it.table, *it.columns): it for it in infer_references(shop.describe(), shop)}
    assert {key: (it.to_table, *it.to_columns) for key, it in found.items()} == {
        ("order_line", "order_id"): ("orders", "id"),
        ("orders", "customer_id"): ("customer", "id"),
        ("orders", "product_code"): ("product", "code"),
        ("orders", "ship_customer_id"): ("customer", "id"),
        ("employee", "manager_id"): ("employee", "id"),
    }
    assert found["orders", "customer_id"].score > found["orders", "ship_customer_id"].score > 0.5


def test_a_name_that_values_contradict_is_no_reference(shop: Store) -> None:
    assert ("product", "category_id") not in {(it.table, *it.columns) for it in infer_references(shop.describe(), shop)}


def test_a_declared_reference_is_not_inferred(shop: Store) -> None:
    assert ("customer", "rep_id") not in {(it.table, *it.columns) for it in infer_references(shop.describe(), shop)}


def test_few_statements_serve_all_candidates(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    schema, asked = shop.describe(), []

    def counted(name: str, plain: Callable[..., object]) -> Callable[..., object]:
        def ask(*args: object, **options: object) -> object:
            asked.append(name)
            return plain(*args, **options)

        return ask

    for name in ("sample", "read"):
        monkeypatch.setattr(shop, name, counted(name, getattr(shop, name)))
    infer_references(schema, shop)
    assert 1 <= len(asked) <= 2 * len(schema.tables)


@pytest.mark.scaled
def test_each_of_a_thousand_tables_finds_its_own(tmp_path: Path) -> None:
    """Comparing every column with every table would take half a minute with a thousand."""
    count = scaled(150, 1_000)
    with closing(sqlite3.connect(tmp_path / "wide.db")) as database, database:
        for n in range(count):
            database.execute(f"CREATE TABLE t{n}_box (id INTEGER PRIMARY KEY, t{(n + 1) % count}_box_id INTEGER)")
            database.execute(f"INSERT INTO t{n}_box VALUES (1, 1), (2, 3), (3, 2)")
    store = open_store("wide", f"sqlite:///{tmp_path}/wide.db", read_only=True)
    found = infer_references(store.describe(), store)
    assert {(it.table, it.to_table) for it in found} == {(f"t{n}_box", f"t{(n + 1) % count}_box") for n in range(count)}


def test_a_store_that_fails_leaves_the_names(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = shop.describe()

    def fails(*_: object, **__: object) -> list[object]:
        raise StoreUnreachable("gone", store="shop")

    monkeypatch.setattr(shop, "sample", fails)
    assert {it.columns[0] for it in infer_references(schema, shop)} >= {"customer_id", "order_id"}


def test_tables_get_their_role(shop: Store) -> None:
    roles = {name: it.role for name, it in _suggested(shop).items()}
    assert roles == {
        "customer": TableRole.PERSON,
        "employee": TableRole.PERSON,
        "orders": TableRole.BELONGS,
        "order_line": TableRole.BELONGS,
        "product": TableRole.REFERENCE,
        "category": TableRole.REFERENCE,
        "newsletter": TableRole.MENTIONS,
    }


def test_a_draft_says_who_and_whose(shop: Store) -> None:
    drafts = _suggested(shop)
    assert drafts["customer"].identity == {IdentityKind.EMAIL: "email", IdentityKind.PHONE: "phone"}
    assert drafts["customer"].belongs_to == {}
    assert drafts["customer"].refers_to == {("rep_id",): ("employee", ("id",))}
    assert drafts["orders"].belongs_to[("customer_id",)] == ("customer", ("id",))
    assert drafts["orders"].free_text == {"note"}
    assert drafts["product"].ignore == ("name", "price", "category_id")
    assert drafts["newsletter"].identity == {IdentityKind.EMAIL: "email"}


def test_uuids_tell_which_table_is_meant_where_a_name_does_not(postgresql_url: str) -> None:
    engine = sa.create_engine(postgresql_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE person (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n integer)",
            "CREATE TABLE box (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n integer)",
            "CREATE TABLE visit (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), whose uuid, trace uuid, box_id uuid)",
            "INSERT INTO person (n) SELECT generate_series(1, 9)",
            "INSERT INTO box (n) SELECT generate_series(1, 9)",
            "INSERT INTO visit (whose, trace, box_id) SELECT id, gen_random_uuid(), id FROM person",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    store = open_store("shop", postgresql_url, read_only=True)
    found = infer_references(store.describe(), store)
    store.close()
    assert [(it.columns, it.to_table) for it in found] == [(("box_id",), "person"), (("whose",), "person")]
    assert {it.why for it in found} == {("it holds keys of that kind", "100% of 9 sampled values are there")}
