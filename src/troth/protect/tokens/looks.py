"""Whether a text could be a token, by its form alone: for checks that a column really holds tokens."""

from __future__ import annotations

import re

from troth.protect.errors import TokenRefused
from troth.protect.tokens.formats import TokenFormat
from troth.protect.tokens.stateless import email_digit, pan_digit
from troth.protect.tokens.stored import is_opaque_token

_ONE_WAY = re.compile(r"trow[1-9][0-9]*_[0-9a-f]{32}")


def has_form(format_: TokenFormat) -> bool:
    """Whether tokens of the format can be told from the values that they replace. Digits and letters that replace
    digits and letters cannot."""
    return format_ not in (TokenFormat.NUMERIC, TokenFormat.ALPHANUMERIC)


def could_be_token(format_: TokenFormat, text: str) -> bool:
    """Whether *text* has the form of a token of *format_*, which no value of that format has."""
    if format_ is TokenFormat.OPAQUE:
        return is_opaque_token(text)
    if format_ is TokenFormat.ONE_WAY:
        return _ONE_WAY.fullmatch(text) is not None
    try:
        if format_ in (TokenFormat.EMAIL, TokenFormat.EMAIL_DOMAIN):
            email_digit(format_, text)
        elif has_form(format_):
            pan_digit(text)  # of cards: digits that fail Luhn, which card numbers never do
    except TokenRefused:
        return False
    return True
