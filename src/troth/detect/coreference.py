"""When two found values are equal, and when two names belong to the same person."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from troth.detect.entities import entities
from troth.text import same_words, without_accents

_NUMBERS: Final = frozenset({"pci", "gov_id", "health"})
_NUMBERS_TOO: Final = frozenset(
    {"REFERENCE_NUMBER", "UK_POSTCODE", "VEHICLE_REGISTRATION", "UK_VEHICLE_REGISTRATION", "IN_VEHICLE_REGISTRATION"}
)
"""Groups of types, and further types, in which spaces and hyphens are insignificant."""
_TRUNK: Final = re.compile(r"(\+[\d .-]{1,8})\(0\)")
"""``+44 (0)``: the zero is for calls from within the country."""
_CODE_MAX: Final = 3
_LOCAL_MIN: Final = 7
"""Maximum digits of a country code, and minimum digits of a number without one."""
_WORD: Final = re.compile(r"(?:[^\W\d_]|(?<=\w)-(?=\w))+")
_TITLES: Final = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "lord", "lady", "rev", "jr", "sr",
     "phd", "md", "herr", "frau", "mme", "mlle", "sra", "srta", "sig", "dott"}
)  # fmt: skip
_PARTS_MAX: Final = 4

_Parts = frozenset[str]


def same(entity: str, value: str) -> str:
    """A normal form: equal values of a type give equal forms, ignoring case and spacing.

    Dates in different notations are different: the month of 3/4 is ambiguous.
    """
    words = same_words(value).casefold()
    if entity == "PHONE_NUMBER":
        digits = _run_together(_TRUNK.sub(r"\1", words))
        return f"+{digits[2:]}" if digits.startswith("00") else digits
    known = entities().get(entity)
    if entity in _NUMBERS_TOO or (known is not None and known.group in _NUMBERS):
        return _run_together(words)
    return words


def _run_together(words: str) -> str:
    return "".join(letter for letter in words if letter.isalnum() or letter == "+") or words


class Telephones:
    """Matches telephone numbers with and without country code: 07700 900123 is +44 7700 900123, as long as no number of
    another country with the same ending is known."""

    def __init__(self) -> None:
        self._whole: dict[str, str] = {}
        self._local: set[str] = set()
        self._endings: dict[str, set[str]] = {}
        """Numbers without country code, to the numbers with one that they may stand for: two at most."""

    def known_as(self, number: str) -> str:
        """The same form for a number (as returned by `same`) with and without its country code."""
        if number.startswith("+"):
            if number not in self._whole:
                self._whole[number] = self._first(number)
            return self._whole[number]
        local = number.lstrip("0")
        meant = self._endings.get(local, set())
        if len(meant) == 1:
            return self._whole[next(iter(meant))]
        if meant:
            return f"?{local}"  # ambiguous
        self._local.add(local)
        return local

    def _first(self, number: str) -> str:
        endings = [number[at:] for at in range(1, _CODE_MAX + 2) if len(number) - at >= _LOCAL_MIN]
        for ending in endings:
            whole = self._endings.setdefault(ending, set())
            if len(whole) < 2:
                whole.add(number)
        heard = self._local.intersection(endings)
        self._local -= heard
        return heard.pop() if len(heard) == 1 else number


class People:
    """Identifies people by the parts of their names, numbered in order of appearance.

    "Ann", "Ann Lee", "A. Lee" and "Lee" are one person as long as only one known person matches; an ambiguous name gets
    a number of its own from then on. A hyphenated name is one part: Ann and Ann-Marie are two people. The time per name
    does not depend on how many are known.
    """

    def __init__(self) -> None:
        self._count = 0
        self._parts: dict[int, _Parts] = {}
        self._whole: dict[_Parts, int] = {}
        self._shorter: dict[_Parts, set[int]] = {}
        """Short forms to the people whom they may mean: two at most, because two make it ambiguous."""
        self._anybodys: dict[_Parts, int] = {}
        """Ambiguous names."""

    def number(self, name: str) -> int:
        """The number of the person with that name, or a new one, starting at 0."""
        parts = _parts(name)
        known = self._whole.get(parts, self._anybodys.get(parts))
        if known is not None:
            return known
        meant = {self._whole[form] for form in _forms(parts) if form in self._whole} | self._shorter.get(parts, set())
        if len(meant) == 1:
            (number,) = meant
            if len(parts) > len(self._parts[number]):
                del self._whole[self._parts[number]]
                self._know(number, parts)
            return number
        self._count += 1
        if meant:
            self._anybodys[parts] = self._count - 1
        else:
            self._know(self._count - 1, parts)
        return self._count - 1

    def _know(self, number: int, parts: _Parts) -> None:
        self._parts[number] = parts
        self._whole[parts] = number
        for form in _forms(parts):
            people = self._shorter.setdefault(form, set())
            if len(people) < 2:
                people.add(number)


def _parts(name: str) -> _Parts:
    """The words of a name without titles and accents; the whole name if there are none."""
    written = same_words(name).casefold()
    words = [it for it in _WORD.findall(without_accents(written).replace("'s", "")) if it not in _TITLES]
    return frozenset(words[: _PARTS_MAX - 1] + words[_PARTS_MAX - 1 :][-1:] or [written or name])


def _forms(parts: _Parts) -> Iterator[_Parts]:
    """A name and all its shorter forms: some of its parts, some as initials, but never initials alone."""
    choices = [(part, part[0], "") for part in sorted(parts)]
    for chosen in itertools.product(*choices):
        form = frozenset(chosen) - {""}
        if any(len(part) > 1 for part in form):
            yield form
