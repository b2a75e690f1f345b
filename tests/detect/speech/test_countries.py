"""Values that are said: only those of the countries that are asked for, and of none."""

from __future__ import annotations

import pytest

from troth.detect import Detector

NINO = "my national insurance number is A B one two three four five six C"
SSN = "my social security number is five one nine, two one, four three two one"
CARD = "the card is four one one one, one one one one, one one one one, one one one one"
PASSPORT = "my passport number is five three one double two oh one eight six"


def _types(text: str, *countries: str) -> list[str]:
    return [it.type for it in Detector(names=False, countries=countries or None).find(text)]


@pytest.mark.parametrize(("text", "country", "other"), [(NINO, "GB", "US"), (SSN, "US", "GB")], ids=["gb", "us"])
def test_numbers_of_other_countries_are_not_heard(text: str, country: str, other: str) -> None:
    assert _types(text) == _types(text, country) == _types(text, country, other) != []
    assert _types(text, other) == []


def test_what_is_of_no_country_is_heard_in_each() -> None:
    assert _types(CARD, "FI") == ["CREDIT_CARD"]


def test_what_every_country_asks_for_alike_is_not_lost() -> None:
    assert _types(PASSPORT, "GB") == ["UK_PASSPORT"]
    assert _types(PASSPORT, "US") == ["PASSPORT"]
    assert _types("the licence plate is A B one two C D E", "DE") == ["VEHICLE_REGISTRATION"]
