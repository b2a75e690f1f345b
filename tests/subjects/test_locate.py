"""Tracing finds every row that is a subject's, by every declared way, and no row that is not."""

from __future__ import annotations

import pytest
from tests.subjects.conftest import ANN, BEN, Company, Lay, keys
from tests.subjects.laid import PERSON, declared

from troth.subjects import Identity, IdentityRefused

pytestmark = pytest.mark.sampled


def test_a_person_is_found_in_every_system(company: Company) -> None:
    assert keys(company.find(ANN)) == {
        "shop.customer": [(1,)],
        "shop.address": [(11,), (12,)],
        "shop.orders": [("north", 1)],
        "shop.order_item": [("north", 1, 1), ("north", 1, 2)],
        "shop.invoice": [(100,), (101,)],
        "desk.ticket": [(501,)],
        "desk.message": [(901,), (902,), (904,)],
        "newsletter.subscriber": [("ann@example.org",)],
    }


def test_the_key_of_a_row_finds_as_much_as_the_address(company: Company) -> None:
    by_key = Identity.of(ids=["shop.customer=1"])
    assert keys(company.find(by_key)) == keys(company.find(ANN))


def test_letter_case_of_an_address_makes_no_difference(company: Company) -> None:
    shouted = Identity.of(email="ANN@EXAMPLE.ORG")
    assert keys(company.find(shouted)) == keys(company.find(ANN))


def test_a_phone_is_found_however_it_is_written(company: Company) -> None:
    found = company.find(Identity.of(phone="+447700900003"))
    assert keys(found)["shop.customer"] == [(3,)]


def test_a_shared_value_does_not_lead_from_one_person_to_the_next(company: Company) -> None:
    """Ann and Ben share a phone: asking for Ann by e-mail must not find Ben."""
    assert keys(company.find(ANN))["shop.customer"] == [(1,)]


def test_rows_of_a_batch_know_whose_they_are(company: Company) -> None:
    located = company.find(ANN, BEN)
    owners = {row.key: row.subjects for row in located.rows["desk.message"]}
    assert owners == {(901,): (0,), (902,): (0,), (903,): (1,), (904,): (0, 1)}


def test_a_row_that_names_somebody_else_says_so(company: Company) -> None:
    others = {row.key: row.others for row in company.find(ANN).rows["desk.message"]}
    assert others == {(901,): (), (902,): ("sender",), (904,): ("ticket_id", "reply_to")}


def test_nobody_is_found_where_nobody_is(company: Company) -> None:
    assert keys(company.find(Identity.of(email="nobody@example.org"))) == {}


@pytest.mark.parametrize(
    "hostile", ["x'@example.org", 'y"; DROP TABLE customer; --@example.org'.replace(" ", ""), "z%@ex_mple.org"]
)
def test_hostile_identifiers_are_values_and_nothing_else(company: Company, hostile: str) -> None:
    before = company.contents()
    assert keys(company.find(Identity.of(email=hostile))) == {}
    assert company.contents() == before


@pytest.mark.parametrize("row", ["shop.nothing=1", "shop.customer=one", "shop.customer=1,2"])
def test_a_row_that_cannot_be_is_refused(small: Company, row: str) -> None:
    with pytest.raises(IdentityRefused, match="--id"):
        small.find(Identity.of(ids=[row]))


def test_a_table_that_is_nearly_right_is_suggested(small: Company) -> None:
    with pytest.raises(IdentityRefused, match=r"did you mean shop\.customer\?"):
        small.find(Identity.of(ids=["shop.custmer=1"]))


def test_a_row_of_a_table_without_people_is_refused(lay_small: Lay) -> None:
    laid = lay_small(
        declared(person=PERSON, track={"ignore": ["id", "title"]}),
        'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80))',
        'CREATE TABLE "track" ("id" INTEGER PRIMARY KEY, "title" VARCHAR(80))',
    )
    with pytest.raises(IdentityRefused, match=r"a row of shop\.track, whose rows belong to nobody"):
        laid.plan(Identity.of(ids=["shop.track=3"]))


def test_nothing_personal_shows_in_a_repr(small: Company) -> None:
    located = small.find(ANN, purpose="view")
    shown = repr((located, located.rows, located.identities))
    assert "ann@" not in shown.lower()
    assert "Example Street" not in shown
