"""Roles made by the grant scripts can do what they are for, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from troth.stores import AnyOf, Match, RequiredGrants, Store, StoreRefused, grants, open_store

PASSWORD = "let-me-in"


class Clerk:
    """Runs a script as the administrator would, then logs in as the role that it made."""

    def __init__(self, place: Any) -> None:
        self.place = place
        self.role = f"{place.database}_clerk"
        self.stores: list[Store] = []

    def hired(self, script: str) -> Store:
        assert PASSWORD not in script
        self.place.run(*(line for line in script.splitlines() if not line.startswith("--")))
        if self.place.kind == "postgresql":
            self.place.run(f"ALTER ROLE {self.role} PASSWORD '{PASSWORD}'")
        else:
            self.place.run(f"ALTER USER {self.role}@'%' IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK")
        store = open_store("shop", self.place.server.url(self.place.database, user=self.role, password=PASSWORD))
        self.stores.append(store)
        return store

    def dismiss(self) -> None:
        for store in self.stores:
            store.close()
        if self.place.kind == "postgresql":
            self.place.run(f"DROP OWNED BY {self.role}", f"DROP ROLE {self.role}")
        else:
            self.place.run(f"DROP USER {self.role}@'%'")


@pytest.fixture(params=["postgresql", "mariadb"])
def clerk(request: pytest.FixtureRequest) -> Iterator[Clerk]:
    clerk = Clerk(request.getfixturevalue(f"{request.param}_place").prepare())
    yield clerk
    clerk.dismiss()


def test_an_audit_reads_everything_and_changes_nothing(clerk: Clerk) -> None:
    store = clerk.hired(grants(clerk.place.open(), clerk.role))
    for name, table in store.describe().tables.items():
        assert store.sample(name, [column.name for column in table.columns], rows=1)
    with pytest.raises(StoreRefused, match="privilege"), store.writing() as writer:
        writer.erase("visit", ["email"], [("ann@example.org",)])
    with pytest.raises(StoreRefused, match="privilege"), store.writing() as writer:
        writer.amend("customer", ["id"], ["name"], [(1, "x")])


def test_carrying_out_reaches_the_declared_columns_only(clerk: Clerk) -> None:
    access = [RequiredGrants("customer", amends=("name", "email")), RequiredGrants("order_line", erases=True)]
    store = clerk.hired(grants(clerk.place.open(), clerk.role, access))
    with store.writing() as writer:
        assert writer.amend("customer", ["id"], ["email", "name"], [(1, None, "x")]) == 1
        assert writer.erase("order_line", ["customer_id", "number"], [(1, 1), (1, 2)]) == 2
    assert store.read("customer", ["name"], AnyOf((Match(("id",), ((1,),)),))) == [("x",)]
    with pytest.raises(StoreRefused, match="privilege"), store.writing() as writer:
        writer.amend("customer", ["id"], ["born"], [(1, None)])
    with pytest.raises(StoreRefused, match="privilege"), store.writing() as writer:
        writer.erase("customer", ["id"], [(1,)])


def test_what_is_not_declared_cannot_even_be_read(clerk: Clerk) -> None:
    store = clerk.hired(grants(clerk.place.open(), clerk.role, [RequiredGrants("customer")]))
    assert store.count("customer", None) == 4
    with pytest.raises(Exception, match=r"visit|privilege"):
        store.count("visit", None)


def test_counting_principals_on_mariadb_says_what_it_needs(mariadb_place: Any) -> None:
    clerk = Clerk(mariadb_place.prepare())
    try:
        store = clerk.hired(grants(mariadb_place.open(), clerk.role))
        with pytest.raises(StoreRefused, match="GRANT SELECT ON mysql"):
            store.principals()
    finally:
        clerk.dismiss()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_hostile_roles_and_tables_stay_names(kind: str, request: pytest.FixtureRequest) -> None:
    place = request.getfixturevalue(f"{kind}_place").prepare()
    store = place.open()
    role = "x'\"`; DROP TABLE customer; -- %"
    script = grants(store, role)
    place.run(*(line for line in script.splitlines() if not line.startswith("--")))
    if kind == "postgresql":
        place.run(f"DROP OWNED BY {place.quote(role)}", f"DROP ROLE {place.quote(role)}")
    else:
        place.run("DROP USER 'x''\"`; DROP TABLE customer; -- %'@'%'")
    assert store.count("customer", None) == 4
    with pytest.raises(ValueError, match="control"):
        grants(store, "x\n; DROP TABLE customer")


def test_a_file_has_no_roles(sqlite_place: Any) -> None:
    with pytest.raises(StoreRefused, match="mode"):
        grants(sqlite_place.prepare().open(), "clerk")
