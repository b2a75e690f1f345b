"""Check digits of the European Union's VAT numbers with country prefix (VIES, Council Directive 2006/112/EC, article
215)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from troth.detect.patterns.checks import eastern, western
from troth.detect.patterns.checks.sums import Check, Digits, is_luhn, of_digits, of_signs, remainder_11_10, weighted


@of_digits(8)
def _at(it: Digits) -> bool:
    doubled = sum(digit * 2 - 9 * (digit > 4) for digit in it[1:7:2])
    return (6 - sum(it[:7:2]) - doubled) % 10 == it[7]


@of_digits(10)
def _be(it: Digits) -> bool:
    number = "".join(map(str, it))
    return it[0] <= 1 and 97 - int(number[:8]) % 97 == int(number[8:])


@of_digits(9)
def _de(it: Digits) -> bool:
    return it[0] != 0 and remainder_11_10(it[:8]) == it[8]


@of_digits(8)
def _dk(it: Digits) -> bool:
    return weighted(it, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


@of_digits(9)
def _ee(it: Digits) -> bool:
    return weighted(it, (3, 7, 1, 3, 7, 1, 3, 7, 1)) % 10 == 0


@of_digits(8)
def _fi(it: Digits) -> bool:
    return weighted(it, (7, 9, 10, 5, 8, 4, 2, 1)) % 11 == 0


@of_signs(11)
def _fr(it: str) -> bool:
    if not it[2:].isdecimal() or not is_luhn([int(digit) for digit in it[2:]]):
        return False
    # A key with a letter follows a rule that few numbers use; the SIREN then is the only proof.
    return not it[:2].isdecimal() or (12 + 3 * (int(it[2:]) % 97)) % 97 == int(it[:2])


@of_digits(8)
def _hu(it: Digits) -> bool:
    return weighted(it, (9, 7, 3, 1, 9, 7, 3, 1)) % 10 == 0


@of_digits(8)
def _lu(it: Digits) -> bool:
    return int("".join(map(str, it[:6]))) % 89 == it[6] * 10 + it[7]


@of_digits(8)
def _mt(it: Digits) -> bool:
    return weighted(it, (3, 4, 6, 7, 8, 9)) % 37 == 37 - it[6] * 10 - it[7]


@of_signs(12)
def _nl(it: str) -> bool:
    """For sole traders the last two digits are modulus 97 since 2020; company numbers still contain the RSIN."""
    if western.nl_bsn(it[:9]):
        return True
    number = "".join(str(int(sign, 36)) for sign in "NL" + it)
    return int(number) % 97 == 1


@of_digits(12)
def _se(it: Digits) -> bool:
    return is_luhn(it[:10])


@of_digits(8)
def _si(it: Digits) -> bool:
    return it[0] != 0 and -weighted(it, range(8, 1, -1)) % 11 % 10 == it[7]


@of_digits(10)
def _sk(it: Digits) -> bool:
    return int("".join(map(str, it))) % 11 == 0


def _es(it: str) -> bool:
    return western.es_nif(it) or western.es_nie(it) or western.es_cif(it)


_OF: Final[Mapping[str, Check]] = {
    "AT": _at,
    "BE": _be,
    "DE": _de,
    "DK": _dk,
    "EE": _ee,
    "EL": eastern.gr_afm,
    "ES": _es,
    "FI": _fi,
    "FR": _fr,
    "HR": eastern.hr_oib,
    "HU": _hu,
    "IT": western.it_partita_iva,
    "LU": _lu,
    "MT": _mt,
    "NL": _nl,
    "PL": eastern.pl_nip,
    "PT": western.pt_nif,
    "SE": _se,
    "SI": _si,
    "SK": _sk,
}


def eu_vat(value: str) -> bool:
    """The check of the country prefix, for countries with a single format and check."""
    check = _OF.get(value[:2].upper())
    return check is not None and check(value[2:])
