"""Checks of numbers of central, eastern and south-eastern Europe, and of Turkey."""

from __future__ import annotations

from troth.detect.patterns.checks.sums import (
    Digits,
    is_day,
    is_luhn,
    numbered,
    of_digits,
    of_signs,
    remainder_11_10,
    weighted,
)


@of_digits(11)
def pl_pesel(it: Digits) -> bool:
    """Weights 1, 3, 7, 9; the century is encoded in the month in steps of 20 (Ustawa o ewidencji ludności)."""
    return is_day((it[2] * 10 + it[3]) % 20, it[4] * 10 + it[5]) and (
        weighted(it, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0
    )


@of_digits(10)
def pl_nip(it: Digits) -> bool:
    """Modulus 11 (Ministerstwo Finansów)."""
    return any(it) and weighted(it, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == it[9]


@of_signs(9)
def pl_id_card(it: str) -> bool:
    """Weights 7, 3, 1, with the check digit after the three letters (ICAO Doc 9303)."""
    return it[:3].isalpha() and it[3:].isdecimal() and weighted(numbered(it), (7, 3, 1, 9, 7, 3, 1, 7, 3)) % 10 == 0


@of_digits(9, 10)
def cz_rodne_cislo(it: Digits) -> bool:
    """Czech and Slovak: ten digits are a multiple of 11; nine were issued until 1953 (Zákon 133/2000 Sb.)."""
    is_born = is_day((it[2] * 10 + it[3]) % 50 % 20, it[4] * 10 + it[5])
    number = int("".join(map(str, it)))
    return is_born and (len(it) == 9 or number % 11 == 0 or (it[9] == 0 and number // 10 % 11 == 10))


@of_digits(10)
def hu_adoazonosito(it: Digits) -> bool:
    """Tax number: an 8, then modulus 11 (1996. évi XX. törvény)."""
    return it[0] == 8 and weighted(it, range(1, 10)) % 11 == it[9]


@of_digits(9)
def hu_taj(it: Digits) -> bool:
    """Social security number: weights 3 and 7 (1996. évi XX. törvény)."""
    return any(it) and weighted(it, (3, 7) * 4) % 10 == it[8]


@of_digits(11)
def hu_szemelyi_szam(it: Digits) -> bool:
    """Personal number: a date and modulus 11, with reversed weights for those born since 1997."""
    sums = weighted(it, range(1, 11)) % 11, weighted(it, range(10, 0, -1)) % 11
    return 1 <= it[0] <= 4 and is_day(it[3] * 10 + it[4], it[5] * 10 + it[6]) and it[10] in sums


@of_digits(13)
def ro_cnp(it: Digits) -> bool:
    """A date, a county code, and modulus 11 with 10 written as 1 (OUG 97/2005)."""
    total = weighted(it, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return it[0] != 0 and is_day(it[3] * 10 + it[4], it[5] * 10 + it[6]) and it[12] == (1 if total == 10 else total)


@of_digits(10)
def bg_egn(it: Digits) -> bool:
    """A date with the century encoded in the month in steps of 20, and modulus 11 (ESGRAON)."""
    month = it[2] * 10 + it[3]
    is_born = month <= 52 and is_day(month % 20, it[4] * 10 + it[5])
    return is_born and weighted(it, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == it[9]


@of_digits(9)
def gr_afm(it: Digits) -> bool:
    """Tax number: powers of two, modulus 11 (AADE)."""
    return any(it) and weighted(it, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == it[8]


@of_digits(11)
def gr_amka(it: Digits) -> bool:
    """Social security number: a date and Luhn (IDIKA)."""
    return is_day(it[2] * 10 + it[3], it[0] * 10 + it[1]) and is_luhn(it)


@of_digits(11)
def hr_oib(it: Digits) -> bool:
    """ISO 7064 MOD 11,10 (Zakon o osobnom identifikacijskom broju)."""
    return any(it) and remainder_11_10(it[:10]) == it[10]


@of_digits(13)
def jmbg(it: Digits) -> bool:
    """The number of Yugoslavia's successor states: a date, a region, modulus 11 (EMŠO, JMBG, ЕМБГ)."""
    dated = is_day(it[2] * 10 + it[3], it[0] * 10 + it[1]) and it[4] in {0, 9}
    return dated and weighted(it, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


@of_digits(11)
def tr_tckn(it: Digits) -> bool:
    """Two check digits (Nüfus ve Vatandaşlık İşleri)."""
    return it[0] != 0 and (sum(it[:9:2]) * 7 - sum(it[1:8:2])) % 10 == it[9] and sum(it[:10]) % 10 == it[10]


@of_digits(10)
def ua_rnokpp(it: Digits) -> bool:
    """Tax number: modulus 11 (Державна податкова служба)."""
    return any(it) and weighted(it, (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == it[9]


@of_digits(11)
def ru_snils(it: Digits) -> bool:
    """Pension number: modulus 101 with 100 written as 00 (Постановление Правления ПФР)."""
    return any(it) and weighted(it, range(9, 0, -1)) % 101 % 100 == it[9] * 10 + it[10]


@of_digits(10, 12)
def ru_inn(it: Digits) -> bool:
    """Tax number: one modulus 11 check digit for companies, two for people (Федеральная налоговая служба)."""
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    if len(it) == 10:
        return any(it) and weighted(it, weights[2:]) % 11 % 10 == it[9]
    return weighted(it, weights[1:]) % 11 % 10 == it[10] and weighted(it, weights) % 11 % 10 == it[11]
