"""Card numbers: what is one, and how little of one is shown."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.protect import Pan, Sealed, TokenRefused
from troth.protect.tokens.cards import BRANDS, TRUNCATIONS, brand_of, looks_like_card, luhn, shown_first_max

from .conftest import pans, passes_luhn, with_check_digit

VISA = "4111111111111111"
AMEX = "378282246310005"


@given(st.text("0123456789", min_size=1, max_size=30))
def test_luhn_is_nought_for_fitting_check_digits_alone(digits: str) -> None:
    assert (luhn(digits) == 0) == passes_luhn(digits)
    assert luhn(with_check_digit(digits)) == 0


@given(pans)
def test_a_card_shows_its_last_four_digits_alone(digits: str) -> None:
    pan = Pan(digits)
    hidden = "•" * (len(digits) - 4) + digits[-4:]
    assert str(pan) == f"{pan}" == pan.masked() == hidden
    assert repr(pan) == f"Pan({hidden})"
    assert pan.last4 == digits[-4:]
    assert pan.reveal() == digits


@pytest.mark.parametrize("show", [repr, str, "{:>30}".format, "%s".__mod__, lambda pan: f"{[pan]}{ {'card': pan} }"])
def test_nothing_prints_the_middle_of_a_card(show: Callable[[object], str]) -> None:
    assert "11111" not in show(Pan(VISA))
    assert "1111" in show(Pan(VISA))


@pytest.mark.parametrize("dump", [pickle.dumps, json.dumps, hash])
def test_a_card_is_not_dumped_by_accident(dump: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        dump(Pan(VISA))
    assert copy.deepcopy(Pan(VISA)) == Pan(VISA) != Pan(AMEX)
    assert isinstance(Pan(VISA), Sealed)


def test_a_log_and_a_traceback_hold_the_mask(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("shop").warning("paid with %s", Pan(VISA))
    assert VISA not in caplog.text
    assert "••1111" in caplog.text


@pytest.mark.parametrize(
    ("digits", "first", "masked"),
    [
        (VISA, 6, "411111••••••1111"),
        (VISA, 8, "41111111••••1111"),
        (AMEX, 6, "378282•••••0005"),
        ("30569309025904", 6, "305693••••5904"),
        ("6212345678900000003", 6, "621234•••••••••0003"),
    ],
)
def test_a_bin_is_shown_where_it_is_asked_for(digits: str, first: int, masked: str) -> None:
    assert Pan(digits).masked(first=first) == masked


@pytest.mark.parametrize(
    ("digits", "first", "most"),
    [(AMEX, 8, 6), ("30569309025904", 8, 6), ("6212345678900000003", 8, 6), ("4222222222222", 6, 0)],
)
def test_more_than_the_brand_allows_is_refused(digits: str, first: int, most: int) -> None:
    with pytest.raises(TokenRefused, match=f"at most the first {most} digits"):
        Pan(digits).masked(first=first)


@pytest.mark.parametrize("first", [-1, 1, 4, 7, 9, 12])
def test_other_parts_of_a_card_are_never_shown(first: int) -> None:
    with pytest.raises(TokenRefused, match="first 0, 6 or 8 digits"):
        Pan(VISA).masked(first=first)


@given(pans)
def test_at_least_four_digits_of_a_card_are_always_hidden(digits: str) -> None:
    """FAQ 1091: at least 4 of 16 digits, 5 of 15; Luhn gives one more away to who knows all the others."""
    most = shown_first_max(digits)
    assert most in (0, 6, 8)
    assert len(digits) - most - 4 >= (5 if len(digits) == 15 else 4)


def test_every_length_has_a_truncation_whatever_the_brand() -> None:
    for length in range(12, 20):
        assert shown_first_max("9" * length) in (0, 6)
    assert all(rule.source for rule in TRUNCATIONS)
    assert {name for rule in TRUNCATIONS for name in rule.brands} <= {brand.name for brand in BRANDS}


@each_row(
    ("digits", "brand"),
    [
        (VISA, "Visa"),
        (AMEX, "American Express"),
        ("5555555555554444", "Mastercard"),
        ("2223003122003222", "Mastercard"),
        ("6011111111111117", "Discover"),
        ("30569309025904", "Diners Club"),
        ("3530111333300000", "JCB"),
        ("6212345678901265", "UnionPay"),
        ("2720999999999996", "Mastercard"),
        ("2721000000000004", None),
        ("1111111111111117", None),
        ("41111111111111", None),
    ],
)
def test_the_brand_of_a_card(digits: str, brand: str | None) -> None:
    """Numbers that the brands publish for tests."""
    assert brand_of(digits) == brand
    assert looks_like_card(digits) == (brand is not None)
    assert not looks_like_card(digits[:-1] + str((int(digits[-1]) + 1) % 10))


@each_row(
    ("value", "says"),
    [
        ("4111111111111112", "check digit is wrong"),
        ("41111111111", "has 12 to 19 digits, but this has 11"),
        ("4" * 20, "but this has 20"),
        ("", "only digits 0 to 9"),
        ("4111 1111 1111 1111", "without spaces or hyphens"),
        ("٤١١١١١١١١١١١١١١١", "only digits 0 to 9"),
        ("４１１１１１１１１１１１１１１１", "only digits 0 to 9"),
        ("411111111111111²", "only digits 0 to 9"),
        (VISA + "\n", "only digits 0 to 9"),
        (4111111111111111, "only digits 0 to 9"),
        (None, "only digits 0 to 9"),
    ],
)
def test_what_is_no_card_is_refused_without_being_said(value: str, says: str) -> None:
    with pytest.raises(TokenRefused, match=says) as refused:
        Pan(value)
    told = "".join(traceback.format_exception_only(refused.value)) + repr(refused.value)
    assert not value or str(value).strip() not in told
