"""Computed tokens: encryption of a value under a key, and back, one at a time."""

from __future__ import annotations

import base64
import contextlib
import re
import string
from typing import Final

from troth.protect.errors import TokenRefused
from troth.protect.hazmat import Ff1, Mac
from troth.protect.pack import texts
from troth.protect.tokens.cards import LAST, fitting_digit, looks_like_card, luhn
from troth.protect.tokens.formats import TokenFormat
from troth.protect.tokens.pan import require_digits, require_pan

ALPHABETS: Final = {
    TokenFormat.NUMERIC: string.digits,
    TokenFormat.ALPHANUMERIC: string.digits + string.ascii_uppercase,
}
TEXT_MAX: Final = 256
_TWEAK_BYTES = 16
_RESERVED: Final = ".invalid"  # RFC 2606 §2 reserves it for ever: nothing can be mailed there
_REPLACED: Final = "tokens" + _RESERVED
_ADDRESS = re.compile(r"[^@\s\x00-\x20\x7f\ud800-\udfff]+@[^@\s\x00-\x20\x7f\ud800-\udfff]+")
_HOST = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_EMAIL_TOKENS: Final = {
    TokenFormat.EMAIL: re.compile(
        rf"t(?P<digit>[1-9])(?P<hidden>[a-z2-7]+)@(?P<more>([a-z2-7]+\.)*){re.escape(_REPLACED)}"
    ),
    TokenFormat.EMAIL_DOMAIN: re.compile(
        rf"t(?P<digit>[1-9])(?P<hidden>[a-z2-7]+)@(?P<domain>.+){re.escape(_RESERVED)}"
    ),
}
_ADDRESS_MAX = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets
_LOCAL_MAX = 64
_LABEL_MAX = 63
_CHECK_BYTES = 6
_STEP_BYTES = 5  # eight letters of base32, none of them padding


def digit_of(version: int) -> int:
    """The digit, 1 to 9, that identifies a key version in a token: the last nine versions have different ones."""
    return (version - 1) % 9 + 1


class TokenKey:
    """The cipher and the tweak of one domain, format and key version. *mac* is the domain's for that version."""

    __slots__ = ("digit", "ff1", "tweak")

    def __init__(self, mac: Mac, format_: TokenFormat, version: int) -> None:
        radix = len(ALPHABETS[format_]) if format_ in ALPHABETS else 10 if format_ is TokenFormat.PAN_LAST4 else 256
        self.ff1 = Ff1(mac(texts(format_, str(version), "key")), radix)
        self.tweak = mac(texts(format_, str(version), "tweak"))[:_TWEAK_BYTES]
        self.digit = digit_of(version)


# --- cards -----------------------------------------------------------------------------------------------------------


def pan_token(key: TokenKey, pan: str) -> str:
    """Keep the last four digits; drop the digit before them, which Luhn implies; encrypt the others; insert a digit
    that makes the Luhn remainder the digit of the key version. Injective, and no token passes Luhn."""
    require_pan(pan)
    last4 = pan[-LAST:]
    numerals = key.ff1.encrypt([int(digit) for digit in pan[: -LAST - 1]], key.tweak + last4.encode())
    head = "".join(map(str, numerals))
    return head + fitting_digit(head, last4, key.digit) + last4


def pan_digit(token: str) -> int:
    """The digit of the key version in a card token. Raises `TokenRefused` if it cannot be a token."""
    require_digits(token, "a token of a card")
    digit = luhn(token)
    if not digit:
        raise TokenRefused("its check digit is that of a card number, which tokens never have")
    return digit


def pan_of(key: TokenKey, token: str) -> str:
    """The card, if the token was made under exactly this key; another number otherwise."""
    last4 = token[-LAST:]
    numerals = key.ff1.decrypt([int(digit) for digit in token[: -LAST - 1]], key.tweak + last4.encode())
    head = "".join(map(str, numerals))
    return head + fitting_digit(head, last4, 0) + last4


# --- digits and letters ----------------------------------------------------------------------------------------------


def text_token(key: TokenKey, format_: TokenFormat, text: str) -> str:
    """Encrypt to as many characters of the same alphabet. Raises `TokenRefused` for others, and for card numbers."""
    numerals = _numerals(format_, text)
    refuse_card(text, reading=False)
    alphabet = ALPHABETS[format_]
    return "".join([alphabet[numeral] for numeral in key.ff1.encrypt(numerals, key.tweak)])


def text_of(key: TokenKey, format_: TokenFormat, token: str) -> str:
    """The input of `text_token`, if the token was made under exactly this key; another text otherwise."""
    alphabet = ALPHABETS[format_]
    numerals = key.ff1.decrypt(_numerals(format_, token), key.tweak)
    text = "".join([alphabet[numeral] for numeral in numerals])
    refuse_card(text, reading=True)
    return text


