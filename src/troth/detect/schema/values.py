"""What single values look like: tests of whole values, and searches inside longer ones. Bounded, whatever comes in."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from troth.stores import Scalar

SAMPLES_MAX: Final = 500
_LENGTH_MAX: Final = 4_000
# Where a national phone number may come from; one without a country code is asked for in each.
_REGIONS: Final = ("GB", "US", "DE", "FR", "ES", "IT", "NL", "PL", "BR", "IN", "AU")

_EMAIL = re.compile(r"[\w.+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_MESSAGE_ID = re.compile(r"<[\da-f][\da-f.-]{15,80}@[\w.-]{1,253}>", re.IGNORECASE)
"""The identifier of a message (RFC 5322 §3.6.4) as programs make it: it looks like an address, and is nobody's."""
_PHONE = re.compile(r"[+(0]?[\d][\d ().\-/]{5,24}\d")
_PHONE_SHAPE = re.compile(r"[+(]?[\d][\d ()./\-]{4,24}\d( ?(x|ext\.?) ?\d{1,6})?", re.IGNORECASE)
_PHONE_INSIDE = re.compile(r"(?<![\w.+/-])(?:\+|00|\(|0)[\d][\d ().\-]{6,22}\d(?![\w/-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d.-])(?:\d[ -]?){12,18}\d(?![\d.-])")
_CARD_GROUPED = re.compile(r"(?<![\d-])(?:\d{4}[ -]){3}\d{1,7}(?![\d-])|(?<![\d-])3\d{3}[ -]\d{6}[ -]\d{5}(?![\d-])")
_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d\d(?!\d)")
_CAPITALISED = re.compile(r"[^\W\d_][^\W\d_'’.-]{0,24}(?:[ -][^\W\d_][\w'’.-]{0,30}){1,3}")


def texts(values: Sequence[Scalar]) -> list[str]:
    """The values that say something, as bounded text."""
    said = (value for value in values[:SAMPLES_MAX] if value is not None)
    cut = (value[:_LENGTH_MAX] if isinstance(value, str | bytes) else value for value in said)
    found = (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in cut)
    return [text for text in (it.strip() for it in found) if text]


def is_email(text: str) -> bool:
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def is_phone_shaped(text: str) -> bool:
    """The looks of a phone number: what a column that is called one may hold."""
    return _PHONE_SHAPE.fullmatch(text) is not None and 6 <= sum(letter.isdigit() for letter in text) <= 17


def is_phone(text: str) -> bool:
    """A number that is in use by some country's plan: with a country code, or written as a national one."""
    import phonenumbers

    if _PHONE.fullmatch(text) is None:
        return False
    international = text.startswith(("+", "00"))
    if not international and sum(letter.isdigit() for letter in text) < 9:
        return False  # postcodes and extensions
    if not international and not (text.startswith(("0", "(")) or re.search(r"\d[ ).-]+\d", text)):
        return False  # plain digits are more often an order's number
    for region in (None,) if text.startswith("+") else _REGIONS:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
    return False


def is_ip(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "." in text or ":" in text


def is_iban(text: str) -> bool:
    """The shape, and the remainder that ISO 7064 asks for."""
    compact = text.replace(" ", "").upper()
    if not 15 <= len(compact) <= 34 or not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]+", compact):
        return False
    return int("".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """13 to 19 digits of a card scheme with the check digit of ISO/IEC 7812 (Luhn)."""
    digits = [int(letter) for letter in text if letter.isdecimal()]
    if not 13 <= len(digits) <= 19 or digits[0] not in {2, 3, 4, 5, 6} or len(set(digits)) < 3:
        return False
    if _CARD.fullmatch(text) is None:
        return False
    doubled = [digit if at % 2 == 0 else digit * 2 - 9 * (digit > 4) for at, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def is_birth(text: str) -> bool:
    """A date, or a year alone, that someone alive could be born on."""
    found = _YEAR.search(text)
    return found is not None and 1890 <= int(found[0]) <= dt.MAXYEAR and len(text) <= 32 and int(found[0]) < 2040


def is_person(text: str, given: frozenset[str]) -> bool:
    """A common given name followed by one to three more words that begin with a capital."""
    if len(text) > 60 or _CAPITALISED.fullmatch(text) is None:
        return False
    words = re.split(r"[ -]", text)
    return words[0].lower() in given and all(word[:1].isupper() or word in {"de", "van", "von", "da"} for word in words)


TESTS: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {"email": is_email, "phone": is_phone_shaped, "ip": is_ip, "iban": is_iban, "card": is_card, "birth": is_birth}
)


def share(values: Iterable[str], test: Callable[[str], bool]) -> float:
    """The part of the values that pass, 0 where there are none."""
    results = [test(value) for value in values]
    return sum(results) / len(results) if results else 0.0


def holds_email(text: str) -> bool:
    return "@" in text and _EMAIL.search(_MESSAGE_ID.sub(" ", text)) is not None


def holds_phone(text: str) -> bool:
    return any(is_phone(found[0]) for found in _PHONE_INSIDE.finditer(text))


def holds_iban(text: str) -> bool:
    return any(is_iban(found[0]) for found in _IBAN.finditer(text))


def holds_card(text: str) -> bool:
    return any(is_card(found[0]) for found in _CARD_GROUPED.finditer(text))
