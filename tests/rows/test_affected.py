"""From rows back to the people that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.rows.conftest import EXPIRED, Place
from tests.subjects.laid import declared

from troth.declaration import IdentityKind
from troth.rows import AffectedPerson, SelectionTooDeep, affected, whose
from troth.stores import AnyOf, Condition, Match, StoreRefused, UnknownName

ANN = AffectedPerson(((IdentityKind.EMAIL, "ann@example.org"),), (("shop.account", (1,)), ("shop.account", (4,))))
BEN = AffectedPerson(((IdentityKind.EMAIL, "ben@example.org"),), (("shop.account", (2,)), ("shop.account", (5,))))


def test_rows_lead_to_the_people_that_they_belong_to(place: Place) -> None:
    assert _people(place, "note", _ids(12, 20)) == ({ANN: 1, BEN: 1}, 0)
    assert _people(place, "note", None) == ({ANN: 4, BEN: 2}, 0)
    assert _people(place, "invoice", _ids(100, 101, 102)) == ({ANN: 3}, 0)


def test_a_row_that_refers_to_somebody_is_not_about_them(place: Place) -> None:
    assert _people(place, "account", _ids(2)) == ({BEN: 1}, 0)


def test_rows_are_selected_by_age_too(place: Place) -> None:
    assert _people(place, "account", EXPIRED) == ({ANN: 2}, 0)


def test_rows_that_name_nobody_are_counted(small: Place) -> None:
    small.sql(
        "UPDATE invoice SET account_id = NULL WHERE id IN (100, 101)", "INSERT INTO account VALUES (6, ' ', NULL, 1)"
    )
    small.sql("INSERT INTO note VALUES (30, 6, 'of nobody known', NULL)")
    assert _people(small, "invoice", None) == ({ANN: 1, BEN: 1}, 2)
    without_address = AffectedPerson((), (("shop.account", (6,)),))
    assert _people(small, "note", _ids(30)) == ({without_address: 1}, 0)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_parts_of_any_size_name_the_same_people(small: Place, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(affected, "ROOTS_PER_SELECTION", size)
    parts = list(whose(small.map(small.store), {"shop": small.store}, "shop.note", None))
    assert [part.rows for part in parts] == [size] * (6 // size) + [6 % size] * bool(6 % size)
    assert {person for part in parts for person in part.people} == {ANN, BEN}


# --- several people, and one person in several places ---------------------------------------------------------------


TABLES = (
    "CREATE TABLE customer (id INTEGER PRIMARY KEY, email VARCHAR(80), phone VARCHAR(20))",
    "CREATE TABLE portal (id INTEGER PRIMARY KEY, email VARCHAR(80), customer_ref VARCHAR(9))",
    "CREATE TABLE ticket "
    "(id INTEGER PRIMARY KEY, customer_id INTEGER, about INTEGER, sender VARCHAR(80), phone VARCHAR(20))",
    "CREATE TABLE message (id INTEGER PRIMARY KEY, ticket_id INTEGER, author VARCHAR(80))",
    "INSERT INTO customer VALUES (1, 'ann@example.org', '01632 960001'), (2, 'ben@example.org', '01632 960001')",
    "INSERT INTO portal VALUES "
    "(7, 'a.new@example.org', '1'), (8, 'chloe@example.org', NULL), (9, 'x@example.org', '01')",
    "INSERT INTO ticket VALUES (1, 1, 2, NULL, NULL), (2, NULL, NULL, 'A.New@Example.org ', NULL), "
    "(3, 1, NULL, 'ben@example.org', NULL), (4, NULL, NULL, '', '+44 1632 960001'), (5, 99, NULL, NULL, NULL), "
    "(6, 2, NULL, 'somebody@example.org', '(01632) 960001')",
    "INSERT INTO message VALUES (1, 3, 'chloe@example.org'), (2, 5, NULL), (3, 1, 'ann@example.org')",
)
DECLARED: dict[str, Any] = {
    "customer": {
        "identity": {"email": "email", "phone": {"column": "phone", "shared": "review"}},
        "fields": {"email": "user.contact.email"},
        "erase": "delete",
    },
    "portal": {
        "identity": {"email": "email"},
        "belongs_to": {"customer_ref": "customer.id"},
        "fields": {"email": "user.contact.email"},
        "erase": "delete",
    },
    "ticket": {
        "belongs_to": {"customer_id": "customer.id"},
        "refers_to": {"about": "customer.id"},
        "mentions": {"email": "sender", "phone": {"column": "phone", "shared": "review"}},
        "fields": {"sender": "user.contact.email"},
        "erase": "delete",
    },
    "message": {
        "belongs_to": {"ticket_id": "ticket.id"},
        "mentions": {"email": "author"},
        "fields": {"author": "user.contact.email"},
        "erase": "delete",
    },
}


@pytest.fixture
def desk(small: Place) -> Place:
    small.sql(*TABLES)
    small.declaration = declared(**DECLARED)
    return small


@pytest.mark.parametrize(
    ("table", "number", "names"),
    [
        ("ticket", 1, ["customer 1"]),
        ("ticket", 2, ["customer 1"]),  # the address of her account in the portal
        ("ticket", 3, ["customer 1", "customer 2"]),
        ("ticket", 4, ["+44 1632 960001"]),  # a number of two people
        ("ticket", 5, []),  # whose customer is gone
        ("ticket", 6, ["+44 1632 960001", "customer 2", "somebody@example.org"]),
        ("message", 1, ["customer 1", "customer 2", "portal 8"]),
        ("message", 2, []),
        ("message", 3, ["customer 1"]),
        ("portal", 7, ["customer 1"]),
        ("portal", 9, ["portal 9"]),  # its reference is not that of any customer as text
    ],
)
def test_a_row_names_everybody_whom_it_is_about(desk: Place, table: str, number: int, names: Sequence[str]) -> None:
    people, nameless = _people(desk, table, _ids(number))
    assert sorted(map(_name, people)) == names
    assert nameless == (not names)


def test_a_person_is_known_by_all_that_belongs_together(desk: Place) -> None:
    for table, number in (("ticket", 1), ("ticket", 2), ("portal", 7), ("customer", 1)):
        [person] = _people(desk, table, _ids(number))[0]
        assert [value for _, value in person.identifiers] == ["a.new@example.org", "ann@example.org"]
        assert person.rows == (("shop.customer", (1,)), ("shop.portal", (7,)))


def test_an_identity_row_of_two_owners_makes_no_one_of_them(desk: Place) -> None:
    desk.sql("CREATE TABLE joint (id INTEGER PRIMARY KEY, email VARCHAR(80), first INTEGER, second INTEGER)")
    desk.sql("INSERT INTO joint VALUES (1, 'both@example.org', 1, 2)")
    joint = {
        "identity": {"email": "email"},
        "belongs_to": {"first": "customer.id", "second": "customer.id"},
        "fields": {"email": "user.contact.email"},
        "erase": "delete",
    }
    desk.declaration = declared(**DECLARED, joint=joint)
    desk.store.refresh()
    people, _ = _people(desk, "joint", None)
    assert sorted(map(_name, people)) == ["customer 1", "customer 2", "joint 1"]


def test_an_identifier_that_several_people_may_share_leads_to_nobody(desk: Place) -> None:
    desk.sql("CREATE TABLE caller (id INTEGER PRIMARY KEY, phone VARCHAR(20))")
    desk.sql("INSERT INTO caller VALUES (1, '01632 960001')")
    caller = {"identity": {"phone": "phone"}, "fields": {"phone": "user.contact.phone_number"}, "erase": "delete"}
    desk.declaration = declared(**DECLARED, caller=caller)
    desk.store.refresh()
    assert list(map(_name, _people(desk, "ticket", _ids(4))[0])) == ["+44 1632 960001"]
    assert list(map(_name, _people(desk, "caller", _ids(1))[0])) == ["caller 1"]


def test_no_value_is_in_a_repr(desk: Place) -> None:
    [part] = whose(desk.map(desk.store), {"shop": desk.store}, "shop.ticket", None)
    assert "@" not in repr(part)
    assert "960001" not in repr(part)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_an_external_system_and_an_undeclared_table_are_refused_by_name(small: Place) -> None:
    map_, stores = small.map(small.store), {"shop": small.store}
    with pytest.raises(StoreRefused, match="couriers is an external system"):
        next(whose(map_, stores, "couriers.parcel", None))
    with pytest.raises(UnknownName, match=r"shop\.nothing is not a declared table"):
        next(whose(map_, stores, "shop.nothing", None))


def test_a_chain_that_is_too_long_is_refused(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affected, "PASSES_MAX", 2)
    with pytest.raises(SelectionTooDeep, match="form a chain of more than 2"):
        _people(small, "note", _ids(12))


def test_rows_that_belong_to_each_other_in_a_circle_name_the_people_of_both(small: Place) -> None:
    small.sql("UPDATE note SET reply_to = 12 WHERE id = 20", "UPDATE note SET reply_to = 20 WHERE id = 12")
    assert _people(small, "note", _ids(12)) == ({ANN: 1, BEN: 1}, 0)


def _ids(*numbers: int) -> Condition:
    return AnyOf((Match(("id",), tuple((number,) for number in numbers)),))


def _people(place: Place, table: str, where: Condition | None) -> tuple[dict[AffectedPerson, int], int]:
    """The people of some rows with their number of rows, and the number of nameless rows."""
    [part] = whose(place.map(place.store), {"shop": place.store}, f"shop.{table}", where)
    return dict(part.people), part.nameless


def _name(person: AffectedPerson) -> str:
    if not person.rows:
        [(_, value)] = person.identifiers
        return value
    place, (key,) = person.rows[0]
    return f"{place.removeprefix('shop.')} {key!r}"
