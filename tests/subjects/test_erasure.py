"""Erasure: what goes, what stays and why, and the proof that nothing else is left."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest
from tests.subjects import world
from tests.subjects.conftest import ANN, BEN, Company, Lay, kept, words
from tests.subjects.laid import PERSON, declared

from troth.ledger import Entry
from troth.rows import PlanRefused
from troth.subjects import HoldScope, Identity, NotApproved, plan_hash

pytestmark = pytest.mark.sampled


def test_a_plan_says_what_happens_everywhere(company: Company) -> None:
    assert words(company.plan(ANN)) == {
        ("shop.customer", "mask email, mask name, null phone, null born"): 1,
        ("shop.invoice", "mask address"): 1,
        ("shop.invoice", "delete"): 1,
        ("shop.orders", "null ship_to"): 1,
        ("shop.orders", "delete"): 1,
        ("shop.order_item", "delete"): 2,
        ("shop.address", "delete"): 2,
        ("desk.ticket", "delete"): 1,
        ("desk.message", "null sender, null body"): 1,
        ("desk.message", "null reply_to"): 1,
        ("desk.message", "delete"): 1,
        ("newsletter.subscriber", "delete"): 1,
    }


_CARDS = (
    'CREATE TABLE "card" ("club" VARCHAR(20), "number" INTEGER, "email" VARCHAR(80), PRIMARY KEY ("club", "number"))',
    "INSERT INTO \"card\" VALUES ('north', 1, 'ann@example.org'), ('north, old', 2, 'ann@example.org')",
)


def test_a_review_names_the_rows_whose_key_can_be_typed(lay_small: Lay) -> None:
    laid = lay_small(declared(card={**PERSON, "key": ["club", "number"]}), *_CARDS)
    [review] = laid.plan(ANN).reviews
    assert review.rows == ("shop.card=north,1",)
    assert laid.plan(Identity.of(ids=review.rows)).located.rows["shop.card"][0].key == ("north", 1)


def test_a_review_names_no_row_by_a_personal_value(lay_small: Lay) -> None:
    fields = {"email": "user.contact.email", "club": "user.content"}
    laid = lay_small(declared(card={**PERSON, "key": ["club", "number"], "fields": fields}), *_CARDS)
    assert [review.rows for review in laid.plan(ANN).reviews] == [()]


def test_a_declaration_that_is_untrue_of_the_systems_gets_no_plan(small: Company) -> None:
    """Whatever is not treated would stay, and the receipt would give a reason that nobody declared."""
    small.declaration = world.declaration(
        systems__shop__tables__customer__erase={"email": "mask"}, systems__newsletter__purposes=["none such"]
    )
    said = r"systems\.shop\.tables\.customer\.erase: what erasure does to these fields is not declared: "
    "'name', .*; give each a strategy"
    with pytest.raises(PlanRefused, match=said) as refused:
        small.plan(Identity.of(email="nobody@example.org"))
    assert len(refused.value.problems) == 1, "what purposes lack changes no row"


def test_planning_touches_nothing(company: Company) -> None:
    before = company.contents()
    company.plan(ANN)
    assert company.contents() == before


def test_what_is_declared_to_go_is_gone(company: Company) -> None:
    company.erase(ANN)
    assert [row[0] for row in company.rows("shop.address")] == [21]
    assert [row[:2] for row in company.rows("shop.orders")] == [("south", 1), ("south", 2)]
    assert [row[0] for row in company.rows("newsletter.subscriber")] == ["chloe@example.org"]
    assert [row[0] for row in company.rows("desk.ticket")] == [502]


def test_an_invoice_stays_as_long_as_the_law_says_and_no_longer(company: Company) -> None:
    receipt = company.erase(ANN)[0]
    rows = {row[0]: row for row in company.rows("shop.invoice")}
    assert set(rows) == {100, 200}
    assert rows[100][2] != "1 Example Street"
    line = next(line for line in receipt.lines if line.stays and line.place == "shop.invoice")
    assert (line.rows, line.cite, line.until) == (1, "VATA 1994 Sch 11", dt.date(2031, 1, 31))


def test_a_row_that_a_kept_row_needs_is_emptied_instead_of_deleted(company: Company) -> None:
    company.erase(ANN)
    ann = next(row for row in company.rows("shop.customer") if row[0] == 1)
    assert "ann" not in str(ann).lower()
    assert ann[3:5] == (None, None)


def test_what_is_about_others_too_loses_only_what_is_about_this_person(company: Company) -> None:
    company.erase(ANN)
    messages = {row[0]: row for row in company.rows("desk.message")}
    assert messages[904] == (904, 502, 903, None, None)
    assert messages[903] == (903, 502, None, "ben@example.org", "not mine")


def test_references_of_others_to_a_deleted_row_are_emptied(company: Company) -> None:
    """Ben was referred by Ann: with her row gone, his keeps no pointer to nobody."""
    company.declaration = world.declaration(systems__shop__tables__invoice__keep=None)
    company.erase(ANN)
    assert [(row[0], row[5]) for row in company.rows("shop.customer")] == [(2, None), (3, None)]
    assert [row[3] for row in company.rows("shop.orders")] == [21, None]


def test_nobody_elses_rows_change(company: Company) -> None:
    before = {row for row in company.rows("shop.customer") if row[0] != 1}
    company.erase(ANN)
    assert before <= set(company.rows("shop.customer"))


def test_two_people_at_once_are_erased_like_one_after_the_other(company: Company) -> None:
    receipts = company.erase(ANN, BEN)
    assert all(receipt.is_clean for receipt in receipts)
    assert [row[0] for row in company.rows("desk.message")] == [902]
    assert [row[0] for row in company.rows("shop.orders")] == []


def test_the_rescan_is_clean_and_the_receipt_is_in_the_ledger(company: Company) -> None:
    receipt = company.erase(ANN)[0]
    assert receipt.is_clean
    stored = Entry.decode(company.log.entry_bytes(company.log.size - 1))
    assert stored == receipt.entry
    assert stored.fields["rescan"] == "clean"


def test_erasing_again_finds_only_what_stayed(company: Company) -> None:
    company.erase(Identity.of(ids=["shop.customer=1"]))
    before = company.contents()
    again = company.erase(Identity.of(ids=["shop.customer=1"]))[0]
    assert again.is_clean
    assert company.contents() == before


def test_nothing_personal_is_left_in_our_own_files(company: Company) -> None:
    company.erase(ANN)
    home = company.log.folder.parent
    ours = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"ann@" not in ours.lower()
    assert b"Example Street" not in ours
    assert list(company.journal.unfinished()) == []


# --- safety --------------------------------------------------------------------------------------------------------


def test_a_plan_that_was_not_seen_is_not_carried_out(company: Company) -> None:
    before = company.contents()
    with pytest.raises(NotApproved, match="not the plan"):
        company.carry_out(company.plan(ANN), approved="dg1:" + "0" * 64)
    assert company.contents() == before


def test_a_plan_changes_its_hash_when_a_row_comes_up(company: Company) -> None:
    seen = plan_hash(company.plan(ANN), company.keyring)
    with company.stores["shop"].writing() as writer:
        writer.amend("address", ["id"], ["customer_id"], [(21, 1)])
    assert plan_hash(company.plan(ANN), company.keyring) != seen


def test_the_same_plan_has_the_same_hash(company: Company) -> None:
    assert plan_hash(company.plan(ANN), company.keyring) == plan_hash(company.plan(ANN), company.keyring)


def test_a_plan_made_under_another_declaration_is_refused(small: Company) -> None:
    plan = small.plan(ANN)
    small.declaration = world.declaration(limits={"rows": 9})
    before = small.contents()
    with pytest.raises(NotApproved, match="declaration has changed"):
        small.carry_out(plan)
    assert small.contents() == before


def test_a_shared_phone_stops_for_review(company: Company) -> None:
    plan = company.plan(Identity.of(phone="07700900001"))
    assert [review.message for review in plan.reviews] == ["the identity matches 2 people"]
    assert [review.rows for review in plan.reviews] == [("shop.customer=1", "shop.customer=2")]
    with pytest.raises(NotApproved, match="2 people"):
        company.carry_out(plan)


def test_more_rows_than_the_cap_stop_for_review(small: Company) -> None:
    small.declaration = world.declaration(limits={"rows": 5})
    assert [review.message for review in small.plan(ANN).reviews] == ["13 rows exceed the limit of 5"]


def test_a_legal_hold_keeps_its_scope_and_says_why(company: Company) -> None:
    hold = HoldScope("a claim is pending", "GDPR Art. 17(3)(e)", places=("desk",))
    plan = company.plan(ANN, holds=[hold])
    assert {("desk.ticket", "GDPR Art. 17(3)(e)", 1), ("desk.message", "GDPR Art. 17(3)(e)", 3)} <= set(kept(plan))
    before = company.rows("desk.message")
    assert company.carry_out(plan)[0].is_clean
    assert company.rows("desk.message") == before


def test_a_deletion_that_a_kept_row_forbids_is_refused_with_the_fix(small: Company) -> None:
    small.declaration = world.declaration(systems__shop__tables__customer__erase="delete")
    with pytest.raises(
        PlanRefused, match=r"systems\.shop\.tables\.customer\.erase: .*declare what happens to its fields"
    ):
        small.plan(ANN)


def test_an_unreadable_start_of_a_period_keeps(small: Company) -> None:
    """Nobody can show that a period is over when its start is not a date."""
    small.find(ANN)
    with sqlite3.connect(small.urls["shop"].removeprefix("sqlite:///")) as shop:
        shop.execute("UPDATE invoice SET issued = 'long ago' WHERE id = 101")
    assert sum(len(each.targets) for each in small.plan(ANN).kept if each.cite.startswith("VATA")) == 2


def test_what_comes_up_during_the_run_is_reported_as_residue(company: Company) -> None:
    plan = company.plan(ANN)
    with company.stores["shop"].writing() as writer:
        writer.amend("address", ["id"], ["customer_id"], [(21, 1)])
    receipt = company.carry_out(plan)[0]
    assert dict(receipt.residue) == {"shop.address": 1}
    assert receipt.entry.fields["rescan"] == "residue"


# --- masks ---------------------------------------------------------------------------------------------------------


def test_a_mask_covers_what_is_there_and_invents_nothing(company: Company) -> None:
    """Ann has no name in one place: a mask there would say that she had."""
    company.declaration = world.declaration(
        systems__shop__tables__customer__erase={
            "email": "mask",
            "name": "mask",
            "phone": "pseudonymise",
            "born": "mask",
        },
        systems__shop__tables__invoice__keep=None,
    )
    with company.stores["shop"].writing() as writer:
        writer.amend("customer", ["id"], ["phone", "born"], [(1, None, None)])
    assert company.erase(ANN)[0].is_clean
    ann = next(row for row in company.rows("shop.customer") if row[0] == 1)
    assert ann[1] not in (None, "Ann@Example.org")
    assert ann[3:5] == (None, None)
