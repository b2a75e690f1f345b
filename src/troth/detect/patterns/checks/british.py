"""Checks of numbers of the United Kingdom and Ireland."""

from __future__ import annotations

from functools import cache

from troth.data_files import read_toml
from troth.detect.patterns.checks.sums import Digits, is_day, of_digits, of_signs, weighted


@of_signs(9)
def gb_nino(it: str) -> bool:
    """Rejects prefixes never issued, https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110."""
    return it[:2].isalpha() and it[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


@of_digits(10)
def gb_nhs(it: Digits) -> bool:
    """Modulus 11 according to the NHS Data Dictionary; numbers that would need the check digit 10 are not issued."""
    return len(set(it)) > 1 and weighted(it, range(10, 0, -1)) % 11 == 0


@of_digits(10)
def gb_utr(it: Digits) -> bool:
    """Modulus 11 with a leading check digit, according to HMRC's specification of its forms."""
    return it[0] == int("21987654321"[weighted(it[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11])


@of_signs(16, 18)
def gb_driving_licence(it: str) -> bool:
    """Surname, decade, month (plus 50 for women), day, year, initials, as in DVLA's INF45P."""
    born = it[6:10]
    return born.isdecimal() and is_day(int(born[:2]) % 50, int(born[2:])) and int(born[:2]) <= 62


@of_signs(7)
def gb_plate(it: str) -> bool:
    """The age identifier of a current registration: the last two digits of the year, plus 50 from September
    (INF104)."""
    return it[2:4].isdecimal() and (2 <= int(it[2:4]) <= 50 or 51 <= int(it[2:4]) <= 99)


@of_signs(5, 6, 7)
def gb_postcode(it: str) -> bool:
    """The leading letters are an existing postcode area (Royal Mail, Postcode Address File)."""
    return it[: 2 if it[1].isalpha() else 1] in _postcode_areas()


@cache
def _postcode_areas() -> frozenset[str]:
    return frozenset(read_toml(__package__, "numbers.toml")["postcode_areas"])


@of_digits(9, 12)
def gb_vat(it: Digits) -> bool:
    """Modulus 97, or since 2010 modulus 97 with 55 added (HMRC, VAT registration numbers)."""
    total = weighted(it, (8, 7, 6, 5, 4, 3, 2)) + it[7] * 10 + it[8]
    return any(it) and (total % 97 == 0 or (total + 55) % 97 == 0)


@of_signs(8, 9)
def ie_pps(it: str) -> bool:
    """Modulus 23, with a second letter weighted by nine (Department of Social Protection, PPS number)."""
    if not it[:7].isdecimal():
        return False
    second = "WABCDEFGHIJKLMNOPQRSTUV".find(it[8:] or "W")
    total = weighted([int(digit) for digit in it[:7]], range(8, 1, -1)) + 9 * second
    return second >= 0 and it[7] == "WABCDEFGHIJKLMNOPQRSTUV"[total % 23]
