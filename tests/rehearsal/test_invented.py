"""Invented rows fit the declaration: they lead to their person, and are within their period."""

import datetime as dt
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from troth.declaration import Declaration, OwnFault, load
from troth.rehearsal import Inapplicable, InventedPerson, Inventor
from troth.rehearsal.own_faults import own_breaches
from troth.rehearsal.stores import ScratchStores, filled, scratch_schemas
from troth.stores import Schema

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
COMPANY = Path(__file__).parent / "company" / "troth.yaml"
EXAMPLE = Path(__file__).parents[2] / "examples" / "voice-company" / "troth.yaml"


@pytest.fixture(scope="module", params=[COMPANY, EXAMPLE], ids=["small", "example"])
def declaration(request: pytest.FixtureRequest) -> Declaration:
    return load(request.param)


@pytest.fixture
def schemas(declaration: Declaration) -> Mapping[str, Schema]:
    return scratch_schemas(declaration, {})


def test_every_row_comes_after_the_rows_that_it_refers_to(
    declaration: Declaration, schemas: Mapping[str, Schema]
) -> None:
    earlier: dict[str, list[Mapping[str, object]]] = {}
    for row in filled(Inventor(declaration, schemas, NOW), 5):
        system, _, name = row.place.partition(".")
        table = declaration.systems[system].tables[name]
        for link in table.belongs_to.values():
            parent = f"{link.system or system}.{link.table}"
            value = tuple(row.values[column] for column in link.columns)
            if parent != row.place and None not in value:
                assert value in {tuple(it[column] for column in link.to) for it in earlier[parent]}
        earlier.setdefault(row.place, []).append(row.values)
    assert {len(rows) for rows in earlier.values()} <= {3, 5}


def test_a_person_is_the_same_in_every_system(declaration: Declaration, schemas: Mapping[str, Schema]) -> None:
    rows = filled(Inventor(declaration, schemas, NOW), 5)
    for row in rows:
        system, _, name = row.place.partition(".")
        table = declaration.systems[system].tables[name]
        for kind, column in table.identity.items():
            assert row.person is not None
            assert row.values[column.column] == row.person.identifier(kind)


def test_no_row_is_past_its_period(declaration: Declaration, schemas: Mapping[str, Schema]) -> None:
    rows = filled(Inventor(declaration, schemas, NOW), 5)
    for rule in declaration.retention.values():
        begins = [row.values[rule.from_] for row in rows if row.place == rule.table]
        assert begins
        for begin in begins:
            assert isinstance(begin, dt.datetime)
            assert begin < NOW < dt.datetime.combine(rule.for_.after(begin.date()), dt.time(), tzinfo=dt.UTC)


def test_scratch_stores_hold_the_rows(declaration: Declaration, schemas: Mapping[str, Schema], tmp_path: Path) -> None:
    stores = ScratchStores(tmp_path, schemas)
    rows = filled(Inventor(declaration, schemas, NOW), 5)
    stores.make(declaration, rows)
    with closing(sqlite3.connect(stores.file("shop"))) as shop:
        assert shop.execute("SELECT count(*) FROM customer").fetchone() == (5,)
    with pytest.raises(Inapplicable, match="constraint"):
        stores.run("shop", "INSERT INTO customer SELECT * FROM customer")


def test_people_of_one_number_are_one_person() -> None:
    assert InventedPerson(3) == InventedPerson(3)
    assert len({person.identifier("email") for person in map(InventedPerson, range(40))}) == 40


def test_a_fault_of_the_company_is_a_breach_of_each_control_that_it_names(declaration: Declaration) -> None:
    fault = OwnFault(breach="It breaks.", breaks=("ours.a", "ours.b"), sql={"system": "shop", "run": "SELECT 1"})
    own = own_breaches(declaration.model_copy(update={"faults": {"it": fault}}))
    assert [(it.control, it.text) for it in own] == [
        ("ours.a", "It breaks."),
        ("ours.b", "It breaks."),
    ]
