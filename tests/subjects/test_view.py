"""Views: all that is held about one person, and nothing that is about another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from tests.subjects import world
from tests.subjects.conftest import ANN, BEN, Company

from troth.subjects import WITHHELD, Identity, View, plan_view

pytestmark = pytest.mark.sampled


def views(company: Company, *who: Identity) -> list[View]:
    return plan_view(company.declaration, company.find(*who, purpose="view"))


def rows(view: View, place: str) -> dict[Any, tuple[Any, ...]]:
    """Key → the values of one table."""
    [table] = [table for table in view.tables if table.place == place]
    return {row[0]: row[1:] for row in table.rows}


def test_every_table_is_shown_with_its_categories(company: Company) -> None:
    [view] = views(company, ANN)
    assert {table.place: len(table.rows) for table in view.tables} == {
        "shop.customer": 1,
        "shop.address": 2,
        "shop.orders": 1,
        "shop.order_item": 2,
        "shop.invoice": 2,
        "desk.ticket": 1,
        "desk.message": 3,
        "newsletter.subscriber": 1,
    }
    customer = next(table for table in view.tables if table.place == "shop.customer")
    assert dict(zip(customer.columns, customer.categories, strict=True))["email"] == "user.contact.email"


def test_viewing_touches_nothing(company: Company) -> None:
    before = company.contents()
    views(company, ANN, BEN)
    assert company.contents() == before


def test_what_is_about_somebody_else_is_withheld(company: Company) -> None:
    [view] = views(company, ANN)
    assert rows(view, "desk.message") == {
        901: ("ann@example.org", "where is it?"),
        902: (WITHHELD, WITHHELD),
        904: ("ann@example.org", "it was mine"),
    }
    assert sum(table.withheld for table in view.tables) == 2


def test_people_of_one_batch_do_not_see_one_another(company: Company) -> None:
    """Asked for together, Ben still sees only that somebody wrote into his ticket, and Ann what she wrote."""
    ann, ben = views(company, ANN, BEN)
    assert rows(ann, "desk.message")[904] == ("ann@example.org", "it was mine")
    assert rows(ben, "desk.message")[904] == (WITHHELD, WITHHELD)
    assert [ann, ben] == [*views(company, ANN), *views(company, BEN)]


def test_a_reference_to_somebody_else_is_withheld(small: Company) -> None:
    """Who else is named, even by a number, is theirs."""
    small.declaration = world.declaration(systems__desk__tables__message__fields__ticket_id="user.unique_id")
    assert rows(views(small, ANN)[0], "desk.message")[904] == ("ann@example.org", "it was mine", WITHHELD)


def test_a_value_that_several_share_stops_for_review(company: Company) -> None:
    [view] = views(company, Identity.of(phone="07700900001"))
    assert [review.message for review in view.reviews] == ["the identity matches 2 people"]


def test_somebody_who_is_nowhere_has_an_empty_view(small: Company) -> None:
    assert views(small, Identity.of(email="nobody@example.org"))[0].tables == ()


def test_nothing_personal_shows_in_a_repr(small: Company) -> None:
    [view] = views(small, ANN)
    assert "ann" not in repr((view, view.tables)).lower()


def test_a_shared_row_keeps_or_loses_what_is_about_nobody_in_particular(small: Company) -> None:
    """The body has no `of`: it stays for the others, unless the table says that the first who asks takes it away."""
    with closing(sqlite3.connect(small.urls["desk"].removeprefix("sqlite:///"))) as desk:
        for rule, left in (("keep", "it was mine"), ("erase", None)):
            joint = {
                "systems__desk__tables__message__fields__body": "user.content",
                "systems__desk__tables__message__shared": rule,
            }
            small.declaration = world.declaration(**joint)
            small.erase(Identity.of(email="ann@example.org"))
            assert desk.execute("SELECT sender, body FROM message WHERE id = 904").fetchone() == (None, left)
            desk.execute("UPDATE message SET sender = 'ann@example.org' WHERE id = 904")
            desk.commit()
