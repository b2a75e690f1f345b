"""Checks of international numbers."""

from __future__ import annotations

import string
from typing import Final

from troth.detect.patterns.checks.sums import Digits, is_luhn, of_digits, of_signs, weighted


@of_digits(*range(2, 40))
def luhn(it: Digits) -> bool:
    """ISO/IEC 7812-1, annex B."""
    return is_luhn(it)


_NUMBERED: Final = str.maketrans({letter: str(ord(letter) - 55) for letter in string.ascii_uppercase})


_IBAN_COUNTRIES: Final = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "AO CV GW LY MZ PT ST",
    26: "DZ IR IS TR",
    27: "BI CF CG CM DJ FR GA GR IT KM MC MG MR SM TD",
    28: "AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN TG",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
"""The length of each country's numbers, by the IBAN registry of SWIFT, and of those that use such numbers without being
in it (AO, BF, BJ, CF, CG, CI, CM, CV, DZ, GA, GW, IR, KM, MA, MG, ML, MZ, NE, SN, TD, TG)."""
_IBAN_LENGTHS: Final = {it: length for length, countries in _IBAN_COUNTRIES.items() for it in countries.split()}


@of_signs(*_IBAN_COUNTRIES)
def iban(it: str) -> bool:
    """ISO 13616: the length of the country, and modulo 97 with country and check digits moved to the end."""
    return _IBAN_LENGTHS.get(it[:2]) == len(it) and int((it[4:] + it[:4]).translate(_NUMBERED)) % 97 == 1


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
