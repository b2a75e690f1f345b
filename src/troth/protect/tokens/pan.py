"""A card number as a value whose ``repr`` hides it."""

from __future__ import annotations

from typing import Final, Self

from troth.protect.errors import TokenRefused
from troth.protect.sealed import Sealed
from troth.protect.tokens.cards import LAST, luhn, shown_first_max

LENGTHS: Final = range(12, 20)
"""Number of digits that a card number may have."""
_HIDDEN: Final = "•"


class Pan(Sealed[str]):
    """A card number. ``repr``, ``str`` and formatting show only its last four digits (PCI DSS 4.0.1, 3.4.1); only
    `reveal` returns the rest. Always valid: 12 to 19 ASCII digits with a correct check digit."""

    __slots__ = ()

    def __init__(self, digits: str) -> None:
        require_pan(digits)
        super().__init__(digits)

    @classmethod
    def _known(cls, digits: str) -> Self:
        """A `Pan` that is valid by construction; for use in this package only."""
        pan = cls.__new__(cls)
        pan._value = digits
        return pan

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self._value[-LAST:]

    def masked(self, *, first: int = 0) -> str:
        """The number for display: the last four digits and, if requested, the BIN, the *first* 6 or 8.

        The caller decides, by roles, who may see the BIN. Raises `TokenRefused` if the card's brand and length do not
        allow that many (PCI SSC FAQ 1091); the same bounds apply to truncated numbers in storage.
        """
        if first not in (0, 6, 8):
            raise TokenRefused("a card is shown with its first 0, 6 or 8 digits and its last 4")
        most = shown_first_max(self._value)
        if first > most:
            raise TokenRefused(f"of a card of this brand and length at most the first {most} digits are shown")
        return self._value[:first] + _HIDDEN * (len(self._value) - first - LAST) + self.last4

    def __repr__(self) -> str:
        return f"Pan({self.masked()})"

    def __str__(self) -> str:
        return self.masked()

    def __format__(self, spec: str) -> str:  # type: ignore[override]
        return format(self.masked(), spec)


def require_pan(digits: str, *, row: int | None = None) -> None:
    """Raises `TokenRefused` if *digits* is no card number, without quoting it."""
    require_digits(digits, "a card number", row=row)
    if luhn(digits):
        raise TokenRefused(
            "this is not a card number: its check digit is wrong; check it for a typing mistake", row=row
        )


def require_digits(digits: str, what: str, *, row: int | None = None) -> None:
    """Raises `TokenRefused` for anything but 12 to 19 ASCII digits."""
    if not isinstance(digits, str) or not (digits.isascii() and digits.isdecimal()):
        raise TokenRefused(f"{what} must contain only digits 0 to 9, without spaces or hyphens", row=row)
    if len(digits) not in LENGTHS:
        raise TokenRefused(f"{what} has {LENGTHS[0]} to {LENGTHS[-1]} digits, but this has {len(digits)}", row=row)
