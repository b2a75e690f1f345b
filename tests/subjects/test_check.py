"""What `check` says of a declaration before any row is looked at is what a plan says of the rows then."""

from __future__ import annotations

from typing import Any

import pytest
from tests.subjects.conftest import ANN, Lay
from tests.subjects.laid import PERSON, Laid, declared

from troth.rows import MapProblem, PlanRefused
from troth.subjects import check

SHOP = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80))',
    'CREATE TABLE "bill" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER {}, "street" VARCHAR(60), '
    'FOREIGN KEY ("person_id") REFERENCES "person" ("id"))',
    'CREATE TABLE "line" ("id" INTEGER PRIMARY KEY, "bill_id" INTEGER NOT NULL, "text" VARCHAR(60), '
    'FOREIGN KEY ("bill_id") REFERENCES "bill" ("id"))',
    "INSERT INTO \"person\" VALUES (1, 'ann@example.org'), (2, 'ben@example.org')",
    "INSERT INTO \"bill\" VALUES (1, 1, '1 Example Street')",
    "INSERT INTO \"line\" VALUES (1, 1, 'a lamp')",
)
PERSON_OR_MASK = {**PERSON, "erase": {"rows": "delete", "fields": {"email": "mask"}}}
BILL = {"belongs_to": {"person_id": "person.id"}, "fields": {"street": "user.contact.address"}, "erase": "delete"}
BILL_OR_NULL = {**BILL, "erase": {"rows": "delete", "fields": {"street": "null"}}}
LINE = {"belongs_to": {"bill_id": "bill.id"}, "fields": {"text": "user.content"}, "erase": "delete"}
TAX = {"keep": {"because": "tax law keeps it", "cite": "VATA 1994 Sch 11"}}


def _laid(lay: Lay, *, nullable: bool = False, **tables: dict[str, Any]) -> Laid:
    """Person, bill and line, declared as above but for *tables*."""
    rule = "" if nullable else "NOT NULL"
    return lay(declared(**{"person": PERSON, "bill": BILL, "line": LINE, **tables}), *(it.format(rule) for it in SHOP))


def _problems(laid: Laid) -> list[MapProblem]:
    return check(laid.declaration, {"shop": laid.store.describe()})


@pytest.mark.parametrize(
    ("tables", "at", "said"),
    [
        ({"bill": {**BILL, **TAX}}, "person", "rows of shop.bill are kept and refer to these by person_id"),
        ({"bill": BILL_OR_NULL, "line": {**LINE, **TAX}}, "person", "rows of shop.bill may have to stay"),
        ({"line": {**LINE, **TAX}}, "bill", "rows of shop.line are kept"),
        ({"line": {**LINE, "erase": {"text": "null"}}}, "bill", "rows of shop.line stay"),
        ({"line": {"ignore": ["bill_id", "text"]}}, "bill", "rows of shop.line are not this person's"),
    ],
)
def test_rows_that_others_cannot_do_without_are_told_before_a_plan_is_refused(
    lay_small: Lay, tables: dict[str, Any], at: str, said: str
) -> None:
    laid = _laid(lay_small, **tables)
    [problem] = _problems(laid)
    assert problem.path == f"systems.shop.tables.{at}.erase"
    assert said in problem.message
    with pytest.raises(PlanRefused):
        laid.plan(ANN)


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"person": PERSON_OR_MASK, "bill": {**BILL, **TAX}},
        {"person": PERSON_OR_MASK, "bill": BILL_OR_NULL, "line": {**LINE, **TAX}},
        {"person": {**PERSON, **TAX}, "bill": {**BILL, **TAX}, "line": {**LINE, **TAX}},
        {"bill": {**BILL, "erase": {"street": "null"}}, "person": {**PERSON, "erase": {"email": "mask"}}},
    ],
)
def test_where_it_is_said_what_becomes_of_them_nothing_is_told_and_nothing_refused(
    lay: Lay, tables: dict[str, Any]
) -> None:
    laid = _laid(lay, **tables)
    assert _problems(laid) == []
    assert laid.erase(ANN)[0].is_clean


def test_a_kept_row_may_be_cut_from_one_that_goes(lay_small: Lay) -> None:
    kept = {**BILL, "keep": {**TAX["keep"], "meanwhile": {"person_id": "null"}}}
    laid = _laid(lay_small, nullable=True, bill={**BILL, **TAX})
    assert [problem.fix.partition("or cut")[2] for problem in _problems(laid)] == [
        " the reference: person_id: null under keep.meanwhile of bill"
    ]
    laid.declaration = declared(person=PERSON, bill=kept, line=LINE)
    assert _problems(laid) == []
    assert laid.erase(ANN)[0].is_clean
    assert laid.rows("bill") == [(1, None, "1 Example Street")]


def test_people_whom_others_cannot_do_without_are_told_to_be_masked(lay_small: Lay) -> None:
    """A customer has to have an adviser, so advisers cannot go, whatever becomes of their fields."""
    tables = (
        'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80))',
        'CREATE TABLE "customer" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80), '
        '"adviser" INTEGER NOT NULL REFERENCES "person" ("id"))',
        "INSERT INTO \"person\" VALUES (1, 'ann@example.org')",
        "INSERT INTO \"customer\" VALUES (1, 'ben@example.org', 1)",
    )
    customer = {**PERSON, "refers_to": {"adviser": "person.id"}}
    laid = lay_small(declared(person=PERSON_OR_MASK, customer=customer), *tables)
    [problem] = _problems(laid)
    assert "rows of shop.customer are not this person's" in problem.message
    assert problem.fix == "treat the fields and keep the rows: erase: {NAME: mask, …}"
    with pytest.raises(PlanRefused):
        laid.plan(ANN)
    laid.declaration = declared(person={**PERSON, "erase": {"email": "mask"}}, customer=customer)
    assert _problems(laid) == []
    assert laid.erase(ANN)[0].is_clean


def test_a_table_without_a_key_and_without_personal_data_needs_none(lay_small: Lay) -> None:
    laid = _laid(lay_small, rate={"ignore": ["country", "percent"]})
    laid.sql('CREATE TABLE "rate" ("country" VARCHAR(2), "percent" INTEGER)')
    assert _problems(laid) == []
    assert laid.erase(ANN)[0].is_clean
