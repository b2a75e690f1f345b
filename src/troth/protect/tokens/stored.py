"""Tokens drawn at random. Only a store knows their values, and it also keeps them unique."""

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
"""The pattern for scanners; `is_opaque_token` then checks the checksum."""
DRAWS_MAX: Final = 64
"""Maximum draws until the store, in which every token is unique, accepts one. BIN and last four leave 900,000 tokens
for 16 digits, and a domain needs at most 100,000 of them, one for each card with a valid check digit: beside one full
domain a draw collides less than one time in nine, so this many collisions in a row never happen. Nine full domains
leave no free token."""
_BIN = 6
_PREFIX = "trtk1_"
_RANDOM_BYTES = 16
_SUM_BYTES = 4


def draw_token(format_: TokenFormat, pan: Pan | None = None) -> str:
    """A fresh random token of a stored format, ``pan.bin6.last4`` for *pan* or ``opaque``.

    The token of a card keeps its first six and last four digits and fails Luhn, so it is never mistaken for a card; all
    middles that fail are equally likely. It is not unique yet: see `DRAWS_MAX`. Raises `TokenRefused` for a card so
    short that six and four digits would reveal the rest.
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
    """Raises `TokenRefused` for a card so short that its first six and last four digits would reveal the rest."""
    if shown_first_max(digits) < _BIN:
        told = f"of a card of {len(digits)} digits the first 6 and last 4 give away the rest; use 'opaque'"
        raise TokenRefused(told, row=row)


def is_opaque_token(text: str) -> bool:
    """Whether *text* is an opaque token with a correct checksum. Only the store knows whether it was ever issued."""
    if re.fullmatch(OPAQUE_PATTERN, text) is None:
        return False
    data = base64.b32decode(text.removeprefix(_PREFIX).upper())
    return data[_RANDOM_BYTES:] == _sum(data[:_RANDOM_BYTES])


def _sum(drawn: bytes) -> bytes:
    return zlib.crc32(_PREFIX.encode() + drawn).to_bytes(_SUM_BYTES, "big")
