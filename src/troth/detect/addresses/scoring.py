"""Decides which cores are an address, or part of one, with a score that does not yet consider the context."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from troth.detect.addresses.words import AddressWords

_NUMBER: Final = re.compile(r"\d{1,5}[a-zA-Z]?(?:[/-]\d{1,4}[a-zA-Z]?){0,3}(?: ?(?:bis|ter))?,? +")
_NUMBER_AFTER: Final = re.compile(
    r",? +(?:n[°.]{0,2}o? ?|km ?|(?i:no|nr)[.:]? ?)?"
    r"\d{1,4}(?: ?[a-zA-Z])?(?:[/-]{1,2}(?:\d{1,4}[a-z]?|[a-z]|hs|[IVX]{1,4})){0,3}$"
)
_STOPPED: Final = re.compile(r"([^\W\d_]+)\. ")
_AUSTRALIAN: Final = frozenset({"NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT"})
_STANDARDS: Final = frozenset({"BS", "DIN", "EN", "IEC", "ISO", "NF", "RFC", "UL", "UNE"})
"""Letters before a number that identify an engineering standard rather than a place."""
_SMALL: Final = frozenset({"a", "an", "in", "on", "at", "to", "from", "of", "for", "with", "by", "down", "up", "off"})
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_NO_STREETS: Final = frozenset(
    {"brigade", "renegade", "decade", "auntie", "spring", "string", "during", "bring", "ipad", "keypad"}
)


class RequiredContext(Enum):
    """The context that a core needs to be accepted."""

    NOTHING = "nothing"
    ANY = "a town, a code or a flat, or words that tell of an address"
    BEHIND = "a town, a code or a flat behind it"
    IN = "the word in, directly before it"
    PLACES = "places before it"
    COMMA = "places before it, and a comma"


class Judged(NamedTuple):
    """The verdict on a core: *score*, *type*, and the context that it *needs*.

    *skip* and *cut* are the numbers of characters at its start and end that do not belong to it. *capitals*: its names
    are capitalised, so those around it must be too. *places*: search for places on the left, not for flats and houses.
    A *loose* core is part of a longer name if capitalised words adjoin it; an *alone* core is not extended.
    """

    score: float
    needs: RequiredContext = RequiredContext.NOTHING
    type: str = "ADDRESS"
    skip: int = 0
    cut: int = 0
    capitals: bool = True
    places: bool = False
    loose: bool = False
    alone: bool = False


def english(core: str, of: AddressWords) -> Judged | None:
    """``14 Harbour View``, ``61 connaught st``: number, name, street word."""
    number, *words = core.replace(",", " ").split()
    at = next((at for at, word in enumerate(words) if at and _plain(word) in of.plain_streets), 0)
    names, street = words[:at], words[at]
    shouted = core.isupper()
    if not names or any(
        (name.lower() if shouted else name) in of.no_names or (name[-1] == "." and len(name) > 4) for name in names
    ):
        return None
    capitals = all(name[0].isupper() or name[0].isdecimal() or name in of.links for name in [*names, street])
    surely = _plain(street) in of.streets
    if not capitals and not surely:
        return Judged(0.75, RequiredContext.ANY, capitals=False)
    if not surely:
        unsure = bool(_YEAR.fullmatch(number)) or shouted or _plain(street) in of.rare
        return Judged(0.8, _any(unsure), capitals=not shouted)
    far = len(names) > 3 and not capitals
    return Judged(0.88 if capitals else 0.75, _any(far), capitals=capitals and not shouted)


def road(core: str, of: AddressWords) -> Judged | None:
    """``6629 E County Road 400``."""
    return Judged(0.8)


def continental(core: str, of: AddressWords) -> Judged | None:
    """``14 Rue du Vieux Moulin``, ``Via Cappuccina 188``: the street word comes first."""
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
    capitals, doubtful = named[0][0].isupper(), _plain(kind) in of.doubtful_streets
    if before or after:
        if not capitals and doubtful:
            return None
        needs = _any(doubtful and not kind[0].isupper() and len(named) < 2)
        return Judged(0.88 if capitals else 0.75, needs, cut=cut, capitals=capitals)
    if not capitals or named[0].lower() in of.no_places or (doubtful and _plain(kind) not in of.unnumbered_streets):
        return None
    return Judged(0.65, _any(doubtful), cut=cut, type="LOCATION")


def germanic(core: str, of: AddressWords) -> Judged | None:
    """``Lindenstraße 14a``, ``Wiener Straße 5/2``: the street word ends the name."""
    after = _NUMBER_AFTER.search(core)
    words = (core[: after.start()] if after else core).rstrip(",").split(" ")
    street = _plain(words[-1])
    if street in _NO_STREETS or not words[-1]:
        return None
    if street not in of.endings:
        skip = len(core) - len(core.split(" ", len(words) - 1)[-1])
        unsure = not words[-1][0].isupper() or street.endswith(("ring", "pad", "ringen"))
        return Judged(0.85, _any(unsure), skip=skip, capitals=words[-1][0].isupper())
    if len(words) < 2 or words[-2].lower() in of.no_places:
        return Judged(0.6, RequiredContext.ANY, skip=len(" ".join(words[:-1])) + (len(words) > 1))
    return Judged(0.8, _any(street in {"hof", "markt", "graben", "gata", "vei", "ring", "pad", "boulevard"}))


def box(core: str, of: AddressWords) -> Judged | None:
    """``PO Box 619``, ``Postfach 118``."""
    kind = core.lower()
    if kind.startswith("bp"):
        return Judged(0.85, RequiredContext.BEHIND, capitals=not core.islower())  # otherwise it is a blood pressure
    unsure = kind.startswith(("box", "general", "pmb", "call"))
    return Judged(0.85, _any(unsure), capitals=not core.islower())


def corner(core: str, of: AddressWords) -> Judged | None:
    """``the corner of Maple Avenue and Elm Street``."""
    return Judged(0.8, capitals=core[core.lower().index(" of ") + 4].isupper())


def called(core: str, of: AddressWords) -> Judged | None:
    """``lives at Kaupangsbakken 98``: a name and a number that the words before them make an address."""
    at = _first_name(core, r"(?<=\s)[^\Wa-z]")
    if at is None:
        return None
    words = {word.lower().strip(".") for word in core[at:].split()}
    return None if words & (of.no_places | of.units | of.counted) else Judged(0.7, skip=at)


def home(core: str, of: AddressWords) -> Judged | None:
    """``grew up in Leeds``: words that introduce a place, whatever its name."""
    at = _first_name(core, r"(?<=\s)[^\W\da-z]")
    if at is None or core[at:].split()[0].lower().strip(".") in of.no_places:
        return None
    end = min(core.find(word, at) % (len(core) + 1) for word in (" and ", " on ", " in ", " by ", "."))
    return Judged(0.8, type="LOCATION", skip=at, cut=len(core) - len(core[:end].rstrip("'-")))


def pair(core: str, of: AddressWords) -> Judged | None:
    """``Siedlung Eichwald 4, 66482 Zweibrücken``: a name with a number, then a code with a name."""
    words = re.findall(r"[^\s,;|>/-]+", core)
    codes = [at for at, word in enumerate(words) if re.fullmatch(r"\d{3,5}", word)]
    names = {word.lower().strip(".") for word in words}
    if names & of.no_places or not codes or _YEAR.fullmatch(words[codes[-1]]):
        return None
    town = re.split(r"\d", core)[-1]
    ends = [it.end(1) for it in _STOPPED.finditer(town) if len(it[1]) > 3 or it[1].lower() in of.towns]
    return Judged(0.85, cut=len(town) - ends[0] if ends else 0)


def unit(core: str, of: AddressWords) -> Judged | None:
    """``83 Long Acre 12, Suite 628``: any name with a number, if a flat follows."""
    words = core.split()
    names = [word for word in words[1:-2] if word[0].isalpha()]
    if not names or len(names[0]) < 2 or any(name.lower().strip(".,") in of.no_names for name in names):
        return None
    return Judged(0.8, capitals=any(name[0].isupper() for name in names))


def between(core: str, of: AddressWords) -> Judged | None:
    """``76 Stubben 149``: a name between two numbers, which is weak evidence."""
    names = {word.lower().strip(".") for word in core.split()[1:-1]}
    return None if names & of.no_places or max(map(len, names)) < 4 else Judged(0.6, RequiredContext.ANY)


def zoned(core: str, of: AddressWords) -> Judged | None:
    """``1205 Genève``: a code before a known town, or next to other parts of an address."""
    code, *words = core.replace("-", " ").split()
    code, words = (words[0], words[1:]) if code.isalpha() else (code, words)
    phrases = {" ".join(words[:size]).lower() for size in (1, 2, 3)}
    known = bool(phrases & of.towns)
    if _YEAR.fullmatch(code) or words[0].lower() in of.no_places or "." in core or (len(code) == 4 and not known):
        return None
    if any(_plain(word) in of.streets for word in words):
        return None  # a house number; other cores recognise the street
    return Judged(0.7, RequiredContext.NOTHING if known else RequiredContext.PLACES, type="LOCATION", places=True)


def country(core: str, of: AddressWords) -> Judged | None:
    """``Kenya 92342``, and countries alone."""
    name = core.rstrip("0123456789 \t")
    code = core[len(name) :].strip()
    if code and not _YEAR.fullmatch(code):
        return Judged(0.8, type="LOCATION", places=True, capitals=name[0].isupper())
    doubtful = name.lower() in of.doubtful or (name.lower() in of.doubtful_small and not name[0].isupper())
    score, cut = (0.85 if name[0].isupper() else 0.7), len(core) - len(name)
    return Judged(
        score,
        RequiredContext.IN if doubtful else RequiredContext.NOTHING,
        type="LOCATION",
        cut=cut,
        loose=True,
        alone=True,
    )


def coded(core: str, of: AddressWords) -> Judged | None:
    """``TN 37421``, ``NSW 2000``, after a town."""
    state, *_, code = core.replace(",", " ").split()
    if _YEAR.fullmatch(code) or (len(code) == 4 and state not in _AUSTRALIAN) or state in _STANDARDS:
        return None
    known = state in of.codes or len(state) > 3 or state == "nan"
    return Judged(
        0.85 if known else 0.7,
        RequiredContext.PLACES if known and state != "ID" else RequiredContext.COMMA,
        places=True,
    )


def postcode(core: str, of: AddressWords) -> Judged | None:
    """``LL23 7TR``, ``V92 XY00``, after a town or a house."""
    return Judged(0.85, RequiredContext.PLACES, places=True)


def unnumbered(core: str, of: AddressWords) -> Judged | None:
    """``Maclean Street``, which is a place but nobody's address; and ``Kessels Lane 4``."""
    words = core.split()
    skip = 0
    while len(words) > 1 and words[0].lower() in of.no_places | _SMALL:
        skip += core.index(words[1], skip + len(words[0])) - skip
        words = words[1:]
    numbered = core[-1].isdecimal() or core[-2:-1].isdecimal()
    street = words[-1 - numbered] if len(words) > 1 + numbered else ""
    if not street or (street.isupper() and not core.isupper()):
        return None
    return Judged(0.85, skip=skip) if numbered else Judged(0.78, skip=skip, type="LOCATION", loose=True)


JUDGES: Final[dict[str, Callable[[str, AddressWords], Judged | None]]] = {
    it.__name__: it
    for it in (
        *(english, road, continental, germanic, box, pair, unit, between),
        *(corner, called, home, zoned, country, coded, postcode, unnumbered),
    )
}


def _any(unsure: bool) -> RequiredContext:
    return RequiredContext.ANY if unsure else RequiredContext.NOTHING


def _first_name(core: str, beginning: str) -> int | None:
    """Offset of the place name after the introducing words."""
    return next((it.start() for it in re.finditer(beginning, core) if not it[0].islower()), None)


def _plain(word: str) -> str:
    return word.lower().strip(".,")
