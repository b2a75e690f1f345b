"""Checks of numbers of the Nordic and Baltic countries."""

from __future__ import annotations

from troth.detect.patterns.checks.sums import Digits, is_day, is_luhn, of_digits, of_signs, weighted


def _is_dated(it: Digits, *, century: bool = False) -> bool:
    """True if the number starts with day, month and year."""
    return is_day(it[2] * 10 + it[3], it[0] * 10 + it[1]) and (not century or it[-1] in {0, 8, 9})


@of_digits(10, 12)
def se_personnummer(it: Digits) -> bool:
    """Luhn over the last ten digits; a co-ordination number has 60 added to the day (Skatteverket, SKV 704)."""
    ten = it[-10:]
    return is_day(ten[2] * 10 + ten[3], (ten[4] * 10 + ten[5]) % 60) and is_luhn(ten)


@of_digits(11)
def no_fodselsnummer(it: Digits) -> bool:
    """Two modulus 11 check digits; a D number has 40 added to the day (Skatteetaten)."""
    return (
        is_day((it[2] * 10 + it[3]) % 40, (it[0] * 10 + it[1]) % 40)
        and weighted(it, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and weighted(it, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


@of_digits(10)
def dk_cpr(it: Digits) -> bool:
    """A date only: numbers issued since 2007 need not satisfy modulus 11 (CPR-kontoret)."""
    return _is_dated(it)


@of_digits(10)
def dk_cpr_mod11(it: Digits) -> bool:
    """A date and modulus 11, as nearly all numbers issued before 2007."""
    return _is_dated(it) and weighted(it, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


@of_signs(10, 11)
def fi_hetu(it: str) -> bool:
    """The date and the serial number modulo 31 (Digital and Population Data Services Agency)."""
    number = it[:6] + it[-4:-1]
    if not number.isdecimal():
        return False
    return is_day(int(it[2:4]), int(it[:2])) and it[-1] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number) % 31]


@of_digits(10)
def is_kennitala(it: Digits) -> bool:
    """A date, modulus 11 and the century (Þjóðskrá)."""
    return _is_dated(it, century=True) and weighted(it, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


@of_digits(11)
def ee_isikukood(it: Digits) -> bool:
    """Estonia and Lithuania: modulus 11, with a second row of weights if the first gives 10 (EVS 585)."""
    last = weighted(it, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if last == 10:
        last = weighted(it, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return 1 <= it[0] <= 8 and is_day(it[3] * 10 + it[4], it[5] * 10 + it[6]) and it[10] == last


@of_digits(11)
def lv_personas_kods(it: Digits) -> bool:
    """Numbers issued since 2017 start with 32 or higher and have no check digit; older ones have a date and modulus
    11."""
    if it[0] == 3 and it[1] >= 2:
        return True
    return _is_dated(it) and (1101 - weighted(it, (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11 == it[10]
