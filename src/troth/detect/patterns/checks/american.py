"""Checks of numbers of the Americas."""

from __future__ import annotations

from typing import Final

from troth.detect.patterns.checks.sums import Digits, is_day, is_luhn, of_digits, of_signs, weighted


@of_digits(9)
def us_ssn(it: Digits) -> bool:
    """Rejects areas, groups and serial numbers that the Social Security Administration does not issue."""
    area = it[0] * 100 + it[1] * 10 + it[2]
    return area not in {0, 666} and area < 900 and any(it[3:5]) and any(it[5:])


@of_digits(9)
def us_itin(it: Digits) -> bool:
    """Starts with 9; the fourth and fifth digits are in ranges that the IRS issues (Publication 1915)."""
    group = it[3] * 10 + it[4]
    return it[0] == 9 and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)


_NO_CAMPUS: Final = {0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97}


@of_digits(9)
def us_ein(it: Digits) -> bool:
    """The first two digits are those of an IRS campus."""
    return it[0] * 10 + it[1] not in _NO_CAMPUS


@of_digits(9)
def us_aba(it: Digits) -> bool:
    """Routing number: starts with a Federal Reserve district; weights 3, 7, 1 (ABA, X9)."""
    district = it[0] * 10 + it[1]
    is_given = 1 <= district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80
    return is_given and weighted(it, (3, 7, 1) * 3) % 10 == 0


@of_digits(10)
def us_npi(it: Digits) -> bool:
    """Luhn over the number prefixed with 80840 (CMS, 45 CFR 162.406)."""
    return it[0] in {1, 2} and is_luhn([8, 0, 8, 4, 0, *it])


@of_signs(9)
def us_dea(it: str) -> bool:
    """The odd digits plus twice the even ones sum to the last digit (DEA Form 224)."""
    number = it[2:]
    if not it[0].isalpha() or not number.isdecimal():
        return False
    return weighted([int(digit) for digit in number], (1, 2, 1, 2, 1, 2)) % 10 == int(number[6])


@of_digits(9)
def ca_sin(it: Digits) -> bool:
    """Luhn; does not start with 0 or 8 (Service Canada)."""
    return it[0] not in {0, 8} and is_luhn(it)


@of_digits(11)
def br_cpf(it: Digits) -> bool:
    """Two modulus 11 check digits; eleven equal digits would pass, but are not issued (Receita Federal)."""
    first = -weighted(it, range(10, 1, -1)) % 11 % 10
    second = -weighted(it, range(11, 1, -1)) % 11 % 10
    return len(set(it)) > 1 and (it[9], it[10]) == (first, second)


@of_digits(14)
def br_cnpj(it: Digits) -> bool:
    """Two modulus 11 check digits (Receita Federal)."""
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    first, second = (-weighted(it, of) % 11 % 10 for of in (weights[1:], weights))
    return any(it) and (it[12], it[13]) == (first, second)


@of_digits(11)
def ar_cuit(it: Digits) -> bool:
    """CUIT and CUIL: modulus 11 (AFIP)."""
    known = it[0] * 10 + it[1] in {20, 23, 24, 25, 26, 27, 30, 33, 34}
    return known and weighted(it, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


@of_signs(8, 9)
def cl_rut(it: str) -> bool:
    """Modulus 11, with 10 written as K (Servicio de Registro Civil)."""
    if not it[:-1].isdecimal() or not int(it[:-1]):
        return False
    total = weighted([int(digit) for digit in it[-2::-1]], (2, 3, 4, 5, 6, 7, 2, 3))
    return it[-1] == "0123456789K"[-total % 11]


@of_digits(9, 10)
def co_nit(it: Digits) -> bool:
    """Modulus 11 over primes; remainders 0 and 1 are written as they are (DIAN)."""
    total = weighted(it[-2::-1], (3, 7, 13, 17, 19, 23, 29, 37, 41)) % 11
    return any(it) and it[-1] == (total if total < 2 else 11 - total)


@of_digits(10)
def ec_cedula(it: Digits) -> bool:
    """A province code, and Luhn (Registro Civil)."""
    province = it[0] * 10 + it[1]
    return (1 <= province <= 24 or province == 30) and it[2] < 6 and is_luhn(it)


@of_digits(11)
def pe_ruc(it: Digits) -> bool:
    """Modulus 11 (SUNAT)."""
    known = it[0] * 10 + it[1] in {10, 15, 16, 17, 20}
    return known and (11 - weighted(it, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 10 == it[10]


@of_digits(7, 8)
def uy_ci(it: Digits) -> bool:
    """Weights 2, 9, 8, 7, 6, 3, 4 (Dirección Nacional de Identificación Civil)."""
    eight = [*[0] * (8 - len(it)), *it]
    return any(it) and -weighted(eight, (2, 9, 8, 7, 6, 3, 4)) % 10 == eight[7]


_CURP: Final = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_RFC: Final = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"


def _is_mexican_date(it: str) -> bool:
    return it.isdecimal() and is_day(int(it[2:4]), int(it[4:6]))


@of_signs(18)
def mx_curp(it: str) -> bool:
    """A date, and modulus 10 over positions in an alphabet with Ñ (RENAPO)."""
    total = weighted([_CURP.find(sign) for sign in it[:17]], range(18, 1, -1))
    return _is_mexican_date(it[4:10]) and it[17] == str(-total % 10)


@of_signs(12, 13)
def mx_rfc(it: str) -> bool:
    """A date, and modulus 11 with 10 written as A (SAT)."""
    padded = it.rjust(13)
    total = weighted([_RFC.find(sign) for sign in padded[:12]], range(13, 1, -1))
    return _is_mexican_date(padded[4:10]) and it[-1] == "0123456789A"[-total % 11]
