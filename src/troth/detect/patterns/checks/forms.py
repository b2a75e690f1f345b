"""Checks the form of a value where an expression alone is not sufficient."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from troth.data_files import read_toml
from troth.detect.patterns.checks.sums import digits_of, is_luhn

_CARDS: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11,16}|35\d{14}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|62\d{14,17}"
    r"|(?:1800|2131)\d{11}|(?:0604|50\d\d|5[6-9]\d\d|6\d{3})\d{8,15}"
)
"""Number ranges of card schemes: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Maestro."""
_CALLING_CODES: Final = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[1-8]|2[2-6]\d|29[0179]|35\d|37\d|38[0-35-79]"
    r"|42[013]|50\d|59\d|67[02-9]|68\d|69[0-2]|8(?:0[08]|5[02356]|7[08]|8[0-3678])|9(?:6[0-8]|7[0-79]|9[2-68])"
)
"""ITU-T E.164, list of assigned country codes."""
_DATES: Final = re.compile(
    r"(?:(?:1[89]|20)\d\d[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](?:(?:1[89]|20)\d\d|\d\d))(?:[ T].*)?"
    r"|(?:1[89]|20)\d\d(?: ?- ?(?:1[89]|20)\d\d)?|\d\d?\.\d\d?(?: ?- ?\d\d?\.\d\d?)?"
)
_WORD: Final = re.compile("[a-z]{4}")
_OF_PASSWORDS: Final = re.compile(
    "(?:case|auto|read|one|non|self|two|multi|re|e|log|sign)-(?:(?:in)?sensitive|filled|only|time|empty|service|factor"
    "|step|set|mail(?:ed)?|in)[?!…]*"
)
"""Hyphenated words used in descriptions of passwords."""
_TIMES: Final = re.compile(r"(?i)\d{1,2}(?:[:.]\d\d)?(?: ?[ap]m)?(?: ?- ?\d{1,2}(?:[:.]\d\d)?)? ?[ap]m")
_LONG_WORD: Final = re.compile("[a-z]{6}")
_ZIP_AND_FOUR: Final = re.compile(r"\d{5}-\d{4}")
_HOLDING_A_PLACE: Final = re.compile(
    r"\$?\{.*|<.*>?|\[.*\]|\(.*\)|[*•.xX_-]+|\$[A-Z_]+|%\w+%|(?:your|my|the|some|change)[_-]?.*"
    r"|~?/[\w.-]+/.*"
)
"""Asterisks, variables and similar placeholders; and folders, because PWD is also the working directory."""
_STANDARDS: Final = re.compile(
    r"(?:AES|ANSI|API|ASCII|BSI|COVID|CP|CVE|CWE|DIN|DSGVO|ECMA|ED|EN|ERR|ERROR|EU|FIPS|GDPR|GPT|HMAC|HTTPS?|IEC|IEEE|ISO"
    r"|KB|MD|NIST|ORA|PEP|RFC|RGPD|RSA|SHA|SOC|TCP|TLS|UDP|USB|UTF|WCAG)[-/]"
)
"""Prefixes of numbers of standards, laws, errors and the like."""
_REFERENCE_MIN: Final = 4
_REFERENCE_MAX: Final = 60
"""Limits for the letters and digits of a reference. Longer ones are dumps or computed numbers."""
_CURRENCIES: Final = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "INR", "JPY", "USD", "ZAR"})


@cache
def _words(name: str) -> re.Pattern[str]:
    """A pattern for any of the words that ``forms.toml`` lists as *name*."""
    return re.compile("|".join(read_toml(__package__, "forms.toml")[name]))


def card(value: str) -> bool:
    """A number in the range of a card scheme, with a valid check digit (ISO/IEC 7812-1)."""
    digits = digits_of(value)
    return _CARDS.fullmatch(digits) is not None and is_luhn([int(it) for it in digits]) and len(set(digits)) > 1


def phone(value: str) -> bool:
    """A number with an assigned country code and a length that E.164 allows."""
    digits = _number(value).removeprefix("00").removeprefix("011")
    return 8 <= len(digits) <= 15 and _CALLING_CODES.match(digits) is not None


def phone_national(value: str) -> bool:
    """A number with the leading zero that most countries use, and not a date."""
    is_other = _DATES.fullmatch(value) or _ZIP_AND_FOUR.fullmatch(value)
    return 9 <= len(_number(value)) <= 13 and not is_other


def phone_told(value: str) -> bool:
    """As many digits as a telephone number of unknown country may have, and not a date."""
    return 6 <= len(_number(value)) <= 14 and not _DATES.fullmatch(value)


def ipv4(value: str) -> bool:
    """Unlike a version number: a network, a well-known prefix, or at least six digits, and no leading zero."""
    address, _, prefix = value.partition("/")
    parts = address.split(".")
    return parts[0] != "0" and (prefix != "" or parts[0] in {"10", "127"} or sum(map(len, parts)) > 5)


def ipv6(value: str) -> bool:
    """RFC 4291, with a digit and not too short: `Foo::Bad` and `[1::2]` occur in programs."""
    if len(value.partition("/")[0].replace(":", "")) < 4 and value != "::1":
        return False
    import ipaddress

    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return any(it.isdecimal() for it in value)


def mac(value: str) -> bool:
    """With a letter and a digit: groups of digits alone are other numbers."""
    return any(it.isalpha() for it in value) and any(it.isdecimal() for it in value)


_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(value: str) -> bool:
    """Base58Check: the last four bytes are those of the double SHA-256 of the rest."""
    number = 0
    for sign in value[:40]:
        if sign not in _BASE58:
            return False
        number = number * 58 + _BASE58.index(sign)
    if number.bit_length() > 200:
        return False
    whole = number.to_bytes(25, "big")
    from hashlib import sha256

    return sha256(sha256(whole[:-4]).digest()).digest()[:4] == whole[-4:]


_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32(value: str) -> bool:
    """BIP 173, and BIP 350 for newer addresses."""
    kind, _, data = value.lower().partition("1")
    sums = 1
    for part in [*(ord(it) >> 5 for it in kind), 0, *(ord(it) & 31 for it in kind), *map(_BECH32.find, data)]:
        top = sums >> 25
        sums = (sums & 0x1FFFFFF) << 5 ^ part
        for bit, generator in enumerate(_GENERATORS):
            sums ^= generator if top >> bit & 1 else 0
    return sums in {1, 0x2BC830A3}


def reference(value: str) -> bool:
    """Four to sixty letters and digits with at least one digit; no date, time, amount, or word before a number."""
    word, _, rest = value.partition(" ")
    if rest and word.isalpha() and (word.islower() or len(word) > 4 or word in _CURRENCIES):
        return False
    has_digit = digits_of(value) != "" and not value.startswith("0x")
    is_short = _REFERENCE_MIN <= sum(map(str.isalnum, value)) <= _REFERENCE_MAX
    return has_digit and is_short and not (_DATES.fullmatch(value) or _TIMES.fullmatch(value))


def no_standard(value: str) -> bool:
    """Four digits or more, which model numbers rarely have; not the number of a standard, a law or an error."""
    return len(digits_of(value)) >= _REFERENCE_MIN and len(value) <= _REFERENCE_MAX and _STANDARDS.match(value) is None


def document(value: str) -> bool:
    """At least six letters and digits, including two digits; not a word and not a date."""
    signs = [it for it in value if it.isalnum()]
    digits = sum(map(str.isdecimal, signs))
    return len(signs) >= 6 and digits >= 2 and not _WORD.search(value) and not _DATES.fullmatch(value.replace(" ", "/"))


def username(value: str) -> bool:
    """Not a word that just follows the word *user*."""
    return _words("no_name").fullmatch(value.lower().strip("._-")) is None


def account(value: str) -> bool:
    """A person's account: not one of a system or service."""
    return username(value) and _words("of_machines").fullmatch(value.lower()) is None


