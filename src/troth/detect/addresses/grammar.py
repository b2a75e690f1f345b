"""Finds the start of an address: its *core*, with one RE2 expression per format.

A core only says where to look. Non-ASCII letters count as capitals here, which keeps the expressions small; `scoring`
examines the words themselves, and `extent` extends the core to the right and left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import re2

from troth.detect.addresses.words import AddressWords, either, shipped

_DIGIT: Final = re.compile(rb"\d")
_BEGINNING: Final = r"(?:^|[^A-Za-z0-9\x{80}-\x{10ffff}])"
_BEYOND: Final = r"\x{80}-\x{2027}\x{202a}-\x{10ffff}"
"""All non-ASCII characters except the two line separators."""
_WORD: Final = rf"[A-Za-z{_BEYOND}][A-Za-z{_BEYOND}'.-]*"
_NAME: Final = rf"[A-Z{_BEYOND}][A-Za-z{_BEYOND}'.-]*"
_NUMBER: Final = r"\d{1,5}[a-zA-Z]?(?:[/-]\d{1,4}[a-zA-Z]?){0,3}"
_AFTER: Final = r"\d{1,4}(?: ?[a-zA-Z])?(?:[/-]{1,2}(?:\d{1,4}[a-z]?|[a-z]|hs|[IVX]{1,4})){0,3}\b"
"""A house number after its street: ``14a``, ``5/2/14``."""
_BREAK: Final = r"[ \t]*[,\n;|-][\s>,|-]{0,6}"
_FLAT: Final = r"(?i:apt|suite|apartment)\b\.? ?#?\d{1,5}\b"
_ADDRESS: Final = (
    r"address(?: is| to)?|liv(?:e|es|ing) (?:at|on)|(?:located|meet|sent|delivered|taxi|return|return it|shipped"
    r"|me|us|him|her|arrived|moved|(?:office|house|flat|shop) is) (?:at|to)"
)
_HOME: Final = (
    r"originally from|(?:moved|came) here from|gr(?:e|o)w(?:n|s|ing)? up in|born (?:and (?:raised|bred) )?in|raised in"
    r"|liv(?:e|es|ed|ing) in|based in|resid(?:e|es|ed|ing) in|home ?(?:town|city)(?: is| of)?"
)
"""Words that directly precede a street with its number, whatever its name; or a town."""
_ROADS: Final = r"(?:(?:county|state) (?:road|route)|highway|hwy|route|rte|interstate|fm|cr) \d{1,4}\b"
_BOX: Final = (
    r"(?:unit \d+ |(?:psc|rr|rt|hc) ?#?\d+,? )?(?:p\.? ?o\.? ?|gpo |post ?|private |call )?"
    r"box #?\d{1,6}(?:-?[a-z])?\b"
    r"|post(?:fach|bus|boks) \d[\d ]{1,6}\d\b|apartado(?: de correos)? \d{1,6}|casella postale \d{1,6}"
    r"|packstation \d{1,4}|bp \d{2,6}|pmb \d{1,5}|locked bag \d{1,6}|general delivery"
    r"|(?:us(?:ns|nv|s|cgc) [a-z\x{80}-\x{10ffff}]+\s+)?(?:apo|fpo|dpo),? a[aep] \d{5}\b"
)


def _english(of: AddressWords) -> dict[str, str]:
    street = _street(of)
    return {
        "english": f"{_NUMBER},? +(?:(?:{_WORD}|\\d{{1,3}}(?i:st|nd|rd|th)) +){{1,4}}?{street}\\b\\.?"
        f"(?: {street}\\b\\.?){{0,2}}(?: (?i:{either(of.directions)})\\b)?(?: \\d{{1,3}} ?[NSEW]\\b)?",
        "road": f"{_NUMBER} +(?:[NSEW]\\.? )?(?i:{_ROADS})(?: [NSEW]\\b)?",
    }


def _whatever_called(of: AddressWords) -> dict[str, str]:
    return {
        "unit": rf"\d{{1,3}} (?:[^\s,]+[ ,]{{1,2}}){{0,6}}?[^\s,]+[\s>,?*]{{1,8}}{_FLAT}",
        "called": f"(?i:{_ADDRESS}):?\\s+(?:\\d{{1,3}} )?{_town(of)} {_AFTER}",
    }


def _continental(of: AddressWords) -> dict[str, str]:
    linked = f"(?:{either(of.links)}[ ']{{1,2}}){{0,2}}"
    return {
        "continental": f"(?:{_NUMBER}(?: ?(?:bis|ter))?,? +)?(?i:{either(of.before)})\\.? +"
        f"{linked}{_WORD}(?:[ -]{linked}{_NAME}){{0,4}}(?:,? +(?:n[°.]{{0,2}}o? ?|km ?)?{_AFTER})?",
        "between": rf"\d{{2,3}} {_town(of)} \d{{1,4}}\b",
    }


def _number_last(of: AddressWords) -> dict[str, str]:
    town = _town(of)
    return {
        "germanic": f"(?:{_NAME}[ -]){{0,3}}?(?:{_WORD})?(?i:{either(of.endings)})"
        f"\\.?,? +(?:(?i:no|nr)[.:]? ?)?{_AFTER}",
        "pair": f"{town},? {_AFTER}{_BREAK}(?:\\d{{4}} ?[A-Z]{{2}}[\\s,]{{1,2}}|(?:[A-Z]{{1,2}}-)?\\d{{4,5}}[ ;]"
        f"|(?:\\d{{3}} \\d{{2}}|\\d{{4}}-\\d{{3}}) ){town}",
        "zoned": rf"(?:[A-Z]{{1,2}}-)?\d{{4,5}} {town}",
    }


def _without_number(of: AddressWords) -> dict[str, str]:
    spelled, coded = either(of.states + of.wider), tuple(it for it in of.country_codes if "." in it)
    return {
        "home": f"(?i:{_HOME}):? {_town(of)}",
        "box": f"(?i:{_BOX})",
        "corner": rf"(?i:(?:the )?corner of) (?:{_WORD}|\d{{1,4}}[a-z]*\.?)(?: (?:{_WORD}|\d{{1,4}}\.?)){{0,5}}"
        rf" (?:and|&)(?: (?:{_WORD}|\d{{1,4}}[a-z]*)){{1,3}}? {_street(of)}\b",
        "country": rf"(?:(?:(?i:{either(of.countries)})|{spelled})(?:[ \t]+\d{{4,6}})?\b"
        rf"|{either(coded)}|{either(of.country_codes)}\b)",
        "unnumbered": rf"(?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}{either(_capitalised(of.alone))}\b\.?"
        f"(?: {_AFTER})?",
    }


def _coded(of: AddressWords) -> dict[str, str]:
    state = f"(?:(?i:{either(of.states)})|{either(of.codes)}|[A-Z]{{2}}|nan)"
    return {
        "coded": rf"{state}\.?,?\s+(?:\d{{5}}(?:-\d{{4}})?|\d{{4}}|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b",
        "postcode": r"(?:(?i:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2})|[A-Z]\d[\dW] [A-Z\d]{4})\b",
    }


def _street(of: AddressWords) -> str:
    return f"(?i:{either(of.streets + of.others + of.rare)})"


def _town(of: AddressWords) -> str:
    return f"{_NAME}(?:[ -](?:{either(of.links)} )?{_NAME}){{0,3}}"


def _capitalised(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(it for word in words if len(word) > 2 for it in (word.title(), word.upper()))


def cores(utf8: bytes) -> Iterator[tuple[int, int, str]]:
    """Possible starts of addresses in a text's UTF-8, with the name of the core, which is a function in `scoring`."""
    has_digits = _DIGIT.search(utf8) is not None
    for make, needs_digits in _GROUPS:
        if needs_digits and not has_digits:
            continue
        any_of_them, each = _made(make)
        if any_of_them.search(utf8):
            for name, core in each.items():
                for match in _compiled(core).finditer(utf8):
                    start, end = match.span()
                    yield start + (not utf8[start : start + 1].isalnum() and utf8[start] < 0x80), end, name


_GROUPS: Final = (
    *((make, True) for make in (_english, _whatever_called, _number_last, _coded)),
    *((make, False) for make in (_continental, _without_number)),
)
"""Functions that make cores, and whether these contain digits.

The groups are small, because RE2 tracks all expressions of a group at once. A single group, or a set that reports which
of them matches, takes ten times as long on varied text, although not on repetitive text.
"""


@cache
def _made(make: Callable[[AddressWords], dict[str, str]]) -> tuple[Any, dict[str, str]]:
    """An expression that detects whether any core of a group occurs, since most texts have none, and each core."""
    each = make(shipped())
    return _compiled("|".join(each.values())), each


@cache
def _compiled(core: str) -> Any:
    """An expression for *core* at the start of a word, including the character before it: a group would be slower."""
    return re2.compile(f"{_BEGINNING}(?:{core})".encode())
