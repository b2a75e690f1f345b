"""Card numbers: how to recognise them and their brand, and how much may be shown or kept. The tables are data.

The issuer ranges are the public ones of ISO/IEC 7812 that the brands name. What may be shown or kept follows PCI SSC
FAQ 1091, "What are acceptable formats for truncation of primary account numbers?", as of June 2022: every brand accepts
first 6 and last 4; more is allowed if the table says so, and less if six would reveal too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LAST: Final = 4
_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand: its cards begin with one of *ranges* (first and last prefix, of equal length), with one of *lengths*."""

    name: str
    ranges: tuple[tuple[str, str], ...]
    lengths: frozenset[int]


@dataclass(frozen=True, slots=True)
class Truncation:
    """A rule for cards of *lengths* and *brands* (empty: any): at most the first *first* and the last `LAST` digits."""

    lengths: frozenset[int]
    brands: frozenset[str]
    first: int
    source: str


def _lengths(low: int, high: int) -> frozenset[int]:
    return frozenset(range(low, high + 1))


# the first match applies
BRANDS: Final = (
    Brand("American Express", (("34", "34"), ("37", "37")), frozenset({15})),
    Brand("Diners Club", (("300", "305"), ("3095", "3095"), ("36", "36"), ("38", "39")), _lengths(14, 19)),
    Brand("JCB", (("3528", "3589"),), _lengths(16, 19)),
    Brand("Visa", (("4", "4"),), frozenset({13, 16, 19})),
    Brand("Mastercard", (("51", "55"), ("2221", "2720")), frozenset({16})),
    Brand("Discover", (("6011", "6011"), ("644", "649"), ("65", "65")), _lengths(16, 19)),
    Brand("UnionPay", (("62", "62"), ("81", "81")), _lengths(16, 19)),
)

TRUNCATIONS: Final = (
    Truncation(
        frozenset({16}),
        frozenset({"Discover", "JCB", "Mastercard", "UnionPay", "Visa"}),
        8,
        "FAQ 1091: 16 digits, with a BIN of 6 or 8; at least 4 removed; first 8, any other 4",
    ),
    Truncation(_lengths(15, 19), frozenset(), 6, "FAQ 1091: the baseline, first 6 and last 4; 15 digits: 5 removed"),
    Truncation(frozenset({14}), frozenset(), 6, "FAQ 1091: fewer than 15 digits; first 6, any other 4"),
    # 12 and 13 digits: with 6 and 4 kept, Luhn would leave 10 or 100 candidates, so only the last 4 are kept.
    Truncation(_lengths(12, 13), frozenset(), 0, "not covered by FAQ 1091"),
)


def luhn(digits: str) -> int:
    """The Luhn sum (ISO/IEC 7812-1 annex B) modulo 10: zero for every card number."""
    codes = digits.encode()
    return (sum(codes[::-2]) + sum(codes[-2::-2].translate(_DOUBLED)) - ord("0") * len(codes)) % 10


def fitting_digit(head: str, last4: str, residue: int) -> str:
    """The one digit between *head* and *last4*, which Luhn does not double, that gives the whole this remainder."""
    return str((residue - luhn(f"{head}0{last4}")) % 10)


def brand_of(digits: str) -> str | None:
    """The brand whose range and length match, or None. Says nothing about the issuer, or whether it was issued."""
    for brand in BRANDS:
        if len(digits) in brand.lengths:
            for low, high in brand.ranges:
                if low <= digits[: len(low)] <= high:
                    return brand.name
    return None


def looks_like_card(text: str) -> bool:
    """Whether *text* has the digits, the length, the range and the check digit of a brand's cards."""
    return text.isascii() and text.isdecimal() and brand_of(text) is not None and luhn(text) == 0


def shown_first_max(digits: str) -> int:
    """How many of the first digits may be shown or kept besides the last four."""
    brand = brand_of(digits)
    fits = (rule for rule in TRUNCATIONS if len(digits) in rule.lengths and (not rule.brands or brand in rule.brands))
    return next(fits).first