def refuse_card(text: str, *, reading: bool, row: int | None = None) -> None:
    """Raises `TokenRefused` for a card number: in these formats a wrong domain would give another number unnoticed."""
    if not looks_like_card(text):
        return
    if reading:
        raise TokenRefused(
            "this token would stand for a card number, which the format does not accept: the token is of "
            "another domain or key version",
            row=row,
        )
    raise TokenRefused("this has the form of a card number; tokenise cards as 'pan.bin6.last4' or 'pan.last4'", row=row)


def _numerals(format_: TokenFormat, text: str) -> list[int]:
    alphabet = ALPHABETS[format_]
    numerals = [alphabet.find(letter) for letter in text[: TEXT_MAX + 1]]
    refuse_text(format_, fits=-1 not in numerals, length=len(text))
    return numerals


def refuse_text(format_: TokenFormat, *, fits: bool, length: int, row: int | None = None) -> None:
    """Raises `TokenRefused` for characters outside the alphabet, and for a text that is too long."""
    if length > TEXT_MAX:
        raise TokenRefused(f"the format accepts at most {TEXT_MAX} characters; use 'opaque'", row=row)
    if not fits:
        says = "digits 0 to 9" if format_ is TokenFormat.NUMERIC else "digits 0 to 9 and letters A to Z, capitals"
        raise TokenRefused(f"the format {str(format_)!r} accepts only {says}; remove or change the rest", row=row)


# --- addresses -------------------------------------------------------------------------------------------------------


def email_token(key: TokenKey, format_: TokenFormat, address: str) -> str:
    """A valid address to which nothing can be delivered. Its local part is the encrypted address, or for
    ``email.domain`` the encrypted local part. Six zero bytes are encrypted with it and checked on decryption."""
    if len(address) > _ADDRESS_MAX or _ADDRESS.fullmatch(address) is None:
        raise TokenRefused("an address must have one @ between two parts without spaces, and at most 254 characters")
    if format_ is TokenFormat.EMAIL:
        return _joined(_hidden(key, address, ""), _REPLACED)
    local, _, domain = address.partition("@")
    if _HOST.fullmatch(domain) is None:
        raise TokenRefused("this domain is not a host name of letters, digits and hyphens; use the format 'email'")
    hidden = _hidden(key, local, domain)
    if len(hidden) > _LOCAL_MAX:
        raise TokenRefused("the part before the @ is too long for its token; use the format 'email'")
    return _joined(hidden, domain + _RESERVED)


def email_digit(format_: TokenFormat, token: str) -> int:
    """The digit of the key version in an e-mail token. Raises `TokenRefused` if it cannot be a token."""
    return int(_parsed(format_, token)["digit"])


def address_of(key: TokenKey, format_: TokenFormat, token: str) -> str:
    """The input of `email_token`. Raises `TokenRefused` for a token of another domain or key, or a changed one."""
    parts = _parsed(format_, token)
    domain = parts["domain"] if format_ is TokenFormat.EMAIL_DOMAIN else ""
    hidden = (parts["hidden"] + parts.get("more", "")).replace(".", "")
    with contextlib.suppress(ValueError, TokenRefused):
        plain = bytes(key.ff1.decrypt(base64.b32decode(hidden.upper()), _beside(key, domain)))
        text = plain.rstrip(b"\x00").decode("utf-8")
        address = f"{text}@{domain}" if domain else text
        if email_token(key, format_, address) == token:  # zero bytes included: no other text has this token
            return address
    raise TokenRefused("this token cannot be opened: it belongs to another domain or key, or was changed")


def _hidden(key: TokenKey, text: str, domain: str) -> str:
    data = text.encode("utf-8")
    length = max(-(-(len(data) + _CHECK_BYTES) // _STEP_BYTES), 3) * _STEP_BYTES
    numerals = key.ff1.encrypt(data.ljust(length, b"\x00"), _beside(key, domain))
    return f"t{key.digit}" + base64.b32encode(bytes(numerals)).decode().lower()


def _beside(key: TokenKey, domain: str) -> bytes:
    """The tweak, including the domain that is kept: a token moved to another domain does not open."""
    return key.tweak + domain.lower().encode()


def _joined(hidden: str, domain: str) -> str:
    """The hidden text as local part as far as it fits, the rest as labels of the domain."""
    local, rest = hidden[:_LOCAL_MAX], hidden[_LOCAL_MAX:]
    labels = [rest[at : at + _LABEL_MAX] for at in range(0, len(rest), _LABEL_MAX)]
    token = f"{local}@{'.'.join([*labels, domain])}"
    if len(token) > _ADDRESS_MAX:
        raise TokenRefused("this address is too long for a token that is also an address; use the format 'opaque'")
    return token


def _parsed(format_: TokenFormat, token: str) -> dict[str, str]:
    found = _EMAIL_TOKENS[format_].fullmatch(token[: _ADDRESS_MAX + 1])
    if found is None:
        raise TokenRefused(f"this is not a token of the format {str(format_)!r}")
    return found.groupdict()
