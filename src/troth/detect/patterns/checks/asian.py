"""Checks of numbers of Asia."""

from __future__ import annotations

from troth.detect.patterns.checks.sums import (
    Digits,
    is_day,
    is_luhn,
    is_verhoeff,
    numbered,
    of_digits,
    of_signs,
    weighted,
)


@of_digits(12)
def in_aadhaar(it: Digits) -> bool:
    """Verhoeff; does not start with 0 or 1 and is not a palindrome (UIDAI)."""
    return it[0] > 1 and list(it) != list(reversed(it)) and is_verhoeff(it)


@of_signs(10)
def in_pan(it: str) -> bool:
    """The fourth letter is a type of holder: a person, a company … (Income Tax Department)."""
    return it[3] in "ABCFGHJLPT" and it[5:9] != "0000"


@of_signs(15)
def in_gstin(it: str) -> bool:
    """Modulus 36 over the state, the PAN and the entity (GST Network)."""
    total = sum(sum(divmod(number * (1 + at % 2), 36)) for at, number in enumerate(numbered(it[:14])))
    return int(it[14], 36) == -total % 36


@of_signs(9)
def sg_nric(it: str) -> bool:
    """Weights 2, 7, 6, 5, 4, 3, 2, with a row of check letters per series (ICA)."""
    if not it[1:8].isdecimal():
        return False
    total = weighted([int(digit) for digit in it[1:8]], (2, 7, 6, 5, 4, 3, 2))
    if it[0] == "M":
        return it[8] == "KLJNPQRTUWX"[10 - (total + 3) % 11]
    offset = 4 * (it[0] in "TG")
    row = "JZIHGFEDCBA" if it[0] in "ST" else "XWUTRQPNMLK"
    return it[0] in "STFG" and it[8] == row[(total + offset) % 11]


@of_signs(9, 10)
def sg_uen(it: str) -> bool:
    """Formats for businesses and local companies (ACRA)."""
    if not it[:-1].isdecimal():
        return False
    digits = [int(digit) for digit in it[:-1]]
    if len(it) == 9:
        return it[8] == "XMKECAWLJDB"[weighted(digits, (10, 4, 9, 3, 8, 2, 7, 1)) % 11]
    return it[9] == "ZKCMDNERGWH"[weighted(digits, (10, 8, 6, 4, 9, 7, 5, 3, 1)) % 11]


@of_signs(8, 9)
def hk_hkid(it: str) -> bool:
    """Modulus 11, with a missing first letter counted as 36, and 10 written as A (Immigration Department)."""
    letters, number = it[:-7], it[-7:-1]
    if not (letters.isalpha() and number.isdecimal() and it[-1] in "0123456789A"):
        return False
    signs = [36] * (2 - len(letters)) + numbered(letters + number + it[-1])
    return weighted(signs, range(9, 0, -1)) % 11 == 0


@of_signs(10)
def tw_id(it: str) -> bool:
    """A county letter, a sex digit, and weights 1, 9, 8 … (Ministry of the Interior)."""
    county = "ABCDEFGHJKLMNPQRSTUVXYWZIO".find(it[0]) + 10
    if county < 10 or not it[1:].isdecimal() or it[1] not in "1289":
        return False
    return (weighted([*divmod(county, 10), *map(int, it[1:])], (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


@of_digits(13)
def kr_rrn(it: Digits) -> bool:
    """A date and a sex digit; numbers issued since October 2020 have no check digit (Resident Registration Act)."""
    return 1 <= it[6] <= 8 and is_day(it[2] * 10 + it[3], it[4] * 10 + it[5])


@of_digits(10)
def kr_brn(it: Digits) -> bool:
    """Business registration number: weights 1, 3, 7 (National Tax Service)."""
    total = weighted(it, (1, 3, 7, 1, 3, 7, 1, 3, 5)) + it[8] * 5 // 10
    return any(it) and -total % 10 == it[9]


@of_digits(12)
def jp_my_number(it: Digits) -> bool:
    """Modulus 11, with 10 and 11 written as 0 (Ministerial Ordinance 85 of 2014, article 5)."""
    rest = weighted(it, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return any(it) and it[11] == (0 if rest <= 1 else 11 - rest)


@of_signs(18)
def cn_resident(it: str) -> bool:
    """A date, and ISO 7064 MOD 11-2 (GB 11643-1999)."""
    if not it[:17].isdecimal() or it[6:8] not in {"18", "19", "20"} or not is_day(int(it[10:12]), int(it[12:14])):
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return it[17] == "10X98765432"[weighted([int(digit) for digit in it[:17]], weights) % 11]


@of_digits(13)
def th_national(it: Digits) -> bool:
    """Modulus 11 (Department of Provincial Administration)."""
    return 1 <= it[0] <= 8 and (11 - weighted(it, range(13, 1, -1)) % 11) % 10 == it[12]


@of_digits(9)
def il_id(it: Digits) -> bool:
    """Luhn (Population and Immigration Authority)."""
    return any(it) and is_luhn(it)


@of_digits(15)
def ae_emirates_id(it: Digits) -> bool:
    """784, a year of birth, and Luhn (ICP)."""
    return list(it[:3]) == [7, 8, 4] and it[3] in {1, 2} and is_luhn(it)


@of_digits(10)
def sa_id(it: Digits) -> bool:
    """1 for citizens, 2 for residents, and Luhn (Ministry of Interior)."""
    return it[0] in {1, 2} and is_luhn(it)


@of_digits(12)
def my_nric(it: Digits) -> bool:
    """A date, and a place of birth (Jabatan Pendaftaran Negara)."""
    place = it[6] * 10 + it[7]
    return is_day(it[2] * 10 + it[3], it[4] * 10 + it[5]) and place not in {0, 17, 18, 19, 20, 69, 70, 73, 80, 81, 94}


@of_digits(16)
def id_nik(it: Digits) -> bool:
    """A province code, then a date, with 40 added to the day for women (Dukcapil)."""
    return 11 <= it[0] * 10 + it[1] <= 97 and is_day(it[8] * 10 + it[9], (it[6] * 10 + it[7]) % 40) and any(it[12:])