def handle(value: str) -> bool:
    """Not a word that follows an @ in programs and style sheets."""
    return _words("no_handle").fullmatch(value.lower().strip("@._")) is None


def filled(value: str) -> bool:
    """Not a placeholder for a value."""
    return not _HOLDING_A_PLACE.fullmatch(value)


def password(value: str) -> bool:
    """At least five characters; not plain words with closing punctuation, and not a placeholder for a password."""
    words = value.strip("([?!…").split("/")
    plain = all(it.isalpha() and it[1:] == it[1:].lower() for it in words) or _OF_PASSWORDS.fullmatch(value.lower())
    return len(value) >= 5 and not plain and not _HOLDING_A_PLACE.fullmatch(value)


def secret_value(value: str) -> bool:
    """At least four characters including a digit and a letter; not a placeholder for a secret."""
    mixed = len(value) >= 4 and any(it.isdecimal() for it in value) and any(it.isalpha() for it in value)
    return mixed and not _HOLDING_A_PLACE.fullmatch(value)


def drawn_by_lot(value: str) -> bool:
    """A random mix of capitals, lower-case letters and digits: no word of six letters, as a path has."""
    kinds = any(map(str.isupper, value)), any(map(str.islower, value)), any(map(str.isdecimal, value))
    return all(kinds) and not _LONG_WORD.search(value)


def _number(value: str) -> str:
    """The digits of a telephone number without its extension, which starts with x, ext or #."""
    for sign in "x#e":
        value = value.partition(sign)[0]
    return digits_of(value)
