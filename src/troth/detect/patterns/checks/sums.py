"""Check digit arithmetic, and the decorators that make checks.

A check takes a value as written, including spaces. It never raises; a wrong length is False.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Callable, Sequence
from typing import Final

Check = Callable[[str], bool]
Digits = Sequence[int]


_NO_DIGITS: Final = bytes(it for it in range(256) if chr(it) not in string.digits)
_NO_SIGNS: Final = bytes(it for it in range(256) if chr(it) not in string.digits + string.ascii_letters)


def digits_of(value: str) -> str:
    """Only the digits of a value as folded by `FoldedText`."""
    return value.encode("ascii", "ignore").translate(None, _NO_DIGITS).decode()


def of_digits(*lengths: int) -> Callable[[Callable[[Digits], bool]], Check]:
    """Makes a check from a function of the value's digits, which is called only for these lengths."""

    def made(function: Callable[[Digits], bool]) -> Check:
        @functools.wraps(function)
        def check(value: str) -> bool:
            digits = digits_of(value)
            return len(digits) in lengths and function([*map(int, digits)])

        return check

    return made


def of_signs(*lengths: int) -> Callable[[Callable[[str], bool]], Check]:
    """Makes a check from a function of the value's ASCII letters (in upper case) and digits."""

    def made(function: Callable[[str], bool]) -> Check:
        @functools.wraps(function)
        def check(value: str) -> bool:
            signs = value.encode("ascii", "ignore").translate(None, _NO_SIGNS).decode().upper()
            return len(signs) in lengths and function(signs)

        return check

    return made


def weighted(digits: Digits, weights: Sequence[int]) -> int:
    """The weighted sum of the digits, up to the shorter length."""
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def numbered(signs: str) -> list[int]:
    """Digits as themselves, and letters as 10 to 35."""
    return [int(it, 36) for it in signs]


_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_luhn(digits: Digits) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right is doubled and replaced by its digit sum."""
    plain, doubled = digits[-1::-2], digits[-2::-2]
    return (sum(plain) + sum(map(_DOUBLED.__getitem__, doubled))) % 10 == 0


def remainder_11_10(digits: Digits) -> int:
    """The check digit of ISO/IEC 7064, MOD 11,10, for the digits before it."""
    product = 10
    for digit in digits:
        product = ((product + digit) % 10 or 10) * 2 % 11
    return (11 - product) % 10


# Verhoeff, Error Detecting Decimal Codes, Mathematical Centre Tract 29 (1969): the dihedral group of order ten.
_TURNED: Final = tuple(int(it) for it in "1576283094")


def _product(first: int, other: int) -> int:
    turned = first % 5 + other % 5 if first < 5 else first % 5 - other % 5
    return turned % 5 + 5 * ((first < 5) != (other < 5))


def is_verhoeff(digits: Digits) -> bool:
    """True if the last digit is the Verhoeff check digit of those before it."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        turned = digit
        for _ in range(at % 8):
            turned = _TURNED[turned]
        total = _product(total, turned)
    return total == 0


_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_day(month: int, day: int) -> bool:
    """True if the day exists in some year: most numbers have no century, so 29 February must pass."""
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]
