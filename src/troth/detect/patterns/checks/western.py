"""Checks of numbers of western and southern Europe."""

from __future__ import annotations

from collections import Counter
from typing import Final

from troth.detect.patterns.checks.sums import (
    Digits,
    is_day,
    is_luhn,
    is_verhoeff,
    numbered,
    of_digits,
    of_signs,
    remainder_11_10,
    weighted,
)


@of_digits(11)
def de_steuer_id(it: Digits) -> bool:
    """ISO 7064 MOD 11,10; exactly one of the first ten digits is repeated, two or three times (BZSt, IdNr)."""
    often = Counter(it[:10]).most_common(2)
    return it[0] != 0 and often[0][1] in {2, 3} and often[1][1] == 1 and remainder_11_10(it[:10]) == it[10]


@of_signs(10)
def de_id_card(it: str) -> bool:
    """Weights 7, 3, 1 over the document number, according to ICAO Doc 9303."""
    return weighted(numbered(it[:9]), (7, 3, 1) * 3) % 10 == int(it[9], 36)


def _summed(signs: str, weights: tuple[int, ...]) -> int:
    """Sum of the digit sums of weighted digits; letters count as two-digit positions in the alphabet."""
    digits = "".join(it if it.isdecimal() else f"{ord(it) - 64:02}" for it in signs)
    return sum(sum(divmod(int(it) * weight, 10)) for it, weight in zip(digits, weights, strict=False))


@of_signs(12)
def de_rvnr(it: str) -> bool:
    """Pension insurance number: place, birthday, initial, serial and check digit (VKVV § 2)."""
    born = it[2:4], it[4:6]
    if not (it[8].isalpha() and (it[:8] + it[9:]).isdecimal() and is_day(int(born[1]), int(born[0]))):
        return False
    return _summed(it[:11], (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == int(it[11])


@of_signs(10)
def de_kvnr(it: str) -> bool:
    """Health insurance number: a letter, eight digits and a check digit (SGB V § 290)."""
    return it[0].isalpha() and it[1:].isdecimal() and _summed(it[:9], (1, 2) * 5) % 10 == int(it[9])


@of_signs(13, 15)
def fr_nir(it: str) -> bool:
    """The key, if present, is 97 minus the number modulo 97, with Corsica's 2A and 2B as 19 and 18 (INSEE)."""
    number = it[:5] + it[5:7].replace("2A", "19").replace("2B", "18") + it[7:]
    if not number.isdecimal() or number[0] not in "123478" or not (1 <= int(it[3:5]) <= 12 or int(it[3:5]) >= 20):
        return False
    return len(it) == 13 or 97 - int(number[:13]) % 97 == int(number[13:])


@of_digits(13)
def fr_spi(it: Digits) -> bool:
    """The last three digits are the first ten modulo 511 (DGFiP)."""
    number = "".join(map(str, it))
    return any(it) and it[0] <= 3 and int(number[:10]) % 511 == int(number[10:])


_NIF_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"


@of_signs(8, 9)
def es_nif(it: str) -> bool:
    """The number modulo 23 gives the letter (Real Decreto 1553/2005)."""
    return it[:-1].isdecimal() and it[-1] == _NIF_LETTERS[int(it[:-1]) % 23]


@of_signs(9)
def es_nie(it: str) -> bool:
    """As the NIF, with X, Y, Z for 0, 1, 2 (Orden INT/2058/2008)."""
    number = str("XYZ".find(it[0])) + it[1:8]
    return number.isdecimal() and it[8] == _NIF_LETTERS[int(number) % 23]


@of_signs(9)
def es_cif(it: str) -> bool:
    """Luhn, with the check digit as a letter for some kinds of organisation (Orden EHA/451/2008)."""
    if not it[1:8].isdecimal():
        return False
    last = next(digit for digit in range(10) if is_luhn([*map(int, it[1:8]), digit]))
    return it[0] in "ABCDEFGHJNPQRSUVW" and it[8] in {str(last), "JABCDEFGHI"[last]}


@of_digits(12)
def es_nuss(it: Digits) -> bool:
    """Social security number: the last two digits are the preceding ones modulo 97 (TGSS)."""
    number = "".join(map(str, it))
    serial = number[:2] + number[3:10] if it[2] == 0 else number[:10]
    return 1 <= int(number[:2]) <= 66 and int(serial) % 97 == int(number[10:])


_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        ),
        strict=True,
    )
)


@of_signs(16)
def it_codice_fiscale(it: str) -> bool:
    """Odd and even positions use separate tables (DM 23 December 1976, including its letters for duplicates)."""
    even = sum(int(sign) if sign.isdecimal() else ord(sign) - 65 for sign in it[1:15:2])
    return it[15] == chr(65 + (sum(_ODD[sign] for sign in it[:15:2]) + even) % 26)


@of_digits(11)
def it_partita_iva(it: Digits) -> bool:
    """Luhn; the three digits before the last are the issuing office (DPR 633/1972)."""
    return any(it) and is_luhn(it)


@of_digits(9)
def nl_bsn(it: Digits) -> bool:
    """The "elfproef", with weight -1 for the last digit (Rijksdienst voor Identiteitsgegevens)."""
    return any(it) and weighted(it, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


@of_digits(11)
def be_national(it: Digits) -> bool:
    """97 minus the first nine digits modulo 97, prefixed with 2 for those born since 2000 (RN/IBZ)."""
    number = "".join(map(str, it))
    is_born = is_day((it[2] * 10 + it[3]) % 20 or 1, it[4] * 10 + it[5] or 1)
    return is_born and any(97 - int(century + number[:9]) % 97 == int(number[9:]) for century in ("", "2"))


@of_digits(9)
def pt_nif(it: Digits) -> bool:
    """Modulus 11 (Decreto-Lei 14/2013)."""
    return it[0] in {1, 2, 3, 5, 6, 8, 9} and -weighted(it, range(9, 1, -1)) % 11 % 10 == it[8]


@of_signs(12)
def pt_cartao(it: str) -> bool:
    """Luhn with letters as 10 to 35 (Cartão de Cidadão, algorithm of its document number)."""
    numbers = numbered(it)
    total = sum(it * 2 - 9 * (it * 2 > 9) if at % 2 else it for at, it in enumerate(reversed(numbers)))
    return total % 10 == 0


@of_digits(13)
def lu_national(it: Digits) -> bool:
    """A date, then Luhn and Verhoeff, each over the first eleven digits (Loi du 19 juin 2013)."""
    dated = is_day(it[4] * 10 + it[5], it[6] * 10 + it[7])
    return dated and is_luhn(it[:12]) and is_verhoeff([*it[:11], it[12]])


@of_digits(10)
def at_svnr(it: Digits) -> bool:
    """Modulus 11, with the check digit in fourth position before the date of birth (ASVG § 31)."""
    total = weighted(it, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11
    month = it[6] * 10 + it[7]
    # When all numbers of a day have been issued, a non-existent month is used.
    is_born = month in range(13, 16) or is_day(month, it[4] * 10 + it[5])
    return it[0] != 0 and total == it[3] and is_born


@of_digits(13)
def ch_ahv(it: Digits) -> bool:
    """EAN-13 (Zentrale Ausgleichsstelle, AHV-Nummer)."""
    return list(it[:3]) == [7, 5, 6] and weighted(it, (1, 3) * 7) % 10 == 0
