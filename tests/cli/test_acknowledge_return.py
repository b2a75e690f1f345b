"""``troth acknowledge-return``: whoever was erased and came back of their own accord is no fault, and is not erased
again."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.cli.firm import Firm


@pytest.fixture
def back(firm: Firm) -> Firm:
    """Ann was erased, and signed up again."""
    shown = firm.troth("erase", "--email", "ann@example.org", "--json")
    assert firm.troth("erase", "--email", "ann@example.org", "--apply", shown.document["plan"]).code == 0
    firm.change("shop", "INSERT INTO customer VALUES (99, 'ann@example.org', 'Ann', NULL)")
    return firm


def lift(firm: Firm, row: str = "shop.customer=99", reason: str = "signed_up_again") -> int:
    return firm.troth("acknowledge-return", "--id", row, "--reason", reason).code


def test_who_is_back_is_listed_by_row_and_not_by_name(back: Firm) -> None:
    shown = back.troth("acknowledge-return")
    assert shown.code == 1
    assert f"--id shop.customer=99  email, erased {dt.datetime.now(dt.UTC):%Y-%m-%d}" in shown.out
    assert "example.org" not in shown.out + shown.err


def test_a_persons_word_is_on_record_and_nothing_is_left_to_look_at(back: Firm) -> None:
    before = back.everything()
    assert lift(back) == 0
    [entry] = back.entries("return.acknowledged")
    assert (entry["reason"], entry["systems"], entry["actor"]) == ("signed_up_again", 2, "owner")
    [erased] = back.entries("subject.erased")
    assert entry["subject"] == erased["subject"]
    assert back.everything() == before
    assert back.troth("acknowledge-return", "--json").document == {"acknowledged": 0, "rows": []}


def test_who_came_back_can_be_erased_again_and_is_looked_for_again(back: Firm) -> None:
    assert lift(back) == 0
    shown = back.troth("erase", "--email", "ann@example.org", "--json")
    assert back.troth("erase", "--email", "ann@example.org", "--apply", shown.document["plan"]).code == 0
    assert back.rows("customer")[-1][0] == 3
    back.change("shop", "INSERT INTO customer VALUES (99, 'ann@example.org', 'Ann', NULL)")
    assert [row["row"] for row in back.troth("acknowledge-return", "--json").document["rows"]] == ["shop.customer=99"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--id", "shop.customer=2", "--reason", "mistake"), 1, "there is no erased identifier in shop.customer=2"),
        (("--id", "shop.customer=99"), 2, "together"),
        (("--id", "shop.customer=99", "--reason", "she wrote to us"), 2, "one word"),
    ],
)
def test_what_cannot_be_lifted_is_told_and_nothing_is(
    back: Firm, options: tuple[str, ...], code: int, said: str
) -> None:
    answer = back.troth("acknowledge-return", *options)
    assert (answer.code, said in answer.err) == (code, True)
    assert back.entries("return.acknowledged") == []
