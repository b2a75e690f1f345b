"""What `access` asks for is enough to view, amend and erase on PostgreSQL, and no more than plans write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.subjects import world
from tests.subjects.conftest import ANN, BEN, Company, Lay, build
from tests.subjects.laid import PERSON, declared

from troth.stores import StoreRefused, grants, open_store
from troth.subjects import access, becoming, plan_amendment, plan_view
from troth.testing.servers import Server

PASSWORD = "let-me-in"


@pytest.fixture
def least(postgresql_url: str, postgresql_server: Server, tmp_path: Path) -> Iterator[Company]:
    """The company, opened by one role for each system that was granted what its script grants."""
    database = sa.make_url(postgresql_url).database or ""
    roles = {system: f"{database}_{system}" for system in world.TABLES}
    with ExitStack() as stack:
        company = build(dict.fromkeys(roles, postgresql_url), tmp_path / "home", world.declaration(), stack)
        map_ = company.find(ANN).map
        for system, role in roles.items():
            script = grants(company.stores[system], role, access(map_, system))
            _run(postgresql_url, script, f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
            stack.callback(_run, postgresql_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
        for system, role in roles.items():
            url = postgresql_server.url(database, user=role, password=PASSWORD)
            company.stores[system] = open_store(system, url)
            stack.callback(company.stores[system].close)
        yield company


def _run(url: str, *scripts: str) -> None:
    engine = world.engine(url)
    with engine.begin() as connection:
        for script in scripts:
            connection.exec_driver_sql(script.replace("%", "%%"))
    engine.dispose()


def test_the_least_role_views_amends_and_erases(least: Company) -> None:
    assert plan_view(least.declaration, least.find(ANN, purpose="view"))
    for changes in ({"user.name": "Anna"}, {"newsletter.subscriber.email": "anna@example.org"}):
        located = least.find(ANN, purpose="amend")
        holders = least.find(*becoming(located.map, changes), purpose="amend")
        assert least.carry_out(plan_amendment(least.declaration, located, changes, holders=holders))[0].is_clean
    for who in (ANN, BEN):
        assert least.erase(who)[0].is_clean
    assert [row[0] for row in least.rows("shop.customer")] == [1, 3]


def test_the_least_role_writes_nothing_else(least: Company) -> None:
    for table, key, column, row in (
        ("orders", ["number"], "customer_id", (1, 2)),
        ("address", ["id"], "customer_id", (11, 2)),
    ):
        with pytest.raises(StoreRefused, match="privilege"), least.stores["shop"].writing() as writer:
            writer.amend(table, key, [column], [row])


ARTIST = 'CREATE TABLE "artist" ("id" INTEGER PRIMARY KEY, "title" VARCHAR(60))'
ALBUM = 'CREATE TABLE "album" ("id" INTEGER PRIMARY KEY, "artist_id" INTEGER REFERENCES "artist" ("id"))'
STAFF = 'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80))'
CUSTOMER = (
    'CREATE TABLE "customer" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80), '
    '"adviser" INTEGER {} REFERENCES "person" ("id"))'
)


@pytest.mark.parametrize(
    ("erase", "rule", "amends"),
    [("delete", "", ("email", "adviser")), ("delete", "NOT NULL", ("email",)), ({"email": "mask"}, "", ("email",))],
)
def test_a_reference_is_written_only_where_a_plan_may_empty_it(
    lay_small: Lay, erase: Any, rule: str, amends: tuple[str, ...]
) -> None:
    customer = {**PERSON, "refers_to": {"adviser": "person.id"}}
    laid = lay_small(declared(person={**PERSON, "erase": erase}, customer=customer), STAFF, CUSTOMER.format(rule))
    assert {it.table: it.amends for it in access(laid.map(), "shop")}["customer"] == amends


def test_reference_data_is_only_read(lay_small: Lay) -> None:
    album = {"refers_to": {"artist_id": "artist.id"}, "ignore": ["id"]}
    laid = lay_small(declared(artist={"ignore": ["title"]}, album=album), ARTIST, ALBUM)
    assert [(it.amends, it.erases) for it in access(laid.map(), "shop")] == [((), False), ((), False)]


def test_whose_a_row_is_stays_as_it_was_where_the_row_only_goes(lay_small: Lay) -> None:
    visit = {"belongs_to": {"person_id": "person.id"}, "fields": {"ip": "user.device.ip_address"}, "erase": "delete"}
    made = (
        'CREATE TABLE "visit" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER REFERENCES "person" ("id"), '
        '"ip" VARCHAR(45))'
    )
    laid = lay_small(declared(person=PERSON, visit=visit), STAFF, made)
    assert {it.table: (it.amends, it.erases) for it in access(laid.map(), "shop")}["visit"] == (("ip",), True)
