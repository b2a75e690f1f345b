"""Which cores are an address, or a part of one, and how sure that is before anything around them is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from troth.detect.places.words import Words

__all__ = ["JUDGES", "Judged"]

_NUMBER: Final = re.compile(r"\d{1,5}[a-zA-Z]?(?:[/-]\d{1,4}[a-zA-Z]?)?(?: ?(?:bis|ter))?,? +")
_NUMBER_AFTER: Final = re.compile(
    r",? +(?:n[°.]{0,2}o? ?|km ?)?\d{1,4}(?: ?[a-zA-Z])?(?:[/-]{1,2}(?:\d{1,4}[a-z]?|[a-z]|hs|[IVX]{1,4})){0,3}$"
)
_AUSTRALIAN: Final = frozenset({"NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT"})
_SMALL: Final = frozenset({"a", "an", "in", "on", "at", "to", "from", "of", "for", "with", "by", "down", "up", "off"})
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_NO_STREETS: Final = frozenset({"brigade", "renegade", "decade"})
_FOREIGN: Final = frozenset(
    {
        "place",
        "via",
        "route",
        "cours",
        "camino",
        "os",
        "strada",
        "plac",
        "pl",
        "plaza",
        "corso",
        "largo",
        "borgo",
        "alameda",
        "avenue",
        "boulevard",
        "av",
        "bd",
    }
)
"""Words of streets elsewhere that are English words too, or words of other things."""


class Judged(NamedTuple):
    """What a core is: its *score*, and whether it needs *more* around it (a town, a code, a flat) to be anything.

    *skip* and *cut* are how many of its first and last characters are no part of it. *capitals* tells whether its names
    have any, so that those around it must. On its left, *places* are looked for rather than flats and houses, and a
    *comma* has to stand there. What is *loose* is part of a longer name where more capitals stand around it,
    and what may be *shouted* is a word like any other where everything is.
    """

    score: float
    more: bool = False
    skip: int = 0
    cut: int = 0
    type: str = "ADDRESS"
    capitals: bool = True
    places: bool = False
    comma: bool = False
    loose: bool = False
    shouted: bool = False


def english(core: str, of: Words) -> Judged | None:
    """``14 Harbour View``, ``61 connaught st``: a number, a name, a word for a street."""
    number, *words = core.replace(",", " ").split()
    at = next(i for i, word in enumerate(words) if i and _plain(word) in of.plain_streets)
    names, street = words[:at], words[at]
    shouted = core.isupper()
    if any((name.lower() if shouted else name) in of.no_names or (name[-1] == "." and len(name) > 4) for name in names):
        return None
    capitals = all(name[0].isupper() or name[0].isdecimal() or name in of.links for name in [*names, street])
    surely = _plain(street) in of.streets
    if not capitals and not surely:
        return Judged(0.7, more=True, capitals=False)
    if not surely:
        return Judged(0.65, more=bool(_YEAR.fullmatch(number)) or shouted, capitals=not shouted)
    return Judged(0.85 if capitals else 0.7, more=len(names) > 3 and not capitals, capitals=capitals and not shouted)


def road(core: str, of: Words) -> Judged | None:
    """``6629 E County Road 400``."""
    return Judged(0.8)


def continental(core: str, of: Words) -> Judged | None:
    """``14 Rue du Vieux Moulin``, ``Via Cappuccina 188``: the word for a street stands first."""
    before = _NUMBER.match(core)
    rest = core[before.end() :] if before else core
    after = _NUMBER_AFTER.search(rest)
    kind, *names = (rest[: after.start()] if after else rest).replace("'", " ").replace("’", " ").split()
    cut = 0
    if not after:
        trimmed = core.rstrip()
        while names and names[-1] in of.links:
            trimmed = trimmed[: -len(names.pop())].rstrip(" '’")
        cut = len(core) - len(trimmed)
    named = [name for name in names if name.lower() not in of.links]
    if not named:
        return None
    capitals, foreign = named[0][0].isupper(), _plain(kind) in _FOREIGN
    if before or after:
        if not capitals and foreign:
            return None
        return Judged(0.85 if capitals else 0.7, more=foreign and not kind[0].isupper(), cut=cut, capitals=capitals)
    if foreign or not capitals or named[0].lower() in of.no_places:
        return None
    return Judged(0.65, cut=cut, type="LOCATION")


def germanic(core: str, of: Words) -> Judged | None:
    """``Lindenstraße 14a``, ``Wiener Straße 5/2``: the word for a street ends the name."""
    after = _NUMBER_AFTER.search(core)
    words = (core[: after.start()] if after else core).rstrip(",").split(" ")
    street = _plain(words[-1])
    if street in _NO_STREETS or not words[-1]:
        return None
    if street not in of.endings:
        skip = len(core) - len(core.split(" ", len(words) - 1)[-1])
        return Judged(0.85, more=not words[-1][0].isupper(), skip=skip)
    if len(words) < 2 or words[-2].lower() in of.no_places:
        return Judged(0.6, more=True, skip=len(" ".join(words[:-1])) + (len(words) > 1))
    return Judged(0.8, more=street in {"hof", "markt", "ring", "graben", "út", "tér", "gata"})


def box(core: str, of: Words) -> Judged | None:
    """``PO Box 619``, ``Postfach 118``."""
    return Judged(0.85, more=core.lower().startswith(("box", "bp", "general", "pmb", "call")))


def directed(core: str, of: Words) -> Judged | None:
    """``4410 N Kostner``: with a direction, a name is enough where a town follows."""
    return Judged(0.7, more=True)


def pair(core: str, of: Words) -> Judged | None:
    """``Siedlung Eichwald 4, 66482 Zweibrücken``: a name with a number, then a code with a name."""
    words = re.findall(r"[^\s,;|>/-]+", core)
    codes = [at for at, word in enumerate(words) if re.fullmatch(r"\d{4,5}", word)]
    names = {word.lower().strip(".") for word in words}
    if names & of.no_places or not codes or _YEAR.fullmatch(words[codes[-1]]):
        return None
    return Judged(0.85)


def unit(core: str, of: Words) -> Judged | None:
    """``83 Long Acre 12, Suite 628``: anything with a number, when a flat follows."""
    words = core.split()
    names = [word for word in words[1:-2] if word[0].isalpha()]
    if not names or len(names[0]) < 2 or any(name.lower().strip(".,") in of.no_names for name in names):
        return None
    return Judged(0.8)


def between(core: str, of: Words) -> Judged | None:
    """``76 Stubben 149``: a name between two numbers, which is little by itself."""
    names = {word.lower().strip(".") for word in core.split()[1:-1]}
    return None if names & of.no_places or max(map(len, names)) < 4 else Judged(0.7, more=True)


def zoned(core: str, of: Words) -> Judged | None:
    """``1205 Genève``: a code before a town that is known, or before other parts of an address."""
    code, *words = core.replace("-", " ").split()
    code, words = (words[0], words[1:]) if code.isalpha() else (code, words)
    phrases = {" ".join(words[:size]).lower() for size in (1, 2, 3)}
    known = bool(phrases & of.towns)
    if _YEAR.fullmatch(code) or words[0].lower() in of.no_places or "." in core or (len(code) == 4 and not known):
        return None
    return Judged(0.7, more=not known, type="LOCATION", places=True)


def country(core: str, of: Words) -> Judged | None:
    """``Kenya 92342``, and countries by themselves."""
    name = core.rstrip("0123456789 \t")
    code = core[len(name) :].strip()
    if code and not _YEAR.fullmatch(code):
        return Judged(0.8, type="LOCATION", places=True)
    if name.lower() in of.doubtful:
        return None
    score = 0.8 if name[0].isupper() else 0.65
    return Judged(score, cut=len(core) - len(name), type="LOCATION", loose=True, shouted=len(name) < 5)


def coded(core: str, of: Words) -> Judged | None:
    """``TN 37421``, ``NSW 2000``, after a town."""
    state, *_, code = core.replace(",", " ").split()
    if _YEAR.fullmatch(code) or (len(code) == 4 and state not in _AUSTRALIAN):
        return None
    known = state in of.codes or len(state) > 3 or state == "nan"
    return Judged(0.85 if known else 0.7, more=True, places=True, comma=not known)


def postcode(core: str, of: Words) -> Judged | None:
    """``LL23 7TR``, ``V92 XY00``, after a town or a house."""
    return Judged(0.85, more=True, places=True)


def unnumbered(core: str, of: Words) -> Judged | None:
    """``Maclean Street``: no one's address, yet a place; and ``Kessels Lane 4``."""
    words = core.split()
    skip = 0
    while len(words) > 1 and words[0].lower() in of.no_places | _SMALL:
        skip += core.index(words[1], skip + len(words[0])) - skip
        words = words[1:]
    numbered = core[-1].isdecimal() or core[-2:-1].isdecimal()
    street = words[-1 - numbered] if len(words) > 1 + numbered else ""
    if not street or (street.isupper() and not core.isupper()):
        return None
    return Judged(0.8, skip=skip) if numbered else Judged(0.65, skip=skip, type="LOCATION", loose=True)


def said(core: str, of: Words) -> Judged | None:
    """``twenty two elm road``: as it is said."""
    words = core.lower().replace("-", " ").split()
    first = next(at for at, word in enumerate(words) if word not in of.numbers and word != "and")
    names = words[first:-1]
    if not names or any(name in of.no_names for name in names):
        return None
    return Judged(0.7, more=words[-1] not in of.streets, capitals=False)


JUDGES: Final[dict[str, Callable[[str, Words], Judged | None]]] = {
    it.__name__: it
    for it in (
        *(english, road, continental, germanic, box, pair, unit, between),
        *(directed, zoned, country, coded, postcode, unnumbered, said),
    )
}


def _plain(word: str) -> str:
    return word.lower().strip(".,")
