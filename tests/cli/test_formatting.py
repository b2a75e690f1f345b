"""What people are shown: tables where they fit, lines where they do not, and each change once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.firm import Firm
from tests.cli.test_requests import ANN
from tests.subjects.laid import PERSON, Laid, declared
from tests.subjects.world import NOW

from troth.cli import formatting
from troth.subjects import ErasurePlan, Identity, locate, plan_erasure


def _shown(firm: Firm, columns: int) -> str:
    answer = replace(firm, extra={"COLUMNS": str(columns)}).troth("view", *ANN)
    assert answer.code == 0
    return answer.out


def test_rows_that_fit_are_a_table(firm: Firm) -> None:
    assert "│ 1  │ ann@example.org    │ Ann       │ 07700 900001              │" in _shown(firm, 80)


def test_rows_that_do_not_fit_are_lines(firm: Firm) -> None:
    lines = _shown(firm, 40).splitlines()
    assert lines[:5] == [
        "shop.customer · 1 row",
        "  id: 1",
        "  email (user.contact.email): ann@example.org",
        "  name (user.name): Ann",
        "  phone (user.contact.phone_number): 07700 900001",
    ]


def test_categories_stand_once_and_rows_apart(firm: Firm) -> None:
    firm.change("desk", "UPDATE message SET body = 'one' || char(10) || '[b]two' WHERE id = 101")
    shown = _shown(firm, 40).partition("desk.message · 2 rows\n")[2]
    assert shown == (
        "  id: 101\n  sender (user.contact.email): ann@example.org\n  body (user.content): one\n    [b]two\n"
        "\n  id: 102\n  sender: [about someone else]\n  body: [about someone else]\n"
        "  2 values withheld: they are about someone else (GDPR Art. 15(4))\n"
    )


@pytest.mark.parametrize("columns", [200, 40])
def test_names_of_columns_give_a_terminal_no_orders(firm: Firm, columns: int) -> None:
    hostile = "na\x1b[2Jme\nshop.other"
    firm.change("shop", f'ALTER TABLE customer RENAME COLUMN name TO "{hostile}"')
    declared = firm.declaration.read_text().replace("name: user.name", '"na\\x1b[2Jme\\nshop.other": user.name')
    firm.declaration.write_text(declared)
    shown = _shown(firm, columns)
    assert "na\ufffd[2Jme shop.other" in shown
    assert "\x1b" not in shown


# --- plans ----------------------------------------------------------------------------------------------------------

_ORDER = {"belongs_to": {"person_id": "person.id"}, "fields": {"note": "user.content"}, "erase": "delete"}
_BILL = {
    "belongs_to": {"person_id": "person.id"},
    "refers_to": {"order_id": "order.id"},
    "fields": {"name": "user.name"},
    "keep": {
        "because": "tax law keeps bills",
        "cite": "VATA 1994 Sch 11",
        "meanwhile": {"order_id": "null", "person_id": "null"},
    },
    "erase": "delete",
}
_TABLES = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80))',
    'CREATE TABLE "order" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER REFERENCES "person", "note" VARCHAR(80))',
    'CREATE TABLE "bill" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER REFERENCES "person",'
    ' "order_id" INTEGER REFERENCES "order", "name" VARCHAR(80))',
    "INSERT INTO \"person\" VALUES (1, 'ann@example.org'), (2, 'ben@example.org')",
    'INSERT INTO "order" VALUES (5, 1, NULL)',
    "INSERT INTO \"bill\" VALUES (7, 1, 5, 'Ann'), (8, 2, 5, 'Ben')",
)


@pytest.fixture
def plan(sqlite_url: str, tmp_path: Path) -> ErasurePlan:
    """Ann goes, and her order. Her bill stays without it, and so does Ben's, which refers to the same order."""
    laid = Laid(sqlite_url, tmp_path / "home", declared(person=PERSON, order=_ORDER, bill=_BILL))
    laid.sql(*_TABLES)
    found = locate(laid.map(), {"shop": laid.store}, [Identity.of(email="ann@example.org")], purpose="erase")
    laid.close()
    return plan_erasure(laid.declaration, found, now=NOW)


def _told(plan: ErasurePlan) -> list[tuple[str, str, int, int]]:
    return [
        (it["place"], it["change"], it["rows"], it["in_part"]) for it in formatting.plan_json(plan, "dg1:…")["changes"]
    ]


def test_a_reference_that_is_emptied_on_the_way_is_told_once(plan: ErasurePlan) -> None:
    assert [change.words() for change in plan.changes if change.place == "shop.bill"] == [
        "null order_id",
        "null order_id, null person_id",
    ]
    assert _told(plan) == [
        ("shop.bill", "null order_id, null person_id", 0, 1),
        ("shop.bill", "null order_id, in rows of others that referred to these", 1, 0),
        ("shop.order", "delete", 1, 0),
        ("shop.person", "delete", 1, 0),
    ]


def test_equal_changes_of_one_place_are_one_line(plan: ErasurePlan) -> None:
    doubled = replace(plan, changes=(*plan.changes, *plan.changes))
    assert _told(doubled) == _told(plan)
