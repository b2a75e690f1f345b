"""When two values that were found are the same, and when two names are one person's."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from troth.detect.entities import entities
from troth.wording import same_words

__all__ = ["People", "same"]

_NUMBERS: Final = frozenset({"pci", "gov_id", "health"})
"""Groups of values whose spaces and hyphens mean nothing."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_TITLES: Final = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "lord", "lady", "rev", "jr", "sr",
     "phd", "md", "herr", "frau", "mme", "mlle", "sra", "srta", "sig", "dott"}
)  # fmt: skip
_PARTS_MAX: Final = 4

_Parts = frozenset[str]


def same(entity: str, value: str) -> str:
    """The form in which equal values of one type are equal, in upper or lower case and however they are spaced."""
    words = same_words(value).casefold()
    known = entities().get(entity)
    if entity == "PHONE_NUMBER" or (known is not None and known.group in _NUMBERS):
        return "".join(letter for letter in words if letter.isalnum() or letter == "+") or words
    return words


class People:
    """People by the parts of their names, numbered as they appear.

    "Ann", "Ann Lee", "A. Lee" and "Lee" are one person, as long as only one is known who could be meant; a name that
    could be several people's is a number of its own. The time for a name does not grow with how many are known.
    """

    def __init__(self) -> None:
        self._count = 0
        self._parts: dict[int, _Parts] = {}
        self._whole: dict[_Parts, int] = {}
        self._shorter: dict[_Parts, set[int]] = {}
        """Short forms to the people whom they could mean: two at most, for that is one too many."""

    def number(self, name: str) -> int:
        """Whose name it is: a number that somebody has, or a new one, from nought."""
        parts = _parts(name)
        if parts in self._whole:
            return self._whole[parts]
        meant = {self._whole[form] for form in _forms(parts) if form in self._whole} | self._shorter.get(parts, set())
        if len(meant) == 1:
            (number,) = meant
            if len(parts) > len(self._parts[number]):
                del self._whole[self._parts[number]]
                self._know(number, parts)
            return number
        self._count += 1
        if parts and not meant:
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
    """The words of a name without titles and accents."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    words = [it for it in _WORD.findall(plain.replace("'s", "").replace("’s", "")) if it not in _TITLES]
    return frozenset(words[: _PARTS_MAX - 1] + words[_PARTS_MAX - 1 :][-1:])


def _forms(parts: _Parts) -> Iterator[_Parts]:
    """A name and all shorter ways to say it: some of its parts, some by their initials, but never these alone."""
    choices = [(part, part[0], "") for part in sorted(parts)]
    for chosen in itertools.product(*choices):
        form = frozenset(chosen) - {""}
        if any(len(part) > 1 for part in form):
            yield form
