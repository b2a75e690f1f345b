"""Checks of numbers that no one country gives out."""

from __future__ import annotations

from troth.detect.written.checks.sums import Digits, is_luhn, numbered, of_digits, of_signs

__all__ = ["iban", "imei", "luhn"]


@of_digits(*range(2, 40))
def luhn(it: Digits) -> bool:
    """ISO/IEC 7812-1, annex B."""
    return is_luhn(it)


@of_signs(*range(15, 35))
def iban(it: str) -> bool:
    """ISO 13616: the country and the check digits moved to the end, modulo 97."""
    return int("".join(map(str, numbered(it[4:] + it[:4])))) % 97 == 1


@of_digits(15)
def imei(it: Digits) -> bool:
    """3GPP TS 23.003: Luhn, and not all zeroes."""
    return any(it) and is_luhn(it)
