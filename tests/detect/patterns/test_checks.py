"""Check digits: published numbers agree, and the same numbers with one digit wrong do not."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.detect.patterns.checks import CHECKS, checks_in, forms

_PUBLISHED: Final[dict[str, list[str]]] = json.loads(
    (Path(__file__).parents[2] / "vectors/identifiers/published.json").read_text("utf-8")
)
_EACH: Final = [(name, value) for name, values in _PUBLISHED.items() for value in values]
# What the algorithm lets pass, by its own rules: a remainder of 10 written as 0 or 1, a key that is not looked at.
_FORGIVING: Final = {"gb_postcode", "eu_vat", "gb_driving_licence", "au_medicare", "fr_spi", "ru_snils"}


@each_row(("name", "value"), _EACH)
def test_published_numbers_agree(name: str, value: str) -> None:
    assert CHECKS[name](value)


@each_row(("name", "value"), [it for it in _EACH if it[0] not in _FORGIVING])
def test_nearly_every_wrong_digit_is_noticed(name: str, value: str) -> None:
    wrong = [
        value[:at] + digit + value[at + 1 :]
        for at, was in enumerate(value)
        for digit in "0123456789"
        if was.isdecimal() and was != digit
    ]
    missed = [it for it in wrong if CHECKS[name](it)]
    assert len(missed) <= len(wrong) / 9


def test_an_account_number_is_as_long_as_those_of_its_country() -> None:
    def with_right_digits(country: str, length: int) -> str:
        account = "1" * (length - 4)
        digits = "".join(str(ord(letter) - 55) for letter in country)
        return f"{country}{98 - int(f'{account}{digits}00') % 97:02}{account}"

    for country, lengths in {"DE": [22], "NO": [15], "ZZ": []}.items():
        assert [it for it in range(15, 35) if CHECKS["iban"](with_right_digits(country, it))] == lengths


def test_references_in_hexadecimal_are_no_account_numbers() -> None:
    chance = random.Random(13)
    for digits in (24, 32, 40):
        references = [f"{chance.getrandbits(4 * digits):0{digits}x}" for _ in range(20_000)]
        assert sum(map(CHECKS["iban"], references)) <= (2 if digits == 24 else 0)


@each_row("name", ["in_aadhaar", "iban", "nl_bsn", "gb_nhs", "cn_resident", "br_cpf", "pl_nip", "fi_hetu"])
def test_two_neighbours_that_changed_places_are_noticed(name: str) -> None:
    value = _PUBLISHED[name][0]
    swapped = {
        value[:at] + value[at + 1] + value[at] + value[at + 2 :]
        for at in range(len(value) - 1)
        if value[at].isdecimal() and value[at + 1].isdecimal()
    } - {value}
    assert [it for it in swapped if CHECKS[name](it)] == []


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("dk_cpr", "311299-0000", "321299-0000"),
        ("es_nuss", "28/12345678/40", "28/12345678/41"),
        ("gb_nino", "AB123456C", "BG123456C"),
        ("gb_postcode", "EC1A 1BB", "QC1A 1BB"),
        ("gb_plate", "AB12 CDE", "AB01 CDE"),
        ("gr_amka", "01018012342", "01018012343"),
        ("hu_szemelyi_szam", "1-800101-1233", "1-800101-1234"),
        ("hu_taj", "123 456 788", "123 456 789"),
        ("id_nik", "3171 0141 0180 0001", "3171 0141 1380 0001"),
        ("in_pan", "AAAPL1234C", "AAAXL1234C"),
        ("kr_rrn", "800101-1234567", "801301-1234567"),
        ("luhn", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("my_nric", "800101-14-5678", "800101-00-5678"),
        ("sa_id", "1012345672", "3012345672"),
        ("th_national", "1-1017-00230-70-8", "1-1017-00230-70-9"),
        ("ae_emirates_id", "784-1985-1234567-3", "784-1985-1234567-4"),
        ("us_ein", "12-3456789", "07-3456789"),
        ("us_itin", "912-70-1234", "912-69-1234"),
        ("us_ssn", "219-45-0001", "666-45-0001"),
        ("us_ssn", "219-45-0001", "900-45-0001"),
        ("us_ssn", "219-45-0001", "219-00-0001"),
        ("us_ssn", "219-45-0001", "219-45-0000"),
    ],
)
def test_numbers_that_are_never_given_out_are_refused(name: str, right: str, wrong: str) -> None:
    assert CHECKS[name](right)
    assert not CHECKS[name](wrong)


def test_every_check_digit_has_a_known_answer() -> None:
    marks = test_numbers_that_are_never_given_out_are_refused.pytestmark  # type: ignore[attr-defined]
    assert set(CHECKS) - set(checks_in(forms)) == {*_PUBLISHED, *(name for name, *_ in marks[0].args[1])}


@given(st.text(max_size=20) | st.text("0123456789AXZ -", max_size=20), st.sampled_from(sorted(CHECKS)))
def test_no_text_makes_a_check_raise(value: str, name: str) -> None:
    assert CHECKS[name](value) in {True, False}


@pytest.mark.parametrize("number", ["0000", "000000000", "00000000000", "0000000000000"])
def test_zeroes_are_nobodys_number(number: str) -> None:
    passed = {name for name, check in CHECKS.items() if check(number)}
    assert passed - set(checks_in(forms)) <= {"luhn", "ch_ahv"}
