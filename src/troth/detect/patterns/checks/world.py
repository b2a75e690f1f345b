"""Checks of international numbers."""

from __future__ import annotations

import string
from functools import cache
from typing import Final

from troth.data_files import read_toml
from troth.detect.patterns.checks.sums import Digits, is_luhn, of_digits, of_signs, weighted


@of_digits(*range(2, 40))
def luhn(it: Digits) -> bool:
    """ISO/IEC 7812-1, annex B."""
    return is_luhn(it)


_NUMBERED: Final = str.maketrans({letter: str(ord(letter) - 55) for letter in string.ascii_uppercase})


@cache
def _iban_lengths() -> dict[str, int]:
    """The length of each country's numbers."""
    lengths = read_toml(__package__, "numbers.toml")["iban"].items()
    return {country: int(length) for length, countries in lengths for country in countries.split()}


@of_signs(*range(15, 34))
def iban(it: str) -> bool:
    """ISO 13616: the length of the country, and modulo 97 with country and check digits moved to the end."""
    return _iban_lengths().get(it[:2]) == len(it) and int((it[4:] + it[:4]).translate(_NUMBERED)) % 97 == 1


@of_digits(15)
def imei(it: Digits) -> bool:
    """3GPP TS 23.003: Luhn, and not all zeros."""
    return any(it) and is_luhn(it)


_VIN: Final = {
    sign: int(value) for sign, value in zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True)
}


@of_signs(17)
def vin(it: str) -> bool:
    """Modulus 11 with the check digit in ninth position, required in North America (49 CFR 565.15)."""
    numbers = [int(sign) if sign.isdecimal() else _VIN.get(sign, 0) for sign in it]
    total = weighted(numbers, (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return it[0] != "0" and it[8] == "0123456789X"[total]
