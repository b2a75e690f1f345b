"""Checks of numbers of Australia, New Zealand and South Africa."""

from __future__ import annotations

from troth.detect.patterns.checks.sums import Digits, is_day, is_luhn, of_digits, of_signs, weighted


@of_digits(8, 9)
def au_tfn(it: Digits) -> bool:
    """Modulus 11 (Australian Taxation Office)."""
    weights = (10, 7, 8, 4, 6, 3, 5, 1) if len(it) == 8 else (1, 4, 3, 7, 5, 8, 6, 9, 10)
    return any(it) and weighted(it, weights) % 11 == 0


@of_digits(11)
def au_abn(it: Digits) -> bool:
    """Modulus 89, with the first digit reduced by one (Australian Business Register)."""
    return it[0] != 0 and (weighted(it, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0


@of_digits(9)
def au_acn(it: Digits) -> bool:
    """Modulus 10 (ASIC)."""
    return any(it) and -weighted(it, range(8, 0, -1)) % 10 == it[8]


@of_digits(10, 11)
def au_medicare(it: Digits) -> bool:
    """Weights 1, 3, 7, 9, before the issue number and the person number (Services Australia)."""
    return 2 <= it[0] <= 6 and weighted(it, (1, 3, 7, 9) * 2) % 10 == it[8]


@of_digits(16)
def au_ihi(it: Digits) -> bool:
    """Individual healthcare identifier: 800360 and Luhn (Services Australia)."""
    return list(it[:6]) == [8, 0, 0, 3, 6, 0] and is_luhn(it)


@of_digits(8, 9)
def nz_ird(it: Digits) -> bool:
    """Modulus 11, with a second row of weights if the first gives 10 (Inland Revenue)."""
    nine = [*[0] * (9 - len(it)), *it]
    last = -weighted(nine, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    if last == 10:
        last = -weighted(nine, (7, 4, 3, 2, 5, 2, 7, 6)) % 11
    return any(it[:2]) and nine[8] == last


@of_signs(7)
def nz_nhi(it: str) -> bool:
    """Modulus 11, or 24 in the form that ends in a letter; letters without I and O (HISO 10046)."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    total = sum((letters.find(sign) + 1 if sign.isalpha() else int(sign)) * (7 - at) for at, sign in enumerate(it[:6]))
    if it[6].isdecimal():
        return total % 11 != 0 and int(it[6]) == -total % 11 % 10
    return it[6] == letters[(24 - total % 24 or 24) - 1]


@of_digits(13)
def za_id(it: Digits) -> bool:
    """A date, citizenship, and Luhn (Department of Home Affairs)."""
    return is_day(it[2] * 10 + it[3], it[4] * 10 + it[5]) and it[10] in {0, 1, 2} and is_luhn(it)
