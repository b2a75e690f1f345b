"""What an address begins from: its *core*, one expression of RE2 for each way to write it.

A core only says where to look. Letters beyond ASCII count as capitals here, which keeps the expressions small;
`judging` looks at the words themselves, and `walking` goes from there to the right and to the left.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import re2

from troth.detect.places.words import either, shipped
from troth.detect.written.prefilter import Prefilter

__all__ = ["compiled", "cores", "prefilter"]

_BEGINNING: Final = r"(?:^|[^A-Za-z0-9\x{80}-\x{10ffff}])"
_WORD: Final = r"[A-Za-z\x{80}-\x{10ffff}][A-Za-z\x{80}-\x{10ffff}'.-]*"
_NAME: Final = r"[A-Z\x{80}-\x{10ffff}][A-Za-z\x{80}-\x{10ffff}'.-]*"
_NUMBER: Final = r"\d{1,5}[a-zA-Z]?(?:[/-]\d{1,4}[a-zA-Z]?){0,3}"
_AFTER: Final = r"\d{1,4}(?: ?[a-zA-Z])?(?:[/-]{1,2}(?:\d{1,4}[a-z]?|[a-z]|hs|[IVX]{1,4})){0,3}\b"
"""A number of a house that stands behind its street: ``14a``, ``5/2/14``."""
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
"""Words directly after which a street with its number stands, whatever it is called; or a town."""
_ROADS: Final = r"(?:(?:county|state) (?:road|route)|highway|hwy|route|rte|interstate|fm|cr) \d{1,4}\b"
_BOX: Final = (
    r"(?:unit \d+ |(?:psc|rr|rt|hc) ?#?\d+,? )?(?:p\.? ?o\.? ?|gpo |post ?|private |call )?"
    r"box #?\d{1,6}(?:-?[a-z])?\b"
    r"|post(?:fach|bus|boks) \d[\d ]{1,6}\d\b|apartado(?: de correos)? \d{1,6}|casella postale \d{1,6}"
    r"|packstation \d{1,4}|bp \d{2,6}|pmb \d{1,5}|locked bag \d{1,6}|general delivery"
    r"|(?:us(?:ns|nv|s|cgc) [a-z\x{80}-\x{10ffff}]+\s+)?(?:apo|fpo|dpo),? a[aep] \d{5}\b"
)


@cache
def cores() -> dict[str, str]:
    """By name; names are the functions of `judging`."""
    of = shipped()
    street, link = either(of.streets + of.others + of.rare), either(of.links)
    linked = f"(?:{link}[ ']{{1,2}}){{0,2}}"
    town = f"{_NAME}(?:[ -](?:{link} )?{_NAME}){{0,3}}"
    state = f"(?:(?i:{either(of.states)})|{either(of.codes)}|[A-Z]{{2}}|nan)"
    return {
        "english": f"{_NUMBER},? +(?:(?:{_WORD}|\\d{{1,3}}(?i:st|nd|rd|th)) +){{1,4}}?(?i:{street})\\b\\.?"
        f"(?: (?i:{street})\\b\\.?){{0,2}}(?: (?i:{either(of.directions)})\\b)?(?: \\d{{1,3}} ?[NSEW]\\b)?",
        "road": f"{_NUMBER} +(?:[NSEW]\\.? )?(?i:{_ROADS})(?: [NSEW]\\b)?",
        "continental": f"(?:{_NUMBER}(?: ?(?:bis|ter))?,? +)?(?i:{either(of.before)})\\.? +"
        f"{linked}{_WORD}(?:[ -]{linked}{_NAME}){{0,4}}(?:,? +(?:n[°.]{{0,2}}o? ?|km ?)?{_AFTER})?",
        "germanic": f"(?:{_NAME}[ -]){{0,3}}?(?:{_WORD})?(?i:{either(of.endings)})"
        f"\\.?,? +(?:(?i:no|nr)[.:]? ?)?{_AFTER}",
        "box": f"(?i:{_BOX})",
        "pair": f"{town},? {_AFTER}{_BREAK}(?:\\d{{4}} ?[A-Z]{{2}}[\\s,]{{1,2}}|(?:[A-Z]{{1,2}}-)?\\d{{4,5}}[ ;]"
        f"|(?:\\d{{3}} \\d{{2}}|\\d{{4}}-\\d{{3}}) ){town}",
        "unit": rf"\d{{1,3}} (?:[^\s,]+[ ,]{{1,2}}){{0,6}}?[^\s,]+[\s>,?*]{{1,8}}{_FLAT}",
        "between": rf"\d{{2,3}} {town} \d{{1,4}}\b",
        "corner": rf"(?i:(?:the )?corner of) (?:{_WORD}|\d{{1,4}}[a-z]*\.?)"
        rf"(?: (?:{_WORD}|\d{{1,4}}\.?)){{0,5}} (?:and|&)"
        f"(?: (?:{_WORD}|\\d{{1,4}}[a-z]*)){{1,3}}? (?i:{street})\\b",
        "called": f"(?i:{_ADDRESS}):?\\s+(?:\\d{{1,3}} )?{town} {_AFTER}",
        "home": f"(?i:{_HOME}):? {town}",
        "zoned": rf"(?:[A-Z]{{1,2}}-)?\d{{4,5}} {town}",
        "country": rf"(?:(?:(?i:{either(of.countries)})|{either(of.states + of.wider)})(?:[ \t]+\d{{4,6}})?\b"
        rf"|{either(_dotted(of.country_codes))}|{either(of.country_codes)}\b)",
        "coded": rf"{state}\.?,?\s+(?:\d{{5}}(?:-\d{{4}})?|\d{{4}}|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b",
        "postcode": r"(?:(?i:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2})|[A-Z]\d[\dW] [A-Z\d]{4})\b",
        "unnumbered": f"(?:(?:{_NAME}|\\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}{either(_capitalised(of.alone))}\\b\\.?"
        f"(?: {_AFTER})?",
    }


def _capitalised(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(it for word in words if len(word) > 2 for it in (word.title(), word.upper()))


def _dotted(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if "." in word)


@cache
def compiled(name: str) -> Any:
    """The core of that name, whose first group is what it matches."""
    return re2.compile(f"{_BEGINNING}({cores()[name]})".encode())


@cache
def prefilter() -> tuple[Prefilter, dict[int, str]]:
    """What tells, in one pass over a text, the numbers of the cores that occur in it; and their names."""
    which = Prefilter()
    names = {which.add(_BEGINNING + core): name for name, core in cores().items()}
    return which, names
