"""Tokens drawn at random. What they stand for is in a store alone, which also sees to it that no two are the same."""

from __future__ import annotations

import base64
import re
import secrets
import zlib
from typing import Final

from troth.protect.errors import TokenRefused
from troth.protect.tokens.cards import LAST, fitting_digit, shown_first_max
from troth.protect.tokens.formats import TokenFormat
from troth.protect.tokens.pan import Pan

OPAQUE_PATTERN: Final = r"trtk1_[a-z2-7]{32}"
"""What scanners look for; `is_opaque_token` then says whether the checksum fits."""
DRAWS_MAX: Final = 64
"""How often to draw until the store, in which every token is unique, takes one. A BIN and last four leave 900,000
tokens for 16 digits, and a domain needs at most 100,000 of them, one for each card with a fitting check digit: beside
one full domain a draw is taken less than one time in nine, and this many in a row never are. Nine full ones leave no
room."""
_BIN = 6
_PREFIX = "trtk1_"
_RANDOM_BYTES = 16
_SUM_BYTES = 4


def draw_token(format_: TokenFormat, pan: Pan | None = None) -> str:
    """A fresh random token of a stored format, ``pan.bin6.last4`` for *pan* or ``opaque``.

    The token of a card keeps its first six and last four digits and fails Luhn, so it is never taken for a card; every
    middle that fails is as likely. It is not unique yet: see `DRAWS_MAX`. Raises `TokenRefused` for a card so short
    that six and four digits would give the rest away.
    """
    if format_ is TokenFormat.OPAQUE:
        drawn = secrets.token_bytes(_RANDOM_BYTES)
        return _PREFIX + base64.b32encode(drawn + _sum(drawn)).decode().lower()
    if format_ is not TokenFormat.PAN_BIN6_LAST4:
        raise TokenRefused(f"tokens of the format {str(format_)!r} are computed, not drawn; use a Tokeniser")
    if pan is None:
        raise TokenRefused("a token that keeps digits of a card needs the card")
    digits = pan.reveal()
    require_hidden(digits)
    room = len(digits) - _BIN - LAST
    head = digits[:_BIN] + f"{secrets.randbelow(10 ** (room - 1)):0{room - 1}d}"
    return head + fitting_digit(head, digits[-LAST:], 1 + secrets.randbelow(9)) + digits[-LAST:]


def require_hidden(digits: str, *, row: int | None = None) -> None:
    """Raises `TokenRefused` for a card so short that its first six and last four digits would give the rest away."""
    if shown_first_max(digits) < _BIN:
        told = f"of a card of {len(digits)} digits the first 6 and last 4 give away the rest; use 'opaque'"
        raise TokenRefused(told, row=row)


def is_opaque_token(text: str) -> bool:
    """Whether it is an opaque token, checksum and all. That one was ever issued only the store knows."""
    if re.fullmatch(OPAQUE_PATTERN, text) is None:
        return False
    data = base64.b32decode(text.removeprefix(_PREFIX).upper())
    return data[_RANDOM_BYTES:] == _sum(data[:_RANDOM_BYTES])


def _sum(drawn: bytes) -> bytes:
    return zlib.crc32(_PREFIX.encode() + drawn).to_bytes(_SUM_BYTES, "big")
